"""Reads one target, an account in a region, into its journal file: all pages of all app instances and channel flows.

What cannot be read becomes a gap, and reading goes on with the next. What failed but may succeed later is left open:
the target is then incomplete, and the next try reads only what is missing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import nullcontext
from functools import lru_cache
from itertools import chain

import msgspec
from msgspec import Struct

from scanner.aws import ownership
from scanner.aws.calls import new_items
from scanner.aws.clients import Clients
from scanner.aws.failure import IDENTIFY, FailedCallError, StillListedError, StoppedError, containing
from scanner.aws.hardening import IDENTITY, MESSAGING
from scanner.aws.patience import Patience, current
from scanner.aws.wire import ListAppInstances, ListChannelFlows
from scanner.collect import facts
from scanner.collect.callback_role import RoleReader
from scanner.collect.channels import ChannelReader
from scanner.collect.chat_roles import OPERATION, ChatRoles
from scanner.collect.facets import Facets
from scanner.collect.task import Owned, Stop, Task
from scanner.collect.threads import Crew, Turns
from scanner.model.facts import GLOBAL, AppInstance, ChannelFlow, Gap
from scanner.store.journal import Target
from scanner.store.target_file import AppInstanceRead, RolesRead, TargetWriter

_PAGES_AHEAD = 2
_AT_ONCE_AT_FIRST = 4
_LEAST_PATIENCE_SECONDS = 1.0
_LOOK_SECONDS = 0.1
_ACCOUNTS_AT_ONCE = 32  # more than are ever read at the same time


class Control:
    """The state that all tasks in a process share: the stop signal, the counts, `turns`, and the roles that were read.

    The targets of an account share its roles.
    """

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._sharing = threading.Lock()
        self._roles = lru_cache(maxsize=_ACCOUNTS_AT_ONCE)(lambda _: RoleReader())
        self.turns = Turns(self.check)
        self.app_instances = self.channel_flows = self.channels = 0

    def check(self) -> None:
        """Check whether the scan was stopped.

        Raises:
            StoppedError: it was.
        """
        if self._stop.is_set():
            raise StoppedError

    def roles_of(self, account_id: str) -> RoleReader:
        """The reader of an account's roles, which are the same in all regions."""
        with self._sharing:
            return self._roles(account_id)

    def count(self, channel_flows: int) -> None:
        """Count one more app instance, with its number of channel flows."""
        with self._sharing:
            self.app_instances += 1
            self.channel_flows += channel_flows

    def count_channels(self, channels: int) -> None:
        """Count channels that were listed."""
        with self._sharing:
            self.channels += channels


_app_instances = msgspec.json.Decoder(tuple[AppInstance, ...])


class TargetReading(Struct, frozen=True, kw_only=True):
    """The result of reading a target. `complete`: all but the `rest` was read; `faults` are tracebacks of chimeaudit.

    A target whose list is empty is not closed in the journal, since the list may be another account's.
    """

    complete: bool
    owned: Owned
    faults: tuple[str, ...] = ()
    rest: tuple[AppInstance, ...] = ()


def read_target(task: Task, clients: Clients, journal: TargetWriter, control: Control) -> TargetReading:
    """Read a target. It checks for the stop signal before each page and before the facets of each channel flow.

    Raises:
        StoppedError: the scan was stopped; the target stays open in the journal.
        OutputError: the journal cannot be written.
    """
    pace = task.pace
    with Crew(max(pace.threads, pace.most), "app-instance") as readers, Crew(pace.facet_threads, "facet") as helpers:
        reading = _Reading(task, clients, journal, control, helpers)
        running: set[Future[None]] = set()
        try:
            if "chat_roles" in task.facets and not journal.has_roles:
                running.add(readers.submit(reading.read_roles))
            for app_instance in reading.app_instances():
                if not reading.takes_on(app_instance):
                    continue
                running.add(readers.submit(reading.read_flows, app_instance))
                while len(running) >= reading.at_once:
                    running = reading.await_some(running)
            while running:
                running = reading.await_some(running)
            reading.look_for_the_vanished()
        except BaseException:
            for pool in (readers, helpers):
                pool.shutdown(wait=False, cancel_futures=True)
            raise
    owned = reading.owned
    complete = not reading.left_open and owned is not Owned.EMPTY
    if complete:
        journal.target(tuple(reading.gaps))
    return TargetReading(complete=complete, owned=owned, faults=tuple(reading.faults), rest=tuple(reading.rest))


def ask_owner(task: Task, clients: Clients) -> tuple[Gap, ...] | None:
    """The gaps of a target whose list is empty: none if the credentials belong to its account, else one.

    None if STS did not answer and a later try may succeed.
    """
    try:
        with containing(IDENTIFY):
            clients.check_owner()
    except FailedCallError as failed:
        return None if task.pace.lets_wait(failed) else (_gap(task.target, failed, None),)
    return ()


