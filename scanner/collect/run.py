"""Reads all targets of a run, several at once; what failed in passing is tried once more at the end, slowly."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from itertools import islice
from time import monotonic
from typing import Any

from msgspec import Struct

from scanner.collect.cpus import shares, stay_on
from scanner.collect.failure import StoppedError
from scanner.collect.target import SLOW, Pace, Work, fast
from scanner.collect.worker import Done, Tally, Worker, begin_process, do_in_process
from scanner.errors import ChimeauditError
from scanner.journal import UNKNOWN_ACCOUNT, Journal, Target

TARGETS_AT_ONCE = 8
_SUBMITTED_AT_ONCE = 128  # twice the most --workers: enough to keep all busy, and no memory for what is yet to come
_GRACE_SECONDS = 1


class Progress(Struct, frozen=True, kw_only=True):
    """How far a run has come."""

    targets: int
    targets_read: int
    accounts: int
    accounts_read: int
    tally: Tally


class Collection:
    """The collecting of one run, in threads of this process or, with `workers`, in as many processes.

    `tell` is called with each target as it is done with, for good or until its second try.
    """

    def __init__(self, journal: Journal, *, workers: int = 0, tell: Callable[[Done], None] = lambda _: None) -> None:
        self._journal = journal
        self._targets = frozenset(each for each in journal.header.targets if each.account_id != UNKNOWN_ACCOUNT)
        self._left = set(self._targets)
        self._tell = tell
        self._elsewhere = Tally()
        self._targets_at_once = 1 if workers else max(1, min(TARGETS_AT_ONCE, len(self._targets)))
        if workers:
            processes = multiprocessing.get_context("spawn")
            self._stop: Any = processes.Event()
            cpus = processes.SimpleQueue()
            for cpu in shares(workers):
                cpus.put(cpu)
            self._executor: Any = ProcessPoolExecutor(
                workers, processes, begin_process, (self._stop, journal.header.targets, cpus)
            )
            self._do: Any = do_in_process
            self._local = None
        else:
            self._stop = threading.Event()
            self._local = Worker(self._stop, journal.header.targets)
            (cpu,) = shares(1)
            self._executor = ThreadPoolExecutor(TARGETS_AT_ONCE, "target", lambda: stay_on(cpu))
            self._do = self._local.do

    def run(self, until: float | None = None) -> bool:
        """Read every target that the journal does not hold yet; returns whether there was time for all.

        `until` is a point in time of `time.monotonic`.

        Raises:
            KeyboardInterrupt: the user stopped it; what was read until then is in the journal.
            OutputError: the journal cannot be written.
            ChimeauditError: a worker process was killed.
        """
        running: set[Future[Done]] = set()
        try:
            for pace in (fast(self._targets_at_once), SLOW):
                waiting = iter(sorted(self._left))
                running = self._submit(islice(waiting, _SUBMITTED_AT_ONCE), pace)
                while running:
                    # Not the word to stop alone: who waits for an answer does not hear it.
                    left = None if until is None else max(0, min(until - monotonic(), threading.TIMEOUT_MAX))
                    done, running = wait(running, timeout=left, return_when=FIRST_COMPLETED)
                    if not done:
                        raise TimeoutError
                    for future in done:
                        self._note(future.result())
                    running |= self._submit(islice(waiting, len(done)), pace)
        except BaseException as error:
            self._stop.set()
            self._executor.shutdown(wait=False, cancel_futures=True)
            wait(running, timeout=_GRACE_SECONDS)
            if isinstance(error, StoppedError | TimeoutError):
                return False
            if isinstance(error, BrokenProcessPool):
                message = "a worker process was killed, maybe for want of memory"
                raise ChimeauditError(message, hint="Go on with --resume, with fewer --workers.") from error
            raise
        self._executor.shutdown()
        return True

    @property
    def progress(self) -> Progress:
        """May be asked from any thread."""
        left = tuple(self._left)
        accounts = {target.account_id for target in self._targets}
        return Progress(
            targets=len(self._targets),
            targets_read=len(self._targets) - len(left),
            accounts=len(accounts),
            accounts_read=len(accounts) - len({target.account_id for target in left}),
            tally=self._local.tally if self._local else self._elsewhere,
        )

    def _submit(self, targets: Iterable[Target], pace: Pace) -> set[Future[Done]]:
        facets = frozenset(self._journal.header.facets)
        works = [
            Work(target=target, facets=facets, path=self._journal.target_path(target), pace=pace) for target in targets
        ]
        with nullcontext() if self._local else _uninterrupted():
            return {self._executor.submit(self._do, work) for work in works}

    def _note(self, done: Done) -> None:
        self._elsewhere += done.tally
        if done.complete:
            self._left.discard(done.target)
        self._tell(done)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let a process that is started here leave Ctrl-C to its parent from its first moment on."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
