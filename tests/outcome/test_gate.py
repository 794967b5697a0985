from __future__ import annotations

import pytest
from msgspec import structs

from scanner.model.report import Finding, Observed, Report, Severity, Status
from scanner.outcome.gate import ExitCode, gate
from tests.render import sample

SEVERITIES = list(Severity)


def report(status: Status | None = None, severity: Severity = Severity.HIGH) -> Report:
    """A complete report with at most one finding."""
    clean = sample.clean()
    if status is None:
        return clean
    finding = structs.replace(next(iter(sample.rich().findings)), status=status, severity=severity)
    return structs.replace(clean, findings=(finding,))


def incomplete(of: Report, observed: Observed | None = None) -> Report:
    coverage = structs.replace(of.coverage, complete=False)
    return structs.replace(of, coverage=structs.replace(coverage, observed=observed or coverage.observed))


@pytest.mark.parametrize("threshold", SEVERITIES)
@pytest.mark.parametrize("severity", SEVERITIES)
def test_a_failure_counts_from_the_threshold_up(severity: Severity, threshold: Severity) -> None:
    reached = SEVERITIES.index(severity) <= SEVERITIES.index(threshold)

    assert gate(report(Status.FAIL, severity), threshold) == (ExitCode.FINDINGS if reached else ExitCode.OK)


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.WAIVED])
def test_what_is_unknown_or_waived_never_counts_as_a_failure(status: Status) -> None:
    assert gate(report(status, Severity.CRITICAL), Severity.INFO) is ExitCode.OK


def test_without_a_threshold_no_finding_counts() -> None:
    assert gate(report(Status.FAIL, Severity.CRITICAL), None) is ExitCode.OK


def test_gaps_count_unless_they_are_allowed() -> None:
    assert gate(incomplete(report()), Severity.HIGH) is ExitCode.GAPS
    assert gate(incomplete(report()), Severity.HIGH, ignore_gaps=True) is ExitCode.OK


def test_a_failure_outweighs_gaps() -> None:
    assert gate(incomplete(report(Status.FAIL)), Severity.HIGH, ignore_gaps=True) is ExitCode.FINDINGS


def test_nothing_seen_cannot_be_waived_either() -> None:
    waived = structs.replace(report().coverage, observed=Observed())

    assert gate(structs.replace(report(), coverage=waived), None) is ExitCode.NOTHING_SCANNED


def test_nothing_seen_outweighs_all_and_cannot_be_allowed() -> None:
    assert gate(incomplete(report(), Observed()), None, ignore_gaps=True) is ExitCode.NOTHING_SCANNED


def test_only_new_failures_affect_the_exit_code() -> None:
    known, other = (sample.fails_open(sample.flow(name)) for name in ("known", "other"))
    before = sample.report([known])

    def code(*findings: Finding) -> ExitCode:
        return gate(sample.compared(sample.report(findings), before), Severity.HIGH)

    assert code(known) is ExitCode.OK
    assert code(known, other) is ExitCode.FINDINGS
    assert gate(sample.report([known]), Severity.HIGH) is ExitCode.FINDINGS
