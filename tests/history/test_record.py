"""The life of findings: what a night changes, and what it must not conclude from what it did not look for."""

from __future__ import annotations

import pytest
from msgspec import structs

from scanner.history import database
from scanner.history.address import Address
from scanner.history.record import prune
from scanner.model.report import Report, ReportedGap, Status
from scanner.model.trend import Pruned
from tests.history.nights import at, changes, failing, kept, lives, report, seen, trend, waived
from tests.render import sample

FLOW = sample.flow("a")


def gap(region: str | None = "us-east-1", arn: str | None = None) -> ReportedGap:
    return ReportedGap(
        account_id=sample.PROD, region=region, resource_arn=arn, operation="Get", code="Denied", reason="no"
    )


def test_findings_have_the_time_at_which_they_were_first_seen(history: Address) -> None:
    first = kept(history, report(1, failing("a")))
    second = kept(history, report(2, failing("a", "b")))

    assert seen(first) == [at(1)]
    assert sorted(map(str, seen(second))) == [at(1), at(2)]
    assert [structs.replace(each, first_seen=None) for each in second.report.findings] == list(
        report(2, failing("a", "b")).findings
    )


def test_a_life_from_first_seen_to_fixed_to_reopened_to_waived(history: Address) -> None:
    for night, found in enumerate([failing("a"), failing("a"), [], [], failing("a"), waived("a"), failing("a"), []]):
        kept(history, report(night, found))

    assert lives(history) == {"a": ("fixed", at(0), at(6))}
    assert changes(history, "a") == [
        (at(0), None, "open"),
        (at(2), "open", "fixed"),
        (at(4), "fixed", "open"),
        (at(5), "open", "waived"),
        (at(6), "waived", "open"),
        (at(7), "open", "fixed"),
    ]
    (fixing,) = trend(history).time_to_fix
    assert (fixing.severity, fixing.fixed, fixing.median_days, fixing.longest_days) == ("high", 2, 2.0, 3.0)


@pytest.mark.parametrize(
    "blind",
    [
        pytest.param(report(1, gaps=(gap(arn=FLOW.arn),)), id="its own gap"),
        pytest.param(report(1, gaps=(gap(arn=FLOW.app_instance_arn),)), id="its app instance's gap"),
        pytest.param(report(1, gaps=(gap(region=None),)), id="its account's gap"),
        pytest.param(report(1, rules=(sample.PUBLIC,)), id="its rule did not run"),
        pytest.param(report(1, accounts=(sample.CHAT,)), id="another account"),
        pytest.param(report(1, regions=("eu-central-1",)), id="another region"),
        pytest.param(
            report(1, [sample.unknown(sample.FAILS_OPEN, FLOW, "processors", None)]), id="it could not be judged"
        ),
        pytest.param(report(1, gaps=(gap(), gap(region="eu-central-1"))), id="the run was interrupted"),
    ],
)
def test_what_was_not_looked_at_keeps_its_state(history: Address, blind: Report) -> None:
    kept(history, report(0, [*failing("a"), *waived("b")]))
    kept(history, blind)

    assert lives(history)["a"] == ("open", at(0), at(0))

    kept(history, report(2))

    assert lives(history) == {"a": ("fixed", at(0), at(0)), "b": ("fixed", at(0), at(0))}


def test_an_unknown_judgement_of_a_known_finding_keeps_its_age(history: Address) -> None:
    kept(history, report(0, failing("a")))
    unknown = structs.replace(
        sample.unknown(sample.FAILS_OPEN, FLOW, "processors", None), fingerprint=failing("a")[0].fingerprint
    )

    assert seen(kept(history, report(1, [unknown]))) == [at(0)]
    assert lives(history)["a"] == ("open", at(0), at(0))


def test_every_kind_of_report_can_be_recorded(history: Address) -> None:
    for make in sample.ALL:
        one = make()
        recorded = kept(history, structs.replace(one, run=structs.replace(one.run, id=make.__name__)))
        assert len(recorded.report.findings) == len(one.findings)

    assert len(trend(history).nights) == len(sample.ALL)


def test_a_finding_that_a_report_has_twice_counts_once(history: Address) -> None:
    twice = report(0, failing("a"))
    recorded = kept(history, structs.replace(twice, findings=[*failing("a"), *failing("a"), *waived("a")]))

    assert seen(recorded) == [at(0)] * 3
    assert trend(history).nights[0].all_open == 1


def test_text_that_a_database_cannot_store_is_replaced(history: Address) -> None:
    kept(history, report(0, failing("nul\0 'quote' \\ \t\n{}:name")))

    assert list(lives(history)) == ["nul\N{SYMBOL FOR NULL} 'quote' \\ \t\n{}:name"]


# -- late nights, and the same night again


def test_a_late_night_changes_when_a_finding_was_seen_and_undoes_nothing(history: Address) -> None:
    kept(history, report(5, failing("a")))
    kept(history, report(2, failing("a", "gone by the fifth")))

    assert lives(history) == {"a": ("open", at(2), at(5)), "gone by the fifth": ("fixed", at(2), at(2))}
    assert changes(history, "a") == [(at(2), None, "open")]
    assert changes(history, "gone by the fifth") == [(at(2), None, "open"), (at(5), "open", "fixed")]
    assert [night.all_open for night in trend(history).nights] == [2, 1]


def test_a_late_night_without_a_finding_does_not_fix_what_a_later_one_saw(history: Address) -> None:
    kept(history, report(5, failing("a")))
    kept(history, report(2))

    assert lives(history) == {"a": ("open", at(5), at(5))}