class _Reading:
    def __init__(self, task: Task, clients: Clients, journal: TargetWriter, control: Control, helpers: Crew) -> None:
        failed_before = task.pace.is_last_try
        roles = RoleReader() if failed_before else control.roles_of(task.target.account_id)
        self._target = task.target
        self._pace = task.pace
        self._clients = clients
        self._journal = journal
        self._control = control
        self._helpers = helpers
        channels = ChannelReader(clients, task.channels, control.turns, self._tolerate, control.count_channels)
        self._facets = Facets(task.facets, clients, roles, channels, self._tolerate)
        self._done = journal.app_instances | task.passed_over
        self._named = None if task.listed is None else _app_instances.decode(task.listed)
        self._share = task.share
        self._begun = self._ended = self._flows_read = self._largest = 0
        self._vanished: dict[str, AppInstance] = {}
        self._patience_each = task.pace.patience
        self._waited_for: dict[str, Patience] = {}
        self._owned = Owned.NOT_READ
        self.gaps: list[Gap] = []
        self.faults: list[str] = []
        self.rest: list[AppInstance] = []
        self.left_open = False

    def takes_on(self, app_instance: AppInstance) -> bool:
        """Whether an app instance is within this task's share; if not, it is added to the rest."""
        if self._share and (self._begun >= self._share.app_instances or self._has_its_flows):
            self.rest.append(app_instance)
            return False
        self._begun += 1
        return True

    @property
    def at_once(self) -> int:
        """How many app instances may be read at once. With a share they are few at first, then as many as fit into it.

        In a second try, app instances that wait for an answer make room for others.
        """
        if self._pace.most:
            return min(self._pace.most, self._pace.threads + 2 * self._silent)
        most = 4 * self._pace.threads
        if self._share is None:
            return most
        left = self._share.channel_flows - self._flows_read
        fitting = left // max(1, self._largest) if self._ended else 0
        return min(most, max(_AT_ONCE_AT_FIRST, fitting))

    @property
    def _silent(self) -> int:
        return sum(patience.silent for patience in tuple(self._waited_for.values()))

    def await_some(self, running: set[Future[None]]) -> set[Future[None]]:
        """Wait until some app instances have been read; in a second try also add threads for those that stall.

        Raises:
            StoppedError, OutputError: reading an app instance raised it.
        """
        if self._pace.most:
            facet_threads = self._pace.facet_threads + 2 * self._silent
            self._helpers.widen(max(self._helpers.most, min(2 * self._pace.most, facet_threads)))
        done, running = wait(running, _LOOK_SECONDS if self._pace.most else None, FIRST_COMPLETED)
        for future in done:
            future.result()
        return running

    def app_instances(self) -> Iterator[AppInstance]:
        """The app instances that must still be read; it ends early if the list cannot be read further."""
        if self._pace.patience is None:
            yield from self._unread()
            return
        with Patience(self._pace.patience).spent():
            found = tuple(self._unread())
        fitting = min(1.0, self._pace.most / max(1, len(found)))
        self._patience_each = max(_LEAST_PATIENCE_SECONDS, self._pace.patience * fitting)
        yield from found

    def _unread(self) -> Iterator[AppInstance]:
        try:
            for page in self._listed() if self._named is None else (self._named,):
                for app_instance in page:
                    self._control.check()
                    if app_instance.arn not in self._done:
                        yield app_instance
        except FailedCallError as failed:
            self.gaps += self._unless_open(failed)

    @property
    def owned(self) -> Owned:
        """What the list of app instances tells about whose list it is."""
        return self._owned

    def _listed(self) -> Iterator[Sequence[AppInstance]]:
        account_id, region = self._target.account_id, self._target.region
        with containing(ListAppInstances.__name__):
            client = self._clients.of(IDENTITY)
            ours = ownership.app_instances(client, account_id, region)
            for page in new_items(client, ListAppInstances, under=ours):
                if page:
                    self._owned = Owned.NAMED
                yield [facts.app_instance(item, account_id, region) for item in page]
        if self._owned is Owned.NOT_READ:
            self._owned = Owned.EMPTY

    def look_for_the_vanished(self) -> None:
        """List again if flows of app instances did not exist: these were deleted, unless they are still listed.

        If nothing is listed any more, check that the list is not another account's.
        """
        if not self._vanished:
            return
        try:
            with Patience(self._pace.patience).spent() if self._pace.patience else nullcontext():
                listed = {app_instance.arn for page in self._listed() for app_instance in page}
                if not listed:
                    self._clients.check_owner()
        except FailedCallError as failed:
            self.gaps += self._unless_open(failed)
            return
        for arn in sorted(listed & self._vanished.keys()):
            gap = _gap(self._target, FailedCallError(MESSAGING, ListChannelFlows.__name__, StillListedError()), arn)
            self._complete(self._vanished[arn], (), (), (gap,))

    def read_roles(self) -> None:
        """Read the roles of the account into the journal, unless they are left to a later try."""
        roles = ChatRoles(self._clients, self._target.account_id, self._tolerate, self._control.check)
        try:
            with containing(OPERATION), Patience(self._pace.patience).spent() if self._pace.patience else nullcontext():
                read = roles.read()
        except FailedCallError as failed:
            gaps = self._unless_open(failed, region=GLOBAL)
            if not gaps:
                return
            read = RolesRead(gaps=tuple(gaps))
        self._journal.roles(read)

    def read_flows(self, listed: AppInstance) -> None:
        """Read an app instance into the journal, unless it exceeds the share, was deleted or is left to a later try."""
        if self._patience_each is None:
            self._read_flows(listed)
            return
        patience = self._waited_for[listed.arn] = Patience(self._patience_each)
        with patience.spent():
            self._read_flows(listed)
        del self._waited_for[listed.arn]

    def _read_flows(self, listed: AppInstance) -> None:
        if self._has_its_flows:  # other threads have reached the limit meanwhile
            self.rest.append(listed)
            return
        pages: list[int] = []
        flows_read = 0
        arns: list[str] = []
        gaps: list[Gap] = []
        try:
            with containing(ListChannelFlows.__name__):
                self._control.check()
                for flows in self._with_facets(self._flows_of(listed)):
                    pages += [self._journal.page(listed.arn, flows)] if flows else []
                    flows_read += len(flows)
                    arns += [flow.arn for flow in flows] if self._facets.need_flows else []
                    self._flows_read += len(flows)
                    self._largest = max(self._largest, flows_read)
                    self._control.check()
        except FailedCallError as failed:
            if failed.is_not_found:
                self._vanished[listed.arn] = listed
                return
            gaps = self._unless_open(failed, listed.arn)
            if not gaps:
                return
        if self._complete(listed, arns, pages, gaps):
            self._control.count(flows_read)
            self._ended += 1

    def _complete(self, listed: AppInstance, flows: Sequence[str], pages: Sequence[int], gaps: Sequence[Gap]) -> bool:
        """Read an app instance's own facets and close it in the journal, unless it is left to a later try.

        `flows` and `pages` are the ARNs and the places of its flows, `gaps` holds what ended their list.
        """
        try:
            app_instance = self._facets.of_app_instance(listed, flows, next(iter(gaps), None))
        except FailedCallError as failed:
            self._unless_open(failed)
            return False
        self._journal.app_instance(AppInstanceRead(app_instance=app_instance, pages=tuple(pages), gaps=tuple(gaps)))
        return True

    @property
    def _has_its_flows(self) -> bool:
        """Whether the share of channel flows was reached, roughly: threads count without a lock."""
        return self._share is not None and self._flows_read >= self._share.channel_flows

    def _flows_of(self, listed: AppInstance) -> Iterator[list[ChannelFlow]]:
        client, ours = self._clients.of(MESSAGING), f"{listed.arn}/channel-flow/"
        for page in new_items(client, ListChannelFlows, under=ours, AppInstanceArn=listed.arn):
            yield [facts.channel_flow(item, listed) for item in page]

    def _with_facets(self, pages: Iterator[list[ChannelFlow]]) -> Iterator[tuple[ChannelFlow, ...]]:
        """Each page with its facets, while the list is read a few pages ahead. A failure of the list is raised last."""
        if not self._facets.cost_calls:
            yield from map(tuple, pages)
            return
        patience = current()
        begun: deque[list[Future[ChannelFlow]]] = deque()
        broken: FailedCallError | None = None
        try:
            while True:
                try:
                    flows = next(pages, None)
                except FailedCallError as failed:
                    flows, broken = None, failed
                if flows is None:
                    break
                begun.append([self._helpers.submit(self._facets_of, flow, patience) for flow in flows])
                if len(begun) > _PAGES_AHEAD:
                    yield tuple(future.result() for future in begun.popleft())
            while begun:
                yield tuple(future.result() for future in begun.popleft())
        finally:
            for future in chain.from_iterable(begun):
                future.cancel()
        if broken:
            raise broken

    def _facets_of(self, flow: ChannelFlow, patience: Patience | None) -> ChannelFlow:
        self._control.check()
        with patience.spent() if patience else nullcontext():
            return self._facets.of_flow(flow)

    def _tolerate(self, failed: FailedCallError) -> None:
        self._note_fault(failed)
        self._pace.tolerate(failed)

    def _note_fault(self, failed: FailedCallError) -> None:
        if failed.fault:
            self.faults.append(failed.fault)

    def _unless_open(
        self, failed: FailedCallError, resource_arn: str | None = None, region: str | None = None
    ) -> list[Gap]:
        """The gap of a failure; none if a later try may succeed, for which the target is then left open."""
        if self._pace.lets_wait(failed):
            self.left_open = True
            return []
        self._note_fault(failed)
        return [_gap(self._target, failed, resource_arn, region)]


def _gap(target: Target, failed: FailedCallError, resource_arn: str | None, region: str | None = None) -> Gap:
    """The gap of a failure; if the role could not be assumed, it covers the whole account, whichever call failed."""
    if failed.denied_entry and target.role:
        return failed.gap(target.account_id, None, target.role.arn)
    return failed.gap(target.account_id, region or target.region, resource_arn)
