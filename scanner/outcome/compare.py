"""Compares two reports: what became of the earlier findings, and which later findings are new.

An earlier finding that the later run did not look for is carried over as unknown, so that the later report can be the
next baseline.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from typing import Self

from msgspec import Struct, structs

from scanner.model.report import Evidence, Finding, GapReference, Report, ReportedGap, Run, Status
from scanner.outcome import former
from scanner.outcome.observed_scope import ObservedScope, Reason

SCHEMA_VERSION = "1.0"


class Unseen(Struct, frozen=True, kw_only=True):
    """A finding of the old report that the new run did not look for, and why not."""

    finding: Finding
    reason: str


class Difference(Struct, frozen=True, kw_only=True):
    """The result of comparing two reports. `still_open` are findings of the new report, waived ones included."""

    schema_version: str = SCHEMA_VERSION
    old_run: Run
    new_run: Run
    new: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    still_open: tuple[Finding, ...]
    no_longer_observed: tuple[Unseen, ...]


def compare(old: Report, new: Report) -> Difference:
    """Sort the failures of both reports by what became of them.

    A failure that is missing from the new report is fixed only if the new run looked for it: its rule ran, its account,
    region and file were in scope, no gap (waived or not) hides its resource, and the rule's verdict on the resource is
    not unknown. A check looks at nothing that is deployed.
    """
    old = former.aligned(old, new)
    before = {finding.fingerprint: finding for finding in old.findings if finding.is_known_failure}
    now = {finding.fingerprint: finding for finding in new.findings if finding.status is not Status.UNKNOWN}
    observed = ObservedScope.of(new)
    gone = [(finding, observed.missing_of(finding)) for key, finding in before.items() if key not in now]
    return Difference(
        old_run=old.run,
        new_run=new.run,
        new=tuple(each for key, each in now.items() if each.status is Status.FAIL and key not in before),
        fixed=tuple(finding for finding, reason in gone if reason is None),
        still_open=tuple(each for key, each in now.items() if key in before),
        no_longer_observed=tuple(Unseen(finding=finding, reason=reason.text) for finding, reason in gone if reason),
    )


def settled(old: Report, new: Report) -> Iterator[Finding]:
    """The findings of the old report, of any status, that the new run looked for and did not find."""
    return (finding for finding, reason in _gone(old, new) if reason is None)


def unseen(old: Report, new: Report) -> Iterator[tuple[Finding, Reason]]:
    """The findings of the old report, of any status, that the new run did not look for, and why not."""
    return ((finding, reason) for finding, reason in _gone(old, new) if reason is not None)


def _gone(old: Report, new: Report) -> Iterator[tuple[Finding, Reason | None]]:
    observed = ObservedScope.of(new)
    for finding in old.findings:
        if finding.fingerprint not in observed.found:
            yield finding, observed.missing_of(finding)


class Before(Struct, frozen=True):
    """A finding's status in an earlier report, and since when it was failing (as text) if it was a known failure."""

    status: Status
    failing_since: str | None = None

    @classmethod
    def of(cls, finding: Finding, report: Report) -> Self:
        since = finding.first_seen or report.run.started_at
        return cls(finding.status, since if finding.is_known_failure else None)


Known = Mapping[str, Before]
"""The findings of an earlier report, by fingerprint."""


def known(report: Report) -> Known:
    """What later reports need of a report to compare themselves with it."""
    return {finding.fingerprint: Before.of(finding, report) for finding in report.findings}


def mark(findings: Iterable[Finding], baseline: Known) -> Iterator[Finding]:
    """The findings, each with its `change`.

    A failure is "existing" only if it was a known failure before. If it was waived or never judged before, it is "new",
    since nobody has accepted it as a failure. An unknown finding that was a known failure keeps the time since when.
    """
    for finding in findings:
        before = baseline.get(finding.fingerprint)
        failing_since = before and before.failing_since
        existing = before is not None and (failing_since or finding.status in (before.status, Status.UNKNOWN))
        since = failing_since if finding.status is Status.UNKNOWN and not finding.first_seen else finding.first_seen
        yield structs.replace(finding, change="existing" if existing else "new", first_seen=since)


def marked(report: Report, baseline: Report) -> Report:
    """The report with its findings marked, and with the baseline's findings that the run failed to look for.

    Findings are marked each time that they are read, so that they need not be in memory.
    """
    carried = sorted(
        (_carried(finding, reason) for finding, reason in unseen(baseline, report) if reason.was_asked), key=_position
    )
    by_status = report.summary.by_status
    unknown = by_status.get(Status.UNKNOWN, 0) + len(carried)
    return structs.replace(
        report,
        summary=structs.replace(report.summary, by_status={**by_status, Status.UNKNOWN.value: unknown}),
        findings=_Marked(report.findings, carried, known(baseline)),
    )


def overlooked(report: Report, baseline: Report) -> int:
    """The number of the baseline's failures that the run was not asked to look for."""
    return sum(finding.is_known_failure and not reason.was_asked for finding, reason in unseen(baseline, report))


def new_gaps(report: Report, baseline: Report | None) -> Iterator[ReportedGap]:
    """The gaps of a report that are not waived and that the baseline does not have."""
    before = {GapReference.to(gap) for gap in baseline.coverage.gaps if not gap.waiver} if baseline else set()
    return (gap for gap in report.coverage.gaps if not gap.waiver and GapReference.to(gap) not in before)


def _carried(finding: Finding, reason: Reason) -> Finding:
    """A finding of the baseline as an unknown one, for a run that could not look for it."""
    why = reason.gap.reason if reason.gap else reason.text
    return structs.replace(
        finding,
        status=Status.UNKNOWN,
        message=f'"{finding.title}" could not be judged this time: {why}',
        evidence=tuple(_unobserved(item, reason) for item in finding.evidence),
        waiver=None,
        first_seen=finding.first_seen if finding.is_known_failure else None,
    )


def _unobserved(item: Evidence, reason: Reason) -> Evidence:
    gap = {"gap": GapReference.to(reason.gap)} if reason.gap else {}
    return Evidence(path=item.path, observed=None, required=item.required, **gap)


def _position(finding: Finding) -> tuple[str, ...]:
    """The sort key of findings in reports."""
    resource = finding.resource
    own = "" if resource.type == "app_instance" else resource.arn or ""
    return resource.account_id, resource.region, resource.app_instance_arn or "", own, finding.rule_id


class _Marked(Collection[Finding]):
    """A collection that marks findings on each iteration, so that they need not be in memory."""

    def __init__(self, findings: Collection[Finding], carried: Sequence[Finding], baseline: Known) -> None:
        self._findings = findings
        self._carried = carried
        self._baseline = baseline

    def __iter__(self) -> Iterator[Finding]:
        return mark(merge(self._findings, self._carried, key=_position), self._baseline)

    def __len__(self) -> int:
        return len(self._findings) + len(self._carried)

    def __contains__(self, finding: object) -> bool:
        return any(finding == own for own in self)
