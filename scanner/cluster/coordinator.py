"""The coordinator's side of a cluster: hands out targets to workers and takes in what they read."""

from __future__ import annotations

import logging
import os
import pickle
import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from concurrent.futures import CancelledError as FuturesCancelledError
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import UNSET, structs

from scanner import __version__
from scanner.aws import waiting
from scanner.cluster import by_value
from scanner.cluster.worker import Terms, WorkerError
from scanner.collect.executors import SAFE_PATH, apart
from scanner.collect.task import OF_ACCOUNTS, Share, Task, TaskResult, fast
from scanner.collect.worker import Judge
from scanner.errors import NothingScannedError, UsageError
from scanner.model.phrases import first_of
from scanner.store.journal import Target
from scanner.store.target_file import TargetReader

if TYPE_CHECKING:
    from distributed import Client, LocalCluster
    from distributed import Future as DaskFuture

LOCAL = "local"
_SHARE = Share(app_instances=500, channel_flows=5_000)  # a few MB to send, a few seconds to read
_UNTAKEN = 4  # fetched parts that wait to be written
_CONNECT_SECONDS = 10
_JOIN_SECONDS = 15
_ANSWER_SECONDS = 5
_GONE_SECONDS = 10
_CHECK_SECONDS = 2
_SILENT_SECONDS = 60  # a healthy worker sends a heartbeat every few seconds
_NAMED = 3

Answer = TypeVar("Answer")


class OtherVersionError(UsageError):
    """A worker has another version of chimeaudit, or none."""


