from __future__ import annotations

import pytest
from msgspec import structs

from scanner.baseline import known, mark, marked
from scanner.finding import Finding, Severity, Status
from scanner.gate import ExitCode, gate
from tests.render import sample

FOUND = sample.fails_open(sample.flow())


def change(before: Status | None, now: Status) -> str | None:
    baseline = {} if before is None else {FOUND.fingerprint: before}
    (finding,) = mark([structs.replace(FOUND, status=now)], baseline)
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


def test_a_new_name_does_not_make_a_finding_new() -> None:
    renamed = structs.replace(FOUND, resource=structs.replace(FOUND.resource, name="renamed"))

    (finding,) = mark([renamed], known(sample.report([FOUND])))

    assert finding.change == "existing"


def test_findings_are_marked_as_they_are_read_and_can_be_read_again() -> None:
    report = marked(sample.rich(), sample.report([FOUND]))

    first, second = list(report.findings), list(report.findings)

    assert first == second
    assert len(report.findings) == len(first)
    assert first[0] in report.findings
    assert {finding.change for finding in first} == {"new"}


def test_only_what_is_new_gates() -> None:
    other = sample.fails_open(sample.flow("other"))
    before = sample.report([FOUND])

    def code(*findings: Finding) -> ExitCode:
        return gate(marked(sample.report(findings), before), Severity.HIGH)

    assert code(FOUND) is ExitCode.OK
    assert code(FOUND, other) is ExitCode.FINDINGS
    assert gate(sample.report([FOUND]), Severity.HIGH) is ExitCode.FINDINGS
