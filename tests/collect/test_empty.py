"""scanner.collect.empty: an empty list counts once its owner is clear, from another list or by one call to STS."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.collect.empty import EmptyTargets
from scanner.collect.task import Owned, TaskResult
from scanner.model.facts import Gap
from scanner.model.report import Scope
from scanner.store.journal import Journal, RunHeader, Target

REGIONS = ("a", "b", "c")
TARGETS = tuple(Target(account_id="1", region=region) for region in REGIONS)
GAP = Gap(account_id="1", region="a", operation="GetCallerIdentity", code="OtherAccount", reason="r")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    scope = Scope(accounts=("1",), regions=REGIONS, chosen_by="the test")
    header = RunHeader(id="r", started_at="2026-01-01T00:00:00Z", scope=scope, targets=TARGETS, options={})
    return Journal.create(tmp_path / "run", header)


@pytest.fixture
def empty(journal: Journal) -> EmptyTargets:
    empty = EmptyTargets(journal)
    empty.begin(TARGETS)
    return empty


def read(number: int, owned: Owned) -> TaskResult:
    return TaskResult(target=TARGETS[number], complete=owned is not Owned.EMPTY, owned=owned)


def take(empty: EmptyTargets, done: TaskResult) -> tuple[list[tuple[str, bool]], bool]:
    """The regions that a result settles, each with whether it is complete; and whether STS must be asked."""
    empty.note(done)
    return [(each.target.region, each.complete) for each in empty.settle(done)], empty.asks_owner_of(done)


@pytest.mark.parametrize("naming", [0, 1, 2])
def test_a_list_that_names_an_app_instance_settles_its_account_whenever_it_comes(
    empty: EmptyTargets, journal: Journal, naming: int
) -> None:
    told = [take(empty, read(number, Owned.NAMED if number == naming else Owned.EMPTY)) for number in range(3)]

    assert not any(asked for _, asked in told)
    assert sorted(region for settled, _ in told for region in settled) == [(region, True) for region in REGIONS]
    closed = [journal.reader(target).complete for target in TARGETS]
    assert closed == [number != naming for number in range(3)]  # its reader closes a list that names something


def test_if_no_list_names_an_app_instance_sts_is_asked_once_at_the_end(empty: EmptyTargets, journal: Journal) -> None:
    assert take(empty, read(0, Owned.EMPTY)) == ([], False)
    assert take(empty, read(1, Owned.NOT_READ)) == ([("b", True)], False)
    assert take(empty, read(2, Owned.EMPTY)) == ([], True)
    assert not journal.reader(TARGETS[0]).complete

    answer = TaskResult(target=TARGETS[2], complete=False, asked_owner=True, missing=(GAP,))

    assert take(empty, answer) == ([("a", True), ("c", True)], False)
    gaps = [gap for target in TARGETS for gap in journal.reader(target).gaps]
    assert [(gap.code, gap.region) for gap in gaps] == [("OtherAccount", "a"), ("OtherAccount", "c")]


def test_an_account_that_sts_does_not_confirm_is_left_to_the_second_try(empty: EmptyTargets, journal: Journal) -> None:
    for number in range(3):
        take(empty, read(number, Owned.EMPTY))
    silent = TaskResult(target=TARGETS[0], complete=False, asked_owner=True, missing=None)

    assert take(empty, silent) == ([(region, False) for region in REGIONS], False)
    assert not any(journal.reader(target).complete for target in TARGETS)

    empty.begin(TARGETS)
    assert [take(empty, read(number, Owned.EMPTY))[1] for number in range(3)] == [False, False, True]
    owned = TaskResult(target=TARGETS[0], complete=False, asked_owner=True, missing=())
    assert take(empty, owned) == ([(region, True) for region in REGIONS], False)
    assert [journal.reader(target).gaps for target in TARGETS] == [(), (), ()]
