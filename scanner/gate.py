"""Turns a report into the exit code that a pipeline acts on."""

from __future__ import annotations

from enum import IntEnum

from scanner.finding import Report, Severity, Status


class ExitCode(IntEnum):
    """What each means is said once, in the README."""

    OK = 0
    FINDINGS = 1
    GAPS = 3
    NOTHING_SCANNED = 4


def gate(report: Report, fail_on: Severity | None, *, allow_gaps: bool = False) -> ExitCode:
    """`fail_on` is the mildest severity that fails; with None no finding does. What is unknown never fails."""
    observed = report.coverage.observed
    if not report.coverage.complete and observed.targets == observed.app_instances == 0:
        return ExitCode.NOTHING_SCANNED
    if fail_on is not None and _fails(report, fail_on):
        return ExitCode.FINDINGS
    if not report.coverage.complete and not allow_gaps:
        return ExitCode.GAPS
    return ExitCode.OK


def _fails(report: Report, fail_on: Severity) -> bool:
    return any(finding.status is Status.FAIL and finding.severity.rank <= fail_on.rank for finding in report.findings)
