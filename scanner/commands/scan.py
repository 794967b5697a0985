"""``chimeaudit scan``: collect, judge, report."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from scanner import resources
from scanner.baseline import marked
from scanner.commands import inputs, outputs, showing, threshold, where
from scanner.commands.log import Log, LogFormat
from scanner.commands.observing import Ended, observe
from scanner.commands.where import Where
from scanner.engine.audit import audit
from scanner.engine.rule import Rule, load, select
from scanner.errors import InterruptedScanError, NothingScannedError, OutputError
from scanner.finding import Report
from scanner.gate import ExitCode, gate

SHIPPED_RULES = "default"
_EXIT_CODES = """\b
Exit codes:
    0  everything was observed, and no finding reaches --fail-on
    1  a finding reaches --fail-on
    2  a bad option, configuration or input
    3  no finding reaches --fail-on, but something was not observed
    4  nothing could be scanned
   70  a fault of chimeaudit, or a report could not be written
  130  interrupted"""


@click.command("scan", epilog=_EXIT_CODES)
@where.options
@click.option(
    "--rules",
    multiple=True,
    metavar="PATH",
    help=f"Rule file or folder to use instead of the shipped ones; '{SHIPPED_RULES}' names those.",
)
@click.option(
    "--select",
    multiple=True,
    metavar="WHAT",
    help="Rules to apply: an id, topic:T, severity:S, framework:F or profile:P.  [default: profile:default]",
)
@outputs.option
@threshold.option
@click.option("--baseline", metavar="REPORT", help="Saved JSON report; what already failed in it gives no exit code 1.")
@click.option("--allow-gaps", is_flag=True, help="Exit with 0, not 3, where something could not be observed.")
@click.option("-v", "--verbose", is_flag=True, help="Show each target as it is read, and details of a fault.")
@click.option(
    "--log-format",
    type=click.Choice([form.value for form in LogFormat]),
    default=LogFormat.TEXT.value,
    show_default=True,
    help="How to write progress on standard error.",
)
def command(
    *,
    rules: tuple[str, ...],
    select: tuple[str, ...],
    output: tuple[str, ...],
    fail_on: str,
    baseline: str | None,
    allow_gaps: bool,
    verbose: bool,
    log_format: str,
    **given: Any,
) -> int:
    """Look at every channel flow, judge it by the rules, and report.

    Without -o, findings are printed as a table.
    """
    places = Where(**given)
    places.check()
    wanted = [outputs.parse(value) for value in output]
    accepted = inputs.report(baseline) if baseline else None
    chosen = _rules(rules, select)
    facets = frozenset().union(*(rule.facets for rule in chosen))
    log = Log(form=LogFormat(log_format), verbose=verbose)
    options = {
        **places.recorded,
        "rules": rules,
        "select": select,
        "fail_on": fail_on,
        "baseline": baseline,
        "allow_gaps": allow_gaps,
    }
    journal, ended = observe(places, facets, options, log)
    report = audit(journal, chosen, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    report = marked(report, accepted) if accepted else report
    showing.findings(report, wanted)
    failures = outputs.write(report, wanted)
    by_status: dict[str, Any] = dict(report.summary.by_status)
    if log.form is LogFormat.TEXT:
        showing.summary(report, wanted)
    else:
        log.tell("judged", "Everything that was seen has been judged", complete=report.coverage.complete, **by_status)
    go_on = f"chimeaudit scan --resume --run-dir {journal.directory}"
    if ended is Ended.INTERRUPTED:
        message = "interrupted: what was observed until then is in the report"
        raise InterruptedScanError("\n".join((message, *failures)), hint=f"Go on with it: {go_on}")
    if failures:
        hint = f"Write it elsewhere: chimeaudit scan --from {journal.directory} -o PATH"
        raise OutputError("\n".join(failures), hint=hint)
    if ended is Ended.OUT_OF_TIME:
        log.tell("out_of_time", f"Stopped by --max-runtime; the gaps say what is left. Go on with it: {go_on}")
    return _verdict(report, fail_on, allow_gaps=allow_gaps)


def _rules(paths: tuple[str, ...], selectors: tuple[str, ...]) -> tuple[Rule, ...]:
    named = paths or (SHIPPED_RULES,)
    return select(load([resources.rules() if name == SHIPPED_RULES else Path(name) for name in named]), selectors)


def _verdict(report: Report, fail_on: str, *, allow_gaps: bool) -> int:
    code = gate(report, threshold.severity(fail_on), allow_gaps=allow_gaps)
    if code is ExitCode.NOTHING_SCANNED:
        reason, _, step = report.coverage.gaps[0].reason.rpartition("; ")
        raise NothingScannedError(f"nothing could be scanned: {reason}", hint=f"{step[:1].upper()}{step[1:]}.")
    return code
