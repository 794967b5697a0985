"""What is sent through the scheduler: plain values, and functions together with their code.

So the scheduler needs no chimeaudit. A worker can report that it has another version, or none, before it unpickles
anything that its version would not understand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Sent = TypeVar("Sent", bound=Callable[..., Any])


def by_value(function: Sent) -> Sent:
    """Make cloudpickle send the code of a function, as it does for functions of a script."""
    function.__module__ = "__main__"
    return function


@by_value
def version() -> str | None:
    """The version of chimeaudit on a worker; None if it is not installed."""
    try:
        import scanner
    except ModuleNotFoundError:
        return None
    return scanner.__version__


@by_value
def kept(value: bytes) -> bytes:
    """Return the value. As a task's result it is computed again if its worker dies; scattered data would be lost."""
    return value


@by_value
def read_part(task: bytes, run: str, terms: bytes, expected: str) -> Any:
    """Call `scanner.cluster.worker.read_part` if the worker has the expected version; else return its version."""
    from distributed import get_worker

    found = version()
    if found != expected:
        return found, get_worker().address
    from scanner.cluster import worker

    return worker.read_part(task, run, terms)
