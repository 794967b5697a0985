"""Which files a branch changed, and which others such a file belongs to."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from msgspec import Struct

from scanner.declared.candidates import Candidate
from scanner.errors import UsageError
from scanner.model import encoding
from scanner.store import git, repository

_OF_PARTS = frozenset({".json", ".yaml", ".yml", ".template"})
"""Suffixes of files whose parts are judged together with them, as nested stacks are."""
_PATH = re.compile(r"[\w.@+/-]*[\w@+-][\w.@+/-]*|(?<![^\s\"':=])\.{1,2}/?(?![^\s\"',}])")
_HANDED_ON = (
    (re.compile(r"""\bExport["']?\s*:"""), re.compile(r"\bImportValue\b")),
    (re.compile("AWS::SSM::Parameter(?!::)"), re.compile(r"\{\{resolve:ssm:|AWS::SSM::Parameter::Value<")),
)
"""The ways in which a template hands values on: what is found in such templates, and in those that take the values."""
_UNUSUAL = re.compile(r"[^\w.@+/-]")
Place = tuple[Path | None, str]
"""The top of a file's repository, or None, and the file's path from there; links are followed."""


class _Mentions(Struct, frozen=True, kw_only=True):
    """The paths that a file names, and the ways (_HANDED_ON) in which it gives values to others, or takes them."""

    paths: frozenset[str]
    gives: frozenset[int]
    takes: frozenset[int]


def changed(candidates: Sequence[Candidate], since: str, settings: Collection[str]) -> list[Candidate]:
    """The files that have changed since a branch left a commit, and those that name such a file or its folder.

    Where one of these hands values on, by an export or a stored parameter, so are all that take such values.
    What git does not watch, such as files that it ignores or that are in another repository, counts as changed. All
    files are kept if one of `settings` has changed.

    Raises:
        UsageError: there is no repository, git knows no such commit, or it cannot say what has changed.
    """
    top = repository.top(Path())
    if top is None:
        raise UsageError("--changed-since: this is no git repository", hint="Call it in the repository of the files.")
    touched = {folder for path in git.changed(top, since) for folder in (*above(path), ".")}
    if not touched.isdisjoint(settings):
        return [*candidates]
    ignored, place_of = git.ignored(top), places()

    def watched(each: Candidate) -> str | None:
        own, path = place_of(each)
        is_there = own == top and not each.is_stdin and (each.path.is_file() or each.path.is_dir())
        return path if is_there and ignored.isdisjoint(above(path)) else None

    files = {path: each for each in candidates if (path := watched(each)) is not None}
    known = {*touched, *files}
    read = {path: _mentions(_text(each), path, known) for path, each in files.items()}
    chosen = {path for path, each in files.items() if touched & {path, _unfollowed(each, top), *read[path].paths}}
    while more := {*_belonging(chosen, files, read)} - chosen:
        chosen |= more
    kept = {id(each) for path, each in files.items() if path not in chosen}
    return [each for each in candidates if id(each) not in kept]


def places() -> Callable[[Candidate], Place]:
    """A function that gives the place of a file; it looks for the top of each folder's repository once."""
    top_of = cache(lambda folder: repository.top(Path(folder)))

    def place_of(each: Candidate) -> Place:
        real = os.path.realpath(each.path)
        top = top_of(os.path.dirname(real))  # noqa: PTH120 - as text
        return top, "" if top is None else repository.slashed(os.path.relpath(real, top))

    return place_of


def above(path: str) -> Iterator[str]:
    """The path and the folders above it, but for the top."""
    while path:
        yield path
        path = posixpath.dirname(path)


def _belonging(chosen: Collection[str], files: Mapping[str, Candidate], read: Mapping[str, _Mentions]) -> Iterator[str]:
    """The files that name a chosen one or take its values, and those that a chosen one is made of."""
    given = frozenset().union(*(read[path].gives for path in chosen))
    for path, each in read.items():
        if each.takes & given or not each.paths.isdisjoint(chosen):
            yield path
        if path in chosen and files[path].path.suffix.lower() in _OF_PARTS:
            yield from each.paths & files.keys()


def _text(each: Candidate) -> str:
    try:
        return "" if each.path.is_dir() else encoding.utf8(each.content()).decode(errors="replace")
    except OSError:
        return ""  # reading it will tell


def _mentions(text: str, path: str, known: Collection[str]) -> _Mentions:
    """What a file mentions; of the known paths, those from its own folder or from the top."""
    folder = posixpath.dirname(path)
    words = {word.strip("/") for word in _PATH.findall(text)}
    found = {posixpath.normpath(posixpath.join(folder, word)) for word in words} | words
    unusual = {other for other in known if _UNUSUAL.search(other) and posixpath.basename(other) in text}
    return _Mentions(
        paths=frozenset(found.intersection(known) | unusual) - {path},
        gives=frozenset(way for way, (gives, _) in enumerate(_HANDED_ON) if gives.search(text)),
        takes=frozenset(way for way, (_, takes) in enumerate(_HANDED_ON) if takes.search(text)),
    )


def _unfollowed(each: Candidate, top: Path) -> str:
    """The path of a file from the top, if links are not followed."""
    return repository.slashed(os.path.relpath(os.path.abspath(each.path), top))  # noqa: PTH100 - links are not followed
