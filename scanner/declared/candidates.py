"""Finds and reads the files that a user names, also by folder or pattern; whatever cannot be read is a mistake."""

from __future__ import annotations

import errno
import glob
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from scanner.declared.documents import MAX_BYTES
from scanner.errors import Mistake
from scanner.store import repository
from scanner.store.files import neighbour, walk
from scanner.store.journal import is_run
from scanner.store.repository import from_working_directory, slashed

STDIN = "-"
STDIN_NAME = "(standard input)"
NOT_ENTERED = frozenset({"node_modules"})
"""Folders that are skipped, as are those whose name begins with a dot."""
_ENTERED: Mapping[str, frozenset[str] | None] = {".serverless": None, ".aws-sam": frozenset({"build"})}
"""Folders with a dot that are entered all the same, since tools put templates there; some only at these folders."""
_ANY_DEPTH = re.compile(r"(?:^|(?<=/))\*\*(?:/+|$)")
_LEADS_NOWHERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


class Candidate(Struct, frozen=True, kw_only=True):
    """A file to read, or a folder that holds a run. `named`: the user named it itself, not by a folder or pattern.

    `name` is its name in reports (scanner.store.repository), `former` its name in former ones (scanner.outcome.former).
    `ignored`: git ignores it, so that it counts only if it declares something.
    """

    path: Path
    name: str
    former: str
    named: bool
    is_stdin: bool = False
    ignored: bool = False

    @property
    def is_folder(self) -> bool:
        """Whether it is the folder of a run.

        Raises:
            OSError: the path cannot be accessed.
        """
        return not self.is_stdin and self.path.is_dir()

    @property
    def is_file(self) -> bool:
        """Whether it can be read: it is no broken link, socket or device.

        A pipe counts only if the user named it; any other might wait for a writer.

        Raises:
            OSError: the path cannot be accessed.
        """
        if self.is_stdin:
            return True
        try:
            mode = self.path.stat().st_mode
        except OSError as error:
            if error.errno in _LEADS_NOWHERE:
                return False
            raise
        return stat.S_ISREG(mode) or (self.named and stat.S_ISFIFO(mode))

    def content(self) -> bytes:
        """The file's bytes, at most one more than is allowed.

        Raises:
            OSError: the file cannot be read.
        """
        if self.is_stdin:
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with self.path.open("rb") as file:
            return file.read(MAX_BYTES + 1)


def find(paths: Sequence[str], mistakes: list[Mistake]) -> list[Candidate]:
    """Each file once, by name. A path that does not exist, or a pattern that matches nothing, is a mistake."""
    found: dict[str, tuple[str, bool]] = {}
    for given in dict.fromkeys(paths):
        for path, named in _leading(slashed(given), mistakes) if given != STDIN else ():
            real = os.path.realpath(path)
            if real not in found or (named and not found[real][1]):
                found[real] = path, named
    names = repository.names(path for path, _ in found.values())
    candidates = [
        Candidate(path=Path(path), name=names[path], former=from_working_directory(path), named=named)
        for path, named in found.values()
    ]
    if STDIN in paths:
        candidates.append(Candidate(path=Path(STDIN), name=STDIN_NAME, former=STDIN_NAME, named=True, is_stdin=True))
    return sorted(candidates, key=lambda candidate: candidate.name)


def _leading(given: str, mistakes: list[Mistake]) -> Iterator[tuple[str, bool]]:
    """The paths that a file, folder or pattern leads to, each with whether the user named it."""
    if _is_lost(given):
        mistakes.append(
            unreadable(given, "leads from the working directory, which was deleted; expected one that is there")
        )
        return
    if os.path.lexists(given):
        yield from _below(given, mistakes, named=True)
        return
    matches = sorted(set(_matches(given, mistakes)))
    if not matches:
        close = neighbour(Path(given))
        mistakes.append(
            unreadable(repository.name(given), f"found nothing; expected a file, a folder or a pattern{close}")
        )
    for match in matches:
        yield from _below(match, mistakes, named=False)


def _is_lost(path: str) -> bool:
    """Whether a path is in a working directory that was deleted, and so would look like an empty folder."""
    try:
        os.path.abspath(path)  # noqa: PTH100 - Path.absolute() does the same
    except FileNotFoundError:
        return True
    return False


def _matches(pattern: str, mistakes: list[Mistake]) -> Iterator[str]:
    """The paths that match a pattern; `**` stands for a folder and those below it that are not skipped."""
    any_depth = _ANY_DEPTH.search(pattern)
    if any_depth is None:
        yield from glob.iglob(pattern)  # noqa: PTH207 - gives paths in the user's form
        return
    before, after = pattern[: any_depth.start()], pattern[any_depth.end() :]
    for top in glob.iglob(before) if before else (os.curdir,):  # noqa: PTH207
        for parent, _, _ in _walk(top, mistakes) if after else ():
            yield from _matches(f"{glob.escape(parent)}/{after}", mistakes)
        if not after:
            yield top


def _below(path: str, mistakes: list[Mistake], *, named: bool) -> Iterator[tuple[str, bool]]:
    """The file itself, or the files in a folder and below it; a run counts as one."""
    if not os.path.isdir(path):  # noqa: PTH112 - false for a loop of links
        yield path, named
        return
    for parent, folders, files in _walk(path, mistakes):
        if is_run(Path(parent)):
            folders.clear()
            yield parent, named and parent == path
            continue
        yield from ((f"{parent}/{name}", False) for name in sorted(files))


def _walk(top: str, mistakes: list[Mistake]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk a folder and those below it, except those that are skipped or may not be entered."""

    def refused(error: OSError) -> None:
        message = f"found a folder that cannot be read ({error.strerror}); expected one that can"
        mistakes.append(unreadable(repository.name(str(error.filename)), message))

    for parent, folders, files in walk(top, refused, NOT_ENTERED, _ENTERED):
        try:
            os.stat(f"{parent}/.")  # noqa: PTH116 - fails if the folder may not be entered
        except OSError as error:
            error.filename = parent
            refused(error)
            folders.clear()
            continue
        within = None if parent == top else _ENTERED.get(os.path.basename(parent))  # noqa: PTH119 - as text
        if within is not None:
            folders[:] = [name for name in folders if name in within]
            continue
        yield parent, folders, files


def unreadable(name: str, message: str) -> Mistake:
    """A mistake about a whole file: it has no line."""
    return Mistake(file=name, line=0, column=0, message=message)
