"""Describes rules: all of them as a table, Markdown or JSON, or one rule in full."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from scanner.language.conditions import show
from scanner.language.frameworks import Supports, natural, shipped
from scanner.language.rule import Rule
from scanner.language.vocabulary import ROOTS, Fact, paths
from scanner.model.operations import needed
from scanner.model.report import ResourceType
from scanner.outcome.remediation import filled
from scanner.outcome.steps import introduction, steps

_MARKUP = re.compile(r"[\\`*\[\]<>|]|(?<!\w)_|_(?!\w)|^[#+-](?=\s)")
_WIDTH = 100
_LABEL = 12


def table(rules: Sequence[Rule]) -> str:
    """A table with a line for each rule, by topic, the most severe first."""
    rows = [("RULE", "SEVERITY", "TOPIC", "WHAT IT FINDS"), *(_row(rule) for rule in _ordered(rules))]
    first, second, third = (max(len(row[column]) for row in rows) for column in range(3))
    return "".join(f"{a:<{first}}  {b:<{second}}  {c:<{third}}  {d}\n" for a, b, c, d in rows)


def markdown(rules: Sequence[Rule], pages: str | None = None) -> str:
    """A section for each topic. Each rule has the facets that it needs besides lists of app instances and flows.

    Each leads to its page in the folder `pages`; without one, to its `help`.
    """
    lines = ["# Rules", "", _ABOUT_RULES, ""]
    for topic, members in groupby(_ordered(rules), key=lambda rule: rule.info.topic):
        lines += [f"## {topic}", "", *_section(members, pages), ""]
    return "\n".join(lines)


_ABOUT_RULES = """\
`chimeaudit rules show ID` explains a rule, too. Facets are what it reads besides the lists of app instances and channel
flows. Parameters are set in `chimeaudit.yaml`."""
_ABOUT_CONTROLS = """\
# Framework controls

As `chimeaudit rules list --format frameworks` prints them.

Which controls the rules support, and what of each. The descriptions are ours; what a control asks for stands in the
framework. A rule that passes is evidence for the part that is named here, and no more: no control is satisfied by rules
on channel flows alone. Rules that are not listed support no control that says what they check.

`chimeaudit scan --select framework:soc2` runs the rules of one framework. [controls.md](controls.md) says how a report
sums up each control.
"""


def controls(rules: Sequence[Rule], supports: Supports) -> str:
    """A section for each framework, with a line for each control that a rule supports."""
    supporting: dict[str, dict[str, list[str]]] = {}
    for rule in rules:
        for framework, named in rule.info.frameworks.items():
            for control in named:
                supporting.setdefault(framework, {}).setdefault(control, []).append(rule.info.id)
    known = [*shipped(), *sorted(supporting.keys() - shipped().keys())]
    lines = [_ABOUT_CONTROLS]
    for framework in filter(supporting.__contains__, known):
        title = shipped()[framework].title if framework in shipped() else framework
        lines += [f"## {title}", "", f"`{framework}`", "", "| control | what of it the rules support | rules |"]
        lines += ["|---|---|---|"]
        for control in sorted(supporting[framework], key=natural):
            cells = (control, supports.get(framework, {}).get(control, ""), "")
            first, second, _ = (cell.replace("|", chr(92) + "|") for cell in cells)
            listed = ", ".join(f"`{id_}`" for id_ in sorted(supporting[framework][control]))
            lines += [f"| {first} | {second} | {listed} |"]
        lines += [""]
    return "\n".join(lines)


def prose(text: str) -> str:
    """Text of a rule as Markdown, without effect as markup."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def as_json(rules: Sequence[Rule]) -> str:
    """A list of objects: the rule as in reports, and its parameters, facets and IAM actions."""
    described = [_described(rule) for rule in _ordered(rules)]
    return msgspec.json.format(msgspec.json.encode(described), indent=2).decode() + "\n"


def explained(rule: Rule) -> str:
    """A description of one rule in full."""
    info = rule.info
    facts = {
        "Severity": info.severity.value,
        "Status": info.status,
        "Topic": info.topic,
        "Profiles": ", ".join(info.profiles),
        "Judges": info.resource.replace("_", " ") + "s",
        "Facets": ", ".join(sorted(rule.reads_facets))
        or "none: the lists of app instances and channel flows are enough",
        "IAM actions": ", ".join(actions(rule)),
        "Page": rule.info.help or "",
        "Off": f"until the parameter {rule.off_unless} is given" if rule.off else "",
        **{name: ", ".join(controls) for name, controls in info.frameworks.items()},
    }
    parts = [f"{info.id}: {info.title}", "\n".join(_labelled(facts)), _wrapped(info.rationale)]
    parts += [_block(key, rule) for key in ("params", "when", "require")]
    parts += [f"What to do:\n\n{textwrap.indent(_remedy(info.remediation), '  ')}", "\n".join(info.references)]
    parts += [_readable(info.resource)]
    return "\n\n".join(filter(None, parts)) + "\n"


