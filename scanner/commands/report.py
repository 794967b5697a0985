"""``chimeaudit report``: renders a saved report in other formats, and delivers it."""

from __future__ import annotations

from dataclasses import dataclass

import click

from scanner.commands import delivery, inputs, manifest, outputs, recording
from scanner.commands.delivery import Deliveries
from scanner.commands.options import completion
from scanner.commands.options.declaring import Group, option, takes
from scanner.commands.options.shared import DeliveryOptions, OutputOptions, history_option, quiet_option, verbose_option
from scanner.commands.reporting import publish
from scanner.errors import OutputError, UsageError
from scanner.model.report import Report
from scanner.outcome import narrow
from scanner.terminal import Log


@dataclass(frozen=True, kw_only=True)
class ReportOptions(DeliveryOptions, OutputOptions):
    """The options of ``report``."""

    framework: str | None = option(
        "--framework",
        group=Group.RESULTS,
        metavar="NAME",
        help="Report on the rules, findings and controls of this framework alone; not with --history or --securityhub.",
    )
    history: str | None = history_option()
    verbose: bool = verbose_option("Say when nobody is notified; show details of a fault.")
    quiet: bool = quiet_option()


@click.command("report")
@click.argument("saved", metavar="SAVED.json", shell_complete=completion.files)
@takes(ReportOptions)
def command(options: ReportOptions, saved: str) -> int:
    """Render or deliver a saved JSON report again, without scanning.

    '-' reads standard input. Without -o, findings are printed as a table. The exit code says only whether that worked:
    0, 2 where the report cannot be read, 70 where one cannot be written or delivered. With --history the run is
    recorded, as a scan would have done; a check's is refused.
    """
    log = Log(verbose=options.verbose, quiet=options.quiet)
    deliveries = Deliveries.of(options)
    wanted = outputs.parse_all(options)
    sources = manifest.of_file(options.manifest, saved)
    report = inputs.report(saved, options.storing, inventory=True)
    outputs.check_inventory(report, wanted, saved)
    if options.framework is not None:
        report = narrow.to_framework(report, options.framework)
    _check(report, options)
    history = recording.address(options.history) if _is_to_be_recorded(report, options) else None
    recorded = recording.record(report, history, wanted)
    published = publish(recorded.report, wanted, log, recorded.trend)
    undelivered = [
        *delivery.import_findings(deliveries, recorded.report, None, log).failures,
        *delivery.notify(deliveries, recorded.report, None, published.written, log),
    ]
    unwritten = (*published.failures, *manifest.write(options.manifest, report, published.digests, sources, log=log))
    unrecorded = (recorded.failure,) if recorded.failure else ()
    if unwritten or undelivered or unrecorded:
        steps = {
            "Name another place.": unwritten,
            "Mend that, or name another place.": undelivered,
            "Record it again with --history.": unrecorded,
        }
        message = "\n".join((*unwritten, *undelivered, *unrecorded))
        raise OutputError(message, hint=" ".join(step for step, failed in steps.items() if failed))
    return 0


def _check(report: Report, options: ReportOptions) -> None:
    """Refuse what would take findings of other frameworks for fixed.

    Raises:
        UsageError: a part of a report is to be recorded or imported.
    """
    if narrow.is_part(report) and ("history" in options.given or options.securityhub):
        what = "--history" if "history" in options.given else "--securityhub"
        part = "--framework gives a part of the report" if options.framework else "the report is a part of one"
        hint = f"Leave out {'--framework, or ' if options.framework else ''}{what}."
        raise UsageError(f"{part}, and {what} takes whole ones", hint=hint)


def _is_to_be_recorded(report: Report, options: ReportOptions) -> bool:
    """Whether the report goes into the history. If only the environment variable names one, a check's does not, and
    neither does a part of a report."""
    return "history" in options.given or not (report.coverage.in_scope.files or narrow.is_part(report))
