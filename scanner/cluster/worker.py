"""The part of a cluster's work that runs on its workers."""

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
from scanner.collect.target import Work
from scanner.collect.worker import Done, Judge, Worker
from scanner.errors import ChimeauditError, OutputError
from scanner.model.facts import Gap
from scanner.store.journal import Target, TargetReader, TargetWriter

if TYPE_CHECKING:
    from distributed import Worker as DaskWorker

_RUNS_KEPT = 4  # of several scans at once on the same cluster


class Terms(Struct, frozen=True, kw_only=True):
    """What all works of a run share; `numbers` are those of the workers of a host, by address."""

    targets: tuple[Target, ...]
    judge: Judge | None
    numbers: dict[str, int]


class WorkerError(ChimeauditError):
    """A worker cannot do its part, and another might not either."""


def read_part(work: bytes, run: str, terms: bytes) -> Done:
    """Read a target or a share of it, judge it, and send what came of it.

    Raises:
        WorkerError: there is no room for it.
    """
    from distributed import Reschedule, get_worker

    worker = get_worker()
    _stop_profiling(worker)
    try:
        return _of_this_run(run, terms).read(pickle.loads(work), worker)  # noqa: S301 - the coordinator's
    except StoppedError:
        raise Reschedule from None  # means nothing to a task that nobody waits for
    except OutputError as error:
        hint = f"Make room in {tempfile.gettempdir()} there, or let TMPDIR name another directory."
        raise WorkerError(f"worker {worker.address} of the cluster: {error.message}", hint=hint) from None


def _stop_profiling(worker: DaskWorker) -> None:
    """Keep Dask from asking, every 10 ms, what each thread does: before Python 3.11.9 that may hang the process.

    https://github.com/python/cpython/issues/106883: a garbage collection within the question may let another thread
    run, and one that is ending then waits for the end of the question, with the interpreter in its hand.
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
    """What the works of one run share in a worker's process."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._readers: dict[int, _Reader] = {}

    def read(self, work: Work, worker: DaskWorker) -> Done:
        thread = threading.get_ident()
        if thread not in self._readers:
            self._readers[thread] = _Reader(self._terms)
        reader = self._readers[thread]
        with (
            staying_on(share(self._terms.numbers.get(worker.address))),
            tempfile.TemporaryDirectory(prefix="chimeaudit-") as directory,
        ):
            path = Path(directory) / "part.jsonl"
            done = reader.do(structs.replace(work, path=path), worker)
            more = tuple(structs.replace(each, path=work.path) for each in done.more)
            return structs.replace(done, more=more, part=None if work.asks_owner else path.read_bytes())


class _Reader:
    """Does works in one thread of a worker, one after the other, so that each counts its own calls.

    It is a `Stop` itself: once the task is cancelled, be it that the run was stopped or that the command is gone.
    """

    def __init__(self, terms: Terms) -> None:
        self._worker = Worker(self, terms.targets, terms.judge)
        self._tasks: Mapping[Any, Any] = {}
        self._task: Any = None

    def do(self, work: Work, worker: DaskWorker) -> Done:
        self._tasks, self._task = worker.state.tasks, worker.get_current_task()
        gap = None if work.asks_owner else self._other_account(work.target)
        if gap is None:
            done = self._worker.do(work)
            return structs.replace(done, unfit=worker.address) if self._lacks_credentials(work, done) else done
        with TargetWriter(work.path) as journal:
            journal.target((gap,))
        return Done(target=work.target, complete=True, unfit=worker.address)

    def _lacks_credentials(self, work: Work, done: Done) -> bool:
        """Whether nothing was read, and there is nothing to read it with: asked only then, as that costs a call."""
        if not done.missing:
            known = TargetReader(work.path)
            if not known.gaps or known.index:
                return False
        return self._worker.account_of(work.target.profile) is None

    def is_set(self) -> bool:
        task = self._tasks.get(self._task)
        return task is None or task.state == "cancelled"

    def _other_account(self, target: Target) -> Gap | None:
        """A target without a role is read with the worker's own credentials, which may be of another account."""
        found = None if target.role else self._worker.account_of(target.profile)
        if found in {None, target.account_id}:
            return None  # whoever has no credentials is told so by the first call
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
    """Kept from task to task; those of runs that are over go when others come."""
    with _taking:
        if run not in _runs:
            _runs[run] = _Run(pickle.loads(terms))  # noqa: S301 - the coordinator's
        _runs.move_to_end(run)
        while len(_runs) > _RUNS_KEPT:
            _runs.popitem(last=False)
        return _runs[run]
