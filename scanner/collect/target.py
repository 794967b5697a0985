"""Reads one target, an account in a region, into its journal file: every app instance, every channel flow, every page.

What cannot be read becomes a gap, and the reading goes on with the next.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from scanner.collect import facts
from scanner.collect.aws import Aws
from scanner.collect.failure import CALL_ERRORS, explain
from scanner.collect.pages import new_items
from scanner.collect.readonly import IDENTITY, MESSAGING
from scanner.collect.wire import ListAppInstances, ListChannelFlows
from scanner.inventory import AppInstance, Gap
from scanner.journal import AppInstanceRead, Target, TargetWriter

THREADS = 24
_QUEUED = 4 * THREADS


class StoppedError(Exception):
    """The scan was told to stop; what was read until then is in the journal."""


def read_target(aws: Aws, target: Target, journal: TargetWriter, stop: threading.Event) -> None:
    """Read a target to its end; `stop`, set from another thread, is noticed before each call.

    Raises:
        StoppedError: it was told to stop; the target stays open in the journal.
        OutputError: the journal cannot be written.
    """
    reading = _Reading(aws, target, journal, stop)
    with ThreadPoolExecutor(THREADS, thread_name_prefix=f"{target.account_id}.{target.region}") as threads:
        running: set[Future[None]] = set()
        try:
            for app_instance in reading.app_instances():
                running.add(threads.submit(reading.read_flows, app_instance))
                if len(running) >= _QUEUED:
                    running = _raise_first(*wait(running, return_when=FIRST_COMPLETED))
            _raise_first(*wait(running))
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    journal.target(tuple(reading.gaps))


def _raise_first(done: Iterable[Future[None]], running: set[Future[None]]) -> set[Future[None]]:
    for future in done:
        future.result()
    return running


class _Reading:
    def __init__(self, aws: Aws, target: Target, journal: TargetWriter, stop: threading.Event) -> None:
        self._target = target
        self._journal = journal
        self._stop = stop
        self._identity = aws.client(IDENTITY, target.region, role=target.role)
        self._messaging = aws.client(MESSAGING, target.region, role=target.role, connections=THREADS)
        self._done = journal.app_instances
        self.gaps: list[Gap] = []

    def app_instances(self) -> Iterator[AppInstance]:
        """Those that are still to be read; ends early, with a gap, where the list cannot be read on."""
        try:
            for page in new_items(self._identity, ListAppInstances):
                for item in page:
                    self._check_stop()
                    if item.arn not in self._done:
                        yield facts.app_instance(item, self._target.account_id, self._target.region)
        except CALL_ERRORS as error:
            self.gaps.append(self._gap(error, "ListAppInstances"))

    def read_flows(self, app_instance: AppInstance) -> None:
        pages: list[int] = []
        gaps: list[Gap] = []
        try:
            self._check_stop()
            for page in new_items(self._messaging, ListChannelFlows, AppInstanceArn=app_instance.arn):
                flows = tuple(facts.channel_flow(item, app_instance) for item in page)
                if flows:
                    pages.append(self._journal.page(app_instance.arn, flows))
                self._check_stop()
        except CALL_ERRORS as error:
            gaps.append(self._gap(error, "ListChannelFlows", app_instance.arn))
        self._journal.app_instance(AppInstanceRead(app_instance=app_instance, pages=tuple(pages), gaps=tuple(gaps)))

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise StoppedError

    def _gap(self, error: Exception, operation: str, resource_arn: str | None = None) -> Gap:
        failure = explain(error, f"chime:{operation}")
        return Gap(
            account_id=self._target.account_id,
            region=self._target.region,
            resource_arn=resource_arn,
            operation=operation,
            code=failure.code,
            reason=failure.reason,
        )
