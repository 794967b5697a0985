"""Works out the exit code from a report."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from scanner.model.report import Finding, Report, Severity, Status
from scanner.outcome.compare import Difference


class ExitCode(IntEnum):
    """The exit codes of commands; the README explains them."""

    OK = 0
    FINDINGS = 1
    GAPS = 3
    NOTHING_SCANNED = 4


def gate(report: Report, fail_on: Severity | None, *, ignore_gaps: bool = False) -> ExitCode:
    """The exit code for the report of a scan.

    `fail_on` is the mildest severity that fails; with None no finding fails. Unknown findings, and those that a
    baseline has, never fail.
    """
    if saw_nothing(report):
        return ExitCode.NOTHING_SCANNED
    return gate_files(report, fail_on, ignore_gaps=ignore_gaps)


def gate_files(report: Report, fail_on: Severity | None, *, ignore_gaps: bool = False) -> ExitCode:
    """The exit code for the report of a check. A value that only the deployment settles is no gap and has no effect."""
    return _verdict(report.findings, fail_on, uncertain=not report.coverage.complete and not ignore_gaps)


def saw_nothing(report: Report) -> bool:
    """Whether there was something to scan, but nothing was observed."""
    coverage = report.coverage
    is_empty = coverage.observed.targets == coverage.observed.app_instances == 0
    return is_empty and bool(coverage.in_scope.targets or not coverage.complete)


def gate_difference(difference: Difference, fail_on: Severity | None, *, ignore_gaps: bool = False) -> ExitCode:
    """The exit code for a difference: new failures fail, and a failure that is no longer observed counts as a gap."""
    uncertain = bool(difference.no_longer_observed) and not ignore_gaps
    return _verdict(difference.new, fail_on, uncertain=uncertain)


def _verdict(findings: Iterable[Finding], fail_on: Severity | None, *, uncertain: bool) -> ExitCode:
    if fail_on is not None and any(_fails(finding, fail_on) for finding in findings):
        return ExitCode.FINDINGS
    return ExitCode.GAPS if uncertain else ExitCode.OK


def _fails(finding: Finding, fail_on: Severity) -> bool:
    failed = finding.status is Status.FAIL and finding.change != "existing"
    return failed and finding.severity.rank <= fail_on.rank
