from __future__ import annotations

import pytest
from msgspec import structs

from scanner.model.report import Finding, GapReference, ReportedGap, Severity, Status, Waiver
from scanner.outcome.compare import known, mark, marked, overlooked
from scanner.outcome.gate import ExitCode, gate
from tests.render import sample

FOUND = sample.fails_open(sample.flow())
WAIVER = Waiver(reason="known", owner="us", expires="2027-01-01")


def change(before: Status | None, now: Status) -> str | None:
    baseline = {} if before is None else known(sample.report([structs.replace(FOUND, status=before)]))
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


def gap(arn: str | None = None) -> ReportedGap:
    return ReportedGap(
        account_id=sample.PROD, region="us-east-1", resource_arn=arn, operation="List", code="Denied", reason="no"
    )


def test_what_nobody_looked_at_again_is_unknown_in_its_place_and_stays_known() -> None:
    flows = [sample.flow(name) for name in ("a", "b", "c")]
    a, b, c = map(sample.fails_open, flows)
    first = sample.report([a, b, structs.replace(c, status=Status.WAIVED, waiver=WAIVER)])

    blind = marked(sample.report([], gaps=(gap(),)), first)

    assert {finding.fingerprint for finding in blind.findings} == {each.fingerprint for each in (a, b, c)}
    assert blind.summary.by_status["unknown"] == len(blind.findings) == 3
    for finding in blind.findings:
        (item,) = finding.evidence
        assert (finding.status, finding.change, finding.waiver) == (Status.UNKNOWN, "existing", None)
        assert (item.observed, item.gap) == (None, GapReference.to(gap()))
        assert finding.first_seen == (None if finding.fingerprint == c.fingerprint else first.run.started_at)
    for again in (blind, marked(sample.report([], gaps=(gap(),)), blind)):
        now = marked(sample.report([a, b, c]), again)
        changes = {finding.resource.name: finding.change for finding in now.findings}
        assert changes == {"a": "existing", "b": "existing", "c": "new"}, "nobody accepted the waived one without"
        assert not list(marked(sample.report(), again).findings)


def test_a_failure_that_could_not_be_judged_is_no_news_when_it_fails_again() -> None:
    doubt = structs.replace(FOUND, status=Status.UNKNOWN)
    first = sample.report([FOUND])

    between = marked(sample.report([doubt]), first)
    never_judged = sample.report([doubt])

    assert [finding.first_seen for finding in between.findings] == [first.run.started_at]
    assert [finding.change for finding in marked(sample.report([FOUND]), between).findings] == ["existing"]
    assert [finding.change for finding in marked(sample.report([FOUND]), never_judged).findings] == ["new"]


def test_what_was_not_asked_for_is_not_carried_over_but_counted() -> None:
    narrower = sample.report(accounts=(sample.CHAT,))

    assert not list(marked(narrower, sample.report([FOUND])).findings)
    assert overlooked(narrower, sample.report([FOUND])) == 1
    assert overlooked(sample.report(gaps=(gap(),)), sample.report([FOUND])) == 0


def test_findings_that_are_carried_over_stand_in_the_order_of_reports() -> None:
    names = [sample.fails_open(sample.flow(f"flow {number}")) for number in range(9)]
    seen, hidden = names[::2], names[1::2]
    gaps = tuple(gap(finding.resource.arn) for finding in hidden)

    report = marked(sample.report(seen, gaps=gaps), sample.report(names))

    order = [finding.fingerprint for finding in sample.report(names).findings]
    assert [finding.fingerprint for finding in report.findings] == order


def test_only_what_is_new_gates() -> None:
    other = sample.fails_open(sample.flow("other"))
    before = sample.report([FOUND])

    def code(*findings: Finding) -> ExitCode:
        return gate(marked(sample.report(findings), before), Severity.HIGH)

    assert code(FOUND) is ExitCode.OK
    assert code(FOUND, other) is ExitCode.FINDINGS
    assert gate(sample.report([FOUND]), Severity.HIGH) is ExitCode.FINDINGS
