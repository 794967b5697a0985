"""scanner.collect.run: results are kept, even if other tasks fail."""

from __future__ import annotations

import sys
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path

import pytest
from msgspec import structs

from scanner.collect.run import Backlog, BrokenRunError, Collection
from scanner.collect.task import Pace, Task, TaskResult, fast
from scanner.model.report import Scope
from scanner.model.verdicts import Verdicts
from scanner.store.journal import Journal, RunHeader, Target

TARGETS = tuple(Target(account_id=f"{number:012}", region="us-east-1") for number in range(8))


class Failing:
    """An executor that does all tasks at once; the task of one target fails."""

    pace: Pace = fast(1)
    at_once = 8
    traffic = None

    def __init__(self, failing: Target) -> None:
        self.failing = failing

    def submit(self, task: Task) -> Future[TaskResult]:
        future: Future[TaskResult] = Future()
        if task.target == self.failing:
            future.set_exception(BrokenExecutor("it is gone"))
        else:
            future.set_result(TaskResult(target=task.target, complete=True))
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
def test_results_are_kept_even_if_another_task_fails(tmp_path: Path, failing: Target) -> None:
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

    collection = Collection(
        journal, Failing(failing), on_result=lambda done: told.append(done.target), on_verdicts=take
    )
    with pytest.raises(BrokenRunError, match="it is gone"):
        collection.run()

    assert set(told) == {*TARGETS} - {failing}


def test_a_backlog_gives_tasks_in_order_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.collect.run._IN_MEMORY", 1)
    first_task = Task(target=TARGETS[0], facets=frozenset(), path=tmp_path / "0.jsonl", pace=fast(1))
    tasks = [structs.replace(first_task, listed=b"x" * number) for number in range(5)]
    backlog = Backlog(tmp_path)
    backlog.extend(tasks[:2])

    first = next(backlog)
    backlog.extend(tasks[2:4])
    rest = list(backlog)
    backlog.extend(tasks[4:])

    assert [first, *rest, *backlog] == tasks
    assert list(backlog) == []
    if sys.platform != "win32":  # where a file without a name has one until it is closed
        assert list(tmp_path.iterdir()) == []
