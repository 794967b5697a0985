"""The facet ``all_channels``: how many channels of an app instance have no channel flow, asked as one of its admins.

Channels are listed first and those of each flow after that, so that a channel created meanwhile does not count. A
channel that no flow lists is a suspect: it may have been associated or deleted meanwhile, so AWS is asked about it.

Calls as an admin use up the quota of whoever works as that admin, so they keep to a rate. Names and metadata of
channels are personal data, and scanner.aws.wire leaves them out. Ids are kept on disk until the reading ends.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from msgspec import UNSET

from scanner.aws import ownership
from scanner.aws.calls import AnyItem_co, Paging, ask, new_items
from scanner.aws.clients import Clients
from scanner.aws.failure import FailedCallError, MalformedAnswerError, NoBearerError, calling
from scanner.aws.hardening import IDENTITY, MESSAGING
from scanner.aws.wire import ChannelDetail, ListAppInstanceAdmins, ListChannels, ListChannelsAssociatedWithChannelFlow
from scanner.collect.task import ChannelTerms
from scanner.collect.threads import Turns
from scanner.errors import OutputError
from scanner.model.facts import AppInstance, Channels, Gap

_REFUSED_AT_MOST = 5
_ASKED_AT_FIRST = 50
_EXACT_AT_MOST = 1_000
_EXAMPLES = 20
_LISTS_PER_SECOND = 5.0  # the service allows 10 an app instance, to all callers together
_CACHE_KIB = 4096
_DESCRIBE = "DescribeChannel"

Tolerate = Callable[[FailedCallError], None]


class ChannelReader:
    """Reads the channels of app instances of one target.

    `tolerate` gets each failure and raises it if a later try may succeed. `count` gets the number of channels that each
    page lists.
    """

    def __init__(
        self, clients: Clients, terms: ChannelTerms, turns: Turns, tolerate: Tolerate, count: Callable[[int], None]
    ) -> None:
        self.clients = clients
        self.terms = terms
        self.turns = turns
        self.tolerate = tolerate
        self.count = count

    def read(self, app_instance: AppInstance, flows: Sequence[str], broken: Gap | None) -> tuple[Channels, Gap | None]:
        """The channels of an app instance, and the gap that leaves some of their facts unknown.

        `flows` are the ARNs of its channel flows; `broken` is the gap that ended their list.

        Raises:
            FailedCallError: nobody could list the channels, or `tolerate` raised it.
            StoppedError: the scan was stopped.
            OutputError: there is no room on disk.
        """
        admins = self._admins(app_instance)
        with _on_disk(f"{app_instance.arn}/channel/") as known:
            look = _Look(self, app_instance, known)
            look.gap = broken
            look.list_channels(admins)
            for flow in flows:
                look.list_processed(flow)
            look.doubt_the_list()
            look.ask_about_suspects()
            return look.channels, look.gap

    def _admins(self, app_instance: AppInstance) -> list[str]:
        """The ARNs of those as whom channels may be listed: the admins of the first page, or the admin that was named.

        Nobody but an admin sees all channels, so that the named one must be on the list.
        """
        bearer = self.terms.bearer
        named = bearer and f"{app_instance.arn}/{_kind_and_id(bearer)}"
        client = self.clients.of(IDENTITY)
        under = f"{app_instance.arn}/"
        for page in new_items(client, ListAppInstanceAdmins, under=under, AppInstanceArn=app_instance.arn):
            admins = sorted(admin.arn for admin in page)
            if named in admins:
                return [named]
            if admins and not named:
                return admins
        reason = (
            f"{bearer} is no admin of this app instance; make it one, or leave the choice to chimeaudit"
            if named
            else "it has no admin, as whom alone its channels can be listed; create one, or waive this gap"
        )
        raise FailedCallError(IDENTITY, ListAppInstanceAdmins.__name__, NoBearerError(reason))


def _kind_and_id(bearer: str) -> str:
    return bearer if "/" in bearer else f"user/{bearer}"


class _Look:
    """One reading of the channels of one app instance. `gap` is the first thing that was not seen."""

    def __init__(self, reader: ChannelReader, app_instance: AppInstance, known: _KnownChannels) -> None:
        self.gap: Gap | None = None
        self._reader = reader
        self._client = reader.clients.of(MESSAGING)
        self._app_instance = app_instance
        self._known = known
        self._began = time.time()
        self._list_is_complete = False
        self._bearers: list[str] = []
        self._seen_as = ""
        self._accepted: set[str] = set()
        self._hidden: list[tuple[str, FailedCallError]] = []
        self._suspects = self._asked = self._confirmed = 0
        self._examples: list[str] = []

    def list_channels(self, admins: Sequence[str]) -> None:
        """List all channels as the first admin who is not refused.

        Raises:
            FailedCallError: all who were tried are refused, or `tolerate` raised it.
        """
        for number, bearer in enumerate(admins, start=1):
            self._seen_as, self._bearers = bearer, list(admins[number - 1 :])
            try:
                self._list_channels_as(bearer)
            except FailedCallError as failed:
                if not failed.is_refused:
                    self._miss(failed)
                    return
                if number in {len(admins), _REFUSED_AT_MOST}:
                    raise
                self._known.forget()
            else:
                self._list_is_complete = True
                return

    def _list_channels_as(self, bearer: str) -> None:
        rates = {bearer: self._reader.terms.calls_per_second, self._app_instance.arn: _LISTS_PER_SECOND}
        for page in new_items(
            self._client,
            ListChannels,
            under=self._known.prefix,
            paging=Paging(
                seen=_Seen(self._known.add),
                most=self._reader.terms.most,
                before_page=lambda: self._reader.turns.take(rates),
            ),
            AppInstanceArn=self._app_instance.arn,
            ChimeBearer=bearer,
        ):
            self._reader.count(len(page))

    def list_processed(self, flow: str) -> None:
        """List all channels of a flow; a flow that was deleted meanwhile has none."""
        most = self._reader.terms.most * (2 if self._list_is_complete else 1)
        try:
            for _ in new_items(
                self._client,
                ListChannelsAssociatedWithChannelFlow,
                under=self._known.prefix,
                paging=Paging(
                    seen=_Seen(self._known.claim),
                    most=max(1, most - self._known.claimed),
                    before_page=lambda: self._reader.turns.take({}),
                ),
                ChannelFlowArn=flow,
            ):
                pass
        except FailedCallError as failed:
            if not failed.is_not_found:
                self._miss(failed)

    def doubt_the_list(self) -> None:
        """Note a gap if flows have more channels that are not in the list than channels that are.

        A few may have been created meanwhile. With more, the admin was probably none any more, and sees few channels.
        """
        if self._list_is_complete and self._known.strangers > self._known.processed:
            reason = "channel flows process channels that are not in the list of all channels; scan again later"
            self._list_is_complete = False
            self._note("ListChannels", "IncompleteList", reason)

    def ask_about_suspects(self) -> None:
        """Ask AWS about the channels that no flow lists, one by one, as long as the answers matter."""
        self._suspects = self._known.suspects
        for channel in self._known.suspicious():
            if not self._goes_on:
                asked = f"AWS was asked about {self._asked:,} of {self._suspects:,} channels that no channel flow lists"
                self._note(
                    _DESCRIBE, "NotAsked", f"{asked}, which settles the verdict; waive this gap with the finding"
                )
                break
            self._asked += 1
            try:
                self._judge(channel, self._describe(channel))
            except FailedCallError as failed:
                self._miss(failed)
        unsettled = [failed for bearer, failed in self._hidden if bearer not in self._accepted]
        if unsettled:
            reason = "AWS hides a channel that no channel flow lists: it is deleted, or the admin may not see it"
            hidden = self._gap_of(unsettled[0])
            self._note(hidden.operation, hidden.code, f"{reason}; scan again later, or allow chime:{_DESCRIBE}")

    @property
    def _goes_on(self) -> bool:
        """Whether to ask about one more suspect: whether the verdict or an exact number hangs on it."""
        if self._asked < _ASKED_AT_FIRST:
            return True
        is_clear = self._confirmed > self._reader.terms.allowed
        if self.gap:  # at best, what is left shows more than is allowed
            return not is_clear and self._asked < _ASKED_AT_FIRST + self._reader.terms.allowed
        return not is_clear or self._suspects <= _EXACT_AT_MOST

    def _describe(self, channel: str) -> ChannelDetail | None:
        """AWS's description of a channel; None if it does not exist, or is hidden from the admin who asked.

        Admins take turns. One who is refused is passed over, unless that admin was told of a channel before.
        """
        while True:
            bearer = self._reader.turns.soonest(self._bearers)
            self._reader.turns.take({bearer: self._reader.terms.calls_per_second})
            try:
                detail: ChannelDetail = ask(self._client, _DESCRIBE, ChannelArn=channel, ChimeBearer=bearer).Channel
            except FailedCallError as failed:
                if failed.is_refused and self._passes_over(bearer):
                    continue
                if not failed.is_hidden:
                    raise
                self._hidden.append((bearer, failed))
                return None
            with calling(MESSAGING, _DESCRIBE):
                ownership.check_same(detail.ChannelArn, channel)
            self._accepted.add(bearer)
            return detail

    def _passes_over(self, bearer: str) -> bool:
        if len(self._bearers) == 1 or bearer in self._accepted:
            return False
        self._bearers.remove(bearer)
        return True

    def _judge(self, channel: str, detail: ChannelDetail | None) -> None:
        """Count a channel as unprocessed if it has no flow and was not created while others were listed."""
        if detail is None or detail.ChannelFlowArn or (detail.CreatedTimestamp or 0.0) > self._began:
            return
        self._confirmed += 1
        if len(self._examples) < _EXAMPLES:
            self._examples.append(channel)

    @property
    def channels(self) -> Channels:
        """What was seen."""
        return Channels(
            count=self._known.listed if self._list_is_complete else UNSET,
            suspects=self._suspects,
            unprocessed=UNSET if self.gap else self._confirmed,
            unprocessed_at_least=self._confirmed,
            unprocessed_examples=tuple(self._examples),
            seen_as=self._seen_as,
        )

    def _miss(self, failed: FailedCallError) -> None:
        self._reader.tolerate(failed)
        self.gap = self.gap or self._gap_of(failed)

    def _gap_of(self, failed: FailedCallError) -> Gap:
        return failed.gap(self._app_instance.account_id, self._app_instance.region, self._app_instance.arn)

    def _note(self, operation: str, code: str, reason: str) -> None:
        self.gap = self.gap or Gap(
            account_id=self._app_instance.account_id,
            region=self._app_instance.region,
            resource_arn=self._app_instance.arn,
            operation=operation,
            code=code,
            reason=reason,
        )


class _Seen:
    """Tells the new items of a listing by a function that is told of an ARN and says whether it is new."""

    def __init__(self, is_new: Callable[[str], bool]) -> None:
        self._is_new = is_new

    def new(self, page: Sequence[AnyItem_co]) -> tuple[list[AnyItem_co], MalformedAnswerError | None]:
        return [item for item in page if self._is_new(item.arn)], None


@contextmanager
def _on_disk(prefix: str) -> Iterator[_KnownChannels]:
    try:
        with closing(sqlite3.connect("", isolation_level=None)) as database:  # a file that has no name
            yield _KnownChannels(database, prefix)
    except sqlite3.Error as error:
        hint = "Make room there, or let TMPDIR name another directory."
        raise OutputError(
            f"the list of channels cannot be kept in {tempfile.gettempdir()}: {error}", hint=hint
        ) from None


_LISTED, _PROCESSED, _STRANGER = range(3)


class _KnownChannels:
    """The channels of one app instance: those in its list, of which flows process some, and strangers.

    Strangers are channels of a flow that are not in the list. All ARNs begin with `prefix`.
    """

    def __init__(self, database: sqlite3.Connection, prefix: str) -> None:
        self.prefix = prefix
        self.listed = self.claimed = 0
        self._database = database
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("CREATE TABLE channels (id TEXT PRIMARY KEY, state INTEGER) WITHOUT ROWID")
        database.execute("BEGIN")

    def add(self, arn: str) -> bool:
        """Add a channel of the list; return whether it is new."""
        insert = "INSERT INTO channels VALUES (?, ?) ON CONFLICT DO NOTHING"
        is_new = self._changed(insert, self._id(arn), _LISTED)
        self.listed += is_new
        return is_new

    def claim(self, arn: str) -> bool:
        """Add a channel of a flow; return whether it is new among those of flows."""
        insert = "INSERT INTO channels VALUES (?, ?) ON CONFLICT DO UPDATE SET state = ? WHERE state = ?"
        is_new = self._changed(insert, self._id(arn), _STRANGER, _PROCESSED, _LISTED)
        self.claimed += is_new
        return is_new

    def forget(self) -> None:
        """Forget all channels."""
        self._database.execute("DELETE FROM channels")
        self.listed = self.claimed = 0

    @property
    def suspects(self) -> int:
        """How many channels of the list no flow has."""
        return self._number(_LISTED)

    @property
    def processed(self) -> int:
        """How many channels of the list a flow has."""
        return self._number(_PROCESSED)

    @property
    def strangers(self) -> int:
        """How many channels of flows are not in the list."""
        return self._number(_STRANGER)

    def suspicious(self) -> Iterator[str]:
        """The ARNs of the suspects, in order."""
        rows = self._database.execute("SELECT id FROM channels WHERE state = ? ORDER BY id", (_LISTED,))
        return (f"{self.prefix}{id_}" for (id_,) in rows)

    def _id(self, arn: str) -> str:
        return arn.removeprefix(self.prefix)

    def _changed(self, statement: str, *values: Any) -> bool:
        return self._database.execute(statement, values).rowcount == 1

    def _number(self, state: int) -> int:
        ((number,),) = self._database.execute("SELECT COUNT(*) FROM channels WHERE state = ?", (state,))
        return int(number)
