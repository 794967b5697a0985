"""Reads one target, an account in a region, into its journal file: every app instance, every channel flow, every page.

What cannot be read becomes a gap, and the reading goes on with the next. What failed but may go better later is left
open: the target is not complete then, and reading it once more reads only that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from scanner.collect import facts
from scanner.collect.calls import new_items
from scanner.collect.clients import Clients
from scanner.collect.facets import Facets
from scanner.collect.failure import FailedCallError
from scanner.collect.readonly import IDENTITY, MESSAGING
from scanner.collect.wire import ListAppInstances, ListChannelFlows
from scanner.inventory import AppInstance, ChannelFlow, Gap
from scanner.journal import AppInstanceRead, Target, TargetWriter


class Stop(Protocol):
    """An event, of threads or of processes."""

    def is_set(self) -> bool: ...


class Pace(Struct, frozen=True):
    """How a target is read: by how many threads, and whether what fails may be left to a later try."""

    threads: int
    is_last_try: bool

    def lets_wait(self, failed: FailedCallError) -> bool:
        return failed.may_pass and not self.is_last_try

    def tolerate(self, failed: FailedCallError) -> None:
        """Raises what is better left to a later try."""
        if self.lets_wait(failed):
            raise failed


_MOST_THREADS = 48  # 30 ms of waiting for 1 ms of work: more would wait for each other
_ALL_THREADS = 128  # of all targets together; each costs memory, and its connection


def fast(targets_at_once: int) -> Pace:
    """The pace at which one process reads so many targets at once."""
    return Pace(threads=min(_MOST_THREADS, _ALL_THREADS // targets_at_once), is_last_try=False)


SLOW = Pace(threads=2, is_last_try=True)


class StoppedError(Exception):
    """The scan was told to stop; what was read until then is in the journal."""


class Control:
    """What joins the readings of a process to whoever waits for them: the word to stop, the count of what was read."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._counting = threading.Lock()
        self.app_instances = self.channel_flows = 0

    def check(self) -> None:
        """Raises StoppedError once the word was given."""
        if self._stop.is_set():
            raise StoppedError

    def count(self, channel_flows: int) -> None:
        """One more app instance, with its channel flows."""
        with self._counting:
            self.app_instances += 1
            self.channel_flows += channel_flows


class Work(Struct, frozen=True, kw_only=True):
    """A target to be read, with these facets, into the file at `path`. It can be pickled."""

    target: Target
    facets: frozenset[str]
    path: Path
    pace: Pace


def read_target(work: Work, clients: Clients, journal: TargetWriter, control: Control) -> bool:
    """Read a target; returns whether it is complete. The word to stop is heeded before each page.

    Raises:
        StoppedError: it was told to stop; the target stays open in the journal.
        OutputError: the journal cannot be written.
    """
    threads = work.pace.threads
    with ThreadPoolExecutor(threads, "app-instance") as readers, ThreadPoolExecutor(threads, "facet") as helpers:
        reading = _Reading(work, clients, journal, control, helpers)
        running: set[Future[None]] = set()
        try:
            for app_instance in reading.app_instances():
                running.add(readers.submit(reading.read_flows, app_instance))
                if len(running) >= 4 * threads:
                    running = _raise_first(*wait(running, return_when=FIRST_COMPLETED))
            _raise_first(*wait(running))
        except BaseException:
            for pool in (readers, helpers):
                pool.shutdown(wait=False, cancel_futures=True)
            raise
    if not reading.left_open:
        journal.target(tuple(reading.gaps))
    return not reading.left_open


def _raise_first(done: Iterable[Future[None]], running: set[Future[None]]) -> set[Future[None]]:
    for future in done:
        future.result()
    return running


class _Reading:
    def __init__(
        self, work: Work, clients: Clients, journal: TargetWriter, control: Control, helpers: ThreadPoolExecutor
    ) -> None:
        self._target = work.target
        self._pace = work.pace
        self._clients = clients
        self._journal = journal
        self._control = control
        self._helpers = helpers
        self._facets = Facets(work.facets, clients, work.pace.tolerate)
        self._done = journal.app_instances
        self.gaps: list[Gap] = []
        self.left_open = False

    def app_instances(self) -> Iterator[AppInstance]:
        """Those that are still to be read; ends early where the list cannot be read on."""
        try:
            for page in new_items(self._clients.of(IDENTITY), ListAppInstances):
                for item in page:
                    self._control.check()
                    if item.arn not in self._done:
                        yield facts.app_instance(item, self._target.account_id, self._target.region)
        except FailedCallError as failed:
            self.gaps += self._unless_open(failed)

    def read_flows(self, listed: AppInstance) -> None:
        """Read one app instance into the journal, unless it was deleted since, or is left to a later try."""
        pages: list[int] = []
        flows_read = 0
        gaps: list[Gap] = []
        app_instance = listed
        try:
            self._control.check()
            for page in new_items(self._clients.of(MESSAGING), ListChannelFlows, AppInstanceArn=listed.arn):
                flows = self._with_facets([facts.channel_flow(item, listed) for item in page])
                pages += [self._journal.page(listed.arn, flows)] if flows else []
                flows_read += len(flows)
                self._control.check()
            app_instance = self._facets.of_app_instance(listed)
        except FailedCallError as failed:
            if failed.is_not_found:
                return
            gaps = self._unless_open(failed, listed.arn)
            if not gaps:
                return
        self._journal.app_instance(AppInstanceRead(app_instance=app_instance, pages=tuple(pages), gaps=tuple(gaps)))
        self._control.count(flows_read)

    def _with_facets(self, flows: Sequence[ChannelFlow]) -> tuple[ChannelFlow, ...]:
        return tuple(self._helpers.map(self._facets.of_flow, flows)) if self._facets.cost_calls else tuple(flows)

    def _unless_open(self, failed: FailedCallError, resource_arn: str | None = None) -> list[Gap]:
        """The gap that a failure leaves, or none where it may wait for a later try and the target stays open for it.

        Where the role could not be assumed, the gap is the whole account, whichever call noticed it.
        """
        if self._pace.lets_wait(failed):
            self.left_open = True
            return []
        if failed.denied_entry and self._target.role:
            return [failed.gap(self._target.account_id, None, self._target.role.arn)]
        return [failed.gap(self._target.account_id, self._target.region, resource_arn)]
