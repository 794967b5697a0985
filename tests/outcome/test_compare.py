from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from scanner.model.report import Finding, Report, ReportedGap, Severity, Status, Waiver
from scanner.outcome.compare import Difference, compare, settled
from scanner.outcome.gate import ExitCode, gate_difference
from tests.render import sample

FLOW = sample.flow()
FOUND = sample.fails_open(FLOW)
OTHER = sample.fails_open(sample.flow("other"))
WAIVER = Waiver(reason="known", owner="us", expires="2027-01-01")


def gap(region: str | None = "us-east-1", arn: str | None = None, account: str = sample.PROD) -> ReportedGap:
    return ReportedGap(account_id=account, region=region, resource_arn=arn, operation="Get", code="Denied", reason="no")


def difference(old: list[Finding], new: list[Finding], *gaps: ReportedGap) -> Difference:
    return compare(sample.report(old), sample.report(new, gaps=gaps))


def groups(found: Difference) -> tuple[int, int, int, int]:
    return len(found.new), len(found.fixed), len(found.still_open), len(found.no_longer_observed)


def test_each_failure_is_in_the_group_of_what_became_of_it() -> None:
    gone = sample.fails_open(sample.flow("gone"))

    found = difference([FOUND, gone], [FOUND, OTHER])

    assert (found.new, found.fixed, found.still_open) == ((OTHER,), (gone,), (FOUND,))
    assert not found.no_longer_observed


@pytest.mark.parametrize(
    "hidden_by",
    [
        gap(arn=FLOW.arn),
        gap(arn=FLOW.app_instance_arn),
        gap(),
        gap(region=None),
        structs.replace(gap(), waiver=WAIVER),
    ],
)
def test_a_finding_that_a_gap_hides_is_not_fixed(hidden_by: ReportedGap) -> None:
    found = difference([FOUND], [], hidden_by)

    assert groups(found) == (0, 0, 0, 1)
    assert "Denied" in found.no_longer_observed[0].reason


@pytest.mark.parametrize(
    "elsewhere", [gap(region="eu-central-1"), gap(account=sample.CHAT), gap(arn=sample.app_arn(name="other"))]
)
def test_a_gap_elsewhere_hides_nothing(elsewhere: ReportedGap) -> None:
    assert groups(difference([FOUND], [], elsewhere)) == (0, 1, 0, 0)


def test_what_became_unknown_is_not_fixed() -> None:
    unknown = sample.unknown(sample.FAILS_OPEN, FLOW, "processors", None)

    assert groups(difference([FOUND], [unknown])) == (0, 0, 0, 1)


def test_what_was_waived_is_still_open_and_not_new_again() -> None:
    waived = structs.replace(FOUND, status=Status.WAIVED, waiver=WAIVER)

    assert groups(difference([FOUND], [waived])) == (0, 0, 1, 0)
    assert groups(difference([], [waived])) == (0, 0, 0, 0)
    assert groups(difference([waived], [FOUND])) == (1, 0, 0, 0)


def test_what_an_unseen_night_carried_over_is_neither_new_nor_lost() -> None:
    first = sample.report([FOUND])
    blind = sample.compared(sample.report(gaps=(gap(),)), first)

    assert groups(compare(first, blind)) == (0, 0, 0, 1)
    assert groups(compare(blind, blind)) == (0, 0, 0, 1)
    assert groups(compare(blind, first)) == (0, 0, 1, 0)
    assert groups(compare(blind, sample.report())) == (0, 1, 0, 0)
    assert [each.fingerprint for each in settled(blind, sample.report())] == [FOUND.fingerprint]


@pytest.mark.parametrize(
    "narrower",
    [
        sample.report(accounts=(sample.CHAT,)),
        sample.report(regions=("eu-central-1",)),
        sample.report(rules=(sample.PUBLIC,)),
    ],
)
def test_a_smaller_scope_fixes_nothing(narrower: Report) -> None:
    assert groups(compare(sample.report([FOUND]), narrower)) == (0, 0, 0, 1)


def test_a_check_of_files_fixes_nothing_that_is_deployed() -> None:
    check = sample.report()
    check = structs.replace(check, scope=structs.replace(check.scope, files=("flows.yaml",)))

    assert groups(compare(sample.report([FOUND]), check)) == (0, 0, 0, 1)


@given(st.lists(st.integers(0, 9), unique=True), st.lists(st.integers(0, 9), unique=True))
def test_no_failure_is_lost_or_counted_twice(old: list[int], new: list[int]) -> None:
    findings = [sample.fails_open(sample.flow(f"flow {number}")) for number in range(10)]

    found = difference([findings[number] for number in old], [findings[number] for number in new], gap())

    assert groups(found) == (len(set(new) - set(old)), 0, len(set(new) & set(old)), len(set(old) - set(new)))


def test_the_gate_looks_at_what_is_new_and_what_is_no_longer_observed() -> None:
    hidden = difference([FOUND], [], gap())

    assert gate_difference(difference([FOUND], [FOUND]), Severity.HIGH) is ExitCode.OK
    assert gate_difference(difference([], [FOUND]), Severity.HIGH) is ExitCode.FINDINGS
    assert gate_difference(difference([], [FOUND]), Severity.CRITICAL) is ExitCode.OK
    assert gate_difference(difference([], [FOUND]), None) is ExitCode.OK
    assert gate_difference(hidden, Severity.HIGH) is ExitCode.GAPS
    assert gate_difference(hidden, Severity.HIGH, ignore_gaps=True) is ExitCode.OK


# -- findings marked by a baseline


def change(before: Status | None, now: Status) -> str | None:
    baseline = sample.report([] if before is None else [structs.replace(FOUND, status=before)])
    (finding,) = sample.compared(sample.report([structs.replace(FOUND, status=now)]), baseline).findings
    return finding.change


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (None, Status.FAIL, "new"),
        (Status.FAIL, Status.FAIL, "existing"),
        (Status.WAIVED, Status.FAIL, "new"),
        (Status.UNKNOWN, Status.FAIL, "new"),
        (Status.FAIL, Status.WAIVED, "existing"),
        (Status.WAIVED, Status.WAIVED, "existing"),
        (Status.FAIL, Status.UNKNOWN, "existing"),
        (Status.UNKNOWN, Status.UNKNOWN, "existing"),
        (None, Status.UNKNOWN, "new"),
    ],
)
def test_only_what_failed_before_is_an_existing_failure(before: Status | None, now: Status, expected: str) -> None:
    assert change(before, now) == expected


def test_what_is_unknown_is_new_only_where_the_earlier_run_looked() -> None:
    unknown = structs.replace(FOUND, status=Status.UNKNOWN)

    (after_a_gap,) = sample.compared(sample.report([unknown]), sample.report(gaps=(gap(),))).findings
    (failing,) = sample.compared(sample.report([FOUND]), sample.report(gaps=(gap(),))).findings

    assert (after_a_gap.change, failing.change) == (None, "new")


def test_a_new_name_does_not_make_a_finding_new() -> None:
    renamed = structs.replace(FOUND, resource=structs.replace(FOUND.resource, name="renamed"))

    (finding,) = sample.compared(sample.report([renamed]), sample.report([FOUND])).findings

    assert finding.change == "existing"


def test_findings_are_marked_as_they_are_read_and_can_be_read_again() -> None:
    report = sample.compared(sample.rich(), sample.report([FOUND]))

    first, second = list(report.findings), list(report.findings)

    assert first == second
    assert len(report.findings) == len(first)
    assert first[0] in report.findings
    assert {finding.change for finding in first} == {"new"}
