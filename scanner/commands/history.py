"""``chimeaudit history``: the nights that ``scan --history`` recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

import click

from scanner import terminal
from scanner.commands import recording, site
from scanner.commands.options import values
from scanner.model.moments import stamp
from scanner.render import trend as rendered
from scanner.terminal import encoded, out

Form = Literal["table", "json"]
Command = TypeVar("Command", bound=Callable[..., Any])

_form = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What to print on standard output.",
)
_verbose = click.option("-v", "--verbose", is_flag=True, expose_value=False, help="Show details of a fault.")


@click.group("history", short_help="Compare last month with last night.")
def command() -> None:
    """Look back on the nights that `scan --history` recorded."""


@command.command("list")
@recording.option
@_form
@_verbose
def list_(history: str | None, form: Form) -> None:
    """List the runs that are recorded, with what each saw."""
    nights = recording.given(history)
    from scanner.history import database, queries

    with database.read(nights) as connection:
        runs = queries.runs(connection)
    out(encoded(rendered.json(runs)) if form == "json" else rendered.runs(runs, **_terminal()))


@command.command("trend", short_help="Show what was open, new and fixed night by night.")
@recording.option
@_form
@_verbose
def trend(history: str | None, form: Form) -> None:
    """Show what was open, new and fixed night by night, how long fixing took, and what is open longest."""
    nights = recording.given(history)
    from scanner.history import database, queries

    with database.read(nights) as connection:
        past = queries.trend(connection)
    out(encoded(rendered.json(past)) if form == "json" else rendered.trend(past, **_terminal()))


command.add_command(site.command)


@command.command("prune", short_help="Remove old runs.")
@recording.option
@click.option(
    "--keep", required=True, callback=values.days, metavar="DAYS", help="How long to keep runs, such as 400d."
)
@_form
@_verbose
def prune(history: str | None, keep: int, form: Form) -> None:
    """Remove runs that began longer ago than --keep, and findings that were fixed before.

    What is open or waived keeps its whole life: when it was first seen, and what became of it since.
    """
    nights = recording.given(history)
    before = stamp(datetime.now(UTC) - timedelta(days=keep))
    from scanner.history import database, record

    with database.changed(nights) as connection:
        removed = record.prune(connection, before)
    out(encoded(rendered.json(removed)) if form == "json" else rendered.pruned(removed, before))


def _terminal() -> dict[str, Any]:
    return {"width": terminal.width(), "color": terminal.wants_color(sys.stdout)}
