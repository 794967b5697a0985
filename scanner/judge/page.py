"""The page that explains one rule, as Markdown: why, what must hold, an example judged, what to do, what it reads.

The pages in docs/rules are written by it, and so are those of rules that others wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from scanner.judge.evaluate import Evaluation
from scanner.judge.selftest import given
from scanner.language.catalogue import actions, prose
from scanner.language.conditions import show
from scanner.language.examples import NOW, Example
from scanner.language.frameworks import Supports, natural, shipped
from scanner.language.rule import Rule
from scanner.model.report import HELP, Evidence
from scanner.outcome.remediation import filled
from scanner.outcome.steps import introduction, steps

_WIDTH = 110


def page(rule: Rule, supports: Supports) -> str:
    """The page of a rule; `supports` says what of each control the rules support."""
    sections = (_head, _condition, _params, _examples, _remedy, _reading)
    lines = [line for section in sections for line in section(rule)]
    return "\n".join([*lines, *_controls(rule, supports), *_links(rule), *_changes(rule)]).rstrip("\n") + "\n"


def _head(rule: Rule) -> Iterator[str]:
    info = rule.info
    yield from (f"# {prose(info.title)}", "")
    facts = [f"severity **{info.severity}**", info.status, f"topic `{info.topic}`"]
    facts += [f"profile {' and '.join(f'`{name}`' for name in info.profiles)}"]
    yield from (f"`{info.id}`: {', '.join(facts)}. It judges {info.resource.replace('_', ' ')}s.", "")
    if rule.off_unless is not None and rule.off:
        yield from (f"It is off until the parameter `{rule.off_unless}` is given.", "")
    if "default" not in info.profiles:
        yield from (f"A scan runs it with `--select profile:{info.profiles[0]}`.", "")
    yield from ("## Why it matters", "", prose(info.rationale), "")


def _condition(rule: Rule) -> Iterator[str]:
    yield from ("## What must hold", "")
    if rule.when is not None:
        yield from ("Where `when` does not hold, the rule does not apply.", "")
    yield from _yaml({key: value for key in ("when", "require") if (value := _written(rule).get(key)) is not None})


def _params(rule: Rule) -> Iterator[str]:
    if rule.params:
        yield from ("## Parameters", "", "| parameter | type | value | what it is for |", "|---|---|---|---|")
        for name, param in rule.params.items():
            yield f"| `{name}` | {param.type} | {_code(show(rule.settings[name]))} | {prose(param.description)} |"
        yield from ("", "For example, in `chimeaudit.yaml`:", "")
        values = next((test["params"] for test in _written(rule)["tests"] if "params" in test), rule.settings)
        yield from _yaml({"overrides": {rule.info.id: {"params": _plain(values)}}})


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}


def _examples(rule: Rule) -> Iterator[str]:
    """The first test of the rule that fails, with its findings, and the first that passes."""
    yield from ("## Examples", "", "Only what matters is given; the rest of the resource is in good order.", "")
    for verdict, word in (("fail", "Fails"), ("pass", "Passes")):
        number, example = next((n, each) for n, each in enumerate(rule.examples) if each.expect == verdict)
        yield from (f"{word}: {prose(example.name)}.", "")
        written = _written(rule)["tests"][number]
        yield from _yaml({key: written[key] for key in ("params", "given") if key in written})
        if verdict == "fail":
            yield from _findings(rule, example)


def _findings(rule: Rule, example: Example) -> Iterator[str]:
    found = Evaluation([given(rule, example)], NOW).judge(example.given).findings
    yield from (f"{'The finding says' if len(found) == 1 else 'The findings say'}, with this evidence:", "")
    for finding in found:
        yield from (f"> {prose(finding.message)}", "")
        yield from ("| what was looked at | observed | required |", "|---|---|---|")
        yield from map(_evidence, finding.evidence)
        yield ""


def _evidence(evidence: Evidence) -> str:
    observed = _code(show(evidence.observed))
    return f"| {_code(evidence.path)} | {observed} | {_code(evidence.required)} |"


def _remedy(rule: Rule) -> Iterator[str]:
    yield from ("## What to do", "")
    remedy = filled(rule.info.remediation)
    if remedy != rule.info.remediation:
        yield from ("A report fills in what it knows of the resource; here every value is open.", "")
    for step in steps(remedy):
        if step.kind == "text":
            yield from (prose(step.text), "")
        else:
            yield from (prose(introduction(step)), "", "```sh", *step.text.split("\n"), "```", "")


def _reading(rule: Rule) -> Iterator[str]:
    yield from ("## What a scan reads for it", "")
    facets = sorted(rule.reads_facets)
    more = f", and the facet{'s' if len(facets) > 1 else ''} {' and '.join(map(_code, facets))}" if facets else ""
    yield from (f"The lists of app instances and channel flows, which every scan reads{more}. By these calls:", "")
    yield from (*(f"- `{action}`" for action in actions(rule)), "")


def _controls(rule: Rule, supports: Supports) -> Iterator[str]:
    if rule.info.frameworks:
        yield from ("## Controls", "", "| framework | control | what of it the rule supports |", "|---|---|---|")
        for framework, controls in rule.info.frameworks.items():
            title = shipped()[framework].title if framework in shipped() else framework
            for control in sorted(controls, key=natural):
                said = supports.get(framework, {}).get(control, "")
                yield f"| {prose(title)} | {prose(control)} | {said.replace('|', chr(92) + '|')} |"
        yield ""


def _links(rule: Rule) -> Iterator[str]:
    yield from ("## References", "", *map(_link, rule.info.references), "")


def _link(address: str) -> str:
    return f"- <{address}>" if re.fullmatch(HELP, address) else f"- {prose(address)}"


def _changes(rule: Rule) -> Iterator[str]:
    yield from ("## Changes", "")
    if not rule.changes:
        yield "None since it was added."
    yield from (f"- {prose(when)}: {prose(what)}" for when, what in rule.changes.items())


def _written(rule: Rule) -> dict[str, Any]:
    """The rule as its file has it."""
    assert isinstance(rule.source, dict)  # noqa: S101 - a rule is a mapping
    return rule.source


def _yaml(value: object) -> Sequence[str]:
    written = _dumped(value, allow_unicode=True)
    if not all(char.isprintable() or char == "\n" for char in written):
        written = _dumped(value, allow_unicode=False)
    return ("```yaml", *written.rstrip().split("\n"), "```", "")


def _dumped(value: object, *, allow_unicode: bool) -> str:
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=allow_unicode))


class _Dumper(yaml.SafeDumper):
    """Writes lists inside their key, as rule files do, and no aliases."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _code(text: str) -> str:
    """Text as a code span in a table."""
    ticks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if "`" in text else ""
    shown = (text or '""').replace("|", "\\|").replace("\n", "\\n")
    return f"{ticks}{space}{shown}{space}{ticks}"
