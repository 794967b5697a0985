"""Keeps the threads of a collecting process on one CPU.

Python runs one thread of a process at a time. Where they are spread over CPUs, each wait for an answer hands the
interpreter to another CPU with cold caches: reading a target then took 1.4 times as long (`benchmarks/collect.py`).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROCESSOR_FIELD = 36  # of /proc/self/stat, behind the command's name: the CPU that ran it last (proc(5))


def shares(processes: int) -> tuple[int | None, ...]:
    """A CPU for each of so many processes, none twice before each was dealt; None where the system does not pin.

    The first is the one that the scheduler has this process on.
    """
    if not hasattr(os, "sched_setaffinity"):  # Linux alone has it
        return (None,) * processes
    here = _current()
    allowed = sorted(os.sched_getaffinity(0), key=lambda cpu: (cpu != here, cpu))
    return tuple(itertools.islice(itertools.cycle(allowed), processes))


def share(number: int | None) -> int | None:
    """The CPU of one among several processes that know their number; None where it does not, or does not pin."""
    if number is None or not hasattr(os, "sched_getaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[number % len(allowed)]


def stay_on(cpu: int | None) -> None:
    """Keep this thread, and those that it will start, on a CPU; a sandbox that refuses leaves them where they are."""
    if cpu is None:
        return
    try:
        os.sched_setaffinity(0, {cpu})
    except OSError:
        return


@contextmanager
def staying_on(cpu: int | None) -> Iterator[None]:
    """As `stay_on`, for a while: the thread is somebody else's."""
    before = os.sched_getaffinity(0) if cpu is not None else set()
    stay_on(cpu)
    try:
        yield
    finally:
        if before:
            os.sched_setaffinity(0, before)


def _current() -> int:
    try:
        return int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[_PROCESSOR_FIELD])
    except (OSError, ValueError, IndexError):
        return 0
