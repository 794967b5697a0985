"""``chimeaudit scan``: collect, judge, compare with earlier nights, write, deliver, and decide the exit code."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic

import click
from msgspec import Struct, structs

from scanner.commands import delivery, github, manifest, outputs, recording, request
from scanner.commands.collecting import Collected, CollectionEnd, collect
from scanner.commands.options.declaring import GroupedCommand, takes
from scanner.commands.options.scan import ScanOptions
from scanner.commands.outputs import Output
from scanner.commands.reporting import Published, inheriting, publish, tell_next
from scanner.commands.request import ScanRequest
from scanner.errors import ChimeauditError, InterruptedScanError, NothingScannedError, OutputError
from scanner.model.facts import FAULT
from scanner.model.moments import stamp
from scanner.model.report import Report
from scanner.model.trend import Trend
from scanner.outcome.carried import with_unarchived
from scanner.outcome.gate import ExitCode, gate, saw_nothing
from scanner.render.wording import count
from scanner.terminal import Log, LogFormat

_EPILOG = """\b
Examples:
  chimeaudit scan --demo -o report.html
  chimeaudit scan --org --external-id ID -o report.html -o report.json
  chimeaudit scan --profile audit --select profile:default,profile:channels

\b
Exit codes:
    0  everything was observed, and no finding reaches --fail-on
    1  a finding reaches --fail-on
    2  a bad option, configuration or input
    3  no finding reaches --fail-on, but something was not observed
    4  nothing could be scanned
   70  a fault of chimeaudit, or a report or the history was not written
       or delivered
  130  interrupted"""


class ReportedScan(Struct, frozen=True):
    """A report, a line for each place that it could not be brought to, and why the history lacks it (`unrecorded`)."""

    report: Report
    failures: tuple[str, ...]
    unrecorded: str | None


@click.command("scan", cls=GroupedCommand, epilog=_EPILOG)
@takes(ScanOptions)
def command(options: ScanOptions) -> int:
    """Look at every channel flow, judge it by the rules, and report.

    Without -o, findings are printed as a table.
    """
    until = None if options.max_runtime is None else monotonic() + options.max_runtime
    log = Log(form=LogFormat(options.log_format), verbose=options.verbose, quiet=options.quiet)
    scan = request.read(options, log, until)
    with _interruptible():
        seen = collect(scan)
        with _resumable(scan, seen):
            outcome = _report(scan, seen)
    _check(scan, seen, outcome)
    return tell_next("scan", _exit_code(scan, seen, outcome.report), log)


def _report(scan: ScanRequest, seen: Collected) -> ReportedScan:
    """Judge what was collected and report it, in an order in which it can be done again after an interruption.

    Raises:
        UsageError: the journal is damaged.
        OutputError: there is no room for the findings.
    """
    baseline, log = scan.baseline, scan.log
    recorded = recording.record(_judged(scan, seen), scan.history, scan.outputs, seen.journal.directory)
    report = recorded.report
    if baseline.report:
        report = inheriting(report, baseline.report, scan.is_rule, log)
    successor = [output for output in scan.outputs if output.is_at(baseline.at)]
    now = [each for each in scan.outputs if each not in successor]
    published = publish(report, now, log, recorded.trend, instead=() if scan.options.summary_only else None)
    for warning in scan.waivers.warnings(report):
        log.tell("warning", f"Warning: {warning}")
    finished = seen.journal.complete and not saw_nothing(report)
    fixed_since = baseline.report if finished else None
    imported = delivery.import_findings(scan.deliveries, recorded.report, fixed_since, log)
    untold = delivery.notify(scan.deliveries, report, baseline.report, scan.outputs, log)
    failures = [*published.failures, *imported.failures, *untold]
    if successor:
        obstacles = {
            "the scan was cut short or saw nothing": not finished,
            "not everybody was told": untold,
        }
        obstacle = next((why for why, applies in obstacles.items() if applies), None)
        heir = with_unarchived(report, baseline.report, imported.unarchived) if baseline.report else report
        succeeded = _succeed(heir, recorded.trend, successor, scan, obstacle)
        published.digests.update(succeeded.digests)
        failures += succeeded.failures
    if scan.options.on_github:
        failures += github.tell(report, scan.outputs, lambda warning: log.tell("warning", warning))
    failures += manifest.write(
        scan.options.manifest, report, published.digests, scan.sources, log=log, journal=seen.journal
    )
    return ReportedScan(report, tuple(failures), recorded.failure)


def _judged(scan: ScanRequest, seen: Collected) -> Report:
    """The report of what was collected, with the options that say how it was judged this time."""
    report = seen.audit.report(stamp(datetime.now(UTC)))
    options = report.run.options | scan.judging
    return structs.replace(report, run=structs.replace(report.run, options=options))


def _succeed(
    report: Report, trend: Trend | None, successor: Sequence[Output], scan: ScanRequest, obstacle: str | None
) -> Published:
    """Write the report in place of the baseline. This comes last: what nobody was told must stay new for next time."""
    log = scan.log
    if obstacle:
        log.tell("baseline_kept", f"The baseline {successor[0].path} stays as it was: {obstacle}")
        return Published({}, ())
    digests, failures = outputs.write(report, successor, trend)
    if not failures:
        log.tell("succeeded", f"Report    {successor[0].path}, the next baseline")
    return Published(digests, failures)


_STOPS = ("SIGTERM", "SIGHUP", "SIGBREAK")
"""Signals by which others end a process; Windows has no SIGHUP, and only Windows has SIGBREAK."""


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let the signals of `_STOPS` stop a scan as Ctrl-C does. Under nohup, SIGHUP stays ignored."""
    known = (each for each in signal.Signals if each.name in _STOPS)
    stops = [number for number in known if signal.getsignal(number) == signal.SIG_DFL]
    for number in stops:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in stops:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def _resumable(scan: ScanRequest, seen: Collected) -> Iterator[None]:
    """If reporting is interrupted, say how to report the run later."""
    try:
        yield
    except KeyboardInterrupt:
        message = "interrupted before everything was reported; what was observed is kept"
        is_read = seen.ended is CollectionEnd.ALL_TRIED
        hint = f"Go on with it: {_judge_again(scan, seen)}" if is_read else _go_on(scan, seen)
        raise InterruptedScanError(message, hint=hint) from None


