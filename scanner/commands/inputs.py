"""Reads saved reports, from this machine or from S3, and values of parameters; ``-`` is standard input."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scanner.declared import given, parameter_files
from scanner.declared.parameters import ParameterSet
from scanner.deliver import destinations
from scanner.errors import Mistake, NothingJudgedError, UsageError
from scanner.model.report import Report
from scanner.model.yamltree import Mistakes
from scanner.outcome import narrow
from scanner.store import repository, saved

if TYPE_CHECKING:
    from scanner.deliver.s3 import Storing

STDIN = "-"
_HINT = "Name a report that -o wrote as JSON."
_WHOLE = "Name the whole report."


def report(path: str, storing: Callable[[], Storing] | None = None, *, inventory: bool = False) -> Report:
    """The saved report at a path; `storing` says how objects in S3 are read. Its inventory is left out unless wanted.

    Raises:
        UsageError: there is no such file or object, it cannot be read, or it is not a report.
    """
    content = _content(path, storing)
    if content is None:
        missing = "there is no such object" if path.startswith(destinations.S3) else os.strerror(errno.ENOENT)
        raise UsageError(f"{path} cannot be read: {missing}", hint=_HINT)
    return saved.decode(content, _name(path), inventory=inventory)


def report_if_any(path: str, storing: Callable[[], Storing] | None = None) -> Report | None:
    """The saved report at a path, or None if there is none yet; otherwise as `report`.

    Raises:
        UsageError: it cannot be read, or it is not a report.
    """
    content = _content(path, storing)
    return None if content is None else saved.decode(content, _name(path), inventory=False)


def as_baseline(found: Report, path: str) -> Report:
    """A saved report that is to be a baseline.

    Raises:
        UsageError: the HTML page exported it by a search; what it leaves out would count as new.
    """
    if narrow.is_exported(found):
        raise UsageError(f"--baseline: {_name(path)} is a part of a report, which its page exported", hint=_WHOLE)
    return found


def values_given(
    assignments: Sequence[str], files: Sequence[str], patterns: tuple[given.Pattern, ...]
) -> given.ValuesGiven:
    """The values of parameters that the command line gives: as NAME=VALUE, and in files; else those by pattern.

    Raises:
        UsageError: an assignment is none, or a name has two values.
        InvalidFilesError: a file has mistakes.
    """
    fixed: dict[str, str] = {}
    for each in assignments:
        own = parameter_files.assigned(each)
        if own is None:
            raise UsageError(f"--parameter: {each!r} assigns nothing", hint="Write it as NAME=VALUE.")
        if fixed.setdefault(*own) != own[1]:
            raise UsageError(f"--parameter: {own[0]} is given two values", hint="Leave one of them out.")
    sets: list[ParameterSet] = []
    mistakes: list[Mistake] = []
    for file in dict.fromkeys(files):
        own_mistakes = Mistakes(repository.name(file))
        sets += parameter_files.read(Path(file), own_mistakes.file, own_mistakes)
        mistakes += own_mistakes.found
    if mistakes:
        raise NothingJudgedError(mistakes)
    return given.ValuesGiven(fixed=fixed, sets=tuple(sets), patterns=patterns)


def _content(path: str, storing: Callable[[], Storing] | None) -> bytes | None:
    if path.startswith(destinations.S3):
        from scanner.deliver.s3 import Storing

        return (storing or Storing)().get(destinations.s3_object(path))
    if "://" in path:
        raise UsageError(f"{path} is a URL", hint="Name a file, or an object as s3://BUCKET/KEY.")
    try:
        return sys.stdin.buffer.read() if path == STDIN else _file(Path(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{_name(path)} cannot be read: {error.strerror}", hint=_HINT) from error


def _file(path: Path) -> bytes:
    if path.is_char_device() or path.is_block_device():
        raise OSError(errno.EINVAL, "it is a device")
    return path.read_bytes()


def _name(path: str) -> str:
    return "standard input" if path == STDIN else path
