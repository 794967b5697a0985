"""Puts what was judged into the order of the report, whatever the order in which it was judged, and wherever."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic

from scanner.model.verdicts import Part
from scanner.store.journal import Target
from scanner.store.spool import Kept, Span, Spool

ROLES = ""
"""Stands for the ARN of an app instance where the roles of an account are meant."""


class Parting(Generic[Kept]):
    """Notes how much of a spool belongs to which app instance, in order to send it."""

    def __init__(self, spool: Spool[Kept]) -> None:
        self._spool: Spool[Kept] = spool
        self._start = 0
        self._sizes: list[tuple[str, int]] = []

    def add(self, arn: str) -> None:
        """What was added to the spool since the last call belongs to an app instance."""
        if self._start < self._spool.end:
            self._sizes.append((arn, self._spool.end - self._start))
            self._start = self._spool.end

    @property
    def part(self) -> Part:
        """All that the spool holds."""
        return Part(number=len(self._spool), lines=self._spool.lines, sizes=tuple(self._sizes))


class Sections(Generic[Kept]):
    """Notes which part of a spool belongs to which app instance of which target."""

    def __init__(self, spool: Spool[Kept]) -> None:
        self._spool: Spool[Kept] = spool
        self._start = spool.end
        self._open: dict[Target, dict[str, Span]] = {}
        self._spans: dict[Target, tuple[Span, ...]] = {}

    def add(self, target: Target, arn: str) -> None:
        """What was added to the spool since the last call belongs to an app instance."""
        self._add(target, arn, self._spool.end)

    def take(self, target: Target, roles: Target, part: Part) -> None:
        """Add a part of a target that was judged elsewhere; what is on roles belongs to the target `roles`."""
        self._spool.append(part.lines, part.number)
        for arn, size in part.sizes:
            self._add(roles if arn == ROLES else target, arn, self._start + size)

    def close(self, target: Target) -> None:
        """Remember a target with less memory, since nothing will be added to it."""
        self._spans[target] = _joined(span for _, span in sorted(self._open.pop(target, {}).items()))

    def arrange(self) -> None:
        """Let the spool give what it holds in order of targets and app instances."""
        for target in tuple(self._open):
            self.close(target)
        self._spool.arrange([span for target in sorted(self._spans) for span in self._spans[target]])

    def _add(self, target: Target, arn: str, end: int) -> None:
        if self._start < end:
            self._open.setdefault(target, {})[arn] = (self._start, end)
            self._start = end


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in the same order, with adjacent ones joined."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)
