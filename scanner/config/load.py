"""Loads the configuration and its rules. The command line overrides the file. All mistakes are reported at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from msgspec import Struct, structs

from scanner import resources
from scanner.config import frameworks, parameters, waivers
from scanner.config.schema import BEARER, CHANNEL_KEYS, FILE, KEYS, LEVELS, NAMES, OVERRIDE_KEYS, SHIPPED
from scanner.config.waivers import ConfigReading, members_of, placed
from scanner.declared.given import Pattern
from scanner.errors import InvalidConfigurationError, InvalidRulesError, Mistake, UsageError
from scanner.language import checks, params, rule, rule_files, selection
from scanner.language.frameworks import Supports
from scanner.language.rule import Rule
from scanner.model.operations import OBTAINING_CREDENTIALS, ORGANIZATION, needed
from scanner.model.phrases import one_of, quote
from scanner.model.report import Severity
from scanner.model.yamltree import Mistakes, Node, Scalar, parse
from scanner.outcome.waivers import Entry
from scanner.store import repository

_SEVERITIES = checks.words(Severity)


class Configuration(Struct, frozen=True, kw_only=True):
    """The configuration from file and command line together.

    - `file`: the name of the file that was read, `path` its path; None: there is none.
    - `named`: the rule files and folders to load, as they were named.
    - `select`: the selectors of rules, such as ids and tags.
    - `supports`: what of each control the rules support.
    - `bearer`: the id of the admin as whom channels are listed.
    - `parameters`: the values that parameters of templates have.
    - `exclude`: patterns of files that are not judged (scanner.declared.patterns).
    - `loaded`: all loaded rules; `rules`: those of them that are selected.
    """

    file: str | None
    path: Path | None
    named: tuple[str, ...]
    select: tuple[str, ...]
    fail_on: str | None
    bearer: str | None
    supports: Supports
    loaded: tuple[Rule, ...]
    rules: tuple[Rule, ...]
    waivers: tuple[Entry, ...]
    parameters: tuple[Pattern, ...] = ()
    exclude: tuple[str, ...] = ()

    def is_rule(self, id_: str) -> bool:
        """Whether there is a rule with this id, selected or not: among the loaded ones or the shipped ones."""
        shipped = (path.stem for path in resources.rules().rglob("*.yaml"))
        return any(id_ == each.info.id for each in self.loaded) or id_ in shipped


def find(given: Path | None) -> Path | None:
    """The given file, or the configuration in the working directory or the nearest folder above, within the repository.

    Raises:
        UsageError: a folder has the configuration under both names.
    """
    if given:
        return given
    here = Path()
    top = repository.top(here)
    above = len(here.resolve().relative_to(top).parts) if top else 0
    folders = (here.joinpath(*[os.pardir] * steps) for steps in range(above + 1))
    return next(filter(None, map(_within, folders)), None)


def _within(folder: Path) -> Path | None:
    """The configuration in a folder. It need not be a file: that is checked when it is read."""
    there = [folder / name for name in NAMES if os.path.lexists(folder / name)]
    if len(there) > 1:
        raise UsageError(
            f"both {there[0]} and {there[1]} are there", hint="Keep one of them, or name it with --config."
        )
    return there[0] if there else None


def load(
    path: Path | None, *, rules: Sequence[str] = (), select: Sequence[str] = (), every: bool = False
) -> Configuration:
    """Load a configuration file; None: use the defaults. `rules` and `select` of the command line override it.

    `every`: without `select`, all rules are selected, whatever the file says.

    Raises:
        InvalidConfigurationError, InvalidRulesError: the file or its rules have mistakes; all of them are listed.
        UsageError: a selector of the command line selects nothing.
    """
    file = None if path is None else repository.name_within(path)
    mistakes = Mistakes(file or FILE)
    entries = {} if path is None else _entries(path, mistakes)
    named_in_file = () if rules else placed(entries.get("rules"), "rule files or folders", mistakes)
    named = tuple(rules) or tuple(name for _, name in named_in_file) or (SHIPPED,)
    folder = Path() if rules or path is None else path.parent
    paths = [resources.rules() if name == SHIPPED else folder / name for name in named]
    loaded, faults = _loaded(paths, frameworks.names(entries.get("frameworks")))
    mistakes_in_rules = _where_they_are_named(faults, dict(zip(map(str, paths), named_in_file, strict=False)), mistakes)
    own_controls = frameworks.read(
        entries.get("frameworks"), ConfigReading(rules=loaded, complete=not faults, mistakes=mistakes)
    )
    loaded = frameworks.added(loaded, own_controls)
    reading = ConfigReading(rules=loaded, complete=not faults, mistakes=mistakes)
    own = _overrides(entries.get("overrides"), reading)
    waived = waivers.read(entries.get("waivers"), reading)
    selectors = tuple(select) or _selectors(entries.get("select"), reading)
    fail_on = checks.word(entries["fail_on"], LEVELS, "severity", mistakes) if "fail_on" in entries else None
    bearer = _bearer(entries.get("channels"), mistakes)
    given = parameters.read(entries.get("parameters"), Path() if path is None else path.parent, mistakes)
    exclude = placed(entries.get("exclude"), "patterns of files", mistakes)
    for node, text in exclude:
        if not text.strip("./"):
            mistakes.add(node, f"found {quote(text)}; expected a pattern of files")
    if mistakes.found:
        raise InvalidConfigurationError([*mistakes.found, *mistakes_in_rules])
    if faults:
        raise InvalidRulesError(mistakes_in_rules)
    adjusted = tuple(own.get(id_) or each for id_, each in loaded.items())
    is_whole = every and not select
    chosen = adjusted if is_whole else _chosen(adjusted, selectors, None if select else entries.get("select"), mistakes)
    return Configuration(
        file=file,
        path=path,
        named=named,
        select=selectors,
        fail_on=fail_on,
        bearer=bearer,
        supports=frameworks.supports(own_controls),
        loaded=adjusted,
        rules=chosen,
        waivers=_applicable(waived, chosen),
        parameters=given,
        exclude=tuple(text for _, text in exclude),
    )


def inline_waivers(metadata: Node, key: str, configuration: Configuration, mistakes: Mistakes) -> tuple[Entry, ...]:
    """The waivers in a resource's metadata for rules that ran; `key` as `scanner.language.vocabulary.key` gives it."""
    loaded = {each.info.id: each for each in configuration.loaded}
    entries = waivers.inline(metadata, key, ConfigReading(rules=loaded, complete=True, mistakes=mistakes))
    return _applicable(entries, configuration.rules)