def _remedy(text: str) -> str:
    """The remediation: paragraphs, and commands below what they change and what is to be filled in."""
    parts: list[str] = []
    for step in steps(filled(text)):
        if step.kind == "text":
            parts.append(_wrapped(step.text))
        else:
            parts += [_wrapped(introduction(step)), textwrap.indent(step.text, "  ")]
    return "\n\n".join(parts)


def _readable(resource: ResourceType) -> str:
    """The fields that rules on a type of resource may read, each with what it is."""
    root = ROOTS[resource]
    rows = (
        textwrap.fill(
            f"{path}: {fact.description}", _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
        )
        for path, fact in _paths(root.type, f"{root.name}.")
    )
    heading = f"Rules on {resource.replace('_', ' ')}s may read (outside lists, leave out {root.name}.):"
    return "\n".join((heading, *rows))


def _paths(record: type[Struct], prefix: str) -> Iterator[tuple[str, Fact]]:
    for path, fact in paths(record).items():
        if fact.kind != "record":
            yield f"{prefix}{path}", fact
        if fact.kind == "list" and fact.record is not None:
            yield from _paths(fact.record, f"{prefix}{path}[].")


def actions(rule: Rule) -> list[str]:
    """The IAM actions that a scan needs for this rule alone, even if the rule is off now."""
    return sorted({operation.action for operation in needed(rule.reads_facets)})


def _ordered(rules: Iterable[Rule]) -> list[Rule]:
    return sorted(rules, key=lambda rule: (rule.info.topic, rule.info.severity.rank, rule.info.id))


def _row(rule: Rule) -> tuple[str, str, str, str]:
    remark = "" if "default" in rule.info.profiles else f" (profile {', '.join(rule.info.profiles)})"
    off = f" (off until {rule.off_unless} is given)" if rule.off else ""
    return rule.info.id, rule.info.severity.value, rule.info.topic, f"{rule.info.title}{remark}{off}"


def _section(rules: Iterable[Rule], pages: str | None) -> Iterator[str]:
    yield "| rule | severity | what it finds | facets | parameters |"
    yield "|---|---|---|---|---|"
    for rule in rules:
        id_, severity, _, title = _row(rule)
        params = ", ".join(f"`{name}`" for name in rule.params)
        address = f"{pages}/{id_}.md" if pages else rule.info.help
        linked = f"[`{id_}`]({address})" if address else f"`{id_}`"
        cells = (linked, severity, prose(title), ", ".join(sorted(rule.reads_facets)), params)
        yield f"| {' | '.join(cells)} |"


def _described(rule: Rule) -> dict[str, Any]:
    return {
        **{key: value for key, value in msgspec.structs.asdict(rule.info).items() if value is not msgspec.UNSET},
        "off": rule.off,
        "params": {name: _param(rule, name) for name in rule.params},
        "facets": sorted(rule.reads_facets),
        "actions": actions(rule),
    }


def _param(rule: Rule, name: str) -> dict[str, Any]:
    param = rule.params[name]
    value = rule.settings[name]
    return {"type": param.type, "default": param.default, "value": value, "description": param.description}


def _labelled(facts: Mapping[str, str]) -> Iterator[str]:
    for label, value in facts.items():
        if value:
            indent = " " * (_LABEL + 4)
            yield textwrap.fill(f"{label:<{_LABEL + 4}}{value}", _WIDTH, subsequent_indent=indent)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH)


def _block(key: str, rule: Rule) -> str:
    """One key of the rule as it is written; parameters are shown with their current values."""
    assert isinstance(rule.source, dict)  # noqa: S101 - a rule is a mapping
    if key not in rule.source:
        return ""
    if key == "params":
        lines = (f"  {name} = {show(rule.settings[name])}: {param.description}" for name, param in rule.params.items())
        return "Parameters:\n" + "\n".join(lines)
    written = yaml.safe_dump(rule.source[key], sort_keys=False, width=_WIDTH, allow_unicode=True)
    return f"{key}:\n{textwrap.indent(written.rstrip(), '  ')}"
