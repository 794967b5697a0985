"""The workers' side of a cluster: reads and judges what the coordinator sends."""

from __future__ import annotations

import pickle
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from scanner.aws.failure import StoppedError
from scanner.collect.cpus import share, staying_on
from scanner.collect.task import OF_ACCOUNTS, Task, TaskResult
from scanner.collect.worker import Judge, Worker
from scanner.errors import ChimeauditError, OutputError
from scanner.model.facts import GLOBAL, Gap
from scanner.store.journal import Target
from scanner.store.target_file import RolesRead, TargetReader, TargetWriter

if TYPE_CHECKING:
    from distributed import Worker as DaskWorker

_RUNS_KEPT = 4  # several scans may use the same cluster at once


class Terms(Struct, frozen=True, kw_only=True):
    """What all tasks of a run share; `numbers` has each worker's number on its host, by address."""

    targets: tuple[Target, ...]
    judge: Judge | None
    numbers: dict[str, int]


class WorkerError(ChimeauditError):
    """A worker has no room to work, and others might have none either."""


def read_part(task: bytes, run: str, terms: bytes) -> TaskResult:
    """Read and judge a target or a share of it. `task` and `terms` are pickled, `run` identifies the run.

    Raises:
        WorkerError: there is no room on disk.
    """
    from distributed import Reschedule, get_worker

    worker = get_worker()
    _stop_profiling(worker)
    try:
        return _of_this_run(run, terms).read(pickle.loads(task), worker)  # noqa: S301 - from the coordinator
    except StoppedError:
        raise Reschedule from None  # has no effect, since the task was cancelled
    except OutputError as error:
        hint = f"Make room in {tempfile.gettempdir()} there, or let TMPDIR name another directory."
        raise WorkerError(f"worker {worker.address} of the cluster: {error.message}", hint=hint) from None


def _stop_profiling(worker: DaskWorker) -> None:
    """Stop Dask's profiler, which inspects all threads every 10 ms: before Python 3.11.9 that may hang the process.

    https://github.com/python/cpython/issues/106883: a garbage collection during the inspection may switch to a thread
    that is ending, which then waits for the inspection to end while it holds the interpreter's lock.
    """
    profile = worker.periodic_callbacks.get("profile")
    if sys.version_info >= (3, 11, 9) or profile is None or not profile.is_running():
        return
    stopped = threading.Event()

    def stop() -> None:
        profile.stop()
        stopped.set()

    worker.loop.add_callback(stop)
    stopped.wait(1)


class _Run:
    """The state that the tasks of one run share in a worker's process."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._readers: dict[int, _Reader] = {}

    def read(self, task: Task, worker: DaskWorker) -> TaskResult:
        thread = threading.get_ident()
        if thread not in self._readers:
            self._readers[thread] = _Reader(self._terms)
        reader = self._readers[thread]
        with (
            staying_on(share(self._terms.numbers.get(worker.address))),
            tempfile.TemporaryDirectory(prefix="chimeaudit-") as directory,
        ):
            path = Path(directory) / "part.jsonl"
            done = reader.do(structs.replace(task, path=path), worker)
            more = tuple(structs.replace(each, path=task.path) for each in done.more)
            return structs.replace(done, more=more, part=None if task.asks_owner else path.read_bytes())


class _Reader:
    """Reads in one thread of a worker, one target at a time, so that calls are counted for each.

    It also is the `Stop` that its worker obeys: it is set once the task is cancelled, since the run was stopped or the
    command has died.
    """

    def __init__(self, terms: Terms) -> None:
        self._worker = Worker(self, terms.targets, terms.judge)
        self._dask_tasks: Mapping[Any, Any] = {}
        self._dask_task: Any = None

    def do(self, task: Task, worker: DaskWorker) -> TaskResult:
        self._dask_tasks, self._dask_task = worker.state.tasks, worker.get_current_task()
        gap = None if task.asks_owner else self._other_account(task.target)
        if gap is None:
            done = self._worker.do(task)
            return structs.replace(done, unfit=worker.address) if self._lacks_credentials(task, done) else done
        with TargetWriter(task.path) as journal:
            if task.facets & OF_ACCOUNTS:
                journal.roles(RolesRead(gaps=(structs.replace(gap, region=GLOBAL),)))
            journal.target((gap,))
        return TaskResult(target=task.target, complete=True, unfit=worker.address)

    def _lacks_credentials(self, task: Task, done: TaskResult) -> bool:
        """Whether nothing was read because there are no credentials; checking that costs a call."""
        if not done.missing:
            known = TargetReader(task.path)
            if not known.gaps or known.index:
                return False
        return self._worker.account_of(task.target.profile) is None

    def is_set(self) -> bool:
        dask_task = self._dask_tasks.get(self._dask_task)
        return dask_task is None or dask_task.state == "cancelled"

    def _other_account(self, target: Target) -> Gap | None:
        """The gap of a target without a role if the worker's own credentials are of another account; else None."""
        found = None if target.role else self._worker.account_of(target.profile)
        if found in {None, target.account_id}:
            return None  # without credentials, the first call will fail and say so
        advice = "let them assume the role in this one, too"
        return Gap(
            account_id=target.account_id,
            region=target.region,
            operation="GetCallerIdentity",
            code="OtherAccount",
            reason=f"the cluster's workers have credentials of account {found}; {advice}",
        )


_runs: OrderedDict[str, _Run] = OrderedDict()
_taking = threading.Lock()


def _of_this_run(run: str, terms: bytes) -> _Run:
    """The state of a run, kept between tasks; that of older runs is dropped when newer runs come."""
    with _taking:
        if run not in _runs:
            _runs[run] = _Run(pickle.loads(terms))  # noqa: S301 - from the coordinator
        _runs.move_to_end(run)
        while len(_runs) > _RUNS_KEPT:
            _runs.popitem(last=False)
        return _runs[run]
