"""``chimeaudit history``: lists, compares and prunes recorded nights, and writes a page that links their reports."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from scanner.commands import recording
from scanner.commands.options import values
from scanner.commands.options.declaring import Options, option, takes
from scanner.commands.options.shared import form_option, history_option, verbose_option
from scanner.errors import OutputError
from scanner.model.moments import stamp
from scanner.model.trend import PastRun
from scanner.render import PAGE, PAGES, Format, site
from scanner.render import trend as rendered
from scanner.render.html.parts import STYLE
from scanner.render.site import ReportLink
from scanner.store import files
from scanner.terminal import encoded, out, say, wants_color, width

_SEARCHED = 1 << 20
_LINKED = (*PAGES, Format.JSON)
"""Formats that say, near their beginning, which run they are of."""


@dataclass(frozen=True, kw_only=True)
class SiteOptions(Options):
    """The options of ``history site``."""

    history: str | None = history_option()
    verbose: bool = verbose_option("Show details of a fault.")


@dataclass(frozen=True, kw_only=True)
class HistoryOptions(Options):
    """The options of commands that print what is recorded."""

    history: str | None = history_option()
    form: str = form_option()
    verbose: bool = verbose_option("Show details of a fault.")


@dataclass(frozen=True, kw_only=True)
class ListOptions(HistoryOptions):
    """The options of ``history list``."""

    limit: int | None = option(
        "--limit", type=click.IntRange(1), metavar="N", help="List only the newest N runs.  [default: all]"
    )


@dataclass(frozen=True, kw_only=True)
class PruneOptions(Options):
    """The options of ``history prune``; `keep` is a number of days."""

    history: str | None = history_option()
    keep: int = option(
        "--keep", required=True, callback=values.days, metavar="DAYS", help="How long to keep runs, such as 400d."
    )
    form: str = form_option()
    verbose: bool = verbose_option("Show details of a fault.")


@click.group("history", short_help="Compare last month with last night.")
def command() -> None:
    """Look back on the nights that `scan --history` recorded."""


@command.command("list")
@takes(ListOptions)
def list_(options: ListOptions) -> None:
    """List the runs that are recorded, with what each saw."""
    nights = recording.required(options.history)
    from scanner.history import database, queries

    with database.read(nights) as connection:
        runs = queries.runs(connection, options.limit)
    out(encoded(rendered.json(runs)) if options.form == "json" else rendered.runs(runs, **_terminal()))


@command.command("trend", short_help="Show what was open, new and fixed night by night.")
@takes(HistoryOptions)
def trend(options: HistoryOptions) -> None:
    """Show what was open, new and fixed night by night, how long fixing took, and what is open longest."""
    nights = recording.required(options.history)
    from scanner.history import database, queries

    with database.read(nights) as connection:
        past = queries.trend(connection)
    out(encoded(rendered.json(past)) if options.form == "json" else rendered.trend(past, **_terminal()))


@command.command("site", short_help="Write a page that leads to the reports of all nights.")
@click.argument("directory", metavar="DIR", type=values.PATH)
@takes(SiteOptions)
def site_(options: SiteOptions, directory: Path) -> None:
    """Write DIR/index.html, and beside it its style: the trend, and every night with links to its reports.

    Linked are the HTML and JSON reports that a recorded scan wrote with -o into DIR or below, as long as they are there
    and still those of that run.
    """
    nights = recording.required(options.history)
    from scanner.history import database, queries

    with database.read(nights) as connection:
        runs, trend = queries.runs(connection), queries.trend(connection)
    page = site.render(trend, [site.row(run, list(_links(run, directory))) for run in runs])
    try:
        directory.mkdir(parents=True, exist_ok=True)
        files.write_whole(directory / STYLE, [site.style().encode()])
        files.write_whole(directory / PAGE, [page.encode()])
    except OSError as error:
        raise OutputError(
            f"{directory / PAGE} could not be written: {error.strerror}", hint="Name another DIR."
        ) from None
    say(f"Site      {directory / PAGE}")


@command.command("prune", short_help="Remove old runs.")
@takes(PruneOptions)
def prune(options: PruneOptions) -> None:
    """Remove runs that began longer ago than --keep, and findings that were fixed before.

    What is open or waived keeps its whole life: when it was first seen, and what became of it since.
    """
    nights = recording.required(options.history)
    before = stamp(datetime.now(UTC) - timedelta(days=options.keep))
    from scanner.history import database, record

    with database.changed(nights) as connection:
        removed = record.prune(connection, before)
    out(encoded(rendered.json(removed)) if options.form == "json" else rendered.pruned(removed, before))


def _terminal() -> dict[str, Any]:
    return {"width": width(), "color": wants_color(sys.stdout)}


def _links(run: PastRun, directory: Path) -> Iterator[ReportLink]:
    root = Path(os.path.realpath(directory))
    for form in _LINKED:
        path = Path(run.reports.get(form.value, ""))
        if path.is_absolute() and path.is_relative_to(root) and _is_of(run, path):
            yield site.link(form.value, path.relative_to(root).parts)


def _is_of(run: PastRun, path: Path) -> bool:
    """Whether the file is the report of this run, and not one that was written over it later."""
    try:
        with path.open("rb") as file:
            return run.id.encode() in file.read(_SEARCHED)
    except (OSError, ValueError):
        return False
