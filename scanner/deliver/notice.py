"""The notice of new failures and gaps: a headline, and a line for each of the worst.

A line has at most 500 characters and a notice at most 45 lines. So a notice fits into the 256 KB of an SNS message and
into Slack's 50 blocks of 3,000 characters, even if every character is escaped.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec import Struct

from scanner.model.report import Finding, Report, ReportedGap, Severity, Status
from scanner.outcome.compare import new_gaps
from scanner.render import carried
from scanner.render.causes import by_cause
from scanner.render.text import visible
from scanner.render.wording import account, clipped, count, named, seen

_FINDINGS, _GAPS, _PLACES = 20, 10, 10
_MOST_CHARACTERS = 500
_MOST_SUBJECT = 100


class Notice(Struct, frozen=True, kw_only=True):
    """A notice as plain text. Names in it come from outside; each line holds visible characters only."""

    headline: str
    lines: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The subject of an SNS message: at most 100 ASCII characters."""
        return self.headline[:_MOST_SUBJECT]

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in (self.headline, "", *self.lines))


def notice(report: Report, baseline: Report | None, places: Sequence[str]) -> Notice | None:
    """The notice on failures and gaps that the baseline does not have; None if there are none.

    `places` are the paths and addresses of the reports.
    """
    counts = Counter(finding.severity for finding in _new(report))
    gaps = tuple(new_gaps(report, baseline))
    if not counts and not gaps:
        return None
    worst = heapq.nsmallest(_FINDINGS, _new(report), key=lambda finding: finding.severity.rank)
    is_compared = baseline is not None or any(finding.change for finding in worst)
    return Notice(
        headline=_headline(counts, len(gaps), "new " if is_compared else ""),
        lines=tuple(
            clipped(visible(line), _MOST_CHARACTERS) for line in _lines(report, worst, counts.total(), gaps, places)
        ),
    )


def _new(report: Report) -> Iterator[Finding]:
    return (each for each in report.findings if each.status is Status.FAIL and each.change != "existing")


def _headline(counts: Counter[Severity], gaps: int, new: str) -> str:
    findings = f"{count(counts.total(), f'{new}finding')} ({_by_severity(counts)})" if counts else f"no {new}findings"
    return f"chimeaudit: {findings}" + (f", {count(gaps, f'{new}gap')}" if gaps else "")


def _by_severity(counts: Counter[Severity]) -> str:
    return ", ".join(f"{counts[level]:,} {level}" for level in Severity if counts[level])


def _lines(
    report: Report, worst: Sequence[Finding], total: int, gaps: Sequence[ReportedGap], places: Sequence[str]
) -> Iterator[str]:
    complete = "complete" if report.coverage.complete else "NOT complete, so what is clean here may not be clean"
    yield f"Coverage is {complete}. Observed: {seen(report)}."
    for finding in worst:
        resource = finding.resource
        place = f"{named(resource)} ({account(resource.account_id, report.scope.names)} {resource.region})"
        yield f"{finding.severity} {finding.rule_id}: {place}: {finding.message}"
    yield from _more(total - len(worst), "finding")
    if kept := carried.shown(report):
        severities = _by_severity(Counter(each.finding.severity for each in kept))
        yield f"{carried.TITLE}: {count(len(kept), 'finding')} ({severities}) that {carried.EXPLAINED}"
    missed = by_cause(gaps, report.scope.names)
    for cause in missed[:_GAPS]:
        yield f"Not observed: {cause.line}"
    yield from _more(sum(len(cause.gaps) for cause in missed[_GAPS:]), "gap")
    for place in islice(places, _PLACES):
        yield f"Report: {place}"


def _more(left: int, noun: str) -> Iterator[str]:
    if left > 0:
        yield f"and {count(left, f'more {noun}')}"