def _applicable(entries: Iterable[Entry], rules: Sequence[Rule]) -> tuple[Entry, ...]:
    """The waivers for selected rules or for gaps. `reached` tells whether this run can produce all that they name."""
    ran = {each.info.id for each in rules}
    on = {each.info.id for each in rules if not each.off}
    called = {operation.name for operation in needed(rule.facets(rules)) | ORGANIZATION | OBTAINING_CREDENTIALS}
    return tuple(
        structs.replace(entry, reached=on.issuperset(entry.rules) and called.issuperset(entry.gaps))
        for entry in entries
        if entry.gaps or ran.intersection(entry.rules)
    )


def _entries(path: Path, mistakes: Mistakes) -> Mapping[str, Node]:
    data = rule_files.content(path, mistakes)
    table = None if data is None else parse(data, mistakes, first="rules")
    if table is None:
        return {}
    checks.keys(table, KEYS, (), "configuration key", mistakes)
    return table.entries


def _loaded(paths: Sequence[Path], own: Sequence[str]) -> tuple[dict[str, Rule], Sequence[Mistake]]:
    try:
        return {each.info.id: each for each in rule.load(paths, own)}, ()
    except InvalidRulesError as error:
        return {}, error.mistakes


def _where_they_are_named(
    faults: Sequence[Mistake], named: Mapping[str, tuple[Node, str]], mistakes: Mistakes
) -> list[Mistake]:
    """The mistakes in rule files. A mistake about a whole path is added where the configuration names that path.

    Files that the configuration names are shown relative to the repository, as in reports.
    """
    within: list[Mistake] = []
    for fault in faults:
        if not fault.line and fault.file in named:
            node, name = named[fault.file]
            mistakes.add(node, f"{quote(name)}: {fault.message}")
        else:
            within.append(replace(fault, file=repository.name_within(Path(fault.file))) if named else fault)
    return within


def _chosen(
    rules: Sequence[Rule], selectors: Sequence[str], written: Node | None, mistakes: Mistakes
) -> tuple[Rule, ...]:
    """The selected rules; `written` is the place of the selectors in the file, or None if they are not from it."""
    try:
        return selection.select(rules, selectors)
    except UsageError as error:
        if written is None:
            raise
        mistakes.add(written, f"{error.message}; {error.hint}")
        raise InvalidConfigurationError(mistakes.found) from None


def _bearer(node: Node | None, mistakes: Mistakes) -> str | None:
    table = None if node is None else checks.table(node, f"a mapping with {one_of(CHANNEL_KEYS)}", mistakes)
    if table is None:
        return None
    checks.keys(table, CHANNEL_KEYS, tuple(CHANNEL_KEYS), "key of channels", mistakes)
    named = table.entries.get("bearer")
    text = None if named is None else checks.text(named, mistakes, "the id of an app instance user")
    if named is not None and text is not None and not re.fullmatch(BEARER, text, re.ASCII):
        mistakes.add(named, f"found {quote(text)}; expected the id of an app instance user, or bot/ and that of a bot")
    return text


def _overrides(node: Node | None, reading: ConfigReading) -> dict[str, Rule | None]:
    members = members_of(node, "rules by id", reading.mistakes)
    return {key.text: _override(key, each, reading) for key, each in members}


def _override(key: Scalar, node: Node, reading: ConfigReading) -> Rule | None:
    mistakes = reading.mistakes
    table = checks.table(node, f"a mapping with {one_of(OVERRIDE_KEYS)}", mistakes)
    if not reading.is_rule(key, key.text) or table is None:
        return None
    checks.keys(table, OVERRIDE_KEYS, (), "override key", mistakes)
    one, wanted = reading.rules[key.text], table.entries.get("severity")
    severity = None if wanted is None else checks.word(wanted, _SEVERITIES, "severity", mistakes)
    members = members_of(table.entries.get("params"), "parameters by name", mistakes)
    settings = {name.text: params.named(one.params, name, value, mistakes) for name, value in members}
    return rule.configured(
        one,
        severity=None if severity is None else Severity(severity),
        settings={name: value for name, value in settings.items() if value is not None},
    )


def _selectors(node: Node | None, reading: ConfigReading) -> tuple[str, ...]:
    if node is None:
        return ()
    nodes = (node,) if isinstance(node, Scalar) else checks.items(node, "a list of selectors", reading.mistakes)
    return tuple(text for each in nodes if (text := _selector(each, reading)) is not None)


def _selector(node: Node, reading: ConfigReading) -> str | None:
    text = checks.text(node, reading.mistakes, "a selector")
    try:
        if text is not None and reading.complete:
            selection.parse(tuple(reading.rules.values()), text)
    except UsageError as error:
        reading.mistakes.add(node, f"{error.message}; {error.hint}")
    return text
