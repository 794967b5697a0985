"""``chimeaudit history site``: one page that leads to the reports of all nights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click

from scanner import terminal
from scanner.commands import recording
from scanner.commands.options import values
from scanner.errors import OutputError
from scanner.model.trend import PastRun
from scanner.render import Format, site
from scanner.render.site import ReportLink
from scanner.store import files

_PAGE = "index.html"
_SEARCHED = 1 << 20
_LINKED = (Format.HTML, Format.JSON)
"""Formats that say, near their beginning, which run they are of."""


@click.command("site", short_help="Write a page that leads to the reports of all nights.")
@click.argument("directory", metavar="DIR", type=values.PATH)
@recording.option
@click.option("-v", "--verbose", is_flag=True, expose_value=False, help="Show details of a fault.")
def command(directory: Path, history: str | None) -> None:
    """Write DIR/index.html: the trend, and every night with links to its reports.

    Linked are the HTML and JSON reports that a recorded scan wrote with -o into DIR or below, as long as they are there
    and still those of that run.
    """
    nights = recording.given(history)
    from scanner.history import database, queries

    with database.read(nights) as connection:
        runs, trend = queries.runs(connection), queries.trend(connection)
    page = site.render(trend, [site.row(run, list(_links(run, directory))) for run in runs])
    try:
        directory.mkdir(parents=True, exist_ok=True)
        files.write_whole(directory / _PAGE, [page.encode()])
    except OSError as error:
        raise OutputError(
            f"{directory / _PAGE} could not be written: {error.strerror}", hint="Name another DIR."
        ) from None
    terminal.say(f"Site      {directory / _PAGE}")


def _links(run: PastRun, directory: Path) -> Iterator[ReportLink]:
    root = Path(os.path.realpath(directory))
    for form in _LINKED:
        path = Path(run.reports.get(form.value, ""))
        if path.is_absolute() and path.is_relative_to(root) and _is_of(run, path):
            yield site.link(form.value, path.relative_to(root).parts)


def _is_of(run: PastRun, path: Path) -> bool:
    """Whether the report there is the run's own: the next night may have been written over it."""
    try:
        with path.open("rb") as file:
            return run.id.encode() in file.read(_SEARCHED)
    except (OSError, ValueError):
        return False
