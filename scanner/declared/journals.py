"""Reads the run directory of a scan, or the file of one of its targets, as a file to be judged."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from msgspec import Struct, structs

from scanner.declared.jsontext import parse
from scanner.model.facts import AppInstance, ChannelFlow, Gap, LambdaFunction, Role
from scanner.model.metadata import Declaration, Spot, facets_of
from scanner.model.yamltree import Listing, Mistakes, Node, Table
from scanner.policy import LEFT_OUT, LeftOut
from scanner.store.journal import Target, interrupted
from scanner.store.target_file import AppInstanceRead, TargetReader

_MAX_DEPTH = 64
Group = tuple[AppInstance | None, Iterator[ChannelFlow]]


class JournalDeclaration(Declaration, frozen=True, kw_only=True):
    """The places of facts in a journal. They are looked up only on demand, since most are never needed."""

    path: Path
    offset: int
    line: int
    member: str

    def spot(self, path: str) -> Spot:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            root = parse(file.readline().decode(), Mistakes(self.file), _MAX_DEPTH)
        node = _reached(root, ".".join(filter(None, (self.member, path))))
        return Spot(line=self.line, column=node.column)


class Recording:
    """The journal of one target; `facets` are those that the scan collected.

    Raises (each method):
        UsageError: the file is damaged.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path, name: str, facets: frozenset[str]) -> None:
        self._path = path
        self.name = name
        self._facets = facets
        self._reader = TargetReader(path)

    def groups(self) -> Iterator[Group]:
        """Each app instance with its channel flows."""
        for read in self._reader.app_instances():
            seen = read.app_instance
            declared = self._declaration(self._reader.index[seen.arn], "app_instance", AppInstance)
            yield structs.replace(seen, declared=declared), self._flows(read)

    def _flows(self, read: AppInstanceRead) -> Iterator[ChannelFlow]:
        for offset in read.pages:
            for index, flow in enumerate(self._reader.page(read.app_instance.arn, offset)):
                count = len(flow.processors) if isinstance(flow.processors, tuple) else 0
                yield structs.replace(flow, declared=self._declaration(offset, f"flows[{index}]", ChannelFlow, count))

    def roles(self) -> Iterator[Role | LeftOut | Gap]:
        """The roles of the account that were read with the target: what was judged, left out, and not seen of them."""
        read = self._reader.roles
        if read is not None and isinstance(self._reader.roles_at, int):
            for index, role in enumerate(read.roles):
                declared = self._declaration(self._reader.roles_at, f"roles[{index}]", Role)
                yield structs.replace(role, declared=declared)
            yield from [LEFT_OUT] * read.left_out
            yield from read.gaps

    @property
    def gaps(self) -> set[Gap]:
        """The gaps of the target, and one if the scan did not finish it. Gaps in facts are with the facts."""
        account_id, _, region = self._path.stem.partition(".")
        unread = set() if self._reader.complete else {interrupted(Target(account_id=account_id, region=region))}
        return unread.union(self._reader.gaps, *(read.gaps for read in self._reader.app_instances()))

    def _declaration(self, offset: int, member: str, record: type[Struct], processors: int = 0) -> JournalDeclaration:
        return JournalDeclaration(
            file=self.name,
            id="",
            spots={},
            untold=self._untold(record, processors),
            path=self._path,
            offset=offset,
            line=bisect_left(self._lines, offset) + 1,
            member=member,
        )

    def _untold(self, record: type[Struct], processors: int) -> frozenset[str]:
        """The facts whose facets the scan did not collect."""
        functions = self._uncollected(LambdaFunction)
        inside = [f"processors[{index}].lambda.{name}" for name in functions for index in range(processors)]
        return frozenset((*self._uncollected(record), *inside))

    def _uncollected(self, record: type[Struct]) -> list[str]:
        return [name for name, facet in facets_of(record).items() if facet not in self._facets]

    @cached_property
    def _lines(self) -> list[int]:
        """The byte offset at which each line starts."""
        offsets, offset = [], 0
        with self._path.open("rb") as file:
            for line in file:
                offsets.append(offset)
                offset += len(line)
        return offsets


def _reached(node: Node, path: str) -> Node:
    """The value at a path such as ``flows[0].processors[1].name``, or the nearest value above it."""
    for step in path.replace("[", ".").replace("]", "").split("."):
        inside: Mapping[str, Node] = {}
        if isinstance(node, Table):
            inside = node.entries
        elif isinstance(node, Listing):
            inside = {str(index): item for index, item in enumerate(node.items)}
        if step not in inside:
            return node
        node = inside[step]
    return node
