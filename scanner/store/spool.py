"""Keeps findings on disk, so that memory does not grow with their number."""

from __future__ import annotations

import os
import weakref
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import SpooledTemporaryFile

import msgspec

from scanner.errors import OutputError
from scanner.model.report import Finding

_IN_MEMORY = 1 << 20
_AT_ONCE = 1 << 16
Span = tuple[int, int]
"""The byte offsets of a start and an end."""
_decoder = msgspec.json.Decoder(Finding)


class Spool(Collection[Finding]):
    """A collection of findings on disk, in the order in which they were added; it can be read many times.

    The first megabyte is kept in memory, the rest in a file without a name, which disappears with the spool or the
    process. The file is in `directory` or, if that is not writable, in the system's folder for temporary files.
    """

    def __init__(self, directory: Path) -> None:
        where = str(directory) if os.access(directory, os.W_OK) else None
        self._file = SpooledTemporaryFile(_IN_MEMORY, dir=where)  # noqa: SIM115 - closed with the spool
        self._count = self._end = 0
        self._spans: Sequence[Span] | None = None
        weakref.finalize(self, self._file.close)

    def extend(self, findings: Iterable[Finding]) -> None:
        """Add findings.

        Raises:
            OutputError: there is no room on disk.
        """
        lines = [msgspec.json.encode(finding) + b"\n" for finding in findings]
        self.append(b"".join(lines), len(lines))

    def append(self, lines: bytes, count: int) -> None:
        """Add `count` findings, as another spool's `lines` gave them.

        Raises:
            OutputError: there is no room on disk.
        """
        try:
            self._file.seek(self._end)
            self._file.write(lines)
        except OSError as error:
            hint = "Make room, or let TMPDIR name another directory."
            raise OutputError(f"the findings cannot be kept on disk: {error.strerror}", hint=hint) from None
        self._end += len(lines)
        self._count += count

    @property
    def lines(self) -> bytes:
        """All findings as bytes, one JSON line each."""
        self._file.seek(0)
        return self._file.read(self._end)

    @property
    def end(self) -> int:
        """The byte offset at which the next finding will start."""
        return self._end

    def arrange(self, spans: Sequence[Span]) -> None:
        """From now on, iterate over the findings in these spans, in this order."""
        self._spans = spans

    def __iter__(self) -> Iterator[Finding]:
        if self._spans is None:
            yield from self._between(0, None)
        else:
            for start, end in self._spans:
                yield from self._between(start, end)

    def _between(self, position: int, end: int | None) -> Iterator[Finding]:
        """The findings from an offset up to `end`; None: to the end, including those added meanwhile."""
        while (left := (self._end if end is None else end) - position) > 0:
            self._file.seek(position)  # other iterations may move it
            lines = self._file.readlines(max(1, min(_AT_ONCE, left) - 1))  # some stop at that size, others beyond it
            position = self._file.tell()
            yield from map(_decoder.decode, lines)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, finding: object) -> bool:
        return any(finding == own for own in self)
