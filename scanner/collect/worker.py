"""Does tasks in a process: reads a target into its journal file, with the connections of the process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import msgspec
from msgspec import structs

from scanner.aws.clients import Clients
from scanner.aws.failure import FailedCallError
from scanner.aws.session import Aws
from scanner.collect.cpus import stay_on
from scanner.collect.target import Control, TargetReading, ask_owner, read_target
from scanner.collect.task import OF_ACCOUNTS, Owned, Stop, Task, TaskResult, Traffic
from scanner.errors import NothingScannedError, UsageError
from scanner.model.facts import AppInstance, Gap
from scanner.model.verdicts import Verdicts
from scanner.store.journal import Target
from scanner.store.target_file import TargetReader, TargetWriter

_READ_BEFORE = TargetReading(complete=True, owned=Owned.NOT_READ)
Judge = Callable[[Path], Verdicts]
"""Judges a journal file. It is passed in, so that collecting need not know rules."""


class Worker:
    """Does the tasks of one process, which share a connection for each profile.

    `targets` are all targets of the run; they provide the credentials for accounts. With `judge`, a target is judged
    once it was read to its end.
    """

    def __init__(self, stop: Stop, targets: Iterable[Target], judge: Judge | None = None) -> None:
        self._control = Control(stop)
        self._judge = judge
        self._ways = {target.account_id: target for target in targets}
        self._connecting = threading.Lock()
        self._connections: dict[str | None, Aws] = {}
        self._accounts: dict[str | None, str | None] = {}

    @property
    def traffic(self) -> Traffic:
        """The counts of all tasks of this process so far."""
        counters = [aws.counter for aws in tuple(self._connections.values())]
        return Traffic(
            app_instances=self._control.app_instances,
            channel_flows=self._control.channel_flows,
            channels=self._control.channels,
            calls=sum(each.calls for each in counters),
            throttles=sum(each.throttles for each in counters),
        )

    def do(self, task: Task) -> TaskResult:
        """Read the task's target, unless it was already read, or ask for its owner.

        Raises:
            StoppedError: the scan was stopped.
            OutputError: the journal or the findings cannot be written.
        """
        self._control.check()
        before = self.traffic
        if task.asks_owner:
            missing = self._ask_owner(task)
            return TaskResult(
                target=task.target, complete=False, asked_owner=True, missing=missing, traffic=self.traffic - before
            )
        reading = _READ_BEFORE if TargetReader(task.path).complete else self._read(task)
        return TaskResult(
            target=task.target,
            complete=reading.complete,
            owned=reading.owned,
            faults=reading.faults,
            traffic=self.traffic - before,
            more=tuple(_shares(task, reading.rest)),
            verdicts=self._judge(task.path) if self._judge and reading.complete else None,
        )

    def account_of(self, profile: str | None) -> str | None:
        """The account of the profile's own credentials; None if it is not known."""
        if profile not in self._accounts:
            try:
                self._accounts[profile] = self._connect(profile).identity().account_id
            except (FailedCallError, NothingScannedError, UsageError):
                self._accounts[profile] = None
        return self._accounts[profile]

    def _read(self, task: Task) -> TargetReading:
        with TargetWriter(task.path) as journal, closing(self._clients(task, anew=task.pace.is_last_try)) as clients:
            return read_target(task, clients, journal, self._control)

    def _ask_owner(self, task: Task) -> tuple[Gap, ...] | None:
        """Ask for the owner with the very credentials with which the target was read, so not with new ones."""
        with closing(self._clients(task, anew=False)) as clients:
            return ask_owner(task, clients)

    def _clients(self, task: Task, *, anew: bool) -> Clients:
        return Clients(self._connect, task.target, self._ways, task.pace.connections, anew=anew)

    def _connect(self, profile: str | None) -> Aws:
        with self._connecting:
            if profile not in self._connections:
                self._connections[profile] = Aws(profile)
            return self._connections[profile]


def _shares(task: Task, rest: Sequence[AppInstance]) -> Iterator[Task]:
    if task.share:
        for start in range(0, len(rest), task.share.app_instances):
            listed = msgspec.json.encode(rest[start : start + task.share.app_instances])
            yield structs.replace(task, facets=task.facets - OF_ACCOUNTS, listed=listed, passed_over=frozenset())


_of_this_process: list[Worker] = []


def begin_process(stop: Stop, targets: Iterable[Target], cpus: SimpleQueue[int | None]) -> None:
    """Prepare a process that only does tasks. It ignores Ctrl-C, which its parent handles, and takes one of `cpus`."""
    stay_on(cpus.get())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    _of_this_process.append(Worker(stop, targets))


def _end_with_parent() -> None:
    """End this process when its parent ends; otherwise it would write to a journal that a resumed scan may use."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def do_in_process(task: Task) -> TaskResult:
    """Call `Worker.do` in a process that `begin_process` prepared."""
    return _of_this_process[0].do(task)
