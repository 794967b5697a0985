"""``chimeaudit scan``: collect, judge, report."""

from __future__ import annotations

from time import monotonic
from typing import Any

import click

from scanner.commands import delivery, ending, github, outputs, recording, ruleset, threshold
from scanner.commands.collecting import observe
from scanner.commands.options import completion, values
from scanner.commands.options import scan as table_of_scan
from scanner.commands.options.scan import Where
from scanner.commands.reporting import tell
from scanner.commands.request import asked
from scanner.terminal import Log, LogFormat

_EXIT_CODES = """\b
Exit codes:
    0  everything was observed, and no finding reaches --fail-on
    1  a finding reaches --fail-on
    2  a bad option, configuration or input
    3  no finding reaches --fail-on, but something was not observed
    4  nothing could be scanned
   70  a fault of chimeaudit, or a report or the history could not be written, or a report not delivered
  130  interrupted"""


@click.command("scan", epilog=_EXIT_CODES)
@table_of_scan.options
@ruleset.options
@outputs.option
@delivery.options
@threshold.option
@click.option(
    "--baseline",
    callback=values.named,
    metavar="REPORT",
    shell_complete=completion.files,
    help="Saved JSON report (file or s3://BUCKET/KEY); what already failed in it gives no exit code 1.",
)
@click.option(
    "--allow-no-baseline", is_flag=True, help="Go on where --baseline is not there yet; everything is new then."
)
@recording.option
@click.option("--allow-gaps", is_flag=True, help="Exit with 0, not 3, where something could not be observed.")
@github.option
@click.option("-v", "--verbose", is_flag=True, help="Show each target as it is read, and details of a fault.")
@click.option(
    "--log-format",
    type=click.Choice([form.value for form in LogFormat]),
    default=LogFormat.TEXT.value,
    show_default=True,
    help="How to write progress on standard error.",
)
def command(*, verbose: bool, log_format: str, **given: Any) -> int:
    """Look at every channel flow, judge it by the rules, and report.

    Without -o, findings are printed as a table.
    """
    options = set(Where.__struct_fields__) & given.keys()
    places = Where(**{name: given.pop(name) for name in options}, named=table_of_scan.named())
    until = None if places.max_runtime is None else monotonic() + places.max_runtime
    scan = asked(places, Log(form=LogFormat(log_format), verbose=verbose), **given, until=until)
    with ending.interruptible():
        seen = observe(scan.places, scan.facets, scan.options, scan.audit, scan.log, until=until)
        with ending.resumable(scan, seen):
            told = tell(scan, seen)
    ending.check(scan, seen, told)
    return ending.verdict(told.report, scan.fail_on, seen.ended, allow_gaps=scan.allow_gaps)
