"""A Dask cluster of real processes on loopback, started by Dask's own commands."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest

from tests.command import environment

if sys.platform != "win32":
    from tests import preloaded

_QUIET = {"PYTHONWARNINGS": "ignore"}  # hides Dask's warnings


class Worker(Protocol):
    """The process of a worker."""

    def poll(self) -> int | None: ...
    def wait(self) -> int: ...
    def kill(self) -> None: ...
    def send_signal(self, sig: int, /) -> None: ...


class DaskCluster:
    """A scheduler and the workers that are added to it; `close` ends all of them."""

    def __init__(self, home: Path, variables: Mapping[str, str] | None = None) -> None:
        self._home = home
        file = home / "scheduler.json"
        self.scheduler = self._start(
            *("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)),
            variables=variables,
        )
        self.workers: list[Worker] = []
        self.address = ""
        _until(lambda: _whole(file), self.scheduler)
        self.address = json.loads(file.read_text())["address"]

    def add_worker(self, variables: Mapping[str, str]) -> Worker:
        """Start a worker with one thread; it gets its credentials from these variables."""
        options = (self.address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard")
        worker: Worker
        if sys.platform != "win32" and "PYTHONPATH" not in variables:
            quiet = environment(self._home, {**_QUIET, **variables})
            worker = preloaded.Forked(("dask-worker", *options), quiet, self._home, "distributed.cli.dask_worker.main")
        else:
            worker = self._start("dask_worker", *options, variables=variables)
        self.workers.append(worker)
        return worker

    def wait(self) -> None:
        """Wait until the scheduler knows all workers."""
        self._ask(f"client.wait_for_workers({len(self.workers)})")

    def until_idle(self) -> None:
        """Wait until all workers are idle."""
        busy = "any(client.run(lambda dask_worker: len(dask_worker.active_threads)).values())"
        self._ask(f"import time\nwhile {busy}: time.sleep(0.05)")

    @property
    def is_profiled(self) -> bool:
        """Whether Dask's profiler still runs on a worker."""
        profiles = "client.run(lambda dask_worker: dask_worker.periodic_callbacks['profile'].is_running())"
        return self._ask(f"print(any({profiles}.values()))") == "True"

    def _ask(self, code: str) -> str:
        """The output of code that uses a client, run in a separate process because of Dask's warnings."""
        if sys.platform != "win32":
            command, here = ("ask", self.address, code), "tests.cluster.dask_cluster.ask"
            ended, out, err = preloaded.run(command, environment(self._home, _QUIET), self._home, 60, here)
            assert ended == 0, err.decode()
            return out.decode().strip()
        pytest.skip("Windows has no fork server")

    def close(self) -> None:
        """Kill all processes."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _start(
        self, program: str, *arguments: str, variables: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{program}", *arguments],
            env=environment(self._home, {**_QUIET, **(variables or {})}),
            cwd=self._home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def ask() -> None:
    """Run code with a client of the cluster, both of which are arguments."""
    from distributed import Client

    _, address, code = sys.argv
    with Client(address) as client:
        exec(code, {"client": client})  # noqa: S102 - it is the test's own


def _whole(file: Path) -> bool:
    try:
        return bool(json.loads(file.read_text())["address"])
    except (OSError, ValueError):
        return False


def _until(holds: object, process: subprocess.Popen[bytes]) -> None:
    assert callable(holds)
    deadline = time.monotonic() + 60
    while not holds():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
