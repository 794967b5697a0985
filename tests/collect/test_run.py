"""scanner.collect.run: what came is kept, whatever else went wrong."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor, Future
from pathlib import Path

import pytest

from scanner.collect.run import BrokenRunError, Collection
from scanner.collect.target import Pace, Work, fast
from scanner.collect.worker import Done
from scanner.model.report import Scope
from scanner.model.verdicts import Verdicts
from scanner.store.journal import Journal, RunHeader, Target

TARGETS = tuple(Target(account_id=f"{number:012}", region="us-east-1") for number in range(8))


class Failing:
    """A place where all works are done at once, and that of one target fails."""

    pace: Pace = fast(1)
    at_once = 8
    tally = None

    def __init__(self, failing: Target) -> None:
        self.failing = failing

    def submit(self, work: Work) -> Future[Done]:
        future: Future[Done] = Future()
        if work.target == self.failing:
            future.set_exception(BrokenExecutor("it is gone"))
        else:
            future.set_result(Done(target=work.target, complete=True))
        return future

    def check(self) -> None:
        raise BrokenExecutor("it is gone")

    def why_broken(self, error: BaseException) -> str:
        return str(error)

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize("failing", TARGETS)
def test_what_came_is_kept_though_another_work_failed(tmp_path: Path, failing: Target) -> None:
    header = RunHeader(
        id="run",
        started_at="2026-01-01T00:00:00Z",
        scope=Scope(accounts=(), regions=(), chosen_by="the test"),
        targets=TARGETS,
        options={},
    )
    told: list[Target] = []
    journal = Journal.create(tmp_path / "run", header)

    def take(target: Target, verdicts: Verdicts) -> None:
        raise AssertionError(target, verdicts)

    collection = Collection(journal, Failing(failing), tell=lambda done: told.append(done.target), take=take)
    with pytest.raises(BrokenRunError, match="it is gone"):
        collection.run()

    assert set(told) == {*TARGETS} - {failing}
