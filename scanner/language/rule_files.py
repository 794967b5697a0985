"""Finds and reads rule files. Whatever cannot be read is a mistake, and is never skipped."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from scanner.errors import Mistake
from scanner.model.yamltree import MAX_BYTES, Mistakes
from scanner.store import files


def find(path: Path, mistakes: list[Mistake]) -> Iterator[Path]:
    """The file itself, or all rule files in a folder and below, sorted by name."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        text = f"found nothing to read ({reason}); expected a rule file or a folder{files.neighbour(path)}"
        mistakes.append(_mistake(path, text))
        return
    if not stat.S_ISDIR(mode):
        yield path
        return
    found = sorted(_below(path, mistakes))
    if not found:
        mistakes.append(_mistake(path, "found no rules; expected .yaml files in this folder or below"))
    yield from found


def content(file: Path, mistakes: Mistakes) -> bytes | None:
    """The file's bytes, at most one more than is allowed; None and a mistake if it cannot be read.

    A pipe is not opened, since that would wait for a writer.
    """
    try:
        if file.is_file():
            with file.open("rb") as stream:
                return stream.read(MAX_BYTES + 1)
        text = _no_file(file)
    except OSError as error:
        text = f"found a file that cannot be read ({error.strerror}); expected one that can"
    mistakes.found.append(_mistake(mistakes.file, text))
    return None


def _no_file(path: Path) -> str:
    if not os.path.lexists(path):
        return f"found nothing there; expected a file{files.neighbour(path)}"
    links = "a link that leads nowhere" if path.is_symlink() else "something that is no file"
    return f"found {'a folder' if path.is_dir() else links}; expected a file"


def _below(folder: Path, mistakes: list[Mistake]) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        text = f"found a folder that cannot be read ({error.strerror}); expected rules"
        mistakes.append(_mistake(Path(error.filename), text))

    for parent, _, names in files.walk(str(folder), unreadable):
        yield from (Path(parent, name) for name in names if _is_rule(name))


def _is_rule(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) and not name.startswith(".")


def _mistake(path: Path | str, text: str) -> Mistake:
    """A mistake about a whole path: it has no line."""
    return Mistake(file=str(path), line=0, column=0, message=text)
