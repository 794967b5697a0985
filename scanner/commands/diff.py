"""``chimeaudit diff``: what became of the failures of an earlier report."""

from __future__ import annotations

import sys
from typing import Literal

import click

from scanner.commands import inputs, showing, threshold
from scanner.commands.github import inert
from scanner.compare import compare
from scanner.errors import UsageError
from scanner.gate import gate_difference
from scanner.render import difference as rendered

_EXIT_CODES = """\b
Exit codes:
    0  no new failure reaches --fail-on, and every old one was looked for
    1  a new failure reaches --fail-on
    2  a bad option, or a report that cannot be read
    3  no new failure reaches --fail-on, but an old one is no longer observed
   70  a fault of chimeaudit"""


@click.command("diff", epilog=_EXIT_CODES)
@click.argument("old", metavar="OLD.json")
@click.argument("new", metavar="NEW.json")
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
    if form == "json":
        click.echo(rendered.json(found), nl=False)
    else:
        text = rendered.table(found, width=showing.width(), color=showing.wants_color(sys.stdout))
        click.echo(inert(text), nl=False, color=True)
    return gate_difference(found, threshold.severity(fail_on), allow_gaps=allow_gaps)
