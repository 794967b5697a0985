"""Reads all targets of a run, several at once. Temporary failures are tried once more at the end, slowly."""

from __future__ import annotations

import io
import pickle
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import chain, islice
from pathlib import Path
from tempfile import SpooledTemporaryFile
from time import monotonic

from msgspec import Struct, field, structs

from scanner.aws.failure import StoppedError
from scanner.collect.empty import EmptyTargets
from scanner.collect.executors import Executor, Threads
from scanner.collect.task import OF_ACCOUNTS, ChannelTerms, Pace, Task, TaskResult, Traffic, slow
from scanner.errors import ChimeauditError, OutputError
from scanner.model.facts import Gap
from scanner.model.verdicts import Verdicts
from scanner.store.journal import UNKNOWN_ACCOUNT, Journal, Target, first_of_accounts
from scanner.store.target_file import TargetWriter

_IN_MEMORY = 1 << 20


class Backlog(Iterator[Task]):
    """A queue of tasks, which gives each task once, in order.

    What exceeds a megabyte goes to a file in `directory` without a name, which disappears with the process.
    """

    def __init__(self, directory: Path) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY, dir=str(directory))  # noqa: SIM115 - closed with the backlog
        self._next = self._end = 0
        weakref.finalize(self, self._file.close)

    def extend(self, tasks: Iterable[Task]) -> None:
        """Add tasks.

        Raises:
            OutputError: there is no room on disk.
        """
        try:
            self._file.seek(self._end)
            for task in tasks:
                pickle.dump(task, self._file)
            self._file.flush()
            self._end = self._file.tell()
        except OSError as error:
            hint = "Make room, or name another directory with --run-dir."
            raise OutputError(f"what is yet to be read cannot be kept on disk: {error.strerror}", hint=hint) from None

    def __next__(self) -> Task:
        if self._next == self._end:
            self._next = self._end = 0
            self._file.truncate(0)
            raise StopIteration
        self._file.seek(self._next)
        task: Task = pickle.load(self._file)  # noqa: S301 - nobody else can open the file
        self._next = self._file.tell()
        return task


class _Open(Struct):
    """A target whose parts are still being read."""

    writer: TargetWriter
    running: int = 1
    complete: bool = True
    gaps: set[Gap] = field(default_factory=set)


