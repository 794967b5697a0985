"""The page's lower half, worked out from a report: findings in full, then in rows, then counted only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from scanner.finding import Finding, GapReference, Report, RuleInfo, Scalar, Severity, Status
from scanner.render.html_coverage import saw_anything, unknown_by_gap
from scanner.render.html_words import Cut, cut
from scanner.render.pipeline import Stage, stages
from scanner.render.text import is_visible

FULL_FAILURES = 300
FULL_WAIVED = 100
ROWS = 700
PRINTED_OPEN = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A stretch of text: a paragraph, or commands to be copied."""

    kind: Literal["text", "code"]
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One line of evidence as people read it; `missing` where the value was not observed, with the code of the gap."""

    path: str
    observed: str
    required: str
    missing: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A reference; without `href` it is not safe to follow and is shown as text."""

    text: str
    href: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingView:
    finding: Finding
    facts: tuple[Fact, ...]
    stages: tuple[Stage, ...]
    rationale: tuple[Block, ...]
    remediation: tuple[Block, ...]
    links: tuple[Link, ...]
    printed_open: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SeverityGroup:
    severity: Severity
    total: int
    findings: tuple[FindingView, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingsView:
    """`rows` are the failures, and `waived_rows` the waived findings, that come after those shown in full."""

    groups: tuple[SeverityGroup, ...]
    rows: Cut[Finding]
    waived: tuple[FindingView, ...]
    waived_rows: Cut[Finding]
    unknown: Cut[Finding]
    unknown_under_gaps: int
    printed_open: int
    nothing: str | None


def findings(report: Report) -> FindingsView:
    """Failures by severity, worst first; then waived findings; then unknown ones that no gap explains."""
    rules = {rule.id: rule for rule in report.rules}
    failed = _by_severity(report, Status.FAIL)
    waived = _by_severity(report, Status.WAIVED)
    unknown = unknown_by_gap(report)
    shown = [_view(f, rules, printed_open=n < PRINTED_OPEN) for n, f in enumerate(failed[:FULL_FAILURES])]
    return FindingsView(
        groups=_groups(failed, shown),
        rows=cut(failed[FULL_FAILURES:], ROWS),
        waived=tuple(_view(f, rules, printed_open=False) for f in waived[:FULL_WAIVED]),
        waived_rows=cut(waived[FULL_WAIVED:], ROWS),
        unknown=cut(unknown.pop(None, ()), ROWS),
        unknown_under_gaps=sum(map(len, unknown.values())),
        printed_open=min(PRINTED_OPEN, len(failed)),
        nothing=None if report.findings else _nothing(report),
    )


def blocks(text: str) -> tuple[Block, ...]:
    r"""Paragraphs and commands: a line that starts with ``aws `` is code, and so is what follows its ``\``."""
    result: list[Block] = []
    continued = False
    for line in text.strip().splitlines():
        if continued or line.lstrip().startswith("aws "):
            _append(result, "code", line.rstrip() if continued else line.strip())
            continued = line.rstrip().endswith("\\")
        elif line.strip():
            _append(result, "text", line.strip())
        else:
            result.append(Block(kind="text", text=""))
    return tuple(block for block in result if block.text)


def link(reference: str) -> Link:
    """Only a plain https address is made a link."""
    return Link(text=reference, href=reference if _is_plain_https(reference) else None)


def value_text(value: Scalar | tuple[Scalar, ...]) -> str:
    """An observed value as rules write it: ``true``, ``none``, ``[a, b]``."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case tuple():
            return f"[{', '.join(map(value_text, value))}]"
        case _:
            return str(value)


def _nothing(report: Report) -> str:
    if not report.rules:
        return "No rule ran, so there is nothing to find."
    if not saw_anything(report):
        return "Nothing was observed, so there is nothing to find."
    seen = "" if report.coverage.complete else " in the part of the scope that was observed"
    return f"There are no findings{seen}."


def _by_severity(report: Report, status: Status) -> list[Finding]:
    return sorted((f for f in report.findings if f.status is status), key=lambda f: f.severity.rank)


def _groups(failed: Iterable[Finding], shown: Iterable[FindingView]) -> tuple[SeverityGroup, ...]:
    failed, shown = tuple(failed), tuple(shown)
    groups = (
        SeverityGroup(
            severity=severity,
            total=sum(f.severity is severity for f in failed),
            findings=tuple(view for view in shown if view.finding.severity is severity),
        )
        for severity in Severity
    )
    return tuple(group for group in groups if group.total)


def _view(finding: Finding, rules: Mapping[str, RuleInfo], *, printed_open: bool) -> FindingView:
    rule = rules.get(finding.rule_id)
    return FindingView(
        finding=finding,
        facts=_facts(finding),
        stages=stages(finding.resource, finding.evidence),
        rationale=blocks(rule.rationale) if rule else (),
        remediation=blocks(finding.remediation),
        links=tuple(map(link, finding.references)),
        printed_open=printed_open,
    )


def _facts(finding: Finding) -> tuple[Fact, ...]:
    """Evidence line by line. A value that a condition names twice is shown twice: each asks for something else."""
    return tuple(
        Fact(
            path=item.path,
            observed=value_text(item.observed),
            required=item.required,
            missing=item.gap.code if isinstance(item.gap, GapReference) else None,
        )
        for item in finding.evidence
    )


def _append(result: list[Block], kind: Literal["text", "code"], line: str) -> None:
    if result and result[-1].kind == kind and result[-1].text:
        separator = "\n" if kind == "code" else " "
        result[-1] = Block(kind=kind, text=f"{result[-1].text}{separator}{line}")
    else:
        result.append(Block(kind=kind, text=line))


def _is_plain_https(reference: str) -> bool:
    if not all(map(is_visible, reference)) or any(char in " \"'<>\\`" for char in reference):
        return False
    try:
        parts = urlsplit(reference)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
