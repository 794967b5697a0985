"""Where a file says something of a resource, and what it leaves for the deployment to settle."""

from __future__ import annotations

from collections.abc import Container

from msgspec import Struct


class Spot(Struct, frozen=True, kw_only=True, gc=False):
    """A line and a column, from 1."""

    line: int
    column: int


class Declaration(Struct, frozen=True, kw_only=True):
    """How a file declares a resource that may not be deployed yet.

    `file` is what reports call it (scanner.store.repository); `id` tells the resource from others in it, and is the
    logical id in a template. By the path of the fact: `spots`, where its value stands ("" is the resource itself), and
    `written`, what the file says of a fact that only the deployment settles. `untold` are the paths of facts that no
    file could tell.
    """

    file: str
    id: str
    spots: dict[str, Spot]
    written: dict[str, str] = {}
    untold: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """What identifies the resource from run to run."""
        return f"{self.file}#{self.id}"

    def spot(self, path: str) -> Spot:
        """Where the value at a path stands, or the nearest thing that it would stand in."""
        return self.spots[_within(path, self.spots) or ""]

    def unsettled(self, path: str) -> str | None:
        """What the file says of a fact that only the deployment settles, or of what the fact lies in."""
        within = _within(path, self.written)
        return None if within is None else self.written[within]

    def is_untold(self, path: str) -> bool:
        """Whether no file could tell the fact."""
        return _within(path, self.untold) is not None


def _within(path: str, paths: Container[str]) -> str | None:
    """The path itself, or the longest one that it lies in."""
    while path and path not in paths:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return path if path in paths else None
