"""Reads facts of a resource one by one: what cannot be read or decided is unknown and gets a gap under its path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.aws.failure import FailedCallError, containing
from scanner.model.facts import AppInstance, ChannelFlow, Gap, Role

Value = TypeVar("Value")
Tolerate = Callable[[FailedCallError], None]


class Noting:
    """Reads facts of one resource, and collects their gaps by path.

    `tolerate` gets each failure and raises it if a later try may succeed.
    """

    def __init__(self, seen: AppInstance | ChannelFlow | Role, tolerate: Tolerate) -> None:
        self.gaps: dict[str, Gap] = dict(seen.gaps)
        self._seen = seen
        self._tolerate = tolerate

    def read(
        self, paths: Iterable[str], resource_arn: str, operation: str, read: Callable[[], Value]
    ) -> Value | UnsetType:
        """The result of `read`; if it fails, UNSET, and each of the paths gets a gap.

        `operation` is the gap's operation in case of a fault of chimeaudit; a failed call has its own.
        """
        try:
            with containing(operation):
                return read()
        except FailedCallError as failed:
            for path in paths:
                self.fail(path, resource_arn, failed)
            return UNSET

    def fail(self, path: str, resource_arn: str, failed: FailedCallError) -> None:
        self._tolerate(failed)
        self.gaps[path] = failed.gap(self._seen.account_id, self._seen.region, resource_arn)

    def explain(self, prefix: str, facts: dict[str, Any], gap: Gap | None) -> None:
        """Add the same gap for all facts that are unknown."""
        if gap:
            self.gaps.update(dict.fromkeys(self._unexplained(prefix, facts), gap))

    def undecided(self, prefix: str, facts: dict[str, Any], operation: str, resource_arn: str) -> None:
        """Add gaps for facts that were read but cannot be decided."""
        reason = "it cannot be decided from outside; read it, and waive this gap if all is well"
        for path in self._unexplained(prefix, facts):
            self._note(path, resource_arn, operation, "Undecided", reason)

    def missing(self, prefix: str, facts: dict[str, Any], operation: str, resource_arn: str) -> None:
        """Add gaps for facts that are missing from AWS's answer, or have values that this version does not know."""
        for path in self._unexplained(prefix, facts):
            name = path.rpartition(".")[2]
            reason = f"AWS's answer has no {name} that this version knows; scan again later, or upgrade chimeaudit"
            self._note(path, resource_arn, operation, "MissingValue", reason)

    def _unexplained(self, prefix: str, facts: dict[str, Any]) -> list[str]:
        paths = {f"{prefix}{name}": value for name, value in facts.items()}
        return [path for path, value in paths.items() if value is UNSET and path not in self.gaps]

    def _note(self, path: str, resource_arn: str, operation: str, code: str, reason: str) -> None:
        self.gaps[path] = Gap(
            account_id=self._seen.account_id,
            region=self._seen.region,
            resource_arn=resource_arn,
            operation=operation,
            code=code,
            reason=reason,
        )


def facts_in(record: Struct | UnsetType | None) -> dict[str, Any]:
    """The facts of a record by name; none if it is unknown or absent."""
    return {} if record is None or isinstance(record, UnsetType) else structs.asdict(record)
