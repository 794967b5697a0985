"""Tells what a scan found: on the terminal, in reports, to the history, to everybody who is to be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct, structs

from scanner.commands import delivery, github, outputs, recording, showing
from scanner.commands.collecting import Observed
from scanner.commands.outputs import Output
from scanner.commands.request import Asked
from scanner.model.moments import stamp
from scanner.model.report import Report
from scanner.model.trend import Trend
from scanner.outcome.compare import marked, overlooked
from scanner.outcome.gate import saw_nothing
from scanner.render.wording import count
from scanner.terminal import Log, LogFormat


class Told(Struct, frozen=True):
    """The report, and a line for each who could not be told of it; `unkept` is why the history could not be."""

    report: Report
    failures: tuple[str, ...]
    unkept: str | None


def tell(asked: Asked, seen: Observed) -> Told:
    """Judge what was seen and tell it, in the order in which it can be told again if it is cut short.

    Raises:
        UsageError: the journal is damaged.
        OutputError: there is no room for the findings.
    """
    baseline, log = asked.baseline, asked.log
    kept = recording.keep(_judged(asked, seen), asked.history, asked.outputs, seen.journal.directory)
    report = marked(kept.report, baseline.report) if baseline.report else kept.report
    successor = [output for output in asked.outputs if output.is_at(baseline.at)]
    failures = _write(report, kept.trend, [output for output in asked.outputs if output not in successor], asked)
    finished = seen.journal.complete and not saw_nothing(report)
    fixed_since = baseline.report if finished else None
    imported = delivery.import_findings(asked.deliveries, kept.report, fixed_since, log)
    untold = delivery.notify(asked.deliveries, report, baseline.report, asked.outputs, log)
    failures += [*imported.failures, *untold]
    if successor:
        obstacles = {
            "the scan was cut short or saw nothing": not finished,
            "not everybody was told": untold,
            "Security Hub did not take all that is fixed": not imported.all_archived,
        }
        obstacle = next((why for why, applies in obstacles.items() if applies), None)
        failures += _succeed(report, kept.trend, successor, asked, obstacle)
    if asked.on_github:
        failures += github.tell(report, asked.outputs, lambda warning: log.tell("warning", warning))
    return Told(report, tuple(failures), kept.failure)


def _judged(asked: Asked, seen: Observed) -> Report:
    """What was looked at was said when the run began; how it is judged is said now."""
    report = seen.audit.report(stamp(datetime.now(UTC)))
    options = report.run.options | asked.judging
    return structs.replace(report, run=structs.replace(report.run, options=options))


def _write(report: Report, trend: Trend | None, wanted: Sequence[Output], asked: Asked) -> list[str]:
    """Print and write what there is to say; returns a line for each report that could not be written."""
    log = asked.log
    unprinted = showing.findings(report, wanted)
    failures = outputs.write(report, wanted, trend)
    if log.form is LogFormat.TEXT:
        showing.summary(report, [each for each in wanted if each not in failures])
    else:
        _log(report, [each for each in wanted if each not in failures], log)
    for warning in asked.waivers.warnings(report):
        log.tell("warning", f"Warning: {warning}")
    return [*unprinted, *failures.values()]


def _log(report: Report, written: Sequence[Output], log: Log) -> None:
    """What the summary says to people."""
    seen = structs.asdict(report.coverage.observed)
    counts = report.summary.by_severity | report.summary.by_status
    complete = report.coverage.complete
    log.tell("judged", "Everything that was seen has been judged", complete=complete, observed=seen, **counts)
    for output in written:
        log.tell("report", f"Report    {output.path}", format=output.form.value, path=output.path)


def _succeed(
    report: Report, trend: Trend | None, successor: Sequence[Output], asked: Asked, obstacle: str | None
) -> list[str]:
    """Put the report in the baseline's place, last of all: what was not told this time shall be new the next time."""
    baseline, log = asked.baseline, asked.log
    if obstacle:
        log.tell("baseline_kept", f"The baseline {successor[0].path} stays as it was: {obstacle}")
        return []
    failures = outputs.write(report, successor, trend)
    if not failures:
        log.tell("succeeded", f"Report    {successor[0].path}, the next baseline")
        if baseline.report and (forgotten := overlooked(report, baseline.report)):
            known = f"{count(forgotten, 'failure')} that the baseline knew"
            why = "in accounts, regions or by rules that this scan was not asked for"
            log.tell("forgotten", f"Warning: {known} will be new when seen again: {why}", failures=forgotten)
    return list(failures.values())
