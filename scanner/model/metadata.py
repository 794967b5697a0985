"""What is known of a fact besides its value: its facet, its description, and its place in the file that declares it."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from functools import cache, partial
from typing import Annotated, Any, Final, get_args, get_origin

from msgspec import UNSET, Meta, Struct, UnsetType, structs


class Spot(Struct, frozen=True, kw_only=True, gc=False):
    """A line and a column, from 1."""

    line: int
    column: int


class Declaration(Struct, frozen=True, kw_only=True):
    """How a file declares a resource that may not be deployed yet.

    - `file`: the file's name in reports (scanner.store.repository).
    - `id`: the resource's id in the file; in a template the logical id.
    - `spots`: path of a fact -> place of its value; "" is the resource itself.
    - `written`: path of a fact that only the deployment settles -> the file's text for it.
    - `untold`: the paths of facts that no file can tell.
    - `by_default`: path of a fact -> the parameters on whose defaults its value rests.
    """

    file: str
    id: str
    spots: dict[str, Spot]
    written: dict[str, str] = {}
    untold: frozenset[str] = frozenset()
    by_default: dict[str, tuple[str, ...]] = {}

    def narrowed(self, members: Container[str]) -> Declaration:
        """What is said of these facts of the resource, and of what they hold."""
        return Declaration(
            file=self.file,
            id=self.id,
            spots={path: spot for path, spot in self.spots.items() if not path or root_of(path) in members},
            written={path: text for path, text in self.written.items() if root_of(path) in members},
            untold=frozenset(path for path in self.untold if root_of(path) in members),
            by_default={path: names for path, names in self.by_default.items() if root_of(path) in members},
        )

    def holding(self, name: str, parts: Sequence[Declaration | UnsetType]) -> Declaration:
        """The declaration with what is said of the elements of its list `name`, each declared by itself."""
        known = [(index, part) for index, part in enumerate(parts) if not isinstance(part, UnsetType)]
        of = partial(within, name)
        return structs.replace(
            self,
            spots=self.spots | {of(n, path): spot for n, part in known for path, spot in part.spots.items()},
            written=self.written | {of(n, path): text for n, part in known for path, text in part.written.items()},
            untold=self.untold | {of(n, path) for n, part in known for path in part.untold},
            by_default=self.by_default | {of(n, path): on for n, part in known for path, on in part.by_default.items()},
        )

    @property
    def key(self) -> str:
        """An id of the resource that is the same in every run."""
        return f"{self.file}#{self.id}"

    def spot(self, path: str) -> Spot:
        """The place of the value at a path or, if there is none, of the nearest path above it."""
        return self.spots[nearest_path(path, self.spots) or ""]

    def unsettled(self, path: str) -> str | None:
        """The file's text for an unsettled fact, or for the nearest unsettled path above it; None if it is settled."""
        within = nearest_path(path, self.written)
        return None if within is None else self.written[within]

    def defaults(self, path: str) -> tuple[str, ...]:
        """The parameters on whose defaults a fact rests."""
        within = nearest_path(path, self.by_default)
        return () if within is None else self.by_default[within]

    def is_untold(self, path: str) -> bool:
        """Whether no file can tell the fact."""
        return nearest_path(path, self.untold) is not None


DERIVED_FROM: Final[Mapping[str, str]] = {
    "runtime_deprecated_at": "runtime",
    "runtime_create_blocked_at": "runtime",
    "runtime_update_blocked_at": "runtime",
}
"""Facts that are derived from another fact of the same record, by name: what explains the other explains them."""


def nearest_path(path: str, paths: Container[str]) -> str | None:
    """The path itself or the nearest path above it that is among `paths`; None if there is none.

    The path of a derived fact that is not among them gives way to that of the fact from which it is derived.
    """
    if path not in paths:
        above, dot, name = path.rpartition(".")
        path = f"{above}{dot}{DERIVED_FROM.get(name, name)}"
    while path and path not in paths:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return path if path in paths else None


def root_of(path: str) -> str:
    """The field at which a path such as ``processors[0].name`` begins."""
    return path.partition(".")[0].partition("[")[0]


def within(name: str, index: int, path: str) -> str:
    """The path of a fact of an element of the list `name`, whose path in the element is given; "" is the element."""
    return f"{name}[{index}].{path}" if path else f"{name}[{index}]"


def facet(name: str) -> Meta:
    """Mark facts whose collection costs extra calls: a scan collects them only if a rule reads one of them."""
    return Meta(extra={"facet": name})


AWS_ONLY = Meta(extra={"aws_only": True})
"""Marks facts that no file can tell: they come about when the resource is deployed."""


@cache
def facets_of(record: type[Struct]) -> Mapping[str, str]:
    """The facts of a record that are marked with a facet, by their names in rules, each with its facet."""
    return {name: marks["facet"] for name, marks in _marks(record).items() if "facet" in marks}


@cache
def aws_only(record: type[Struct]) -> frozenset[str]:
    """The facts of a record that no file can tell, by their names in rules."""
    return frozenset(name for name, marks in _marks(record).items() if "aws_only" in marks)


def _marks(record: type[Struct]) -> Mapping[str, Mapping[str, Any]]:
    return {field.encode_name: marks_of(field.type) for field in structs.fields(record)}


def marks_of(hint: object) -> Mapping[str, Any]:
    """What the type of a fact is marked with."""
    metas = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return {key: value for meta in metas for key, value in (meta.extra or {}).items()}


def says(description: str) -> Meta:
    """Describe a fact to authors of rules, to whom editors show it."""
    return Meta(description=description)


NOT_YET: Any = UNSET
"""The value of a fact that only the deployment settles, such as the ARN or the account of a declared resource.

In AWS these facts are always known, so their types do not mention it. To rules it is an unknown fact like any other.
"""