class Parts:
    """Joins the parts of targets that were read elsewhere, and writes them to the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._open: dict[Target, _Open] = {}

    def take(self, done: TaskResult) -> TaskResult:
        """Write a part to the journal. The returned result is complete once all parts of its target are.

        Raises:
            OutputError: the journal cannot be written.
        """
        if done.part is None:
            return done
        target = done.target
        if target not in self._open:
            self._open[target] = _Open(TargetWriter(self._journal.target_path(target)))
        whole = self._open[target]
        closing = whole.writer.absorb(io.BytesIO(done.part))
        whole.running += len(done.more) - 1
        whole.complete = whole.complete and done.complete
        whole.gaps.update(closing.gaps if closing else ())
        if whole.running:
            return structs.replace(done, complete=False)
        if whole.complete:
            whole.writer.target(tuple(sorted(whole.gaps, key=str)))
        self._open.pop(target).writer.close()
        return structs.replace(done, complete=whole.complete)

    def is_open(self, target: Target) -> bool:
        """Whether parts of a target are still being read."""
        return target in self._open

    def close(self) -> None:
        """Close the files of targets that are still open."""
        for whole in self._open.values():
            whole.writer.close()


_Futures = set[Future[TaskResult]]
_GRACE_SECONDS = 1
_CHECK_SECONDS = 2


class Progress(Struct, frozen=True, kw_only=True):
    """The progress of a run: how many targets and accounts there are and were read, and the calls made."""

    targets: int
    targets_read: int
    accounts: int
    accounts_read: int
    traffic: Traffic


class BrokenRunError(ChimeauditError):
    """The executor is gone; the journal holds what was read until then."""


class Collection:
    """Collects the targets of one run with an executor, by default in threads of this process.

    `channels` says how the facet ``all_channels`` is read.
    `on_result` is called with the result of each target, after its first try and after its second, if there is one.
    Before that, `on_verdicts` is called with the verdicts on each part of it that was judged where it was read.
    """

    def __init__(
        self,
        journal: Journal,
        executor: Executor | None = None,
        *,
        channels: ChannelTerms | None = None,
        on_result: Callable[[TaskResult], None] = lambda _: None,
        on_verdicts: Callable[[Target, Verdicts], None] = lambda _, __: None,
    ) -> None:
        self._journal = journal
        self._targets = frozenset(each for each in journal.header.targets if each.account_id != UNKNOWN_ACCOUNT)
        self._left = set(self._targets)
        self._firsts = first_of_accounts(self._targets)
        self._channels = channels or ChannelTerms()
        self._on_result = on_result
        self._on_verdicts = on_verdicts
        self._elsewhere = Traffic()
        self._executor = executor or Threads(journal.header.targets)
        self._pace = self._executor.pace
        self._parts = Parts(journal)
        self._backlog = Backlog(journal.directory)
        self._empty = EmptyTargets(journal)

    def run(self, until: float | None = None) -> bool:
        """Read all targets that the journal does not hold yet; return whether there was time for all.

        `until` is a time of `time.monotonic`, or None.

        Raises:
            KeyboardInterrupt: the user stopped the scan; the journal holds what was read until then.
            OutputError: the journal cannot be written.
            BrokenRunError: a worker process was killed, or the cluster is gone.
        """
        running: _Futures = set()
        try:
            for try_ in (1, 2):
                self._pace = self._pace_of(try_)
                self._empty.begin(self._left)
                waiting = map(self._task, sorted(self._left))
                running = self._submit(waiting, self._executor.at_once)
                while running:
                    done, running = _wait(running, until)
                    self._take(done)
                    self._executor.check()
                    running |= self._submit(waiting, self._executor.at_once - len(running))
        except BaseException as error:
            self._executor.stop()
            wait(running, timeout=_GRACE_SECONDS)
            if isinstance(error, StoppedError | TimeoutError):
                return False
            why = self._executor.why_broken(error)
            if why:
                raise BrokenRunError(why, hint="") from error
            raise
        finally:
            self._parts.close()
            self._executor.close()
        return True

    @property
    def progress(self) -> Progress:
        """The progress so far; any thread may ask for it."""
        left = tuple(self._left)
        accounts = {target.account_id for target in self._targets}
        return Progress(
            targets=len(self._targets),
            targets_read=len(self._targets) - len(left),
            accounts=len(accounts),
            accounts_read=len(accounts) - len({target.account_id for target in left}),
            traffic=self._executor.traffic or self._elsewhere,
        )

    def _pace_of(self, try_: int) -> Pace:
        first = self._executor.pace
        return first if try_ == 1 else slow(first, len(self._left), max(1, self._executor.at_once // 2))

    def _task(self, target: Target) -> Task:
        return Task(
            target=target,
            facets=frozenset(self._journal.header.facets) - (frozenset() if target in self._firsts else OF_ACCOUNTS),
            path=self._journal.target_path(target),
            pace=self._pace,
            channels=self._channels,
        )

    def _submit(self, waiting: Iterator[Task], room: int) -> _Futures:
        """Submit up to `room` tasks: first shares of targets that have begun, then further targets."""
        return {self._executor.submit(task) for task in islice(chain(self._backlog, waiting), max(0, room))}

    def _take(self, done: Iterable[Future[TaskResult]]) -> None:
        """Record the results of tasks before raising the error of a failed one."""
        for future in sorted(done, key=lambda future: future.exception() is not None):
            self._note(future.result())

    def _note(self, part: TaskResult) -> None:
        self._elsewhere += part.traffic
        self._backlog.extend(part.more)
        self._empty.note(part)
        done = self._parts.take(part)
        if part.verdicts:
            self._on_verdicts(part.target, part.verdicts)
        if self._parts.is_open(done.target):
            return
        for settled in self._empty.settle(done):
            if settled.complete:
                self._left.discard(settled.target)
            self._on_result(settled)
        if self._empty.asks_owner_of(done):
            self._backlog.extend([structs.replace(self._task(done.target), asks_owner=True)])


def _wait(running: _Futures, until: float | None) -> tuple[_Futures, _Futures]:
    """Wait for tasks, but not for long; return those that are done, maybe none, and those that still run.

    Raises:
        TimeoutError: the time `until` has come.
    """
    left = threading.TIMEOUT_MAX if until is None else until - monotonic()
    if left <= 0:
        raise TimeoutError
    done, running = wait(running, timeout=min(left, _CHECK_SECONDS), return_when=FIRST_COMPLETED)
    return done, running
