"""Loads rules, one from each YAML file, and checks all that can be checked without a resource.

A mistake in any file refuses all rules, so that no report silently lacks a rule.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from pathlib import Path

import msgspec

from scanner import DOCUMENTATION, resources
from scanner.errors import InvalidRulesError, Mistake
from scanner.language import checks, examples, header, message, params, rule_files, vocabulary
from scanner.language.comparing import Context
from scanner.language.conditions import Condition, Literals, asks_retries, constants
from scanner.language.examples import Example
from scanner.language.grammar import condition
from scanner.language.message import Message
from scanner.language.params import Param
from scanner.language.vocabulary import ROOTS, Facet, Fact
from scanner.model.facts import ChannelFlow
from scanner.model.phrases import quote
from scanner.model.report import RuleInfo, Severity
from scanner.model.yamltree import START, Mistakes, Node, Plain, Scalar, Table, parse, plain


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule that passed every check.

    `settings` are the values of its parameters, `reads` the facts that it reads. It is off if `off_unless` names a
    parameter whose value is empty or false; 0 is a value. `evidence` are the paths of facts that findings show
    besides, `facts_of_flows` those that it names of the channel flows of an app instance. `changes` says what changed
    in what it finds, by version or date.
    """

    info: RuleInfo
    file: str
    reads: frozenset[Fact]
    asks_retries: bool
    facts_of_flows: frozenset[str]
    params: Mapping[str, Param]
    settings: Mapping[str, Literals]
    off_unless: str | None
    when: Condition | None
    require: Condition
    evidence: tuple[str, ...]
    changes: Mapping[str, str]
    message: Message
    examples: tuple[Example, ...]
    source: Plain

    @property
    def off(self) -> bool:
        value = None if self.off_unless is None else self.settings[self.off_unless]
        return value is False or value in ("", ())

    @property
    def facets(self) -> frozenset[Facet]:
        """The facets that a scan must collect for the rule; none if it is off."""
        return frozenset() if self.off else self.reads_facets

    @property
    def reads_facets(self) -> frozenset[Facet]:
        """The facets that the rule reads, even if it is off."""
        found_by = ROOTS[self.info.resource].facet
        more = ({found_by} if found_by else set()) | ({"retries"} if self.asks_retries else set())
        return vocabulary.facets(self.reads) | more

    @property
    def reads_of_flows(self) -> frozenset[str]:
        """What the rule reads of all channel flows of an app instance; nothing if it is off or reads no flows."""
        is_read = not self.off and any(fact.kind == "list" and fact.record is ChannelFlow for fact in self.reads)
        return self.facts_of_flows | {"arn", "name"} if is_read else frozenset()


def facets(rules: Iterable[Rule]) -> frozenset[Facet]:
    """The facets that a scan must collect for these rules."""
    return frozenset().union(*(rule.facets for rule in rules))


def reads_of_flows(rules: Iterable[Rule]) -> frozenset[str]:
    """The facts of all channel flows of an app instance that these rules read; none if they read no flows."""
    return frozenset().union(*(rule.reads_of_flows for rule in rules))


def greatest_number(rules: Iterable[Rule], facet: Facet) -> int:
    """The greatest whole number with which those of the rules compare that read a facet; 0 if there is none."""
    reading = [rule for rule in rules if facet in rule.facets]
    conditions = (condition for rule in reading for condition in (rule.when, rule.require) if condition is not None)
    values = [
        *chain.from_iterable(map(constants, conditions)),
        *(v for rule in reading for v in rule.settings.values()),
    ]
    return max((value for value in values if type(value) is int), default=0)


def load(paths: Sequence[Path], frameworks: Collection[str] = ()) -> tuple[Rule, ...]:
    """The rules in files and folders, sorted by id. They may name these frameworks, besides those that ship.

    Raises:
        InvalidRulesError: with every mistake in every file.
    """
    mistakes: list[Mistake] = []
    rules: list[Rule] = []
    seen: set[str] = set()
    ids: dict[str, str] = {}
    for path in paths:
        for file in rule_files.find(path, mistakes):
            if (real := os.path.realpath(file)) not in seen:
                seen.add(real)
                rules.extend(_load(file, ids, mistakes, frameworks))
    if mistakes:
        raise InvalidRulesError(mistakes)
    return tuple(sorted(rules, key=lambda rule: rule.info.id))


def configured(rule: Rule, *, severity: Severity | None = None, settings: Mapping[str, Literals] | None = None) -> Rule:
    """The rule with another severity and other values of parameters, which must fit."""
    info = rule.info if severity is None else msgspec.structs.replace(rule.info, severity=severity)
    return replace(rule, info=info, settings={**rule.settings, **(settings or {})})


def supporting(rule: Rule, controls: Mapping[str, Sequence[str]]) -> Rule:
    """The rule with more controls, by framework."""
    own = rule.info.frameworks
    added = {name: tuple(dict.fromkeys((*own.get(name, ()), *named))) for name, named in controls.items()}
    return replace(rule, info=msgspec.structs.replace(rule.info, frameworks=own | added))


def digest(rules: Iterable[Rule]) -> str:
    """The SHA-256 of the rules' content and settings; paths, comments and layout of files do not matter."""
    content = sorted((rule.info.id, rule.info.topic, rule.info.severity, rule.settings, rule.source) for rule in rules)
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


