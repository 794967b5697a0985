"""Makes sure of empty lists: a target without app instances counts as read once it is clear whose list that was.

A list that names an app instance of the account tells it for all targets of the account; where none does, STS is asked.
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
    """The targets of a run whose lists named no app instance, by account, until they are settled."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._named: set[str] = set()
        self._unread: Counter[str] = Counter()
        self._waiting: dict[str, list[TaskResult]] = {}

    def begin(self, targets: Iterable[Target]) -> None:
        """These targets are going to be read."""
        self._unread = Counter(target.account_id for target in targets)

    def note(self, part: TaskResult) -> None:
        """Remember whose list named something, be it but a part of a target that has been read."""
        if part.owned is Owned.NAMED:
            self._named.add(part.target.account_id)

    def settle(self, done: TaskResult) -> Iterator[TaskResult]:
        """What can be said now that this target has been read, of it and of others of its account.

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
        """Whether STS is to be asked: all of the account has been read, and nothing was named."""
        account_id = done.target.account_id
        return account_id in self._waiting and not self._unread[account_id]

    def _answered(self, account_id: str, missing: tuple[Gap, ...] | None) -> Iterator[TaskResult]:
        for done in self._waiting.pop(account_id, ()):
            if missing is not None:
                with TargetWriter(self._journal.target_path(done.target)) as journal:
                    journal.target(tuple(_of_target(gap, done.target) for gap in missing))
            yield structs.replace(done, complete=missing is not None)


def _of_target(gap: Gap, target: Target) -> Gap:
    """One that is not the whole account's is each target's own."""
    return structs.replace(gap, region=target.region) if gap.region else gap
