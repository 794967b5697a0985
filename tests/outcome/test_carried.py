"""scanner.outcome.carried: what failed before, and was not settled this time, is neither new nor fixed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, structs

from scanner.model.report import BaselineRun, CarriedOver, Finding, Location, Report, ReportedGap, Status, Waiver
from scanner.outcome.carried import inherit, remembered, with_unarchived
from scanner.outcome.compare import settled
from tests.render import sample

FLOWS = [sample.flow(name) for name in ("a", "b", "c")]
A, B, C = map(sample.fails_open, FLOWS)
WAIVED = structs.replace(C, status=Status.WAIVED, waiver=Waiver(reason="known", owner="us", expires="2027-01-01"))
DENIED = ReportedGap(account_id=sample.PROD, region="us-east-1", operation="Get", code="Denied", reason="no")
DAYS = tuple(f"2026-11-{day:02}T03:00:00Z" for day in range(1, 31)) + tuple(
    f"2026-12-{day:02}T03:00:00Z" for day in range(1, 32)
)


def begun(report: Report, day: int) -> Report:
    return structs.replace(report, run=structs.replace(report.run, started_at=DAYS[day]))


def denied(*findings: Finding) -> Report:
    return sample.report(list(findings), gaps=(DENIED,))


def carried(report: Report) -> tuple[CarriedOver, ...]:
    assert report.carried_over is not UNSET
    return report.carried_over


def changes(report: Report) -> dict[str | None, str | None]:
    return {each.resource.name: each.change for each in report.findings}


def test_what_a_gap_hides_is_carried_over_as_it_was_and_counts_nowhere() -> None:
    first = begun(sample.report([A, B, WAIVED]), 0)

    blind = sample.compared(begun(denied(), 1), first)

    assert {each.finding.fingerprint: each.finding for each in carried(blind)} == {
        each.fingerprint: each for each in (A, B, WAIVED)
    }
    assert {(each.last_seen, each.reason, each.not_looked_for) for each in carried(blind)} == {
        (DAYS[0], "Get: no [Denied]", UNSET)
    }
    assert not list(blind.findings)
    assert blind.summary == denied().summary


def test_a_compared_report_says_with_which_run_and_how_many_failures_are_fixed_since() -> None:
    first = begun(sample.report([A, B, WAIVED]), 0)
    blind = sample.compared(begun(denied(), 1), first)

    assert sample.compared(begun(sample.report([A]), 1), first).baseline == BaselineRun(
        id=first.run.id, started_at=DAYS[0], fixed=1
    )
    assert (blind.baseline and blind.baseline.fixed) == 0
    assert sample.compared(begun(sample.report([A]), 2), blind).baseline == BaselineRun(
        id=blind.run.id, started_at=DAYS[1], fixed=1
    )


def test_any_number_of_nights_that_see_nothing_makes_nothing_new() -> None:
    blind = first = begun(sample.report([A, B, WAIVED]), 0)
    for day in range(1, 50):
        blind = sample.compared(begun(denied(), day), blind)

    assert {each.last_seen for each in carried(blind)} == {DAYS[0]}
    again = sample.compared(begun(sample.report([A, B, C]), 50), blind)
    assert changes(again) == {"a": "existing", "b": "existing", "c": "new"}, "nobody accepted the waived one without"
    assert carried(again) == ()
    assert carried(sample.compared(sample.report(), blind)) == ()
    assert {each.fingerprint for each in settled(blind, sample.report())} == {
        each.fingerprint for each in first.findings
    }


def test_what_is_unknown_now_is_carried_over_and_wins_over_the_unknown() -> None:
    doubt = structs.replace(A, status=Status.UNKNOWN)

    between = sample.compared(sample.report([doubt]), sample.report([A]))

    assert [each.reason for each in carried(between)] == ["its rule could not be judged"]
    assert [(each.status, each.change) for each in between.findings] == [(Status.UNKNOWN, "existing")]
    assert [entry.finding for entry in remembered(between)] == [A]
    assert changes(sample.compared(sample.report([A]), between)) == {"a": "existing"}
    assert changes(sample.compared(sample.report([A]), sample.report([doubt]))) == {"a": "new"}


def test_why_says_for_want_of_which_call_a_rule_could_not_be_judged() -> None:
    unknown = sample.unknown(sample.FAILS_OPEN, FLOWS[0], "processors", DENIED)

    (entry,) = carried(sample.compared(sample.report([unknown]), sample.report([A])))

    assert entry.reason == "its rule could not be judged: Get [Denied]"


def test_what_was_never_judged_is_not_carried_over() -> None:
    unknown = structs.replace(A, status=Status.UNKNOWN)

    assert carried(sample.compared(denied(), sample.report([unknown]))) == ()


def test_what_a_report_of_1_0_carried_as_unknown_with_its_time_is_carried_on() -> None:
    former = structs.replace(A, status=Status.UNKNOWN, first_seen=DAYS[0])

    blind = sample.compared(denied(), sample.report([former]))

    assert [each.finding for each in carried(blind)] == [former]
    assert changes(sample.compared(sample.report([A]), blind)) == {"a": "existing"}


@pytest.mark.parametrize(
    "narrower",
    [
        sample.report(accounts=(sample.CHAT,)),
        sample.report(regions=("eu-central-1",)),
        sample.report(rules=(sample.PUBLIC,)),
    ],
)
def test_what_was_not_asked_for_is_known_for_30_days_from_when_that_began(narrower: Report) -> None:
    seen = sample.compared(begun(denied(), 20), begun(sample.report([A]), 0))
    kept = seen
    for day in range(21, 52):
        kept = sample.compared(begun(narrower, day), kept)
        assert [each.not_looked_for for each in carried(kept)] == [DAYS[21]]

    assert changes(sample.compared(begun(sample.report([A]), 52), kept)) == {"a": "existing"}
    gone = inherit(begun(narrower, 52), kept, lambda _: True)
    assert (gone.carried, gone.expired) == ((), 1)
    assert [each.not_looked_for for each in carried(sample.compared(begun(denied(), 52), kept))] == [UNSET]


def test_what_no_rule_is_there_for_any_more_is_dropped_and_counted() -> None:
    found = inherit(sample.report(rules=()), sample.report([A, B]), lambda _: False)

    assert (found.carried, found.without_rule) == ((), {"last-processor-fails-open": 2})


def test_a_file_that_cannot_be_read_keeps_its_findings_though_its_rule_did_not_run_either() -> None:
    here = Location(file="flows.yaml", line=3, column=1)
    found = structs.replace(A, location=here)
    mistake = structs.replace(DENIED, operation="ReadFile", account_id="unknown", region=None, location=here)
    broken = sample.report(gaps=(mistake,), rules=())

    (entry,) = carried(sample.compared(broken, sample.report([found])))

    assert (entry.finding, entry.not_looked_for) == (found, UNSET)


def test_what_could_not_be_archived_is_archived_by_the_next_night() -> None:
    unknown = structs.replace(B, status=Status.UNKNOWN)
    first, mended = sample.report([A, unknown]), sample.compared(sample.report(), sample.report([A, unknown]))

    heir = with_unarchived(mended, first, {A.fingerprint, B.fingerprint})

    assert [each.finding for each in carried(heir)] == [A, unknown]
    assert list(settled(heir, sample.report())) == [A, unknown]
    assert [each.finding for each in carried(sample.compared(denied(), heir))] == [A, unknown]
    assert carried(sample.compared(sample.report(), heir)) == ()


def test_a_contradictory_baseline_is_taken_by_what_it_found_itself() -> None:
    own = structs.replace(
        sample.report([A]), carried_over=(CarriedOver(finding=WAIVED, last_seen=DAYS[0], reason="x"),)
    )
    twice = structs.replace(own, carried_over=(CarriedOver(finding=A, last_seen=DAYS[0], reason="x"),) * 2)

    assert [entry.finding for entry in remembered(own)] == [A, WAIVED]
    assert [(entry.finding, entry.reason) for entry in remembered(twice)] == [(A, "")]


@given(st.lists(st.sampled_from(["seen", "denied", "left out"]), max_size=12), st.sets(st.integers(0, 2)))
def test_what_fails_all_the_time_is_new_once_whatever_the_nights_see(nights: list[str], waived: set[int]) -> None:
    always = [structs.replace(each, status=Status.WAIVED) if n in waived else each for n, each in enumerate((A, B, C))]
    reports = {
        "seen": sample.report(always),
        "denied": denied(),
        "left out": sample.report(accounts=(sample.CHAT,)),
    }
    latest = begun(sample.report(always), 0)

    for day, kind in enumerate(nights, 1):
        latest = sample.compared(begun(reports[kind], day), latest)
        assert {each.change for each in latest.findings} <= {"existing"}
        known = {each.fingerprint for each in latest.findings} | {each.finding.fingerprint for each in carried(latest)}
        assert known == {each.fingerprint for each in always}