def _check(scan: ScanRequest, seen: Collected, outcome: ReportedScan) -> None:
    """Raise the error that ends the scan, with the command to go on with.

    Raises:
        ChimeauditError: a fault of chimeaudit left gaps, or a worker or the cluster was lost.
        InterruptedScanError: the user interrupted the scan.
        OutputError: the journal, a report or the history could not be written, or a delivery failed.
    """
    failures = (*outcome.failures, *((outcome.unrecorded,) if outcome.unrecorded else ()))
    if seen.ended is CollectionEnd.INTERRUPTED:
        message = "interrupted: what was observed until then is reported"
        raise InterruptedScanError("\n".join((message, *failures)), hint=_go_on(scan, seen))
    if failures:
        step = f"then: {_judge_again(scan, seen)}" if seen.journal.exists else "and scan again."
        again = f"Mend that or name another place, {step}"
        hint = again if outcome.failures else f"Record it again: {_judge_again(scan, seen)}"
        raise OutputError("\n".join(failures), hint=hint)
    if seen.broken:
        raise _broken(scan, seen, seen.broken)
    _check_faults(outcome.report)
    if seen.ended is CollectionEnd.OUT_OF_TIME:
        step = f" Go on with it: {_resume(scan, seen)}" if seen.journal.exists else ""
        awaited = f", waiting for {seen.awaited}" if seen.awaited else ""
        scan.log.tell("out_of_time", f"Stopped by --max-runtime{awaited}; the gaps say what is left.{step}")


def _exit_code(scan: ScanRequest, seen: Collected, report: Report) -> ExitCode:
    """The exit code.

    Raises:
        NothingScannedError: nothing was seen, and not for want of time.
    """
    code = gate(report, scan.fail_on, ignore_gaps=scan.options.allow_gaps)
    if code is not ExitCode.NOTHING_SCANNED:
        return code
    if seen.ended is CollectionEnd.OUT_OF_TIME:
        return ExitCode.GAPS
    reason, _, step = report.coverage.gaps[0].reason.partition("; ")
    hint = f"{step[:1].upper()}{step[1:]}." if step else "The report names every gap."
    raise NothingScannedError(f"nothing could be scanned: {reason}", hint=hint)


def _check_faults(report: Report) -> None:
    faults = [gap for gap in report.coverage.gaps if gap.code == FAULT and not gap.waiver]
    if faults:
        what = f"chimeaudit itself failed, which leaves {count(len(faults), 'gap')}"
        hint = "The report names what was not seen. Please report the fault, with what -v prints."
        raise ChimeauditError(f"{what}: {faults[0].reason.partition(';')[0]}", hint=hint)


def _broken(scan: ScanRequest, seen: Collected, error: ChimeauditError) -> ChimeauditError:
    """The error that ended collecting, with the command to go on with."""
    steps = [error.hint] if error.hint else []
    if seen.journal.exists:
        steps += [f"What was observed until then is reported. Go on with it: {_resume(scan, seen)}"]
    return type(error)(error.message, hint=" ".join(steps))


def _go_on(scan: ScanRequest, seen: Collected) -> str:
    """What to do after an interruption."""
    return f"Go on with it: {_resume(scan, seen)}" if seen.journal.exists else "Nothing was read yet; scan again."


def _resume(scan: ScanRequest, seen: Collected) -> str:
    """The command that goes on reading this run."""
    return f"chimeaudit scan --resume --run-dir {shlex.quote(str(seen.journal.directory))}{scan.to_resume}"


def _judge_again(scan: ScanRequest, seen: Collected) -> str:
    """The command that judges and reports this run again."""
    return f"chimeaudit scan --from {shlex.quote(str(seen.journal.directory))}{scan.to_judge_again}"
