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

_MOST_THREADS = 48  # 30 ms of waiting for 1 ms of work: more would wait for each other
PATIENCE_SECONDS = 24.0  # and some seconds between tries
_ALL_THREADS = 128  # of all targets together; each costs memory, and its connection


class Stop(Protocol):
    """An event, of threads or of processes."""

    def is_set(self) -> bool: ...


class Pace(Struct, frozen=True):
    """How a target is read: by how many threads, and whether what fails may be left to a later try.

    Those that read lists mostly wait for those that read facets, of which there are twice as many. Threads that hear
    nothing are made up for by others, up to `most`. An app instance is given up once `patience` seconds were lost to
    answers that do not come; None bounds nothing.
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
        """Raises what is better left to a later try."""
        if self.lets_wait(failed):
            raise failed


def fast(targets_at_once: int) -> Pace:
    """The pace at which one process reads so many targets at once."""
    return Pace(threads=min(_MOST_THREADS, _ALL_THREADS // targets_at_once), is_last_try=False)


def slow(first: Pace, targets: int, at_once: int) -> Pace:
    """The pace of a second try of so many targets. All that stalls has half a minute, together."""
    patience = PATIENCE_SECONDS * min(1.0, at_once / max(1, targets))
    return Pace(threads=2, is_last_try=True, most=first.threads, patience=patience)


class Share(Struct, frozen=True, kw_only=True):
    """How much of a target one task takes on: no further app instance once so many were begun, or flows were read."""

    app_instances: int
    channel_flows: int


class Task(Struct, frozen=True, kw_only=True):
    """A target to be read, with these facets, into the file at `path`. It can be pickled.

    `listed` holds those app instances that are to be read, where it is not all, in JSON, as that takes a third of the
    memory; those in `passed_over` (ARNs) are not read. With a `share`, what is beyond it is handed back. With
    `asks_owner` nothing is read: whether the credentials are those of the target's account is all that is asked.
    """

    target: Target
    facets: frozenset[str]
    path: Path
    pace: Pace
    listed: bytes | None = None
    passed_over: frozenset[str] = frozenset()
    share: Share | None = None
    asks_owner: bool = False


class Owned(Enum):
    """What a list of app instances says of whose it is."""

    NAMED = "it named one of the account's"
    EMPTY = "it named none at all"
    NOT_READ = "it was not read, or not to its end"


class Traffic(Struct, frozen=True, kw_only=True):
    """What has been read, and by how many calls."""

    app_instances: int = 0
    channel_flows: int = 0
    calls: int = 0
    throttles: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})

    def __sub__(self, other: Traffic) -> Traffic:
        return Traffic(**{name: getattr(self, name) - getattr(other, name) for name in self.__struct_fields__})


class TaskResult(Struct, frozen=True, kw_only=True):
    """What came of a task; where it is not complete, another try is worth it. `faults` are tracebacks of our own.

    `more` is what was beyond the task's share; `part` is the journal, where it was not written to its place, and
    `verdicts` those on what it holds, where they were asked for. `missing` is the answer to a task that asks for the
    owner, as `ask_owner` gives it. `unfit` says who could read nothing for want of credentials, which another may have.
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
