"""What a report looks like on the terminal: findings on standard output, the summary on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from scanner.commands import outputs
from scanner.commands.outputs import Output
from scanner.model.report import Report
from scanner.render import table
from scanner.terminal import inert, printed, say, told, wants_color, width

_ROWS_BESIDE_A_REPORT = 25


def findings(report: Report, wanted: Sequence[Output]) -> list[str]:
    """Print the table of findings, cut where a report has the rest; nothing where a report goes to standard output.

    Returns a line where it could not be printed.
    """
    if any(output.path == outputs.STDOUT for output in wanted):
        return []
    most = _ROWS_BESIDE_A_REPORT if wanted else None
    pieces = table.findings(report, width=width(), color=wants_color(sys.stdout), most=most)
    failure = printed(map(inert, pieces), may_be_cut=bool(wanted))
    return [failure] if failure else []


def summary(report: Report, written: Iterable[Output]) -> None:
    """Print what was seen and found, and where the reports are."""
    text = table.summary(report, width=width(), color=wants_color(sys.stderr))
    told(inert(text))
    reports(written)


def reports(written: Iterable[Output]) -> None:
    """Print where the reports are."""
    for output in written:
        if output.path != outputs.STDOUT:
            say(f"Report    {output.path}")