class Cluster:
    """The workers of a cluster, found by the address of its scheduler; `local` starts a cluster on this machine.

    If `judge` is given, workers also judge what they read. `until` is the monotonic time by which it must have joined.

    Raises:
        OutOfTimeError: joining took longer.
        UsageError: Dask is not installed, or a worker has another version of chimeaudit, or none.
        NothingScannedError: the scheduler does not answer, or has no workers.
    """

    traffic = None

    def __init__(
        self, address: str, targets: Sequence[Target], judge: Judge | None = None, *, until: float | None = None
    ) -> None:
        self._client, self._own = _connect(address, until)
        self._bring = ThreadPoolExecutor(_UNTAKEN, "part")
        self._room = threading.Semaphore(_UNTAKEN)
        self._stopped = threading.Event()
        self._run = secrets.token_hex(8)
        self.pace = fast(1)
        self._seen_alive = self._checked = monotonic()
        self._heard: dict[str, tuple[float, float]] = {}
        self._due: dict[Any, _Part] = {}
        self._frozen: set[str] = set()
        versions = _ask_in_time(address, lambda: dict(self._client.run(by_value.version)), until)
        for worker, version in sorted(versions.items()):
            _check_version(version, worker)
        self.at_once = 2 * max(1, self._threads())
        self._pickled = pickle.dumps(Terms(targets=tuple(targets), judge=judge, numbers=_numbered(sorted(versions))))
        self._terms = self._client.submit(by_value.kept, self._pickled, pure=False)

    def submit(self, task: Task) -> Future[TaskResult]:
        """Run `read_part` on some worker; if it dies, another worker takes over."""
        done: Future[TaskResult] = Future()
        if task.listed is None and not task.asks_owner:
            known = TargetReader(task.path)
            if known.complete:
                done.set_result(TaskResult(target=task.target, complete=True))
                return done
            facets = task.facets if known.roles_at is UNSET else task.facets - OF_ACCOUNTS
            task = structs.replace(task, facets=facets, share=_SHARE, passed_over=frozenset(known.index))
        part = _Part(self._room, task)
        self._send(part)
        return part

    def _send(self, part: _Part, excluded: Iterable[str] = ()) -> None:
        """Send a part to some worker, if possible none of `excluded` or of those that failed before."""
        part.excluded |= {*excluded}
        future = self._client.submit(
            *(by_value.read_part, pickle.dumps(part.task), self._run, self._terms, __version__),
            **self._on_others(part.excluded),
            pure=False,
        )
        part.future = future
        self._due[future.key] = part
        future.add_done_callback(lambda _: self._bring.submit(self._brought, future, part))

    def check(self) -> None:
        """Update the number of threads, and notice workers that hang: others, if there are any, take over their tasks.

        Raises:
            BrokenExecutor: the scheduler or all workers have been gone for a while, or all workers hang.
        """
        now = monotonic()
        if now - self._checked < _CHECK_SECONDS:
            return
        self._checked = now
        threads = self._threads()
        if threads:
            self._seen_alive = now
            self.at_once = 2 * threads
            self._check_silent({worker for worker, (_, at) in self._heard.items() if now - at > _SILENT_SECONDS})
        elif now - self._seen_alive > _GONE_SECONDS:
            which = "scheduler does not answer" if self._client.status != "running" else "workers are gone"
            raise BrokenExecutor(f"the cluster's {which} any more")

    def _on_others(self, excluded: Set[str]) -> dict[str, Any]:
        """The options of `submit` that keep a task off the workers `excluded`, if there are others."""
        others = sorted(self._heard.keys() - excluded) if excluded else []
        return {"workers": others, "allow_other_workers": True} if others else {}

    def _check_silent(self, silent: Set[str]) -> None:
        if not silent:
            return
        if silent >= self._heard.keys():
            named = first_of(sorted(silent), _NAMED)
            raise BrokenExecutor(f"the cluster's workers are frozen: no word for {_SILENT_SECONDS} s from {named}")
        if silent - self._frozen:  # a frozen worker may also hold the terms that others wait for
            self._terms = self._client.submit(by_value.kept, self._pickled, **self._on_others(silent), pure=False)
            moved = list(self._due.items())
        else:
            held = self._held(silent)
            moved = [(key, part) for key, part in list(self._due.items()) if key in held]
        self._frozen = {*silent}
        for key, part in moved:
            before, part.future = part.future, None
            self._due.pop(key, None)
            self._send(part, excluded=silent)
            self._client.cancel([before])

    def _held(self, workers: Set[str]) -> set[Any]:
        """The keys of the tasks that the scheduler gave to these workers."""
        scheduler: Any = self._client.scheduler
        with suppress(OSError, AttributeError):
            held = self._client.sync(scheduler.processing, workers=[*workers], callback_timeout=_ANSWER_SECONDS)
            return {key for keys in held.values() for key in keys}
        return set()

    def why_broken(self, error: BaseException) -> str | None:
        """Why the cluster cannot go on after an error; None if the error is about one target only."""
        from distributed import CancelledError, KilledWorker

        match error:
            case WorkerError():
                return f"{error.message}. {error.hint}"
            case BrokenExecutor() | OtherVersionError():
                return str(error)
            case CancelledError() | FuturesCancelledError():
                return "the cluster's scheduler is gone"
            case KilledWorker():
                return "several workers of the cluster died over the same target, maybe for want of memory"
        return None

    def stop(self) -> None:
        """Drop all tasks. Workers soon end those that they have begun, since nobody waits for them."""
        self._stopped.set()
        self._room.release(_UNTAKEN)
        self._leave()

    def close(self) -> None:
        """Disconnect from the cluster, and end it if it is local."""
        self._leave()

    def _brought(self, future: DaskFuture[Any], part: _Part) -> None:
        """Fetch the result of a task once there is room for it; until then it stays on its worker."""
        if part.future is not future:  # the part was given to another worker
            return
        self._room.acquire()
        if self._stopped.is_set():
            self._room.release()
            return
        try:
            came = future.result()
            if not isinstance(came, TaskResult):
                version, worker = came
                _check_version(version, worker)
            self._due.pop(future.key, None)
            if came.unfit and self._heard.keys() - part.excluded - {came.unfit}:
                self._room.release()
                self._send(part, excluded={came.unfit})
                return
        except Exception as error:  # noqa: BLE001 - raised by the part's `result`
            part.set_exception(error)
        else:
            part.set_result(came)

    def _threads(self) -> int:
        """The number of threads of all workers; 0 if the scheduler does not answer."""
        if self._client.status != "running":
            return 0
        try:
            scheduler: Any = self._client.scheduler
            workers = self._client.sync(scheduler.identity, callback_timeout=_ANSWER_SECONDS)["workers"]
        except (OSError, AttributeError):  # the client has closed itself and has no scheduler any more
            return 0
        now, before = monotonic(), self._heard
        last = {address: worker["last_seen"] for address, worker in workers.items()}
        self._heard = {
            address: before[address] if address in before and before[address][0] == seen else (seen, now)
            for address, seen in last.items()
        }
        return sum(worker["nthreads"] for worker in workers.values())

    def _leave(self) -> None:
        self._bring.shutdown(wait=False, cancel_futures=True)
        with suppress(Exception):  # errors do not matter if the cluster is already gone
            self._client.close(timeout=1)
            if self._own:
                self._own.close(timeout=10)


