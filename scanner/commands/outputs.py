"""``-o [FORMAT:]PATH``: where reports go."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec import Struct

from scanner import files
from scanner.errors import UsageError
from scanner.finding import Report
from scanner.render import Format, render
from scanner.trend import Trend

STDOUT = "-"
_FORMATS = [form.value for form in Format]
_SUFFIXES = {
    "html": Format.HTML,
    "json": Format.JSON,
    "jsonl": Format.JSONL,
    "sarif": Format.SARIF,
    "xml": Format.JUNIT,
    "csv": Format.CSV,
    "md": Format.MARKDOWN,
}

option = click.option(
    "-o",
    "--output",
    multiple=True,
    metavar="[FORMAT:]PATH",
    help=f"Write a report; repeatable. The suffix names the format ({', '.join(f'.{name}' for name in _SUFFIXES)}), "
    f"or FORMAT does ({', '.join(_FORMATS)}). '-' is standard output.",
)


class Output(Struct, frozen=True):
    """A report to be written; the path ``-`` is standard output."""

    form: Format
    path: str


def parse_all(values: Sequence[str]) -> list[Output]:
    """Read every ``-o``.

    Raises:
        UsageError: one cannot be used, or two go to the same place.
    """
    outputs = [parse(value) for value in values]
    places = Counter(output.path if output.path == STDOUT else os.path.realpath(output.path) for output in outputs)
    for place, count in places.items():
        if count > 1:
            shown = "standard output" if place == STDOUT else place
            raise UsageError(f"-o: {count} reports go to {shown}", hint="Give each a place of its own.")
    return outputs


def parse(value: str) -> Output:
    """Read one ``-o``.

    Raises:
        UsageError: the format is missing or unknown, or the path is a folder.
    """
    prefix, colon, path = value.partition(":")
    if not colon or (prefix not in _FORMATS and (not prefix.isalnum() or not path)):
        prefix, path = "", value
    suffix = Path(path).suffix.removeprefix(".").lower()
    form = Format(prefix) if prefix in _FORMATS else None if prefix else _SUFFIXES.get(suffix)
    if not path:
        raise UsageError(f"-o {value} names no path", hint=f"Write {prefix}:PATH, or {prefix}:- for standard output.")
    if form is None:
        raise UsageError(f"-o {value}: {_complaint(prefix or suffix)}", hint=_offer(prefix or suffix))
    try:
        if path != STDOUT and Path(path).is_dir():
            raise UsageError(f"-o {value}: {path} is a folder", hint="Name a file in it.")
    except OSError as error:
        raise UsageError(f"-o {value}: {error.strerror}", hint="Name another file.") from None
    return Output(form, path)


def _complaint(name: str) -> str:
    return f"{name!r} is not a format" if name else "names no format, and has no suffix that does"


def _offer(name: str) -> str:
    near = difflib.get_close_matches(name, _FORMATS, 1)
    offered = f"Did you mean {near[0]}? " if near else ""
    return f"{offered}Formats: {', '.join(_FORMATS)}; name one as in {Format.JSON}:PATH."


def write(report: Report, outputs: Sequence[Output], trend: Trend | None = None) -> dict[Output, str]:
    """Write every report that can be written; returns, for each that could not, a line that says why."""
    return {output: failure for output in outputs if (failure := _write_one(report, output, trend))}


def _write_one(report: Report, output: Output, trend: Trend | None) -> str | None:
    pieces = render(report, output.form, trend)
    try:
        if output.path == STDOUT:
            for piece in pieces:
                click.echo(piece, nl=False)
        else:
            path = Path(output.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_whole(path, (piece.encode() for piece in pieces))
    except BrokenPipeError:
        raise  # who read it has seen enough
    except OSError as error:
        named = "on standard output" if output.path == STDOUT else output.path
        return f"the report {named} could not be written: {error.strerror}"
    return None
