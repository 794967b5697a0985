"""Reads one target, an account in a region, into its journal file: every app instance, every channel flow, every page.

What cannot be read becomes a gap, and the reading goes on with the next. What failed but may go better later is left
open: the target is not complete then, and reading it once more reads only that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol

from msgspec import Struct

from scanner.collect import facts
from scanner.collect.aws import Aws
from scanner.collect.failure import ASSUME_ROLE, CALL_ERRORS, denied_entry, explain, is_not_found, may_pass
from scanner.collect.pages import new_items
from scanner.collect.readonly import IDENTITY, MESSAGING
from scanner.collect.wire import ListAppInstances, ListChannelFlows
from scanner.inventory import AppInstance, Gap
from scanner.journal import AppInstanceRead, Target, TargetWriter


class Stop(Protocol):
    """An event, of threads or of processes."""

    def is_set(self) -> bool: ...


class Pace(Struct, frozen=True):
    """How a target is read: by how many threads, and whether what fails may be left to a later try."""

    threads: int
    is_last_try: bool


FAST = Pace(threads=48, is_last_try=False)
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


def read_target(aws: Aws, target: Target, journal: TargetWriter, pace: Pace, control: Control) -> bool:
    """Read a target; returns whether it is complete. The word to stop is heeded before each call.

    Raises:
        StoppedError: it was told to stop; the target stays open in the journal.
        OutputError: the journal cannot be written.
    """
    reading = _Reading(aws, target, journal, pace, control)
    with ThreadPoolExecutor(pace.threads, thread_name_prefix=f"{target.account_id}.{target.region}") as threads:
        running: set[Future[None]] = set()
        try:
            for app_instance in reading.app_instances():
                running.add(threads.submit(reading.read_flows, app_instance))
                if len(running) >= 4 * pace.threads:
                    running = _raise_first(*wait(running, return_when=FIRST_COMPLETED))
            _raise_first(*wait(running))
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    if not reading.left_open:
        journal.target(tuple(reading.gaps))
    return not reading.left_open


def _raise_first(done: Iterable[Future[None]], running: set[Future[None]]) -> set[Future[None]]:
    for future in done:
        future.result()
    return running


class _Reading:
    def __init__(self, aws: Aws, target: Target, journal: TargetWriter, pace: Pace, control: Control) -> None:
        self._target = target
        self._journal = journal
        self._pace = pace
        self._control = control
        self._identity = aws.client(IDENTITY, target.region, role=target.role)
        self._messaging = aws.client(MESSAGING, target.region, role=target.role, connections=pace.threads)
        self._done = journal.app_instances
        self.gaps: list[Gap] = []
        self.left_open = False

    def app_instances(self) -> Iterator[AppInstance]:
        """Those that are still to be read; ends early where the list cannot be read on."""
        try:
            for page in new_items(self._identity, ListAppInstances):
                for item in page:
                    self._control.check()
                    if item.arn not in self._done:
                        yield facts.app_instance(item, self._target.account_id, self._target.region)
        except CALL_ERRORS as error:
            if self._may_wait(error):
                self.left_open = True
            else:
                self.gaps.append(self._gap(error, "ListAppInstances"))

    def read_flows(self, app_instance: AppInstance) -> None:
        pages: list[int] = []
        flows_read = 0
        gaps: tuple[Gap, ...] = ()
        try:
            self._control.check()
            for page in new_items(self._messaging, ListChannelFlows, AppInstanceArn=app_instance.arn):
                flows = tuple(facts.channel_flow(item, app_instance) for item in page)
                if flows:
                    pages.append(self._journal.page(app_instance.arn, flows))
                flows_read += len(flows)
                self._control.check()
        except CALL_ERRORS as error:
            if is_not_found(error):
                return  # it was deleted since it was listed
            if self._may_wait(error):
                self.left_open = True
                return
            gaps = (self._gap(error, "ListChannelFlows", app_instance.arn),)
        self._journal.app_instance(AppInstanceRead(app_instance=app_instance, pages=tuple(pages), gaps=gaps))
        self._control.count(flows_read)

    def _may_wait(self, error: Exception) -> bool:
        return may_pass(error) and not self._pace.is_last_try

    def _gap(self, error: Exception, operation: str, resource_arn: str | None = None) -> Gap:
        """Where the role could not be assumed, the gap is the whole account, whichever call noticed it."""
        if denied_entry(error) and self._target.role:
            failure = explain(error, "sts:AssumeRole")
            return Gap(
                account_id=self._target.account_id,
                resource_arn=self._target.role.arn,
                operation=ASSUME_ROLE,
                code=failure.code,
                reason=failure.reason,
            )
        failure = explain(error, f"chime:{operation}")
        return Gap(
            account_id=self._target.account_id,
            region=self._target.region,
            resource_arn=resource_arn,
            operation=operation,
            code=failure.code,
            reason=failure.reason,
        )
