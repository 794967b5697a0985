"""What is sent through a scheduler: plain values, and functions whose code travels with them.

So the scheduler needs no chimeaudit, and a worker can tell that it has none, or another one, before it reads anything
that its own would not understand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Sent = TypeVar("Sent", bound=Callable[..., Any])


def by_value(function: Sent) -> Sent:
    """cloudpickle takes the code of a function along whose module is that of a script."""
    function.__module__ = "__main__"
    return function


@by_value
def version() -> str | None:
    """That of a worker's chimeaudit; None where it has none."""
    try:
        import scanner
    except ModuleNotFoundError:
        return None
    return scanner.__version__


@by_value
def kept(value: bytes) -> bytes:
    """A task's result is made again where the worker that holds it dies; what is only scattered is lost with it."""
    return value


@by_value
def read_part(work: bytes, run: str, terms: bytes, expected: str) -> Any:
    """`scanner.cluster.worker.read_part`, on a worker that has the expected version."""
    from distributed import get_worker

    found = version()
    if found != expected:
        return found, get_worker().address
    from scanner.cluster import worker

    return worker.read_part(work, run, terms)
