"""Finds the files that are named, by folder or by pattern too, and reads them: what cannot be read is told."""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from scanner.declared.documents import MAX_BYTES
from scanner.errors import Mistake
from scanner.words import nearest

STDIN = "-"
STDIN_NAME = "(standard input)"
NOT_ENTERED = frozenset({"node_modules"})
"""Folders of other people's files; nor are those entered whose name begins with a dot."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A file to look at, or a folder that holds a run. `named` says that the user named it, and no folder or pattern.

    `name` is its path from the working directory, with forward slashes.
    """

    path: Path
    name: str
    named: bool

    def content(self) -> bytes:
        """Enough of it to see whether it is too large.

        Raises:
            OSError: it cannot be read, or is no file; a pipe is not opened, which would wait for a writer.
        """
        if self.name == STDIN_NAME:
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        mode = self.path.stat().st_mode
        if not stat.S_ISREG(mode) and not (self.named and stat.S_ISFIFO(mode)):
            raise OSError(0, "it is no file")
        with self.path.open("rb") as file:
            return file.read(MAX_BYTES + 1)


def find(paths: Sequence[str], mistakes: list[Mistake]) -> list[Candidate]:
    """Every file once, by name; a path that leads nowhere is a mistake, and so is a pattern that fits nothing."""
    found: dict[str, Candidate] = {}
    for path in paths:
        for candidate in _candidates(path, mistakes):
            key = candidate.name if path == STDIN else os.path.realpath(candidate.path)
            earlier = found.get(key)
            if earlier is None or (candidate.named and not earlier.named):
                found[key] = candidate
    return sorted(found.values(), key=lambda candidate: candidate.name)


def _candidates(given: str, mistakes: list[Mistake]) -> Iterator[Candidate]:
    if given == STDIN:
        yield Candidate(path=Path(given), name=STDIN_NAME, named=True)
        return
    if os.path.lexists(given):
        yield from _below(given, mistakes, named=True)
        return
    matches = sorted(glob.glob(given, recursive=True)) if glob.has_magic(given) else []  # noqa: PTH207 - as users write
    if not matches:
        mistakes.append(unreadable(given, f"found nothing; expected a file, a folder or a pattern{_neighbour(given)}"))
    for match in matches:
        yield from _below(match, mistakes, named=False)


def _below(path: str, mistakes: list[Mistake], *, named: bool) -> Iterator[Candidate]:
    """The file itself, or what lies in the folder and below it; a run is one thing, whatever it consists of."""

    def refused(error: OSError) -> None:
        told = f"found a folder that cannot be read ({error.strerror}); expected one that can"
        mistakes.append(unreadable(relative(str(error.filename)), told))

    if not os.path.isdir(path):  # noqa: PTH112 - a link that leads in circles is no folder
        yield _candidate(path, named=named)
        return
    seen: set[tuple[int, int]] = set()
    for parent, folders, files in os.walk(path, followlinks=True, onerror=refused):
        status = os.stat(parent)  # noqa: PTH116 - the walk speaks of paths as text
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()  # a link led back here
            continue
        seen.add((status.st_dev, status.st_ino))
        if is_run(Path(parent)):
            folders.clear()
            yield _candidate(parent, named=named and parent == path)
            continue
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in NOT_ENTERED)
        yield from (_candidate(f"{parent}/{name}", named=False) for name in files if not name.startswith("."))


def unreadable(name: str, message: str) -> Mistake:
    """A mistake that has no place within its file."""
    return Mistake(file=name, line=0, column=0, message=message)


def is_run(path: Path) -> bool:
    """Whether a folder looks like the directory of a run."""
    return (path / "run.json").is_file() and (path / "targets").is_dir()


def _candidate(path: str, *, named: bool) -> Candidate:
    return Candidate(path=Path(path), name=relative(path), named=named)


def relative(path: str) -> str:
    """The path as it leads from the working directory, with forward slashes."""
    return Path(os.path.relpath(path)).as_posix()


def _neighbour(given: str) -> str:
    path = Path(given)
    try:
        return nearest(path.name, os.listdir(path.parent))  # noqa: PTH208 - names, and no order is needed
    except (OSError, ValueError):
        return ""
