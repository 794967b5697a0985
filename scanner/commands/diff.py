"""``chimeaudit diff``: what became of the failures of an earlier report."""

from __future__ import annotations

import sys
from functools import partial
from typing import Literal

import click

from scanner import terminal
from scanner.commands import inputs, threshold
from scanner.commands.options import completion
from scanner.errors import OutputError, UsageError
from scanner.outcome.compare import compare
from scanner.outcome.gate import gate_difference
from scanner.render import difference as rendered
from scanner.terminal import encoded, inert, printed

_EXIT_CODES = """\b
Exit codes:
    0  no new failure reaches --fail-on, and every old one was looked for
    1  a new failure reaches --fail-on
    2  a bad option, or a report that cannot be read
    3  no new failure reaches --fail-on, but an old one is no longer observed
   70  a fault of chimeaudit, or the comparison could not be printed"""


@click.command("diff", epilog=_EXIT_CODES)
@click.argument("old", metavar="OLD.json", shell_complete=completion.files)
@click.argument("new", metavar="NEW.json", shell_complete=completion.files)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What to print on standard output.",
)
@threshold.option
@click.option("--allow-gaps", is_flag=True, help="Exit with 0, not 3, where an old failure is no longer observed.")
@click.option("-v", "--verbose", is_flag=True, expose_value=False, help="Show details of a fault.")
def command(old: str, new: str, form: Literal["table", "json"], fail_on: str, allow_gaps: bool) -> int:
    """Compare two saved JSON reports: new, fixed, still open, no longer observed.

    A failure that is gone counts as fixed only where NEW looked: a denied region, an app instance that could not be
    listed, a narrower scope or a rule that did not run fixes nothing. '-' reads one of the two from standard input.
    """
    if old == new == inputs.STDIN:
        raise UsageError("OLD and NEW cannot both be standard input", hint="Name a file for one of them.")
    found = compare(inputs.report(old), inputs.report(new))
    table = partial(rendered.table, width=terminal.width(), color=terminal.wants_color(sys.stdout))
    failure = printed([encoded(rendered.json(found)) if form == "json" else inert(table(found))])
    if failure:
        raise OutputError(failure, hint="Make room, or send it elsewhere.")
    return gate_difference(found, threshold.severity(fail_on), allow_gaps=allow_gaps)
