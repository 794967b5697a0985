"""Keeps the threads of a collecting process on one CPU.

Python runs one thread of a process at a time. If the threads are spread over CPUs, each wait for an answer moves the
interpreter to a CPU with cold caches. Reading a target then took 1.4 times as long (`benchmarks/collect.py`).
Only Linux lets a process choose its CPUs; elsewhere the functions of this module do nothing.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PROCESSOR_FIELD = 36  # in /proc/self/stat, counted after the command's name: the last CPU (proc(5))


def shares(processes: int) -> tuple[int | None, ...]:
    """A CPU for each of several processes, spread evenly; None if the system cannot pin threads to CPUs.

    The first is the CPU on which this process runs.
    """
    here = _current()
    allowed = sorted(_allowed(), key=lambda cpu: (cpu != here, cpu))
    return tuple(itertools.islice(itertools.cycle(allowed or [None]), processes))


def share(number: int | None) -> int | None:
    """The CPU for the process of this number; None if the number is None or the system cannot pin."""
    allowed = sorted(_allowed())
    return None if number is None or not allowed else allowed[number % len(allowed)]


def stay_on(cpu: int | None) -> None:
    """Keep this thread, and those that it starts, on a CPU, unless a sandbox refuses."""
    if cpu is not None:
        with suppress(OSError):
            _allow({cpu})


@contextmanager
def staying_on(cpu: int | None) -> Iterator[None]:
    """Keep this thread on a CPU within the block, for threads that others own."""
    before = _allowed() if cpu is not None else set()
    stay_on(cpu)
    try:
        yield
    finally:
        if before:
            _allow(before)


def _allowed() -> set[int]:
    """The CPUs on which this thread may run; empty where the system does not tell."""
    cpus: set[int] = set()
    if sys.platform == "linux":
        cpus = os.sched_getaffinity(0)
    return cpus


def _allow(cpus: set[int]) -> None:
    if sys.platform == "linux":
        os.sched_setaffinity(0, cpus)


def _current() -> int:
    try:
        return int(Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()[_PROCESSOR_FIELD])
    except (OSError, ValueError, IndexError):
        return 0
