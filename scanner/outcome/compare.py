"""Compares two reports: what became of the earlier findings, and which later findings are new.

What the earlier report carried over counts as its findings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.model.report import BaselineRun, Finding, GapReference, Report, ReportedGap, Run, Status
from scanner.outcome import former
from scanner.outcome.carried import Inheritance, remembered
from scanner.outcome.observed_scope import ObservedScope

SCHEMA_VERSION = "1.0"


class Unseen(Struct, frozen=True, kw_only=True):
    """A finding of the old report that the new run did not look for, and why not."""

    finding: Finding
    reason: str


class Difference(Struct, frozen=True, kw_only=True):
    """The result of comparing two reports. `still_open` are findings of the new report, waived ones included.

    `account_names` has what the reports call the accounts, by id; left out where they name none.
    """

    schema_version: str = SCHEMA_VERSION
    old_run: Run
    new_run: Run
    new: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    still_open: tuple[Finding, ...]
    no_longer_observed: tuple[Unseen, ...]
    account_names: dict[str, str] | UnsetType = UNSET


def compare(old: Report, new: Report) -> Difference:
    """Sort the failures of both reports by what became of them.

    A failure that is missing from the new report is fixed only if the new run looked for it: its rule ran, its account,
    region and file were in scope, no gap (waived or not) hides its resource, and the rule's verdict on the resource is
    not unknown. A check looks at nothing that is deployed.
    """
    old = former.aligned(old, new)
    before = {entry.finding.fingerprint: entry.finding for entry in remembered(old) if entry.finding.is_known_failure}
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
        account_names={**old.scope.names, **new.scope.names} or UNSET,
    )


def settled(old: Report, new: Report) -> Iterator[Finding]:
    """The findings that the old report knew, of any status, that the new run looked for and did not find."""
    observed = ObservedScope.of(new)
    for entry in remembered(old):
        finding = entry.finding
        if finding.fingerprint not in observed.found and observed.missing_of(finding) is None:
            yield finding


class Before(Struct, frozen=True):
    """A finding's status in an earlier report, and whether it was known to fail."""

    status: Status
    is_failure: bool


Known = Mapping[str, Before]
"""The findings of an earlier report, by fingerprint."""


def known(report: Report) -> Known:
    """What later reports need of a report to compare themselves with it."""
    findings = (entry.finding for entry in remembered(report))
    return {finding.fingerprint: Before(finding.status, finding.is_known_failure) for finding in findings}


def mark(findings: Iterable[Finding], baseline: Known, observed: ObservedScope) -> Iterator[Finding]:
    """The findings, each with its `change`.

    A failure is "existing" only if it was a known failure before. If it was waived or never judged before, it is "new",
    since nobody has accepted it as a failure. `observed` is what the earlier run looked at: an unknown finding where it
    did not look is neither.
    """
    for finding in findings:
        before = baseline.get(finding.fingerprint)
        existing = before is not None and (before.is_failure or finding.status in (before.status, Status.UNKNOWN))
        is_open = not existing and finding.status is Status.UNKNOWN and observed.missing_of(finding) is not None
        yield structs.replace(finding, change=None if is_open else "existing" if existing else "new")


def marked(report: Report, baseline: Report, inherited: Inheritance) -> Report:
    """The report with its findings marked, with what it was compared with, and with what it carries over from that.

    Findings are marked each time that they are read, so that they need not be in memory.
    """
    return structs.replace(
        report,
        baseline=BaselineRun(id=baseline.run.id, started_at=baseline.run.started_at, fixed=inherited.fixed),
        carried_over=inherited.carried,
        findings=_Marked(report.findings, baseline),
    )


def new_gaps(report: Report, baseline: Report | None) -> Iterator[ReportedGap]:
    """The gaps of a report that are not waived and that the baseline does not have."""
    before = {GapReference.to(gap) for gap in baseline.coverage.gaps if not gap.waiver} if baseline else set()
    return (gap for gap in report.coverage.gaps if not gap.waiver and GapReference.to(gap) not in before)


class _Marked(Collection[Finding]):
    """A collection that marks findings on each iteration, so that they need not be in memory."""

    def __init__(self, findings: Collection[Finding], baseline: Report) -> None:
        self._findings = findings
        self._known = known(baseline)
        self._observed = ObservedScope.of(baseline)

    def __iter__(self) -> Iterator[Finding]:
        return mark(self._findings, self._known, self._observed)

    def __len__(self) -> int:
        return len(self._findings)

    def __contains__(self, finding: object) -> bool:
        return any(finding == own for own in self)