def _load(file: Path, ids: dict[str, str], found: list[Mistake], frameworks: Collection[str]) -> Iterator[Rule]:
    """The rule in a file, if it has no mistakes; `ids` has the ids of earlier files, each with its file."""
    mistakes = Mistakes(str(file))
    data = rule_files.content(file, mistakes)
    if data is not None:
        id_, rule, own = _read(file, file.parent.resolve().name, data, tuple(frameworks))
        _note(id_, ids, mistakes)
        mistakes.found += own
        if rule is not None and not mistakes.found:
            yield rule
    found += mistakes.found


@lru_cache(maxsize=256)
def _read(
    file: Path, topic: str, data: bytes, frameworks: tuple[str, ...]
) -> tuple[Node | None, Rule | None, tuple[Mistake, ...]]:
    """The node of the id, the rule and the mistakes in a file of these bytes. A process reads the same bytes once."""
    mistakes = Mistakes(str(file))
    table = parse(data, mistakes)
    rule = None if table is None else _rule(table, file, topic, mistakes, frameworks)
    return None if table is None else table.entries.get("id"), rule, tuple(mistakes.found)


def _rule(table: Table, file: Path, topic: str, mistakes: Mistakes, frameworks: Collection[str]) -> Rule | None:
    if file.suffix != ".yaml":
        mistakes.add(START, f"found the suffix {file.suffix}; expected .yaml")
    info = header.read(table, topic, file.stem, mistakes, frameworks)
    if info is not None and not info.help and resources.is_shipped(file):
        info = msgspec.structs.replace(info, help=f"{DOCUMENTATION}rules/{info.id}.html")
    entries = table.entries
    root = next((root for type_, root in ROOTS.items() if _says(entries, "resource", type_)), ROOTS["channel_flow"])
    switch = checks.text(entries["off_unless"], mistakes) if "off_unless" in entries else None
    declared = params.read(entries["params"], mistakes, switch or "") if "params" in entries else {}
    if switch is not None:
        checks.word(entries["off_unless"], declared, "parameter", mistakes)
    context = Context(root=root, params=declared, mistakes=mistakes)
    when = condition(context, entries["when"], root.type) if "when" in entries else None
    require = condition(context, entries["require"], root.type) if "require" in entries else None
    whole = require is not None and (when is not None or "when" not in entries)
    declared = _used(table, context, whole=whole)
    changes = header.changes(entries["changes"], mistakes) if "changes" in entries else {}
    text = checks.text(entries["message"], mistakes) if "message" in entries else None
    asks = bool(vocabulary.facets(context.facts))
    tests = examples.read(entries["tests"], root, declared, mistakes, asks=asks) if "tests" in entries else ()
    shown = _evidence(entries["evidence"], context) if "evidence" in entries else ()
    if text is None:
        return None
    parsed_message = message.parse(entries["message"], text, require, context)
    if info is None or require is None:
        return None
    return Rule(
        info=info,
        file=str(file),
        reads=frozenset(context.facts),
        asks_retries=asks_retries(when) or asks_retries(require),
        facts_of_flows=frozenset(context.of_flows),
        params=declared,
        settings={name: param.default for name, param in declared.items()},
        off_unless=switch,
        when=when,
        require=require,
        evidence=shown,
        changes=changes,
        message=parsed_message,
        examples=tests,
        source=plain(table),
    )


def _evidence(node: Node, context: Context) -> tuple[str, ...]:
    """The paths that findings show besides; a mistake for each that is no field with a value."""
    fields = vocabulary.shown_besides(context.root.type)
    items = checks.items(node, "a list of fields", context.mistakes)
    named = [checks.word(item, fields, "field", context.mistakes) for item in items]
    shown = tuple(path for path in named if path is not None)
    context.facts.extend(fields[path] for path in shown)
    return shown


def _says(entries: Mapping[str, Node], key: str, value: str) -> bool:
    return key in entries and plain(entries[key]) == value


def _used(table: Table, context: Context, *, whole: bool) -> dict[str, Param]:
    """The parameters, each with the facts that it is compared with. It must be used, and its default must fit.

    If a condition could not be read (not `whole`), a parameter that seems unused is no mistake.
    """
    block = table.entries.get("params")
    used = {}
    for name, param in context.params.items():
        uses = tuple(fact for other, fact in context.uses if other == name)
        used[name] = replace(param, uses=uses)
        place = block.keys[name] if isinstance(block, Table) else table
        if not uses and whole:
            context.mistakes.add(
                place, f"found parameter {quote(name)} unused; expected {{param: {name}}} in a condition"
            )
        elif (expected := used[name].misfit(param.default)) is not None:
            message = f"found a default that does not fit where {quote(name)} is used; expected {expected}"
            context.mistakes.add(place, message)
    return used


def _note(id_: Node | None, ids: dict[str, str], mistakes: Mistakes) -> None:
    """Record a rule's id, even if the rule has mistakes; add a mistake if an earlier file has the same id."""
    if isinstance(id_, Scalar) and (earlier := ids.setdefault(id_.text, mistakes.file)) != mistakes.file:
        mistakes.add(id_, f"found the id {quote(id_.text)} again, after {earlier}; expected it in one file")