class _Part(Future[TaskResult]):
    """The future result of a target or a share of it. Taking the result makes room for another one.

    `future` is the Dask task that works on it, if possible on none of the workers `excluded`.
    """

    def __init__(self, room: threading.Semaphore, task: Task) -> None:
        super().__init__()
        self.task = task
        self.future: Any = None
        self.excluded: set[str] = set()
        self._taking = iter((room,))

    def result(self, timeout: float | None = None) -> TaskResult:
        try:
            return super().result(timeout)
        finally:
            for room in self._taking:
                room.release()


def check_address(address: str) -> None:
    """Check that an address is well-formed and that Dask is installed.

    Raises:
        UsageError: it is no address of a scheduler, or Dask is not installed.
    """
    if address != LOCAL and not re.fullmatch(r"((tcp|tls|ws|wss|ucx|ucxx)://)?[^/:@\s]+:[0-9]{1,5}", address):
        message = f"--cluster: {address!r} is not the address of a scheduler"
        raise UsageError(message, hint="Write it as tcp://HOST:PORT, or local.")
    try:
        import distributed  # noqa: F401 - only to see whether it is installed
    except ModuleNotFoundError as error:
        if error.name not in {"dask", "distributed"}:
            raise  # a dependency of Dask is missing: the installation is broken
        raise UsageError("--cluster needs Dask", hint="Install it: pip install 'chimeaudit[dask]'") from None


def _connect(address: str, until: float | None) -> tuple[Client, LocalCluster | None]:
    """A client of the cluster, and the cluster itself if it was started here."""
    import dask
    from distributed import Client

    dask.config.set({"distributed.comm.timeouts.connect": f"{_CONNECT_SECONDS}s"})  # notice lost workers sooner
    logging.disable()  # Dask logs tracebacks; chimeaudit reports each error in one line
    if address == LOCAL:
        dask.config.set({f"distributed.nanny.pre-spawn-environ.{SAFE_PATH}": 1})
        with apart():
            cluster = waiting.in_time(_local_cluster, until, "the cluster's workers")
        return Client(cluster), cluster

    def joined() -> Client:
        client = Client(address, timeout=_CONNECT_SECONDS)
        client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        return client

    return _ask_in_time(address, joined, until), None


def _local_cluster() -> LocalCluster:
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=os.cpu_count(),
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        silence_logs=logging.CRITICAL,
    )


def _ask_in_time(address: str, ask: Callable[[], Answer], until: float | None) -> Answer:
    """Ask a cluster with a time limit: whatever listens at the address may be no scheduler and never answer.

    Raises:
        NothingScannedError: it did not answer within the limit, or with an error.
        OutOfTimeError: it did not answer before `until`, a monotonic time.
    """
    patience = monotonic() + _JOIN_SECONDS
    try:
        return waiting.in_time(ask, patience if until is None else min(until, patience), f"the cluster {address}")
    except (TimeoutError, waiting.OutOfTimeError):
        if until is not None and monotonic() >= until:
            raise waiting.OutOfTimeError from None
        reason = "no worker answers in time"
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
    hint = "See that `dask scheduler` and `dask worker` run there, and that the address is right."
    raise NothingScannedError(f"--cluster: {address}: {reason}", hint=hint)


def _numbered(addresses: Sequence[str]) -> dict[str, int]:
    """Number the workers of each host, from 0; the key is the worker's address."""
    on_host: Counter[str] = Counter()
    numbers = {}
    for address in addresses:
        host = address.rpartition(":")[0]
        numbers[address] = on_host[host]
        on_host[host] += 1
    return numbers


def _check_version(found: str | None, worker: str) -> None:
    if found != __version__:
        which = f"chimeaudit {found}" if found else "no chimeaudit"
        message = f"--cluster: worker {worker} has {which}, and this is {__version__}"
        raise OtherVersionError(message, hint="Install the same version on both.")
