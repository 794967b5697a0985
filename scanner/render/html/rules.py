"""The page's section on rules: each explained once for all its findings, with what it came to."""

from __future__ import annotations

from dataclasses import dataclass

from scanner.model.report import Report, RuleInfo
from scanner.outcome.remediation import filled
from scanner.outcome.steps import Step, steps
from scanner.render.html.values import Link, link
from scanner.render.wording import explained_at


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleView:
    """A rule that ran, with its number of failed findings.

    `counts` says of how many resources the verdict is another. It is empty if the rule judged nothing, and None for a
    report of an older version, which does not say.
    """

    rule: RuleInfo
    failed: int
    counts: str | None
    rationale: tuple[Step, ...]
    remedy: tuple[Step, ...]
    links: tuple[Link, ...]


def rules_by_severity(report: Report) -> tuple[RuleView, ...]:
    """The rules that ran, worst first, each with its number of failed findings."""
    rules = sorted(report.rules, key=lambda rule: (rule.severity.rank, rule.id))
    return tuple(
        RuleView(
            rule=rule,
            failed=report.summary.by_rule.get(rule.id, 0),
            counts=_counts(report, rule.id),
            rationale=steps(rule.rationale),
            remedy=steps(filled(rule.remediation)),
            links=tuple(map(link, (*explained_at(rule), *rule.references))),
        )
        for rule in rules
    )


def _counts(report: Report, rule_id: str) -> str | None:
    counts = report.summary.rules or {}
    if rule_id not in counts:
        return None
    own = counts[rule_id]
    if not own.judged:
        return ""
    others = [f"{number:,} {kind}" for kind, number in (("unknown", own.unknown), ("waived", own.waived)) if number]
    return ", ".join((*others, f"{own.passed:,} of {own.judged:,} passed"))
