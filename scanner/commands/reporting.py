"""Prints a report and writes its files: findings on standard output, the summary on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec import Struct

from scanner.commands import outputs
from scanner.commands.outputs import Output
from scanner.model.report import Report
from scanner.model.trend import Trend
from scanner.outcome.carried import DAYS_KEPT, inherit
from scanner.outcome.compare import marked
from scanner.outcome.gate import ExitCode
from scanner.render import table
from scanner.render.text import visible
from scanner.render.wording import count
from scanner.terminal import Log, LogFormat, err, inert, printed, wants_color, width

_ROWS_BESIDE_A_REPORT = 25
_STEPS = {
    (
        "scan",
        ExitCode.FINDINGS,
    ): "mend what failed (a report says how: -o report.html), or accept it: --baseline, or a waiver",
    (
        "scan",
        ExitCode.GAPS,
    ): "close the gaps (see chimeaudit doctor), or accept them: --allow-gaps, or a waiver",
    (
        "doctor",
        ExitCode.GAPS,
    ): "mend what it names (chimeaudit iam policy and iam role print what to allow), then try again",
    ("check", ExitCode.FINDINGS): "mend what failed (some by --fix), or accept it: --baseline, or a waiver",
    ("check", ExitCode.GAPS): "give what could not be read in a form that is, or accept that: --allow-gaps",
    ("diff", ExitCode.FINDINGS): "mend what is new, or accept it in the baseline: take NEW for OLD the next time",
    ("diff", ExitCode.GAPS): "look there again, with the scope and rules of OLD, or accept that: --allow-gaps",
}
"""What to do after a command that ended with an exit code, and printed no error that says so."""


class Published(Struct, frozen=True):
    """The reports that were written, each with the SHA-256 of its text, and a line for each that was not.

    `digests` has the files beside a page, too.
    """

    digests: dict[Output, str]
    failures: tuple[str, ...]

    @property
    def written(self) -> tuple[Output, ...]:
        return tuple(output for output in self.digests if output.beside is None)


def publish(
    report: Report,
    wanted: Sequence[Output],
    log: Log,
    trend: Trend | None = None,
    *,
    instead: Iterable[str] | None = None,
) -> Published:
    """Print the findings, or something `instead`, write the reports, and print the summary.

    If the log is quiet, neither findings nor summary are printed.
    """
    if instead is None and log.quiet:
        instead = ()
    unprinted = _print_findings(report, wanted, instead)
    written, failed = outputs.write(report, wanted, trend)
    if log.quiet:
        return Published(written, (*unprinted, *failed))
    if log.form is LogFormat.TEXT:
        err(inert(table.summary(report, width=width(), color=wants_color(sys.stderr), verbose=log.verbose)))
    else:
        _log(report, log)
    say_where(written, log)
    return Published(written, (*unprinted, *failed))


def tell_next(command: str, code: ExitCode, log: Log) -> ExitCode:
    """Say what to do next after this exit code, which is returned."""
    if step := _STEPS.get((command, code)):
        log.tell("next", f"Exit {code:d}    {step}", exit_code=int(code))
    return code


def publish_mistakes(report: Report, wanted: Sequence[Output], log: Log) -> Published:
    """Write reports that contain only mistakes. The error prints these, so there is no summary."""
    written, failed = outputs.write(report, wanted)
    say_where(written, log)
    return Published(written, failed)


def say_where(written: Iterable[Output], log: Log) -> None:
    """Print where the reports are."""
    for output in written:
        if output.path != outputs.STDOUT and output.beside is None:
            log.tell("report", f"Report    {output.path}", format=output.form.value, path=output.path)


def inheriting(report: Report, baseline: Report, is_rule: Callable[[str], bool], log: Log) -> Report:
    """The report compared with a baseline, with what it carries over from it; says what is not carried any further."""
    inherited = inherit(report, baseline, is_rule)
    later = [each for each in inherited.carried if each.not_looked_for]
    if later:
        what = f"{count(len(later), 'finding')} of the baseline in accounts, regions, files or by rules"
        message = f"{what} that were not asked for: known for {DAYS_KEPT} days from when that began"
        log.tell("not_looked_for", message, findings=len(later))
    dropped = {f"nobody looked for them in {DAYS_KEPT} days": inherited.expired}
    dropped |= {f"there is no rule {visible(rule)} any more": number for rule, number in inherited.without_rule.items()}
    for why, number in dropped.items():
        if number:
            message = f"Warning: {count(number, 'finding')} of the baseline left out, new if seen again: {why}"
            log.tell("dropped", message, findings=number)
    return marked(report, baseline, inherited)


def _print_findings(report: Report, wanted: Sequence[Output], instead: Iterable[str] | None) -> list[str]:
    """Print the table of findings, or something instead, unless a report goes to standard output.

    The table is shorter if a report has the rest.

    Returns a line if it could not be printed.
    """
    if any(output.path == outputs.STDOUT for output in wanted):
        return []
    most = _ROWS_BESIDE_A_REPORT if wanted else None
    color = wants_color(sys.stdout)
    pieces = table.findings(report, width=width(), color=color, most=most) if instead is None else instead
    failure = printed(map(inert, pieces), may_be_cut=bool(wanted))
    return [failure] if failure else []


def _log(report: Report, log: Log) -> None:
    """Log the contents of the summary."""
    seen = msgspec.to_builtins(report.coverage.observed)  # without what was not to be seen
    counts = report.summary.by_severity | report.summary.by_status
    complete = report.coverage.complete
    log.tell("judged", "Everything that was seen has been judged", complete=complete, observed=seen, **counts)
