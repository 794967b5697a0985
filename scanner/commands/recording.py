"""``--history``: recording what a scan found where other nights are, before it is reported."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource
from msgspec import Struct

from scanner.commands.outputs import Output
from scanner.errors import OutputError, UsageError
from scanner.model.report import Report
from scanner.model.trend import Trend

if TYPE_CHECKING:
    from scanner.history.address import Address

VARIABLE = "CHIMEAUDIT_HISTORY"

option = click.option(
    "--history",
    metavar="URL",
    envvar=VARIABLE,
    show_envvar=True,
    help="Database in which runs are recorded: sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE.",
)


class Kept(Struct, frozen=True, kw_only=True):
    """A report, with the trend where it was recorded; `failure` is a line that says why it was not."""

    report: Report
    trend: Trend | None = None
    failure: str | None = None


def address(url: str | None) -> Address | None:
    """Where the history is, if one is kept.

    Raises:
        UsageError: the URL is none, or what it needs is not installed.
    """
    if url is None:
        return None
    from scanner.history import address

    return address.parse(url)


def given(url: str | None) -> Address:
    """The same, where there is nothing to do without one."""
    found = address(url)
    if found is None:
        raise UsageError("no history is named", hint=f"Name its database with --history URL, or in {VARIABLE}.")
    return found


def is_meant_for(report: Report) -> bool:
    """Whether `--history` speaks of this report: a check saw nothing that is deployed, so a variable alone does not."""
    source = click.get_current_context().get_parameter_source("history")
    return not report.coverage.in_scope.files or source is not ParameterSource.ENVIRONMENT


def keep(report: Report, history: Address | None, wanted: Sequence[Output], directory: Path | None = None) -> Kept:
    """The report, recorded where a history is kept: its findings say since when they are known, then."""
    if history is None:
        return Kept(report=report)
    from scanner.history.record import record

    try:
        recorded = record(history, report, reports=_paths(wanted), directory=directory or Path(tempfile.gettempdir()))
    except OutputError as error:
        return Kept(report=report, failure=f"{error.message}; {error.hint[:1].lower()}{error.hint[1:]}")
    return Kept(report=recorded.report, trend=recorded.trend)


def _paths(wanted: Sequence[Output]) -> dict[str, str]:
    """Where the reports will be, by format; a path that is no text cannot be recorded."""
    paths = {each.form.value: os.path.realpath(each.path) for each in wanted if each.is_file}
    return {form: path for form, path in paths.items() if path.encode(errors="ignore").decode() == path}
