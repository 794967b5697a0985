"""What files are called: by their path from the top of the repository that they lie in, wherever a command was called.

The repository is told by its ``.git`` alone: git itself is never run.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path


def top(folder: Path) -> Path | None:
    """The nearest folder, this one or one above it, that holds ``.git``; None outside a repository.

    Links in the path are followed first. A worktree and a submodule have ``.git`` as a file, and are repositories too.
    """
    try:
        real = folder.resolve()
    except (OSError, RuntimeError):  # the working directory is gone, or links lead in circles
        return None
    return next((each for each in (real, *real.parents) if os.path.lexists(each / ".git")), None)


def working_directory() -> str | None:
    """The working directory, from the top of its repository; None outside a repository."""
    here = top(Path())
    return None if here is None else Path.cwd().relative_to(here).as_posix()


def names(paths: Iterable[str]) -> dict[str, str]:
    """Each path's name: from the top of its repository or, outside one, from the working directory.

    A link is named as what it leads to, unless it leads out of the repository. What lies in the working directory's
    repository belongs to that, even where there is another repository within it. No two files of several repositories
    have the same name: where they would, only what lies in the working directory's is named from its top.
    """
    here = top(Path())
    top_of = cache(lambda folder: top(Path(folder)))
    places = {path: _lies(path, here) for path in paths}
    named: dict[str, str] = {}
    elsewhere: list[str] = []
    for path, place in places.items():
        owner = here
        if here is None or not Path(place).is_relative_to(here):
            owner = top_of(os.path.dirname(place))  # noqa: PTH120 - many paths, as text
            elsewhere.append(path)
        named[path] = from_working_directory(place) if owner is None else shown(os.path.relpath(place, owner))
    if len({*named.values()}) < len({*places.values()}):
        named |= {path: from_working_directory(places[path]) for path in elsewhere}
    return named


def name(path: str) -> str:
    """The name of one path."""
    return names([path])[path]


def name_within(path: Path) -> str:
    """The name of a path in a repository; one outside is called as it was given."""
    return str(path) if top(path.parent) is None else name(str(path))


def from_working_directory(path: str) -> str:
    """The path itself, wherever it leads, from the working directory."""
    try:
        return shown(os.path.relpath(path))
    except OSError:  # the working directory is gone
        return shown(path)


def shown(path: str) -> str:
    """The path as text, whatever bytes it consists of."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _lies(path: str, here: Path | None) -> str:
    """Where a file lies. A link that leads nowhere, or out of the repository or working directory, lies where it is."""
    try:
        own, home = os.path.abspath(path), here or Path.cwd()  # noqa: PTH100 - links are not followed
    except OSError:  # the working directory is gone
        return path
    real = os.path.realpath(path)
    leads_out = Path(own).is_relative_to(home) and not Path(real).is_relative_to(home)
    return real if os.path.lexists(real) and not leads_out else own