def test_what_a_late_night_saw_stays_open_where_no_later_one_looked(history: Address) -> None:
    kept(history, report(4, accounts=(sample.CHAT,)))
    kept(history, report(5, [sample.unknown(sample.FAILS_OPEN, FLOW, "processors", None)]))
    kept(history, report(2, failing("a")))

    assert lives(history) == {"a": ("open", at(2), at(2))}


def test_a_late_night_sets_back_the_time_of_a_fix(history: Address) -> None:
    kept(history, report(0, failing("a")))
    kept(history, report(5))
    kept(history, report(2))

    assert changes(history, "a") == [(at(0), None, "open"), (at(2), "open", "fixed")]
    assert [night.fixed for night in trend(history).nights] == [0, 1, 0]


def test_a_late_night_keeps_the_time_to_fix_right(history: Address) -> None:
    kept(history, report(5, failing("a")))
    kept(history, report(8))
    kept(history, report(2, failing("a")))

    assert lives(history) == {"a": ("fixed", at(2), at(5))}
    assert trend(history).time_to_fix[0].longest_days == 6


def test_a_resumed_run_is_recorded_in_place_of_its_first_part(history: Address) -> None:
    kept(history, report(0, failing("a", "b")))
    kept(history, report(1, failing("a"), gaps=(gap(arn=sample.flow("b").arn),)))
    assert lives(history)["b"][0] == "open"

    kept(history, report(1, failing("a", "c")))

    assert {name: life[0] for name, life in lives(history).items()} == {"a": "open", "b": "fixed", "c": "open"}
    assert len(trend(history).nights) == 2
    assert trend(history).nights[1].complete


def test_a_run_judged_again_replaces_its_first_record(history: Address) -> None:
    kept(history, report(0, [*failing("still there"), *waived("accepted")]))
    kept(history, report(1, failing("never there")))
    kept(history, report(1, [*failing("still there"), *waived("accepted")]))

    assert lives(history) == {"still there": ("open", at(0), at(1)), "accepted": ("waived", at(0), at(1))}
    assert changes(history, "still there") == [(at(0), None, "open")]
    assert [night.fixed for night in trend(history).nights] == [0, 0]

    kept(history, report(3))

    assert trend(history).time_to_fix[0].longest_days == 3


def test_recording_a_run_again_changes_nothing(history: Address) -> None:
    for night, found in enumerate([failing("a", "b"), failing("b", "c"), waived("a", "c")]):
        kept(history, report(night, found))
    before = lives(history), trend(history), [changes(history, name) for name in "abc"]

    kept(history, report(2, waived("a", "c")))

    assert (lives(history), trend(history), [changes(history, name) for name in "abc"]) == before


# -- trend and pruning


def test_pruning_removes_old_nights_and_fixes_but_no_open_finding(history: Address) -> None:
    kept(history, report(0, [*failing("fixed long ago", "fixed lately", "open"), *waived("waived")], gaps=(gap(),)))
    kept(history, report(1, [*failing("fixed lately", "open"), *waived("waived")]))
    kept(history, report(8, [*failing("open"), *waived("waived")]))

    with database.written(history) as connection:
        removed = prune(connection, at(5))

    assert removed == Pruned(runs=2, findings=1, changes=2)
    assert [(night.started_at, night.all_open, night.fixed) for night in trend(history).nights] == [(at(8), 1, 1)]
    assert {name: life[1] for name, life in lives(history).items()} == dict.fromkeys(
        ("fixed lately", "open", "waived"), at(0)
    )
    assert seen(kept(history, report(9, failing("open")))) == [at(0)]


def test_runs_that_began_in_the_same_second_never_leave_less_than_nothing_open(history: Address) -> None:
    kept(history, report(0, failing("a"), run_id="z"))
    kept(history, report(0, run_id="B"))
    kept(history, report(0, failing("b"), run_id="a"))

    nights = {night.run_id: (night.all_open, night.new, night.fixed) for night in trend(history).nights}

    assert nights == {"z": (1, 1, 0), "B": (1, 0, 1), "a": (1, 1, 0)}


def test_the_trend_counts_what_is_open_new_and_fixed(history: Address) -> None:
    public = [sample.finding(sample.PUBLIC, sample.flow("p"), "anyone")]
    kept(history, report(0, failing("a", "b")))
    kept(history, report(1, [*failing("b"), *public], accounts=(sample.PROD,)))
    kept(history, report(2, accounts=(sample.CHAT,)))
    kept(history, report(3, [*failing("a"), *waived("b")]))

    nights = trend(history).nights

    assert [(night.open["critical"], night.open["high"]) for night in nights] == [(0, 2), (1, 1), (1, 1), (0, 1)]
    assert [(night.new, night.reopened, night.fixed, night.waived) for night in nights] == [
        (2, 0, 0, 0),
        (1, 0, 1, 0),
        (0, 0, 0, 0),
        (0, 1, 1, 1),
    ]
    assert [(each.resource_name, each.age_days) for each in trend(history).oldest] == [("a", 3)]


def test_an_unknown_finding_has_a_first_seen_time_only_if_it_was_open(history: Address) -> None:
    unknown = [
        structs.replace(each, status=Status.UNKNOWN) for each in failing("open", "fixed", "waived", "never seen")
    ]
    kept(history, report(0, failing("open", "fixed", "waived")))
    kept(history, report(1, [*failing("open"), *waived("waived")]))

    dated = kept(history, report(2, unknown)).report.findings

    assert {each.resource.name: each.first_seen for each in dated} == {
        "open": at(0),
        "fixed": None,
        "waived": None,
        "never seen": None,
    }
