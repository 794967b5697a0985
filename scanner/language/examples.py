"""The tests inside a rule file: a resource, and the verdict that the rule must reach on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from scanner.language import checks, given, params
from scanner.language.conditions import Literals
from scanner.language.params import Param
from scanner.language.vocabulary import Resource, Root
from scanner.model.phrases import quote
from scanner.model.yamltree import Mistakes, Node, Table

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
    """One test; `line` and `column` say where it stands in the rule's file."""

    name: str
    given: Resource
    params: Mapping[str, Literals]
    expect: str
    line: int
    column: int


def read(
    node: Node, root: Root, declared: Mapping[str, Param], mistakes: Mistakes, *, asks: bool
) -> tuple[Example, ...]:
    """The `tests` of a rule; they must show it passing, failing and, where it `asks` AWS for a facet, unknown."""
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
    resource = given.resource(table.entries["given"], root, mistakes)
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
