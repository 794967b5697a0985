"""Reads targets on a Dask cluster: https://distributed.dask.org/

What travels to a worker is a `Work`, with the names of roles and never keys: each worker has credentials of its own.
What comes back is the journal of what it read, which the coordinator writes into the run directory.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future
from concurrent.futures import CancelledError as FuturesCancelledError
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from scanner import __version__
from scanner.collect.aws import Aws
from scanner.collect.cpus import share, staying_on
from scanner.collect.failure import FailedCallError, StoppedError
from scanner.collect.target import Share, Work, fast
from scanner.collect.worker import Done, Judge, Worker
from scanner.errors import NothingScannedError, UsageError
from scanner.inventory import Gap
from scanner.journal import Target, TargetReader, TargetWriter

if TYPE_CHECKING:
    from distributed import Client, LocalCluster
    from distributed import Worker as DaskWorker

LOCAL = "local"
_SHARE = Share(app_instances=500, channel_flows=5_000)  # some MB on their way, and some seconds of work
_CONNECT_SECONDS = 10
_GONE_SECONDS = 10
_CHECK_SECONDS = 2
_KEPT = 64  # at least the threads of a worker


class OtherVersionError(UsageError):
    """A worker has another version of chimeaudit."""


def _as_they_are(terms: _Terms) -> _Terms:
    return terms


class _Terms(Struct, frozen=True, kw_only=True, eq=False):
    """What all works of a run share; `numbers` are those of the workers of a host, by address."""

    version: str = __version__
    targets: tuple[Target, ...]
    judge: Judge | None
    numbers: dict[str, int]


class Cluster:
    """The workers of a cluster, by the address of its scheduler; `local` starts one on this machine.

    With `judge`, which is sent there, they judge what they have read.

    Raises:
        UsageError: Dask is not installed, or a worker has another version of chimeaudit, or none.
        NothingScannedError: the scheduler does not answer, or has no workers.
    """

    tally = None

    def __init__(self, address: str, targets: Sequence[Target], judge: Judge | None = None) -> None:
        self._client, self._own = _connect(address)
        self.pace = fast(1)
        self._seen_alive = self._checked = monotonic()
        addresses = _introduced(self._client)
        self.at_once = 2 * max(1, self._threads())
        terms = _Terms(targets=tuple(targets), judge=judge, numbers=_numbered(addresses))
        # Scattered, they would die with the worker that holds them; a task's result is made again.
        self._terms = self._client.submit(_as_they_are, terms, pure=False)
        self._executor = self._client.get_executor(pure=False)

    def submit(self, work: Work) -> Future[Done]:
        """`read_part` on some worker; a worker that dies leaves its works to others."""
        if work.listed is None:
            known = TargetReader(work.path)
            if known.complete:
                done: Future[Done] = Future()
                done.set_result(Done(target=work.target, complete=True))
                return done
            work = structs.replace(work, share=_SHARE, passed_over=frozenset(known.index))
        future: Future[Done] = self._executor.submit(read_part, work, self._terms)
        return future

    def check(self) -> None:
        """Notice that the scheduler, or the last worker, has been gone for a while; and how many workers there are."""
        now = monotonic()
        if now - self._checked < _CHECK_SECONDS:
            return
        self._checked = now
        threads = self._threads()
        if threads:
            self._seen_alive = now
            self.at_once = 2 * threads
        elif now - self._seen_alive > _GONE_SECONDS:
            which = "scheduler does not answer" if self._client.status != "running" else "workers are gone"
            raise BrokenExecutor(f"the cluster's {which} any more")

    def why_broken(self, error: BaseException) -> str | None:
        """A work is cancelled where the scheduler is lost, and given up where it killed several workers.

        A worker that joined later may be of another version, or none.
        """
        from distributed import CancelledError, KilledWorker

        match error:
            case BrokenExecutor() | OtherVersionError():
                return str(error)
            case ModuleNotFoundError():
                return f"a worker that joined has no chimeaudit {__version__}: {error}"
            case CancelledError() | FuturesCancelledError():
                return "the cluster's scheduler is gone"
            case KilledWorker():
                return "several workers of the cluster died over the same target, maybe for want of memory"
        return None

    def stop(self) -> None:
        """Drop what waits for a worker; what a worker has begun it ends soon."""
        if self._client.status == "running":  # a scheduler that is gone would be waited for
            self._executor.shutdown(wait=False)
        self._close()

    def close(self) -> None:
        """Leave the cluster."""
        self._executor.shutdown()
        self._close()

    def _threads(self) -> int:
        """How many works the cluster does at once; none where nobody answers."""
        if self._client.status != "running":
            return 0
        try:
            threads: dict[str, int] = self._client.nthreads()
        except OSError:
            return 0
        return sum(threads.values())

    def _close(self) -> None:
        with suppress(Exception):  # whatever it says of a cluster that is gone already
            self._client.close(timeout=1)
            if self._own:
                self._own.close(timeout=10)


def _connect(address: str) -> tuple[Client, LocalCluster | None]:
    """A client, and the cluster behind it where it is our own."""
    try:
        import dask
        from distributed import Client, LocalCluster
    except ModuleNotFoundError:
        raise UsageError("--cluster needs Dask", hint="Install it: pip install 'chimeaudit[dask]'.") from None

    dask.config.set({"distributed.comm.timeouts.connect": f"{_CONNECT_SECONDS}s"})  # whoever is gone is gone sooner
    logging.disable()  # what goes wrong is told in one line, by us; Dask would tell it in tracebacks
    try:
        if address == LOCAL:
            cluster = LocalCluster(
                n_workers=os.cpu_count(), threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
            )
            return Client(cluster), cluster
        client = Client(address, timeout=_CONNECT_SECONDS)
        client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
    except TimeoutError:
        hint = "See that `dask scheduler` and `dask worker` run there, and that the address is right."
        raise NothingScannedError(f"--cluster: no worker answers at {address}", hint=hint) from None
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        hint = "Write it as tcp://HOST:PORT, or local."
        raise NothingScannedError(f"--cluster: {address} does not answer: {reason}", hint=hint) from None
    return client, None


def _introduced(client: Client) -> list[str]:
    """The workers' addresses."""
    try:
        versions: dict[str, str] = client.run(_version)
    except ModuleNotFoundError as error:
        hint = f"Install chimeaudit {__version__} on every worker."
        raise UsageError(f"--cluster: a worker has no chimeaudit: {error}", hint=hint) from None
    for address, version in sorted(versions.items()):
        _check_version(version, address, __version__)
    return sorted(versions)


