"""Keeps the threads of a collecting process on one CPU.

Python runs one thread of a process at a time. If the threads are spread over CPUs, each wait for an answer moves the
interpreter to a CPU with cold caches. Reading a target then took 1.4 times as long (`benchmarks/collect.py`).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROCESSOR_FIELD = 36  # in /proc/self/stat, counted after the command's name: the last CPU (proc(5))


def shares(processes: int) -> tuple[int | None, ...]:
    """A CPU for each of several processes, spread evenly; None if the system cannot pin threads to CPUs.

    The first is the CPU on which this process runs.
    """
    if not hasattr(os, "sched_setaffinity"):  # only Linux has it
        return (None,) * processes
    here = _current()
    allowed = sorted(os.sched_getaffinity(0), key=lambda cpu: (cpu != here, cpu))
    return tuple(itertools.islice(itertools.cycle(allowed), processes))


def share(number: int | None) -> int | None:
    """The CPU for the process of this number; None if the number is None or the system cannot pin."""
    if number is None or not hasattr(os, "sched_getaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[number % len(allowed)]


def stay_on(cpu: int | None) -> None:
    """Keep this thread, and those that it starts, on a CPU, unless a sandbox refuses."""
    if cpu is None:
        return
    try:
        os.sched_setaffinity(0, {cpu})
    except OSError:
        return


@contextmanager
def staying_on(cpu: int | None) -> Iterator[None]:
    """Keep this thread on a CPU within the block, for threads that others own."""
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
