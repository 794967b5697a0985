"""``chimeaudit scan``: collect, judge, report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from msgspec import structs

from scanner.baseline import marked
from scanner.commands import delivering, github, inputs, keeping, outputs, ruleset, showing, threshold, where
from scanner.commands.delivering import Deliveries
from scanner.commands.log import Log, LogFormat
from scanner.commands.observing import Ended, Observed, observe
from scanner.commands.outputs import Output
from scanner.commands.where import Where
from scanner.engine.audit import Audit
from scanner.engine.rule import facets as needed
from scanner.errors import ChimeauditError, InterruptedScanError, NothingScannedError, OutputError, UsageError
from scanner.finding import Report
from scanner.gate import ExitCode, gate, saw_nothing
from scanner.inventory import FAULT
from scanner.trend import Trend
from scanner.waivers import Waivers

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
@where.options
@ruleset.options
@outputs.option
@delivering.options
@threshold.option
@click.option(
    "--baseline",
    metavar="REPORT",
    help="Saved JSON report (file or s3://BUCKET/KEY); what already failed in it gives no exit code 1.",
)
@click.option(
    "--allow-no-baseline", is_flag=True, help="Go on where --baseline is not there yet; everything is new then."
)
@keeping.option
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
    deliveries: Deliveries,
    fail_on: str,
    baseline: str | None,
    allow_no_baseline: bool,
    history: str | None,
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
    if places.demo and deliveries.securityhub:
        raise UsageError("--demo and --securityhub contradict each other", hint="Its findings are invented.")
    wanted = outputs.parse_all(output)
    log = Log(form=LogFormat(log_format), verbose=verbose)
    accepted = _accepted(baseline, log, may_lack=allow_no_baseline)
    nights = keeping.address(history)
    configured = ruleset.chosen(config_file, rules, select)
    waivers = Waivers(configured.waivers, today=datetime.now(UTC).date())
    facets = needed(configured.rules) | waivers.facets
    if configured.fail_on and threshold.unsaid():
        fail_on = configured.fail_on
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
    seen = observe(places, facets, options, lambda journal: Audit(journal, configured.rules, waivers), log)
    report = seen.audit.report(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    if places.from_ or places.resume:
        report = _judged_as_asked(report, options)
    kept = keeping.keep(report, nights, wanted, seen.journal.directory)
    report = marked(kept.report, accepted) if accepted else kept.report
    successor = [output for output in wanted if output.is_at(baseline)]
    failures = _tell(
        report, kept.trend, [output for output in wanted if output not in successor], waivers.warnings(), log
    )
    finished = seen.journal.complete and not saw_nothing(report)
    failures += delivering.import_findings(deliveries, report, accepted if finished else None, log)
    untold = delivering.notify(deliveries, report, accepted, wanted, log)
    failures += [*untold, *_succeed(report, kept.trend, successor, log, told=finished and not untold)]
    if on_github:
        failures += github.tell(report, wanted, lambda warning: log.tell("warning", warning))
    _end_early(seen, report, log, undone=failures, unkept=kept.failure)
    return _verdict(report, fail_on, seen.ended, allow_gaps=allow_gaps)


def _accepted(baseline: str | None, log: Log, *, may_lack: bool) -> Report | None:
    if baseline is None:
        if may_lack:
            raise UsageError("--allow-no-baseline goes with --baseline, which is not given", hint="Add --baseline.")
        return None
    if not may_lack:
        return inputs.report(baseline)
    found = inputs.report_if_any(baseline)
    if found is None:
        log.tell("no_baseline", f"There is no report at {baseline} yet: everything counts as new")
    return found


def _judged_as_asked(report: Report, options: dict[str, Any]) -> Report:
    """What was looked at was said when the run began; how it is judged is said now."""
    judging = {name: options[name] for name in ("config", "rules", "select", "fail_on", "baseline", "allow_gaps")}
    return structs.replace(report, run=structs.replace(report.run, options={**report.run.options, **judging}))


def _tell(
    report: Report, trend: Trend | None, wanted: Sequence[Output], warnings: Iterable[str], log: Log
) -> list[str]:
    """Print and write what there is to say; returns a line for each report that could not be written."""
    showing.findings(report, wanted)
    failures = outputs.write(report, wanted, trend)
    if log.form is LogFormat.TEXT:
        showing.summary(report, [each for each in wanted if each not in failures])
    else:
        counts = report.summary.by_severity | report.summary.by_status
        log.tell("judged", "Everything that was seen has been judged", complete=report.coverage.complete, **counts)
    for warning in warnings:
        log.tell("warning", f"Warning: {warning}")
    return list(failures.values())


def _succeed(report: Report, trend: Trend | None, successor: Sequence[Output], log: Log, *, told: bool) -> list[str]:
    """Put the report in the baseline's place, last of all: what was not told this time shall be new the next time."""
    if not successor:
        return []
    if not told:
        why = "the scan was cut short or saw nothing, or not everybody was told"
        log.tell("baseline_kept", f"The baseline {successor[0].path} stays as it was: {why}")
        return []
    failures = outputs.write(report, successor, trend)
    if not failures:
        log.tell("succeeded", f"Report    {successor[0].path}, the next baseline")
    return list(failures.values())