def _numbered(addresses: Sequence[str]) -> dict[str, int]:
    """Each worker's number among those of its host."""
    on_host: Counter[str] = Counter()
    numbers = {}
    for address in addresses:
        host = address.rpartition(":")[0]
        numbers[address] = on_host[host]
        on_host[host] += 1
    return numbers


def _version() -> str:
    return __version__


def _check_version(worker: str, address: str, coordinator: str) -> None:
    if worker != coordinator:
        message = f"--cluster: worker {address} has chimeaudit {worker}, and this is {coordinator}"
        raise OtherVersionError(message, hint="Install the same version on both.")


def read_part(work: Work, terms: _Terms) -> Done:
    """Runs on a worker: read a target or a share of it, and send what was read.

    Raises:
        OtherVersionError: than the coordinator has.
    """
    from distributed import get_worker

    worker = get_worker()
    _check_version(__version__, worker.address, terms.version)
    _stop_profiling(worker)
    reader = _reader(threading.get_ident(), terms)
    with (
        staying_on(share(terms.numbers.get(worker.address))),
        tempfile.TemporaryDirectory(prefix="chimeaudit-") as directory,
    ):
        elsewhere = structs.replace(work, path=Path(directory) / "part.jsonl")
        gap = _barred(work.target, terms)
        try:
            done = _unread(elsewhere, gap) if gap else reader.do(elsewhere, worker)
        except StoppedError:
            return Done(target=work.target, complete=False)  # which nobody waits for
        more = tuple(structs.replace(each, path=work.path) for each in done.more)
        return structs.replace(done, more=more, part=elsewhere.path.read_bytes())


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
    stopped.wait()


class _Reader:
    """Does works in one thread of a Dask worker, one after the other; it is a `Stop` itself."""

    def __init__(self, terms: _Terms) -> None:
        self._worker = Worker(self, terms.targets, terms.judge)
        self._tasks: Mapping[Any, Any] = {}
        self._task: Any = None

    def do(self, work: Work, worker: DaskWorker) -> Done:
        """`Worker.do`, until the task is cancelled, be it that the run was stopped or that the command is gone."""
        self._tasks, self._task = worker.state.tasks, worker.get_current_task()
        return self._worker.do(work)

    def is_set(self) -> bool:
        """Whether nobody waits for the task any more."""
        task = self._tasks.get(self._task)
        return task is None or task.state == "cancelled"


@lru_cache(maxsize=_KEPT)
def _reader(_thread: int, terms: _Terms) -> _Reader:
    """One for each thread, so that each counts its own calls."""
    return _Reader(terms)


def _barred(target: Target, terms: _Terms) -> Gap | None:
    """Why a target cannot be read here: a worker has profiles and credentials of its own.

    A target without a role is read with them as they are, and they may be of another account.
    """
    if target.role and target.profile is None:
        return None
    try:
        found = _own_account(target.profile, terms)
    except UsageError as error:
        return _gap(target, "NoProfile", f"the cluster's workers cannot use the profile: {error.message}")
    if target.role or found in {None, target.account_id}:
        return None  # whoever has no credentials is told so by the first call
    advice = "let them assume the role in this one, too"
    return _gap(target, "OtherAccount", f"the cluster's workers have credentials of account {found}; {advice}")


def _gap(target: Target, code: str, reason: str) -> Gap:
    return Gap(
        account_id=target.account_id, region=target.region, operation="GetCallerIdentity", code=code, reason=reason
    )


@lru_cache(maxsize=_KEPT)
def _own_account(profile: str | None, _terms: _Terms) -> str | None:
    """Asked once a run: a worker may have other credentials by the next."""
    try:
        return Aws(profile).identity().account_id
    except FailedCallError:
        return None


def _unread(work: Work, gap: Gap) -> Done:
    with TargetWriter(work.path) as journal:
        journal.target((gap,))
    return Done(target=work.target, complete=True)
