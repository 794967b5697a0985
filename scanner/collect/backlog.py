"""Keeps works on disk until there is room for them: the shares of a giant target are many, and each is a long list."""

from __future__ import annotations

import pickle
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile

from scanner.collect.target import Work
from scanner.errors import OutputError

_IN_MEMORY = 1 << 20


class Backlog(Iterator[Work]):
    """Gives the works that were put in, in that order, each once.

    What is more than a megabyte goes to a file in `directory` that has no name, and is gone with the process.
    """

    def __init__(self, directory: Path) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY, dir=str(directory))  # noqa: SIM115 - closed with the backlog
        self._next = self._end = 0
        weakref.finalize(self, self._file.close)

    def extend(self, works: Iterable[Work]) -> None:
        """Put works in.

        Raises:
            OutputError: there is no room for them.
        """
        try:
            self._file.seek(self._end)
            for work in works:
                pickle.dump(work, self._file)
            self._file.flush()
            self._end = self._file.tell()
        except OSError as error:
            hint = "Make room, or name another directory with --run-dir."
            raise OutputError(f"what is yet to be read cannot be kept on disk: {error.strerror}", hint=hint) from None

    def __next__(self) -> Work:
        if self._next == self._end:
            self._next = self._end = 0
            self._file.truncate(0)
            raise StopIteration
        self._file.seek(self._next)
        work: Work = pickle.load(self._file)  # noqa: S301 - nobody else can open the file
        self._next = self._file.tell()
        return work
