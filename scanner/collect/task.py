"""A task of collecting, one target or a share of it, and what comes of it. Both can be pickled."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from scanner.aws.failure import FailedCallError
from scanner.model.facts import Gap
from scanner.model.verdicts import Verdicts
from scanner.store.journal import Target

_MOST_THREADS = 48  # calls wait 30 ms for 1 ms of work; more threads would wait for each other
PATIENCE_SECONDS = 24.0  # besides the seconds between tries
_ALL_THREADS = 128  # of all targets together; each needs memory and a connection
OF_ACCOUNTS = frozenset({"chat_roles"})
"""The facets that belong to an account as a whole; they are read once, with the account's first target."""


class Stop(Protocol):
    """The stop signal: an event of `threading` or `multiprocessing`."""

    def is_set(self) -> bool: ...


class Pace(Struct, frozen=True):
    """How a target is read: by how many threads, and whether failures may be left to a later try.

    `threads` read lists; they mostly wait for the threads that read facets, of which there are twice as many. If
    threads stall, others are added, up to `most`. An app instance is given up after it lost `patience` seconds to
    missing answers; None: there is no limit.
    """

    threads: int
    is_last_try: bool
    most: int = 0
    patience: float | None = None

    @property
    def facet_threads(self) -> int:
        return 2 * self.threads

    @property
    def connections(self) -> int:
        return 3 * max(self.threads, self.most)

    def lets_wait(self, failed: FailedCallError) -> bool:
        return failed.may_pass and not self.is_last_try

    def tolerate(self, failed: FailedCallError) -> None:
        """Raise a failure that is left to a later try; return from others."""
        if self.lets_wait(failed):
            raise failed


def fast(targets_at_once: int) -> Pace:
    """The pace of a first try, in a process that reads `targets_at_once` targets at once."""
    return Pace(threads=min(_MOST_THREADS, _ALL_THREADS // targets_at_once), is_last_try=False)


def slow(first: Pace, targets: int, at_once: int) -> Pace:
    """The pace of a second try of `targets` targets, which together may lose half a minute to missing answers."""
    patience = PATIENCE_SECONDS * min(1.0, at_once / max(1, targets))
    return Pace(threads=2, is_last_try=True, most=first.threads, patience=patience)


class Share(Struct, frozen=True, kw_only=True):
    """The part of a target that one task reads: it begins no app instance after so many of them, or so many flows."""

    app_instances: int
    channel_flows: int


class ChannelTerms(Struct, frozen=True, kw_only=True):
    """How the facet ``all_channels`` is read.

    - `bearer`: the id of the admin as whom channels are listed; None: any admin.
    - `calls_per_second`: at most so many calls as one admin.
    - `most`: about so many channels of an app instance are listed at most.
    - `allowed`: the greatest number with which a rule compares; more channels without a flow settle its verdict.
    """

    bearer: str | None = None
    calls_per_second: float = 2.0
    most: int = 100_000
    allowed: int = 0


class Task(Struct, frozen=True, kw_only=True):
    """A target to read, with these facets, into the file at `path`. It can be pickled.

    - `channels`: how the facet ``all_channels`` is read.
    - `listed`: the app instances to read, if not all, as JSON, which takes a third of the memory.
    - `passed_over`: the ARNs of app instances not to read.
    - `share`: how much to read; the rest is returned as further tasks.
    - `asks_owner`: read nothing, only ask whether the credentials belong to the target's account.
    """

    target: Target
    facets: frozenset[str]
    path: Path
    pace: Pace
    channels: ChannelTerms = ChannelTerms()
    listed: bytes | None = None
    passed_over: frozenset[str] = frozenset()
    share: Share | None = None
    asks_owner: bool = False


class Owned(Enum):
    """What a list of app instances tells about whose list it is."""

    NAMED = "it named one of the account's"
    EMPTY = "it named none at all"
    NOT_READ = "it was not read, or not to its end"


class Traffic(Struct, frozen=True, kw_only=True):
    """How much has been read, and by how many calls."""

    app_instances: int = 0
    channel_flows: int = 0
    channels: int = 0
    calls: int = 0
    throttles: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})

    def __sub__(self, other: Traffic) -> Traffic:
        return Traffic(**{name: getattr(self, name) - getattr(other, name) for name in self.__struct_fields__})


class TaskResult(Struct, frozen=True, kw_only=True):
    """The result of a task. If it is not complete, another try may succeed.

    - `owned`: what the list of app instances tells about whose it is.
    - `asked_owner`, `missing`: whether the task asked for the owner, and the answer, as `ask_owner` gives it.
    - `faults`: tracebacks of faults of chimeaudit.
    - `more`: tasks for what was beyond the share.
    - `part`: the journal, if it was not written to its place; `verdicts` on what it holds, if it was judged.
    - `unfit`: the worker that could read nothing because it has no credentials; another one may have them.
    """

    target: Target
    complete: bool
    owned: Owned = Owned.NOT_READ
    asked_owner: bool = False
    missing: tuple[Gap, ...] | None = None
    faults: tuple[str, ...] = ()
    traffic: Traffic = Traffic()
    more: tuple[Task, ...] = ()
    part: bytes | None = None
    verdicts: Verdicts | None = None
    unfit: str | None = None
