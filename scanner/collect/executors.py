"""Where tasks are done on this machine: in threads of this process, or in processes of their own."""

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
from scanner.collect.crew import Crew
from scanner.collect.task import Pace, Task, TaskResult, Traffic, fast
from scanner.collect.worker import Worker, begin_process, do_in_process
from scanner.store.journal import Target

TARGETS_AT_ONCE = 8
SAFE_PATH = "PYTHONSAFEPATH"


class Executor(Protocol):
    """An executor of tasks. `pace` is that of a first try; `traffic` is live where the executor can tell, else None.

    `at_once` tasks keep it busy; more would only wait, and take memory.
    """

    @property
    def pace(self) -> Pace: ...
    @property
    def at_once(self) -> int: ...
    @property
    def traffic(self) -> Traffic | None: ...

    def submit(self, task: Task) -> Future[TaskResult]:
        """Have a task done."""
        ...

    def check(self) -> None:
        """Asked now and then while tasks are awaited.

        Raises:
            BrokenExecutor: the executor is gone, and none of them will be done any more.
        """
        ...

    def why_broken(self, error: BaseException) -> str | None:
        """In plain words, where an error means that the executor is gone."""
        ...

    def stop(self) -> None:
        """Give the word to stop: what was not begun is dropped, what was begun ends soon."""
        ...

    def close(self) -> None:
        """All is done, or what is not, now that there was the word to stop, is left behind."""
        ...


class Threads:
    """Targets in threads of this process; they share its connections."""

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
        """Live."""
        return self._worker.traffic

    def submit(self, task: Task) -> Future[TaskResult]:
        """`Worker.do`, in a thread."""
        return self._threads.submit(self._worker.do, task)

    def check(self) -> None:
        """Threads stay."""

    def why_broken(self, _error: BaseException) -> None:
        """They do not break."""

    def stop(self) -> None:
        """Heeded by each thread when its call is answered."""
        self._stop.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """Let the threads end; one that still waits for an answer nobody can end but the process."""
        self._threads.shutdown(wait=not self._stop.is_set())


class NoProcessError(BrokenExecutor):
    """The system lets no more processes be started."""


class Processes:
    """Targets in so many processes, one at a time in each.

    Raises (submit, too):
        NoProcessError: they cannot be started.
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
        """`Worker.do`, in a process."""
        with apart(), _starting():
            return self._processes.submit(do_in_process, task)

    def check(self) -> None:
        """A process that is killed breaks its tasks."""

    def why_broken(self, error: BaseException) -> str | None:
        """A process that is killed breaks all."""
        if isinstance(error, NoProcessError):
            return str(error)
        return "a worker process was killed, maybe for want of memory" if isinstance(error, BrokenExecutor) else None

    def stop(self) -> None:
        """Heeded by each thread of each process when its call is answered."""
        self._stop.set()

    def close(self) -> None:
        """Let the processes end, or end them: their journals bear that, and left alone they would complain.

        An executor waits for its end only the first time that it is shut down, so that is done here and not before.
        """
        if self._stop.is_set():
            for process in multiprocessing.active_children():
                process.kill()
        self._processes.shutdown(cancel_futures=True)


def _begin(safe_path: str | None, *terms: Any) -> None:
    """What a process itself starts, as it may for credentials, has the variable that the scan was started with."""
    _put(SAFE_PATH, safe_path)
    begin_process(*terms)


@contextmanager
def _starting() -> Iterator[None]:
    try:
        yield
    except BrokenExecutor:
        raise
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise NoProcessError(f"no worker process can be started: {why}; give --workers fewer or none") from None


@contextmanager
def apart() -> Iterator[None]:
    """Let a process that is started here leave Ctrl-C to its parent from its first moment on.

    Nor does it import anything from the working directory, as ``python -c`` does, which is how multiprocessing starts
    it: that may be a checkout with somebody else's code in it.
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
