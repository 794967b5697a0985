"""``--history``: records a report in the history before it is written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from scanner.commands.options.shared import HISTORY_VARIABLE
from scanner.commands.outputs import Output
from scanner.errors import OutputError, UsageError
from scanner.model.report import Report
from scanner.model.trend import Trend

if TYPE_CHECKING:
    from scanner.history.address import Address


class RecordedReport(Struct, frozen=True, kw_only=True):
    """A report, with the trend if it was recorded; `failure` says why it could not be recorded."""

    report: Report
    trend: Trend | None = None
    failure: str | None = None


def address(url: str | None) -> Address | None:
    """The address of the history, if a URL is given.

    Raises:
        UsageError: the URL is not one of a database, or a package that it needs is not installed.
    """
    if url is None:
        return None
    from scanner.history import address

    return address.parse(url)


def required(url: str | None) -> Address:
    """The address of the history, for a command that needs one.

    Raises:
        UsageError: no URL is given, it is not one of a database, or a package that it needs is not installed.
    """
    found = address(url)
    if found is None:
        raise UsageError("no history is named", hint=f"Name its database with --history URL, or in {HISTORY_VARIABLE}.")
    return found


def record(
    report: Report, history: Address | None, wanted: Sequence[Output], directory: Path | None = None
) -> RecordedReport:
    """Record the report if a history is given. The findings of the result say when they were first seen."""
    if history is None:
        return RecordedReport(report=report)
    from scanner.history import record as history_record

    try:
        directory = directory or Path(tempfile.gettempdir())
        recorded = history_record.record(history, report, reports=_paths(wanted), directory=directory)
    except OutputError as error:
        return RecordedReport(report=report, failure=f"{error.message}; {error.hint[:1].lower()}{error.hint[1:]}")
    return RecordedReport(report=recorded.report, trend=recorded.trend)


def _paths(wanted: Sequence[Output]) -> dict[str, str]:
    """The paths of the reports by format, without those that are not valid text and so cannot be recorded."""
    paths = {each.form.value: os.path.realpath(each.path) for each in wanted if each.is_file}
    return {form: path for form, path in paths.items() if path.encode(errors="ignore").decode() == path}
