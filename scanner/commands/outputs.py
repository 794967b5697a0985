"""``-o [FORMAT:]PATH``: where reports go."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec import Struct

from scanner import files
from scanner.errors import UsageError
from scanner.finding import Report
from scanner.render import Format, render

STDOUT = "-"
_FORMATS = [form.value for form in Format]


class Output(Struct, frozen=True):
    """A report to be written; the path ``-`` is standard output."""

    form: Format
    path: str


def parse(value: str) -> Output:
    """Read one ``-o``.

    Raises:
        UsageError: the format is missing or unknown, or the path is a folder.
    """
    prefix, colon, path = value.partition(":")
    if not colon or (prefix not in _FORMATS and (not prefix.isalnum() or not path)):
        prefix, path = "", value
    form = prefix or Path(path).suffix.removeprefix(".").lower()
    if form not in _FORMATS:
        raise UsageError(f"-o {value}: {_complaint(form)}", hint=_offer(form))
    if path != STDOUT and Path(path).is_dir():
        raise UsageError(f"-o {value}: {path} is a folder", hint="Name a file in it.")
    return Output(Format(form), path)


def _complaint(form: str) -> str:
    return f"{form!r} is not a format" if form else "names no format, and has no suffix that does"


def _offer(form: str) -> str:
    near = difflib.get_close_matches(form, _FORMATS, 1)
    offered = f"Did you mean {near[0]}? " if near else ""
    return f"{offered}Formats: {', '.join(_FORMATS)}; name one as in {Format.JSON}:PATH."


def write(report: Report, outputs: Sequence[Output]) -> list[str]:
    """Write every report that can be written; returns a line for each that could not."""
    return [failure for output in outputs if (failure := _write_one(report, output))]


def _write_one(report: Report, output: Output) -> str | None:
    pieces = render(report, output.form)
    if output.path == STDOUT:
        for piece in pieces:
            click.echo(piece, nl=False)
        return None
    path = Path(output.path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_whole(path, (piece.encode() for piece in pieces))
    except OSError as error:
        return f"the report {output.path} could not be written: {error.strerror}"
    return None
