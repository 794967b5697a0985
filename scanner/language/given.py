"""The resources of the tests inside rule files.

`given` names only what matters to the test; the rest is filled in (scanner.language.healthy). Of each processor, too,
only what matters is written. A time is given by its age, such as 90d. The plain word `unknown` says that a fact could
not be observed (in quotes it is text), and null that it is known to be absent.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from scanner.language import checks, durations, healthy
from scanner.language.vocabulary import Fact, Resource, Root, fields
from scanner.model.facts import ChannelFlow
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table, found

UNKNOWN = "unknown"
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When the run of the tests started."""

Partial = dict[str, Any]


def resource(node: Node, root: Root, mistakes: Mistakes) -> Resource | None:
    """The resource that a test judges."""
    before = len(mistakes.found)
    partial = _record(node, root.type, mistakes)
    if len(mistakes.found) > before:
        return None
    return healthy.channel_flow(partial) if root.type is ChannelFlow else healthy.app_instance(partial)


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
    age = durations.parse(str(written))
    return UNSET if age is None else NOW - age


def _tags(node: Node, mistakes: Mistakes) -> Partial:
    if not isinstance(node, Table):
        mistakes.add(node, f"{found(node)}; expected tags by key")
        return {}
    return {key: checks.literal(value, _TEXT, mistakes) for key, value in node.entries.items()}
