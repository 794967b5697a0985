"""Names files by their path from the top of their repository, whatever the working directory is.

A repository is recognised by its ``.git``; git itself is not run.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def top(folder: Path) -> Path | None:
    """The nearest folder that holds ``.git``, this one or one above it; None outside a repository.

    Links in the path are followed first. Worktrees and submodules, whose ``.git`` is a file, count as repositories.
    """
    try:
        real = folder.resolve()
    except (OSError, RuntimeError):  # the working directory was deleted, or links form a loop
        return None
    return next((each for each in (real, *real.parents) if os.path.lexists(each / ".git")), None)


def working_directory() -> str | None:
    """The working directory relative to the top of its repository; None outside a repository."""
    here = top(Path())
    return None if here is None else Path.cwd().relative_to(here).as_posix()


def names(paths: Iterable[str]) -> dict[str, str]:
    """The name of each path: relative to the top of its repository or, outside one, to the working directory.

    A link is named like its target, unless that is outside of the link's repository. Everything below the top of the
    working directory's repository belongs to that repository, even if it holds others. Names never clash: if files of
    different repositories would have the same name, only those in the working directory's are named from its top.
    """
    here = top(Path())
    top_of = cache(lambda folder: top(Path(folder)))

    def owner_of(path: str) -> str | None:
        within = here if here and _is_within(path, str(here)) else top_of(os.path.dirname(path))  # noqa: PTH120
        return None if within is None else str(within)

    places = {path: _place(path, owner_of) for path in paths}
    named = {
        path: from_working_directory(place) if owner is None else shown(os.path.relpath(place, owner))
        for path, (place, owner) in places.items()
    }
    if len({*named.values()}) < len({place for place, _ in places.values()}):
        elsewhere = {path: place for path, (place, owner) in places.items() if not (here and owner == str(here))}
        named |= {path: from_working_directory(place) for path, place in elsewhere.items()}
    return named


def name(path: str) -> str:
    """The name of one path."""
    return names([path])[path]


def name_within(path: Path) -> str:
    """The name of a path in a repository; a path outside is returned as it is."""
    return str(path) if top(path.parent) is None else name(str(path))


def from_working_directory(path: str) -> str:
    """The path relative to the working directory; links are not followed."""
    try:
        return shown(os.path.relpath(path))
    except (OSError, ValueError):  # the working directory was deleted, or is on another drive of Windows
        return shown(path)


def slashed(path: str) -> str:
    """The path with / between its parts, which on Windows may be a backslash, too."""
    return path.replace("\\", "/") if sys.platform == "win32" else path


def shown(path: str) -> str:
    """The path as text on one line, with / between its parts; other bytes and control characters are escaped."""
    text = os.fsencode(slashed(path)).decode(errors="backslashreplace")
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _place(path: str, owner_of: Callable[[str], str | None]) -> tuple[str, str | None]:
    """The real path of a file and the top of its repository.

    A link that is broken, or leads out of the repository, keeps its own path.
    """
    try:
        own = os.path.abspath(path)  # noqa: PTH100 - links are not followed
    except OSError:  # the working directory was deleted
        return path, None
    real, owner = os.path.realpath(path), owner_of(own)
    if owner is not None:
        return (real if _is_within(real, owner) and os.path.lexists(real) else own), owner
    leads_to = owner_of(real)
    is_named_real = leads_to is not None or _is_within(real, _working_directory())
    return (real, leads_to) if is_named_real and os.path.lexists(real) else (own, None)


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))  # noqa: PTH118 - as text


def _working_directory() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - as text
    except OSError:  # it was deleted, so that nothing can be in it
        return os.devnull
