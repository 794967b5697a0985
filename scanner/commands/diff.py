"""``chimeaudit diff``: what became of the failures of an earlier report."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import Literal

import click

from scanner.commands import inputs
from scanner.commands.options import completion
from scanner.commands.options.declaring import Options, option, takes
from scanner.commands.options.shared import fail_on_option, form_option, quiet_option, severity, verbose_option
from scanner.commands.reporting import tell_next
from scanner.errors import OutputError, UsageError
from scanner.outcome.compare import compare
from scanner.outcome.gate import gate_difference
from scanner.render import difference as rendered
from scanner.terminal import Log, encoded, inert, printed, wants_color, width

_EXIT_CODES = """\b
Exit codes:
    0  no new failure reaches --fail-on, and every old one was looked for
    1  a new failure reaches --fail-on
    2  a bad option, or a report that cannot be read
    3  no new failure reaches --fail-on, but an old one is no longer observed
   70  a fault of chimeaudit, or the comparison could not be printed"""


@dataclass(frozen=True, kw_only=True)
class DiffOptions(Options):
    """The options of ``diff``."""

    form: Literal["table", "json"] = form_option()
    fail_on: str = fail_on_option()
    allow_gaps: bool = option(
        "--allow-gaps", is_flag=True, help="Exit with 0, not 3, where an old failure is no longer observed."
    )
    verbose: bool = verbose_option("Show details of a fault.")
    quiet: bool = quiet_option("--format json")


@click.command("diff", epilog=_EXIT_CODES)
@click.argument("old", metavar="OLD.json", shell_complete=completion.files)
@click.argument("new", metavar="NEW.json", shell_complete=completion.files)
@takes(DiffOptions)
def command(options: DiffOptions, old: str, new: str) -> int:
    """Compare two saved JSON reports: new, fixed, still open, no longer observed.

    A failure that is gone counts as fixed only where NEW looked: a denied region, an app instance that could not be
    listed, a narrower scope or a rule that did not run fixes nothing. '-' reads one of the two from standard input.
    """
    if old == new == inputs.STDIN:
        raise UsageError("OLD and NEW cannot both be standard input", hint="Name a file for one of them.")
    found = compare(inputs.report(old), inputs.report(new))
    if options.form == "json" or not options.quiet:
        table = partial(rendered.table, width=width(), color=wants_color(sys.stdout))
        failure = printed([encoded(rendered.json(found)) if options.form == "json" else inert(table(found))])
        if failure:
            raise OutputError(failure, hint="Make room, or send it elsewhere.")
    code = gate_difference(found, severity(options.fail_on), ignore_gaps=options.allow_gaps)
    return tell_next("diff", code, Log(quiet=options.quiet))
