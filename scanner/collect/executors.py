"""Runs tasks on this machine, in threads of this process or in other processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

from scanner.collect.cpus import shares, stay_on
from scanner.collect.task import Pace, Task, TaskResult, Traffic, fast
from scanner.collect.threads import Crew
from scanner.collect.worker import Worker, begin_process, do_in_process
from scanner.store.journal import Target

TARGETS_AT_ONCE = 8
SAFE_PATH = "PYTHONSAFEPATH"


class Executor(Protocol):
    """Runs tasks. `pace` is the pace of a first try. `traffic` holds live counts, or None if they are not available.

    `at_once` tasks keep the executor busy; more would only wait and take memory.
    """

    @property
    def pace(self) -> Pace: ...
    @property
    def at_once(self) -> int: ...
    @property
    def traffic(self) -> Traffic | None: ...

    def submit(self, task: Task) -> Future[TaskResult]:
        """Submit a task."""
        ...

    def check(self) -> None:
        """Check that the executor is still alive; called now and then while tasks run.

        Raises:
            BrokenExecutor: the executor is gone, and its tasks will never be done.
        """
        ...

    def why_broken(self, error: BaseException) -> str | None:
        """A sentence if an error means that the executor is gone; else None."""
        ...

    def stop(self) -> None:
        """Stop: tasks that have not begun are dropped, those that have begun end soon."""
        ...

    def close(self) -> None:
        """Release the executor's resources; after `stop`, unfinished tasks are left behind."""
        ...


class Threads:
    """Reads targets in threads of this process, which share its connections."""

    at_once = 2 * TARGETS_AT_ONCE

    def __init__(self, targets: Iterable[Target]) -> None:
        targets = frozenset(targets)
        (cpu,) = shares(1)
        self.pace = fast(max(1, min(TARGETS_AT_ONCE, len(targets))))
        self._stop = threading.Event()
        self._worker = Worker(self._stop, targets)
        self._threads = Crew(TARGETS_AT_ONCE, "target", lambda: stay_on(cpu))

    @property
    def traffic(self) -> Traffic:
        """The live counts."""
        return self._worker.traffic

    def submit(self, task: Task) -> Future[TaskResult]:
        """Call `Worker.do` in a thread."""
        return self._threads.submit(self._worker.do, task)

    def check(self) -> None:
        """Do nothing: threads do not disappear."""

    def why_broken(self, _error: BaseException) -> None:
        """None: threads do not break."""

    def stop(self) -> None:
        """Stop; each thread notices it after the answer to its current call."""
        self._stop.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Let the threads end; after `stop` do not wait, since only the end of the process ends a waiting thread."""
        self._threads.shutdown(wait=not self._stop.is_set())


class NoProcessError(BrokenExecutor):
    """The system refuses to start another process."""


class Processes:
    """Reads targets in `workers` processes, each one target at a time.

    Raises (submit, too):
        NoProcessError: a process cannot be started.
    """

    traffic = None

    def __init__(self, targets: Iterable[Target], workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pace = fast(1)
        self.at_once = 2 * workers
        with apart(), _starting():
            cpus = context.SimpleQueue()
            for cpu in shares(workers):
                cpus.put(cpu)
            self._stop = context.Event()
        terms = (os.environ.get(SAFE_PATH), self._stop, tuple(targets), cpus)
        with _starting():
            self._processes = ProcessPoolExecutor(workers, context, _begin, terms)

    def submit(self, task: Task) -> Future[TaskResult]:
        """Call `Worker.do` in a process."""
        with apart(), _starting():
            return self._processes.submit(do_in_process, task)

    def check(self) -> None:
        """Do nothing: a killed process makes its tasks fail."""

    def why_broken(self, error: BaseException) -> str | None:
        """A sentence if a process could not be started or was killed, which breaks the pool; else None."""
        if isinstance(error, NoProcessError):
            return str(error)
        return "a worker process was killed, maybe for want of memory" if isinstance(error, BrokenExecutor) else None

    def stop(self) -> None:
        """Stop; each thread of each process notices it after the answer to its current call."""
        self._stop.set()

    def close(self) -> None:
        """Let the processes end; after `stop` kill them, which journals survive, since otherwise they print errors.

        ProcessPoolExecutor waits only in its first shutdown, so `stop` must not call it.
        """
        if self._stop.is_set():
            for process in multiprocessing.active_children():
                process.kill()
        self._processes.shutdown(cancel_futures=True)


def _begin(safe_path: str | None, *terms: Any) -> None:
    """Prepare a process. Programs that it starts, as for credentials, get the variable as the scan had it."""
    _put(SAFE_PATH, safe_path)
    begin_process(*terms)


@contextmanager
def _starting() -> Iterator[None]:
    try:
        yield
    except BrokenExecutor:
        raise
    except (OSError, RuntimeError, ValueError) as error:  # the last on Windows, which waits for at most 61
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise NoProcessError(f"no worker process can be started: {why}; give --workers fewer or none") from None


@contextmanager
def apart() -> Iterator[None]:
    """Make processes that are started in the block ignore Ctrl-C, which their parent handles, from the beginning.

    They also import nothing from the working directory, which may hold code of others. multiprocessing starts them by
    ``python -c``, which would otherwise do so.
    """
    before, safe_path = signal.signal(signal.SIGINT, signal.SIG_IGN), os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        _put(SAFE_PATH, safe_path)
        signal.signal(signal.SIGINT, before)


def _put(variable: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = value
