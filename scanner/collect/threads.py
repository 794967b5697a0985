"""Threads: a pool of them, a cache that reads each thing once for all of them, and turns that keep to a rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import Executor, Future
from functools import partial
from mmap import mmap
from queue import Empty, SimpleQueue
from typing import Any, Generic, ParamSpec, TypeVar

from scanner.aws.failure import StoppedError

Result = TypeVar("Result")
Params = ParamSpec("Params")
_Task = Callable[[], None]
_CHECK_SECONDS = 0.2
_ROOM = 48 << 20
"""The memory that must be free to start a thread: 8 MB of stack, and what it works with.

A thread without memory for its first steps dies, and `Thread.start` then waits forever.
"""


class Crew(Executor):
    """A pool of at most `most` threads, which start as tasks come; each calls `begin` first.

    All tasks get done, even if the system limits threads or memory. Those that it was stopped from doing fail with a
    StoppedError, which nobody takes for a fault.
    """

    def __init__(self, most: int, name: str, begin: Callable[[], None] = lambda: None) -> None:
        self.most = most
        self._name = name
        self._begin = begin
        self._waiting: SimpleQueue[tuple[Future[Any], _Task] | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._growing = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._is_closed = False

    def submit(self, task: Callable[Params, Result], /, *args: Params.args, **named: Params.kwargs) -> Future[Result]:
        """Submit a task.

        Raises:
            StoppedError: the crew has been shut down.
        """
        future: Future[Result] = Future()
        with self._growing:
            if self._is_closed:
                raise StoppedError
            self._waiting.put((future, partial(_do, future, partial(task, *args, **named))))
            self._grow()
        if not self._threads:
            self._do_what_waits()
        return future

    def widen(self, most: int) -> None:
        """Allow more threads, also for tasks that already wait."""
        with self._growing:
            self.most = most
            for _ in range(min(self._waiting.qsize(), most - len(self._threads))):
                self._grow()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Accept no more tasks. Threads end once waiting tasks are done or, with `cancel_futures`, have failed."""
        with self._growing:
            self._is_closed = True
        while cancel_futures and (dropped := self._next()):
            _do(dropped[0], _stopped)
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _grow(self) -> None:
        if self._idle.acquire(blocking=False) or len(self._threads) >= self.most:
            return
        thread = threading.Thread(target=self._run, name=f"{self._name}-{len(self._threads)}", daemon=True)
        try:
            mmap(-1, _ROOM).close()
            thread.start()
        except (OSError, RuntimeError, MemoryError):  # the system allows no more now, maybe later
            return
        self._threads.append(thread)

    def _run(self) -> None:
        self._begin()
        while (taken := self._waiting.get()) is not None:
            taken[1]()
            del taken
            self._idle.release()

    def _next(self) -> tuple[Future[Any], _Task] | None:
        try:
            return self._waiting.get_nowait()
        except Empty:
            return None

    def _do_what_waits(self) -> None:
        while taken := self._next():
            taken[1]()


def _stopped() -> None:
    raise StoppedError


def _do(future: Future[Result], task: Callable[[], Result]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = task()
    except BaseException as error:  # noqa: BLE001 - raised by the future's `result`
        future.set_exception(error)
    else:
        future.set_result(result)


Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class SingleFlight(Generic[Key, Value]):
    """A cache that reads each key once. Threads that ask meanwhile wait and get the same value or the same error."""

    def __init__(self) -> None:
        self._looking = threading.Lock()
        self._found: dict[Key, Future[Value]] = {}

    def get(self, key: Key, read: Callable[[], Value]) -> Value:
        with self._looking:
            first = key not in self._found
            future = self._found.setdefault(key, Future())
        if first:
            try:
                future.set_result(read())
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result()


class Turns:
    """Spaces calls out: whoever takes a turn of a key waits until the key's rate allows it. Threads share one clock.

    `check` is called while waiting, and may raise.
    """

    def __init__(
        self,
        check: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._check = check
        self._clock = clock
        self._sleep = sleep
        self._taking = threading.Lock()
        self._next: dict[str, float] = {}

    def take(self, rates: Mapping[str, float]) -> None:
        """Wait for a turn of each key; the rates are turns per second."""
        with self._taking:
            turn = max([self._clock(), *(self._next.get(key, 0.0) for key in rates)])
            self._next |= {key: turn + 1.0 / rate for key, rate in rates.items()}
        self._check()
        while (left := turn - self._clock()) > 0:
            self._sleep(min(left, _CHECK_SECONDS))
            self._check()

    def soonest(self, keys: Iterable[str]) -> str:
        """The key whose next turn is first; of several, the first of the keys."""
        return min(keys, key=lambda key: self._next.get(key, 0.0))
