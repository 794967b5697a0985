"""The tests inside a rule file. A test gives a resource and the verdict that the rule must reach on it.

`given` holds only the facts that matter to the test; scanner.language.healthy fills in the rest, also of each
processor. A time is given by its age, such as 90d. The plain word `unknown` means that a fact was not observed (in
quotes it is text), and null that it is known to be absent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, get_args

from msgspec import UNSET, Struct, UnsetType

from scanner.language import checks, healthy, params
from scanner.language.conditions import Literals
from scanner.language.params import Param
from scanner.language.vocabulary import Fact, Resource, Root, fields
from scanner.model.moments import seconds
from scanner.model.phrases import quote
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table, found

UNKNOWN = "unknown"
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The time at which tests take place; ages refer to it."""

Partial = dict[str, Any]


def given_resource(node: Node, root: Root, mistakes: Mistakes) -> Resource | None:
    """The resource that a test gives; None if there are mistakes, which are added."""
    before = len(mistakes.found)
    partial = _record(node, root.type, mistakes)
    if len(mistakes.found) > before:
        return None
    return healthy.resource(root, partial)


def _record(node: Node, record: type[Struct], mistakes: Mistakes) -> Partial:
    if not isinstance(node, Table):
        mistakes.add(node, f"{found(node)}; expected a mapping with fields of {record.__name__}")
        return {}
    known = {name: fact for name, fact in fields(record).items() if not fact.derived}
    checks.keys(node, known, (), f"field of {record.__name__}", mistakes)
    return {name: _value(value, known[name], name, mistakes) for name, value in node.entries.items() if name in known}


def _value(node: Node, fact: Fact, name: str, mistakes: Mistakes) -> object:
    if isinstance(node, Scalar) and node.plain and node.text == UNKNOWN:
        if not fact.unknown:
            mistakes.add(node, f"found unknown; expected a value, because {name} is always known")
        return UNSET
    if isinstance(node, Scalar) and node.plain and node.value is None and fact.absent:
        return None
    match fact.kind:
        case "time":
            return _time(node, mistakes)
        case "texts":
            return tuple(checks.literal(item, _TEXT, mistakes) for item in _items(node, mistakes))
        case "tags":
            return _tags(node, mistakes)
    if fact.record is None:
        return checks.literal(node, fact, mistakes)
    if fact.kind == "list":
        return [_record(item, fact.record, mistakes) for item in _items(node, mistakes)]
    return _record(node, fact.record, mistakes)


_TEXT: Final = Fact(kind="text")


def _items(node: Node, mistakes: Mistakes) -> tuple[Node, ...]:
    if isinstance(node, Listing):
        return node.items
    mistakes.add(node, f"{found(node)}; expected a list")
    return ()


def _time(node: Node, mistakes: Mistakes) -> datetime | UnsetType:
    written = checks.literal(node, Fact(kind="duration"), mistakes)
    age = seconds(str(written))
    return UNSET if age is None else NOW - timedelta(seconds=age)


def _tags(node: Node, mistakes: Mistakes) -> Partial:
    if not isinstance(node, Table):
        mistakes.add(node, f"{found(node)}; expected tags by key")
        return {}
    return {key: checks.literal(value, _TEXT, mistakes) for key, value in node.entries.items()}


Verdict = Literal["pass", "fail", "unknown", "not_applicable"]

VERDICTS: Final = get_args(Verdict)
KEYS: Final[Mapping[str, str]] = {
    "name": "What the test shows.",
    "given": "The facts that matter; the rest is a flow in good order. The plain word unknown is a fact not observed.",
    "params": "Parameters that differ from their defaults.",
    "expect": "The verdict.",
}
_REQUIRED = ("name", "given", "expect")
_WANTED = ("pass", "fail", "unknown")


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One test of a rule; `line` and `column` are its place in the rule's file."""

    name: str
    given: Resource
    params: Mapping[str, Literals]
    expect: str
    line: int
    column: int


def read(
    node: Node, root: Root, declared: Mapping[str, Param], mistakes: Mistakes, *, asks: bool
) -> tuple[Example, ...]:
    """Read the `tests` of a rule. There must be one that passes, one that fails and, if `asks`, an unknown one.

    `asks`: whether the rule reads a facet, which AWS may refuse to tell.
    """
    items = checks.items(node, "a list of tests", mistakes)
    before = len(mistakes.found)
    found = [_example(item, root, declared, mistakes) for item in items]
    examples = tuple(example for example in found if example is not None)
    if items and len(mistakes.found) == before:
        _complete(node, examples, _WANTED if asks else _WANTED[:2], mistakes)
    return examples


def _complete(node: Node, examples: tuple[Example, ...], wanted: Sequence[str], mistakes: Mistakes) -> None:
    expected = {example.expect for example in examples}
    for verdict in wanted:
        if verdict not in expected:
            mistakes.add(node, f"found no test that expects {verdict}; expected tests for {' and '.join(wanted)}")
    names: set[str] = set()
    for example in examples:
        if example.name in names:
            mistakes.add(node, f"found two tests named {quote(example.name)}; expected a name for each")
        names.add(example.name)


def _example(node: Node, root: Root, declared: Mapping[str, Param], mistakes: Mistakes) -> Example | None:
    table = checks.table(node, "a test such as {name: ..., given: ..., expect: pass}", mistakes)
    if table is None:
        return None
    checks.keys(table, KEYS, _REQUIRED, "test key", mistakes)
    if not set(_REQUIRED) <= set(table.entries):
        return None
    name = checks.text(table.entries["name"], mistakes)
    resource = given_resource(table.entries["given"], root, mistakes)
    expect = checks.word(table.entries["expect"], VERDICTS, "verdict", mistakes)
    if name is None or resource is None or expect is None:
        return None
    values = _settings(table, declared, mistakes)
    return Example(name=name, given=resource, params=values, expect=expect, line=node.line, column=node.column)


def _settings(test: Table, declared: Mapping[str, Param], mistakes: Mistakes) -> dict[str, Literals]:
    if "params" not in test.entries:
        return {}
    table = checks.table(test.entries["params"], "parameters by name", mistakes)
    entries = {} if table is None else table.entries
    keys = {} if table is None else table.keys
    values = {name: params.named(declared, keys[name], node, mistakes) for name, node in entries.items()}
    return {name: value for name, value in values.items() if value is not None}
