"""Marks what already failed in an earlier report, so that a pipeline can stop at what is new."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import structs

from scanner.finding import Finding, GapReference, Report, ReportedGap, Status

Known = Mapping[str, Status]
"""The findings of an earlier report: what each said, by its fingerprint."""


def known(report: Report) -> Known:
    """What is needed of a report for others to be compared with it."""
    return {finding.fingerprint: finding.status for finding in report.findings}


def mark(findings: Iterable[Finding], baseline: Known) -> Iterator[Finding]:
    """The findings, each with its `change`.

    A failure is existing only if it failed then. One that was waived or unknown then is new: nobody accepted it so.
    """
    for finding in findings:
        before = baseline.get(finding.fingerprint)
        existing = before in (Status.FAIL, finding.status)
        yield structs.replace(finding, change="existing" if existing else "new")


def marked(report: Report, baseline: Report) -> Report:
    """The report with all findings marked, one by one as they are read."""
    return structs.replace(report, findings=_Marked(report.findings, known(baseline)))


def new_gaps(report: Report, baseline: Report | None) -> Iterator[ReportedGap]:
    """The gaps that nobody waived and that were not there already."""
    before = {GapReference.to(gap) for gap in baseline.coverage.gaps if not gap.waiver} if baseline else set()
    return (gap for gap in report.coverage.gaps if not gap.waiver and GapReference.to(gap) not in before)


class _Marked(Collection[Finding]):
    """Findings that are marked anew each time they are gone through, so that they need not be in memory."""

    def __init__(self, findings: Collection[Finding], baseline: Known) -> None:
        self._findings = findings
        self._baseline = baseline

    def __iter__(self) -> Iterator[Finding]:
        return mark(self._findings, self._baseline)

    def __len__(self) -> int:
        return len(self._findings)

    def __contains__(self, finding: object) -> bool:
        return any(finding == own for own in self)
