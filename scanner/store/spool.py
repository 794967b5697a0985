"""Keeps findings and items of the inventory on disk, so that memory does not grow with their number."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Generic, TypeVar

import msgspec

from scanner.errors import OutputError
from scanner.model.report import Finding, InventoryItem

_IN_MEMORY = 1 << 20
_AT_ONCE = 1 << 16
Span = tuple[int, int]
"""The byte offsets of a start and an end."""
Kept = TypeVar("Kept", Finding, InventoryItem)


class Spool(Collection[Kept], Generic[Kept]):
    """A collection of findings or items on disk, in the order in which they were added; it can be read many times.

    The first megabyte is kept in memory, the rest in a file without a name, which disappears with the spool or the
    process. The file is in `directory` or, if that is not writable, in the system's folder for temporary files.
    """

    def __init__(self, directory: Path, kind: type[Kept]) -> None:
        self._decode: Callable[[bytes], Kept] = msgspec.json.Decoder(kind).decode
        where = str(directory) if os.access(directory, os.W_OK) else None
        self._file = SpooledTemporaryFile(_IN_MEMORY, dir=where)  # noqa: SIM115 - closed with the spool
        self._count = self._end = 0
        self._spans: Sequence[Span] | None = None
        weakref.finalize(self, self._file.close)

    def extend(self, items: Iterable[Kept]) -> None:
        """Add items.

        Raises:
            OutputError: there is no room on disk.
        """
        lines = [msgspec.json.encode(item) + b"\n" for item in items]
        self.append(b"".join(lines), len(lines))

    def append(self, lines: bytes, count: int) -> None:
        """Add `count` items, as another spool's `lines` gave them.

        Raises:
            OutputError: there is no room on disk.
        """
        try:
            self._file.seek(self._end)
            self._file.write(lines)
        except OSError as error:
            hint = "Make room, or let TMPDIR name another directory."
            raise OutputError(f"what was judged cannot be kept on disk: {error.strerror}", hint=hint) from None
        self._end += len(lines)
        self._count += count

    @property
    def lines(self) -> bytes:
        """All items as bytes, one JSON line each."""
        self._file.seek(0)
        return self._file.read(self._end)

    @property
    def end(self) -> int:
        """The byte offset at which the next item will start."""
        return self._end

    def arrange(self, spans: Sequence[Span]) -> None:
        """From now on, iterate over the items in these spans, in this order."""
        self._spans = spans

    def __iter__(self) -> Iterator[Kept]:
        return map(self._decode, self.encoded())

    def encoded(self) -> Iterator[bytes]:
        """The items, each as a line of JSON."""
        if self._spans is None:
            yield from self._between(0, None)
        else:
            for start, end in self._spans:
                yield from self._between(start, end)

    def _between(self, position: int, end: int | None) -> Iterator[bytes]:
        """The lines from an offset up to `end`; None: to the end, including those added meanwhile."""
        while (left := (self._end if end is None else end) - position) > 0:
            self._file.seek(position)  # other iterations may move it
            lines = self._file.readlines(max(1, min(_AT_ONCE, left) - 1))  # some stop at that size, others beyond it
            position = self._file.tell()
            yield from lines

    def __len__(self) -> int:
        return self._count

    def __contains__(self, item: object) -> bool:
        return any(item == own for own in self)
