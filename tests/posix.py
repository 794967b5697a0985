"""What tests use of POSIX. On Windows, a test that calls one of these functions is skipped."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def _of(module: object, name: str) -> Callable[..., Any]:
    """A function of a module; on Windows, one that skips the test."""
    found: Callable[..., Any] = getattr(module, name, lambda *_: pytest.skip(f"Windows has no {name}"))
    return found


chown, killpg, mkfifo, openpty, seteuid = (
    _of(os, each) for each in ("chown", "killpg", "mkfifo", "openpty", "seteuid")
)
geteuid: Callable[[], int] = getattr(os, "geteuid", lambda: -1)

SIGKILL: signal.Signals = getattr(signal, "SIGKILL", signal.SIGTERM)
SIGSTOP: signal.Signals = getattr(signal, "SIGSTOP", signal.SIGTERM)


def needs_posix(what: str) -> None:
    """Skip the test on Windows, which lacks `what`."""
    if sys.platform == "win32":
        pytest.skip(f"Windows has no {what}")


def remove_in_use(folder: Path) -> None:
    """Remove a folder that is the working directory."""
    needs_posix("way to remove a folder in use")
    folder.rmdir()


def unix_socket() -> socket.socket:
    """A socket that can be bound to a path."""
    needs_posix("AF_UNIX")
    return socket.socket(getattr(socket, "AF_UNIX"))  # noqa: B009 - mypy knows that Windows has none


def nobody() -> tuple[int, int]:
    """The user and the group of the user `nobody`."""
    import pwd

    user = _of(pwd, "getpwnam")("nobody")
    return user.pw_uid, user.pw_gid


def cpu_seconds_of_children() -> float:
    """The CPU time of the processes that this one has started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def limit_memory(size: int) -> None:
    """Limit the address space of this process, in bytes."""
    import resource

    _of(resource, "setrlimit")(getattr(resource, "RLIMIT_AS", None), (size, size))


def mode(path: Path) -> int:
    """Who may read, write and run a file."""
    if sys.platform != "win32":
        return path.stat().st_mode & 0o777
    pytest.skip("Windows files have no mode")