def _end_early(seen: Observed, report: Report, log: Log, *, undone: Sequence[str], unkept: str | None) -> None:
    """Say how to go on with a scan that was stopped, or with a report that was not written, delivered or recorded.

    Raises:
        ChimeauditError: something was not seen through a fault of ours, or a worker or cluster that is gone.
        InterruptedScanError: the user stopped it.
        OutputError: a report or the history could not be written, or a report not delivered.
    """
    go_on = f"chimeaudit scan --resume --run-dir {seen.journal.directory}"
    failures = (*undone, *((unkept,) if unkept else ()))
    if seen.ended is Ended.INTERRUPTED:
        message = "interrupted: what was observed until then is reported"
        raise InterruptedScanError("\n".join((message, *failures)), hint=f"Go on with it: {go_on}")
    if failures:
        again = f"chimeaudit scan --from {seen.journal.directory}"
        hint = (
            f"Mend that or name another place, then: {again} ..."
            if undone
            else f"Record it again: {again} --history URL"
        )
        raise OutputError("\n".join(failures), hint=hint)
    if seen.broken:
        hint = f"What was observed until then is reported. {seen.broken.hint} {go_on}"
        raise ChimeauditError(seen.broken.message, hint=hint)
    faults = [gap for gap in report.coverage.gaps if gap.code == FAULT and not gap.waiver]
    if faults:
        count = f"{len(faults)} gap{'s' if len(faults) > 1 else ''}"
        message = f"chimeaudit itself failed, which leaves {count}: {faults[0].reason.partition(';')[0]}"
        raise ChimeauditError(
            message, hint="The report names what was not seen. Please report the fault, with what -v prints."
        )
    if seen.ended is Ended.OUT_OF_TIME:
        log.tell("out_of_time", f"Stopped by --max-runtime; the gaps say what is left. Go on with it: {go_on}")


def _verdict(report: Report, fail_on: str, ended: Ended, *, allow_gaps: bool) -> int:
    code = gate(report, threshold.severity(fail_on), allow_gaps=allow_gaps)
    if code is ExitCode.NOTHING_SCANNED and ended is Ended.OUT_OF_TIME:
        return ExitCode.GAPS
    if code is ExitCode.NOTHING_SCANNED:
        reason, _, step = report.coverage.gaps[0].reason.partition("; ")
        hint = f"{step[:1].upper()}{step[1:]}." if step else "The report names every gap."
        raise NothingScannedError(f"nothing could be scanned: {reason}", hint=hint)
    return code
