"""Reads all targets of a run, several at once; what failed in passing is tried once more at the end, slowly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import chain, islice
from time import monotonic

from msgspec import Struct, structs

from scanner.aws.failure import StoppedError
from scanner.collect.backlog import Backlog
from scanner.collect.empty import EmptyTargets
from scanner.collect.executors import Place, Threads
from scanner.collect.parts import Parts
from scanner.collect.target import Pace, Work, slow
from scanner.collect.worker import Done, Tally
from scanner.errors import ChimeauditError
from scanner.model.verdicts import Verdicts
from scanner.store.journal import UNKNOWN_ACCOUNT, Journal, Target

_GRACE_SECONDS = 1
_CHECK_SECONDS = 2


class Progress(Struct, frozen=True, kw_only=True):
    """How far a run has come."""

    targets: int
    targets_read: int
    accounts: int
    accounts_read: int
    tally: Tally


class BrokenRunError(ChimeauditError):
    """The place where targets were read is gone; what was read until then is in the journal."""


class Collection:
    """The collecting of one run, at a place: in threads of this process where none is named.

    `tell` is called with each target as it is done with, for good or until its second try, and before that `take`
    with the verdicts on each part of it that was judged where it was read.
    """

    def __init__(
        self,
        journal: Journal,
        place: Place | None = None,
        *,
        tell: Callable[[Done], None] = lambda _: None,
        take: Callable[[Target, Verdicts], None] = lambda _, __: None,
    ) -> None:
        self._journal = journal
        self._targets = frozenset(each for each in journal.header.targets if each.account_id != UNKNOWN_ACCOUNT)
        self._left = set(self._targets)
        self._tell = tell
        self._judged = take
        self._elsewhere = Tally()
        self._place = place or Threads(journal.header.targets)
        self._pace = self._place.pace
        self._parts = Parts(journal)
        self._backlog = Backlog(journal.directory)
        self._empty = EmptyTargets(journal)

    def run(self, until: float | None = None) -> bool:
        """Read every target that the journal does not hold yet; returns whether there was time for all.

        `until` is a point in time of `time.monotonic`.

        Raises:
            KeyboardInterrupt: the user stopped it; what was read until then is in the journal.
            OutputError: the journal cannot be written.
            BrokenRunError: a worker process was killed, or the cluster is gone.
        """
        running: set[Future[Done]] = set()
        try:
            for try_ in (1, 2):
                self._pace = self._pace_of(try_)
                self._empty.begin(self._left)
                waiting = map(self._work, sorted(self._left))
                running = self._submit(waiting, self._place.at_once)
                while running:
                    done, running = _wait(running, until)
                    self._take(done)
                    self._place.check()
                    running |= self._submit(waiting, self._place.at_once - len(running))
        except BaseException as error:
            self._place.stop()
            wait(running, timeout=_GRACE_SECONDS)
            if isinstance(error, StoppedError | TimeoutError):
                return False
            why = self._place.why_broken(error)
            if why:
                raise BrokenRunError(why, hint="") from error
            raise
        finally:
            self._parts.close()
            self._place.close()
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
            tally=self._place.tally or self._elsewhere,
        )

    def _pace_of(self, try_: int) -> Pace:
        first = self._place.pace
        return first if try_ == 1 else slow(first, len(self._left), max(1, self._place.at_once // 2))

    def _work(self, target: Target) -> Work:
        facets = frozenset(self._journal.header.facets)
        return Work(target=target, facets=facets, path=self._journal.target_path(target), pace=self._pace)

    def _submit(self, waiting: Iterator[Work], room: int) -> set[Future[Done]]:
        """Shares of what was begun come before targets that were not."""
        return {self._place.submit(work) for work in islice(chain(self._backlog, waiting), max(0, room))}

    def _take(self, done: Iterable[Future[Done]]) -> None:
        """Write down what came of works before what went wrong with others is raised."""
        for future in sorted(done, key=lambda future: future.exception() is not None):
            self._note(future.result())

    def _note(self, part: Done) -> None:
        self._elsewhere += part.tally
        self._backlog.extend(part.more)
        self._empty.note(part)
        done = self._parts.take(part)
        if part.verdicts:
            self._judged(part.target, part.verdicts)
        if self._parts.is_open(done.target):
            return
        for settled in self._empty.settle(done):
            if settled.complete:
                self._left.discard(settled.target)
            self._tell(settled)
        if self._empty.asks_owner_of(done):
            self._backlog.extend([structs.replace(self._work(done.target), asks_owner=True)])


def _wait(running: set[Future[Done]], until: float | None) -> tuple[set[Future[Done]], set[Future[Done]]]:
    """Those that are done, and those that are not; now and then without any.

    Not the word to stop alone: who waits for an answer does not hear it.
    """
    left = threading.TIMEOUT_MAX if until is None else until - monotonic()
    if left <= 0:
        raise TimeoutError
    done, running = wait(running, timeout=min(left, _CHECK_SECONDS), return_when=FIRST_COMPLETED)
    return done, running
