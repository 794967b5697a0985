"""``chimeaudit scan``: collect, judge, report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from msgspec import structs

from scanner.baseline import marked
from scanner.commands import github, inputs, outputs, ruleset, showing, threshold, where
from scanner.commands.log import Log, LogFormat
from scanner.commands.observing import Ended, observe
from scanner.commands.outputs import Output
from scanner.commands.where import Where
from scanner.engine.audit import audit
from scanner.engine.rule import facets as needed
from scanner.errors import InterruptedScanError, NothingScannedError, OutputError
from scanner.finding import Report
from scanner.gate import ExitCode, gate
from scanner.journal import Journal
from scanner.waivers import Waivers

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
@ruleset.options
@outputs.option
@threshold.option
@click.option("--baseline", metavar="REPORT", help="Saved JSON report; what already failed in it gives no exit code 1.")
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
def command(
    *,
    config_file: Path | None,
    rules: tuple[str, ...],
    select: tuple[str, ...],
    output: tuple[str, ...],
    fail_on: str,
    baseline: str | None,
    allow_gaps: bool,
    on_github: bool,
    verbose: bool,
    log_format: str,
    **given: Any,
) -> int:
    """Look at every channel flow, judge it by the rules, and report.

    Without -o, findings are printed as a table.
    """
    places = Where(**given)
    places.check()
    wanted = outputs.parse_all(output)
    accepted = inputs.report(baseline) if baseline else None
    configured = ruleset.chosen(config_file, rules, select)
    waivers = Waivers(configured.waivers, today=datetime.now(UTC).date())
    facets = needed(configured.rules) | waivers.facets
    if configured.fail_on and threshold.unsaid():
        fail_on = configured.fail_on
    log = Log(form=LogFormat(log_format), verbose=verbose)
    options = {
        **places.recorded,
        "config": configured.file,
        "rules": configured.named,
        "select": configured.select,
        "fail_on": fail_on,
        "baseline": baseline,
        "allow_gaps": allow_gaps,
    }
    if configured.file and not config_file:
        log.tell("configuration", f"Configuration: {configured.file}")
    journal, ended = observe(places, facets, options, log)
    report = audit(journal, configured.rules, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", waivers)
    if places.from_ or places.resume:
        report = _judged_as_asked(report, options)
    report = marked(report, accepted) if accepted else report
    failures = _tell(report, wanted, waivers.warnings(), log)
    if on_github:
        failures += github.tell(report, wanted, lambda warning: log.tell("warning", warning))
    _end_early(ended, failures, journal, log)
    return _verdict(report, fail_on, allow_gaps=allow_gaps)


def _judged_as_asked(report: Report, options: dict[str, Any]) -> Report:
    """What was looked at was said when the run began; how it is judged is said now."""
    judging = {name: options[name] for name in ("config", "rules", "select", "fail_on", "baseline", "allow_gaps")}
    return structs.replace(report, run=structs.replace(report.run, options={**report.run.options, **judging}))


def _tell(report: Report, wanted: Sequence[Output], warnings: Iterable[str], log: Log) -> list[str]:
    """Print and write what there is to say; returns a line for each report that could not be written."""
    showing.findings(report, wanted)
    failures = outputs.write(report, wanted)
    if log.form is LogFormat.TEXT:
        showing.summary(report, [each for each in wanted if each not in failures])
    else:
        counts = report.summary.by_severity | report.summary.by_status
        log.tell("judged", "Everything that was seen has been judged", complete=report.coverage.complete, **counts)
    for warning in warnings:
        log.tell("warning", f"Warning: {warning}")
    return list(failures.values())


def _end_early(ended: Ended, failures: Sequence[str], journal: Journal, log: Log) -> None:
    """Say how to go on with a scan that was stopped, or with a report that was not written.

    Raises:
        InterruptedScanError: the user stopped it.
        OutputError: a report could not be written.
    """
    go_on = f"chimeaudit scan --resume --run-dir {journal.directory}"
    if ended is Ended.INTERRUPTED:
        message = "interrupted: what was observed until then is reported"
        raise InterruptedScanError("\n".join((message, *failures)), hint=f"Go on with it: {go_on}")
    if failures:
        hint = f"Write it elsewhere: chimeaudit scan --from {journal.directory} -o PATH"
        raise OutputError("\n".join(failures), hint=hint)
    if ended is Ended.OUT_OF_TIME:
        log.tell("out_of_time", f"Stopped by --max-runtime; the gaps say what is left. Go on with it: {go_on}")


def _verdict(report: Report, fail_on: str, *, allow_gaps: bool) -> int:
    code = gate(report, threshold.severity(fail_on), allow_gaps=allow_gaps)
    if code is ExitCode.NOTHING_SCANNED:
        reason, _, step = report.coverage.gaps[0].reason.partition("; ")
        hint = f"{step[:1].upper()}{step[1:]}." if step else "The report names every gap."
        raise NothingScannedError(f"nothing could be scanned: {reason}", hint=hint)
    return code
