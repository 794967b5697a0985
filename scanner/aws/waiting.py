"""Records what threads wait for, so that a timeout can name it, and waits with a time limit."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

Value = TypeVar("Value")
_awaited: dict[int, str] = {}


class OutOfTimeError(Exception):
    """Something did not happen in time."""


@contextmanager
def waiting_for(what: str) -> Iterator[None]:
    """Record that this thread waits for something within the block."""
    thread = threading.get_ident()
    before = _awaited.get(thread)
    _awaited[thread] = what
    try:
        yield
    finally:
        if before is None:
            del _awaited[thread]
        else:
            _awaited[thread] = before


def awaited() -> str:
    """What the threads of this process wait for, the most frequent first; empty if none waits."""
    return ", ".join(what for what, _ in sorted(Counter(_awaited.copy().values()).items(), key=_rank))


def _rank(counted: tuple[str, int]) -> tuple[int, str]:
    what, count = counted
    return -count, what


def in_time(act: Callable[[], Value], until: float | None, what: str = "an answer") -> Value:
    """The result of `act`, which is called in another thread; `until` is a time of `time.monotonic`, or None.

    A thread that is too late cannot be ended: it is left behind and ends with the process. `what` is the name of the
    result in messages.

    Raises:
        OutOfTimeError: there was no result before `until`.
    """
    if until is None:
        return act()
    future: Future[Value] = Future()

    def run() -> None:
        try:
            with waiting_for(what):
                future.set_result(act())
        except BaseException as error:  # noqa: BLE001 - raised by the future's `result`
            future.set_exception(error)

    try:
        threading.Thread(target=run, name="bounded", daemon=True).start()
    except RuntimeError:  # the system allows no more threads
        return act()
    try:
        return future.result(max(0.0, until - monotonic()))
    except TimeoutError:
        if future.done():
            return future.result()
        raise OutOfTimeError from None
