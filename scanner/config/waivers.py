"""Reads waivers, in chimeaudit.yaml and in the metadata of resources, and what reading other keys shares with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from scanner.config.schema import (
    DATE,
    INLINE_KEYS,
    INLINE_REQUIRED,
    RESOURCE_KEYS,
    RESOURCE_TEXTS,
    WAIVER_KEYS,
    WAIVER_REQUIRED,
)
from scanner.language import checks
from scanner.language.rule import Rule
from scanner.model.facts import READ_FILE
from scanner.model.operations import FACETS, OBTAINING_CREDENTIALS, ORGANIZATION, needed
from scanner.model.phrases import nearest, one_of, quote, unknown
from scanner.model.report import Waiver
from scanner.model.yamltree import Mistakes, Node, Scalar, Table, found
from scanner.outcome.waivers import Entry, Pattern


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigReading:
    """A file that is being read: the rules by id, and the mistakes so far.

    If the rules are not `complete`, since some failed to load, an unknown id is no mistake.
    """

    rules: Mapping[str, Rule]
    complete: bool
    mistakes: Mistakes

    def is_rule(self, node: Node, id_: str) -> bool:
        """Whether a rule has this id; adds a mistake if it surely has not."""
        if self.complete and id_ not in self.rules:
            self.mistakes.add(node, unknown("rule", id_, self.rules))
        return id_ in self.rules


def members_of(node: Node | None, what: str, mistakes: Mistakes) -> list[tuple[Scalar, Node]]:
    """The keys and values of a mapping, which may be missing; `what` describes it in mistakes."""
    table = None if node is None else checks.table(node, what, mistakes)
    return [] if table is None else [(table.keys[name], value) for name, value in table.entries.items()]


def placed(node: Node | None, what: str, mistakes: Mistakes) -> tuple[tuple[Node, str], ...]:
    """A text or a list of texts, which may be missing, each with its node; `what` describes it in mistakes."""
    if node is None:
        return ()
    nodes = (node,) if isinstance(node, Scalar) else checks.items(node, what, mistakes)
    return tuple((each, text) for each in nodes if (text := checks.text(each, mistakes, what)) is not None)


_DAY = "a day such as 2027-03-31"
_OPERATIONS = {READ_FILE, *(each.name for each in needed(FACETS) | ORGANIZATION | OBTAINING_CREDENTIALS)}


def read(node: Node | None, reading: ConfigReading) -> list[Entry]:
    """The entries under `waivers` in a configuration."""
    nodes = () if node is None else checks.items(node, "a list of waivers", reading.mistakes)
    return [entry for each in nodes if (entry := _entry(each, reading)) is not None]


def inline(metadata: Node, key: str, reading: ConfigReading) -> list[Entry]:
    """The waivers under `chimeaudit` in a resource's metadata; `key` as `scanner.language.vocabulary.key` gives it."""
    table = checks.table(metadata, "a mapping with waive", reading.mistakes)
    if table is None:
        return []
    checks.keys(table, ("waive",), ("waive",), "key of chimeaudit's metadata", reading.mistakes)
    node = table.entries.get("waive")
    nodes = () if node is None else checks.items(node, "a list of waivers", reading.mistakes)
    return [entry for each in nodes if (entry := _inline(each, key, reading)) is not None]


def _inline(node: Node, key: str, reading: ConfigReading) -> Entry | None:
    mistakes = reading.mistakes
    table = checks.table(node, f"a waiver with {one_of(INLINE_KEYS)}", mistakes)
    if table is None:
        return None
    before = len(mistakes.found)
    checks.keys(table, INLINE_KEYS, INLINE_REQUIRED, "waiver key", mistakes)
    rules = _rules(table, reading)
    waiver = _waiver(table, mistakes)
    if len(mistakes.found) > before:
        return None
    return Entry(rules=rules, resource=Pattern(key=key), waiver=waiver, place=f"{mistakes.file}:{node.line}")


def _entry(node: Node, reading: ConfigReading) -> Entry | None:
    mistakes = reading.mistakes
    table = checks.table(node, f"a waiver with {one_of(WAIVER_KEYS)}", mistakes)
    if table is None:
        return None
    before = len(mistakes.found)
    checks.keys(table, WAIVER_KEYS, WAIVER_REQUIRED, "waiver key", mistakes)
    if len({"rule", "gap"} & set(table.entries)) != 1:
        mistakes.add(table, "found neither or both of rule and gap; expected one of them in every waiver")
    rules = _rules(table, reading)
    gaps = _gaps(table, mistakes)
    resource = _resource(table.entries.get("resource"), mistakes, of_gap=bool(gaps))
    waiver = _waiver(table, mistakes)
    if len(mistakes.found) > before:
        return None
    place = f"{mistakes.file}:{node.line}"
    return Entry(rules=rules, gaps=gaps, resource=resource, waiver=waiver, place=place)


def _rules(table: Table, reading: ConfigReading) -> tuple[str, ...]:
    rules = placed(table.entries.get("rule"), "the id of a rule", reading.mistakes)
    for each, id_ in rules:
        reading.is_rule(each, id_)
    return tuple(id_ for _, id_ in rules)


def _gaps(table: Table, mistakes: Mistakes) -> tuple[str, ...]:
    gaps = placed(table.entries.get("gap"), "an operation", mistakes)
    for each, operation in gaps:
        if operation not in _OPERATIONS:
            wanted = f"expected one that a scan calls, such as GetPolicy{nearest(operation, _OPERATIONS)}"
            mistakes.add(each, f"unknown operation {quote(operation)}; {wanted}")
    return tuple(operation for _, operation in gaps)


def _waiver(table: Table, mistakes: Mistakes) -> Waiver:
    readers = {"reason": checks.text, "owner": checks.text, "expires": _day}
    values = {key: read(table.entries[key], mistakes) for key, read in readers.items() if key in table.entries}
    return Waiver(
        reason=values.get("reason") or "", owner=values.get("owner") or "", expires=values.get("expires") or ""
    )


def _day(node: Node, mistakes: Mistakes) -> str | None:
    text = checks.text(node, mistakes, _DAY)
    if text is not None and not _is_day(text):
        mistakes.add(node, f"{found(node)}; expected {_DAY}")
    return text


def _is_day(text: str) -> bool:
    try:
        return bool(DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False


def _resource(node: Node | None, mistakes: Mistakes, *, of_gap: bool) -> Pattern:
    if node is None:
        return Pattern()
    if isinstance(node, Scalar):
        return Pattern(arn=checks.text(node, mistakes, "an ARN"))
    table = checks.table(node, f"an ARN, or a mapping with {one_of(RESOURCE_KEYS)}", mistakes)
    if table is None:
        return Pattern()
    checks.keys(table, RESOURCE_KEYS, (), "key of a resource", mistakes)
    if of_gap and "tags" in table.entries:
        mistakes.add(table.keys["tags"], f"found tags for a gap; expected {one_of(RESOURCE_TEXTS)}")
    known = {key: checks.text(node, mistakes) for key, node in table.entries.items() if key in RESOURCE_TEXTS}
    tags = members_of(table.entries.get("tags"), "tags by key", mistakes)
    return Pattern(**known, tags={key.text: checks.text(value, mistakes) or "" for key, value in tags})
