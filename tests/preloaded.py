"""Starts the command in a fifth of the time: multiprocessing's fork server forks a process that has loaded it.

As if its script had started it, it has its own environment, directory, streams and exit code; it only need not load
anything.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

assert sys.platform != "win32"  # which has no fork server
from multiprocessing.context import ForkServerContext, ForkServerProcess  # noqa: E402

_LOADED = (
    *(
        "boto3",
        "botocore.httpsession",
        "jinja2",
        "rich.progress",
        "rich.table",
        "tests.preloaded",
        "tests.data_read",
    ),
    *(f"scanner.commands.{name}" for name in ("scan", "check", "report", "diff", "history", "rules", "iam")),
    *("scanner.collect.run", "scanner.collect.scope", "scanner.history.record", "scanner.render.html"),
    *("distributed", "distributed.cli.dask_worker", "scanner.cluster.coordinator", "tests.cluster.dask_cluster"),
)


def run(
    command: Sequence[str],
    variables: Mapping[str, str],
    directory: Path,
    seconds: float,
    main: str = "scanner.cli.main",
) -> tuple[int, bytes, bytes]:
    """Run a command, which `main` is the function of; return its exit code and what it printed.

    Raises:
        TimeoutError: it did not end within `seconds`.
    """
    with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
        process = start(command, variables, directory, (out.name, err.name), main)
        process.join(seconds)
        code = process.exitcode
        if code is None:
            process.kill()
            raise TimeoutError(command)
        process.close()
        return code, out.read(), err.read()


def start(
    command: Sequence[str], variables: Mapping[str, str], directory: Path, files: tuple[str, str], main: str
) -> ForkServerProcess:
    """Start a command, whose output goes to files: that of the first stream, and that of the second."""
    process = _context().Process(target=_act, args=(command, dict(variables), directory, files, main))
    process.start()
    return process


class Forked:
    """A command that runs on, with no output; it has of `subprocess.Popen` what tests need."""

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], home: Path, main: str) -> None:
        self._process = start(command, variables, home, (os.devnull, os.devnull), main)
        self._one = threading.Lock()  # two threads that ask at once would share one answer

    def poll(self) -> int | None:
        with self._one:
            return self._process.exitcode

    def wait(self) -> int:
        while (code := self.poll()) is None:
            time.sleep(0.01)
        return code

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, sig: int, /) -> None:
        if self.poll() is None and self._process.pid:
            os.kill(self._process.pid, sig)


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_LOADED))
    return context


def _act(command: Sequence[str], variables: dict[str, str], directory: Path, files: tuple[str, str], main: str) -> None:
    """Run the command in the new process."""
    module, _, function = main.rpartition(".")
    gc.freeze()  # excludes what is loaded from garbage collection, to save time
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(directory)
    for number, name, mode in ((0, os.devnull, os.O_RDONLY), (1, files[0], os.O_WRONLY), (2, files[1], os.O_WRONLY)):
        os.dup2(os.open(name, mode | os.O_APPEND), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - a number is no path
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    warnings.resetwarnings()
    warnings.simplefilter("ignore" if variables["PYTHONWARNINGS"] == "ignore" else "error")
    sys.argv = list(command)
    getattr(importlib.import_module(module), function)()
