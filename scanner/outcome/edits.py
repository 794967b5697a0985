"""Makes edits in the text of a file, of which every other byte stays as it is, and shows them as a diff."""

from __future__ import annotations

import codecs
import difflib
import json
import re
from collections.abc import Collection, Iterable, Iterator

from scanner.model.edits import Edit
from scanner.model.report import Finding, Status

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NEWLINE = re.compile("\r\n|\n")


class ChangedError(Exception):
    """A file does not have the text that is to be replaced."""


def wanted(findings: Iterable[Finding]) -> tuple[dict[str, list[Edit]], list[Edit]]:
    """The edits by which failures go away, by file; and those that contradict another one, which are not among them."""
    by_place: dict[tuple[str, int, int], set[Edit]] = {}
    for finding in findings:
        for edit in (finding.edits or ()) if finding.status is Status.FAIL else ():
            by_place.setdefault(edit.place, set()).add(edit)
    by_file: dict[str, list[Edit]] = {}
    for place in sorted(by_place):
        if len(by_place[place]) == 1:
            by_file.setdefault(place[0], []).extend(by_place[place])
    return by_file, [min(own, key=lambda edit: edit.new) for own in by_place.values() if len(own) > 1]


def edited(data: bytes, edits: Collection[Edit]) -> bytes:
    """The bytes of a file after the edits.

    Raises:
        ChangedError: they do not fit the file.
    """
    mark, codec = next(((mark, codec) for mark, codec in _MARKS if data.startswith(mark)), (b"", ""))
    codec = codec or json.detect_encoding(data)
    try:
        text = data[len(mark) :].decode(codec)
    except UnicodeError:
        raise ChangedError from None
    starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]
    end = len(text)
    pieces: list[str] = []
    for edit in sorted(edits, key=lambda edit: edit.place, reverse=True):
        if edit.line > len(starts):
            raise ChangedError
        first, last = (starts[edit.line - 1] + column - 1 for column in (edit.column, edit.end_column))
        if text[first:last] != edit.old or last > end:
            raise ChangedError
        pieces += [text[last:end], edit.new]
        end = first
    return mark + "".join((text[:end], *reversed(pieces))).encode(codec)


def diff(name: str, before: bytes, after: bytes) -> Iterator[str]:
    """The lines of a unified diff; those of the file have no line feed, but keep a carriage return."""
    for line in difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}", lineterm=""):
        yield from line.split("\n")


def _lines(data: bytes) -> list[str]:
    *lines, last = data.decode(json.detect_encoding(data)).split("\n")
    return [*lines, f"{last}\n\\ No newline at end of file"] if last else lines
