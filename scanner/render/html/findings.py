"""The findings that the page shows without scripts: the worst failures in full, some more as table rows."""

from __future__ import annotations

from dataclasses import dataclass

from scanner.model.report import Finding, GapReference, Report, Severity
from scanner.render.html.digest import Digest
from scanner.render.html.labels import Cut
from scanner.render.html.values import value_text
from scanner.render.pipeline import Stage, stages
from scanner.render.verdict import saw_anything
from scanner.render.wording import age_days

IN_FULL = 150


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceLine:
    """One line of evidence; `missing` where the value was not observed, with the error code of the gap."""

    path: str
    observed: str
    required: str
    missing: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingView:
    """A finding as the page shows it in full. `known_rule`: whether the page explains its rule; `age` is in days."""

    finding: Finding
    facts: tuple[EvidenceLine, ...]
    stages: tuple[Stage, ...]
    known_rule: bool
    age: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SeverityGroup:
    severity: Severity
    total: int
    findings: tuple[FindingView, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingsView:
    """The findings that the page shows; `rows` are the failures after those shown in full.

    `searched`: whether there is anything to search, if only gaps or what is carried over.
    """

    total: int
    searched: bool
    groups: tuple[SeverityGroup, ...]
    rows: Cut[Finding]
    waived: Cut[Finding]
    unknown: Cut[Finding]
    unknown_under_gaps: int
    nothing: str | None


def findings(report: Report, digest: Digest) -> FindingsView:
    """Failures by severity, worst first; waived findings; unknown findings that no gap explains."""
    rules = {rule.id for rule in report.rules}
    shown = tuple(
        FindingView(
            finding=finding,
            facts=_facts(finding),
            stages=stages(finding.resource, finding.evidence),
            known_rule=finding.rule_id in rules,
            age=age_days(finding, report),
        )
        for finding in digest.failed.items[:IN_FULL]
    )
    unknown = digest.unknown.get(None, Cut(items=(), more=0))
    return FindingsView(
        total=len(report.findings),
        searched=bool(report.findings or report.coverage.gaps or report.carried_over),
        groups=_groups(digest, shown),
        rows=Cut(items=digest.failed.items[IN_FULL:], more=digest.failed.more),
        waived=digest.waived,
        unknown=unknown,
        unknown_under_gaps=digest.explained,
        nothing=None if report.findings else _nothing(report),
    )


def _nothing(report: Report) -> str:
    if not report.rules:
        return "No rule ran, so there is nothing to find."
    if not saw_anything(report):
        return "Nothing was observed, so there is nothing to find."
    seen = "" if report.coverage.complete else " in the part of the scope that was observed"
    return f"There are no findings{seen}."


def _groups(digest: Digest, shown: tuple[FindingView, ...]) -> tuple[SeverityGroup, ...]:
    groups = (
        SeverityGroup(
            severity=severity,
            total=total,
            findings=tuple(view for view in shown if view.finding.severity is severity),
        )
        for severity, total in digest.severities.items()
    )
    return tuple(group for group in groups if group.total)


def _facts(finding: Finding) -> tuple[EvidenceLine, ...]:
    """The evidence, line by line. A path that two conditions name is shown twice: each requires something else."""
    return tuple(
        EvidenceLine(
            path=item.path,
            observed=value_text(item.observed),
            required=item.required,
            missing=item.gap.code if isinstance(item.gap, GapReference) else None,
        )
        for item in finding.evidence
    )
