"""Verifies empty lists: a target without app instances counts as read only once it is clear whose list was read.

A list that names an app instance of the account proves it for all targets of the account. If none does, STS is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import structs

from scanner.collect.task import Owned, TaskResult
from scanner.model.facts import Gap
from scanner.store.journal import Journal, Target
from scanner.store.target_file import TargetWriter


class EmptyTargets:
    """The targets of a run whose lists named no app instance, by account, until the owner of the lists is clear."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._named: set[str] = set()
        self._unread: Counter[str] = Counter()
        self._waiting: dict[str, list[TaskResult]] = {}

    def begin(self, targets: Iterable[Target]) -> None:
        """Start over with the targets that are going to be read."""
        self._unread = Counter(target.account_id for target in targets)

    def note(self, part: TaskResult) -> None:
        """Record the account if its list named an app instance; even a part of a target is enough."""
        if part.owned is Owned.NAMED:
            self._named.add(part.target.account_id)

    def settle(self, done: TaskResult) -> Iterator[TaskResult]:
        """The results that are certain now that a target has been read: its own, and those of its account that waited.

        Raises:
            OutputError: the journal cannot be written.
        """
        account_id = done.target.account_id
        if done.asked_owner:
            yield from self._answered(account_id, done.missing)
            return
        self._unread[account_id] -= 1
        if done.owned is Owned.EMPTY:
            self._waiting.setdefault(account_id, []).append(done)
        else:
            yield done
        if account_id in self._named and not self._unread[account_id]:
            yield from self._answered(account_id, ())

    def asks_owner_of(self, done: TaskResult) -> bool:
        """Whether STS must be asked: all targets of the account have been read, and no list named an app instance."""
        account_id = done.target.account_id
        return account_id in self._waiting and not self._unread[account_id]

    def _answered(self, account_id: str, missing: tuple[Gap, ...] | None) -> Iterator[TaskResult]:
        for done in self._waiting.pop(account_id, ()):
            if missing is not None:
                with TargetWriter(self._journal.target_path(done.target)) as journal:
                    journal.target(tuple(_of_target(gap, done.target) for gap in missing))
            yield structs.replace(done, complete=missing is not None)


def _of_target(gap: Gap, target: Target) -> Gap:
    """The gap for a target; a gap of the whole account stays as it is."""
    return structs.replace(gap, region=target.region) if gap.region else gap
