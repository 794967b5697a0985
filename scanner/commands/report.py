"""``chimeaudit report``: a saved report in other formats, and to others."""

from __future__ import annotations

import click

from scanner.commands import delivery, inputs, outputs, recording, showing
from scanner.commands.delivery import Deliveries
from scanner.commands.options import completion
from scanner.errors import OutputError
from scanner.terminal import Log


@click.command("report")
@click.argument("saved", metavar="SAVED.json", shell_complete=completion.files)
@outputs.option
@delivery.options
@recording.option
@click.option("-v", "--verbose", is_flag=True, help="Say when nobody is notified; show details of a fault.")
def command(saved: str, output: tuple[str, ...], deliveries: Deliveries, history: str | None, *, verbose: bool) -> int:
    """Render or deliver a saved JSON report again, without scanning.

    '-' reads standard input. Without -o, findings are printed as a table. The exit code says only whether that worked:
    0, 2 where the report cannot be read, 70 where one cannot be written or delivered. With --history the run is
    recorded, as a scan would have done; a check's is refused.
    """
    wanted = outputs.parse_all(output)
    report = inputs.report(saved)
    kept = recording.keep(report, recording.address(history) if recording.is_meant_for(report) else None, wanted)
    report = kept.report
    unprinted = showing.findings(report, wanted)
    failures = outputs.write(report, wanted, kept.trend)
    written = [each for each in wanted if each not in failures]
    showing.summary(report, written)
    log = Log(verbose=verbose)
    undelivered = [
        *delivery.import_findings(deliveries, report, None, log).failures,
        *delivery.notify(deliveries, report, None, written, log),
    ]
    unwritten = (*unprinted, *failures.values())
    unrecorded = (kept.failure,) if kept.failure else ()
    if unwritten or undelivered or unrecorded:
        steps = {
            "Name another place with -o.": unwritten,
            "Mend that, or name another place.": undelivered,
            "Record it again with --history.": unrecorded,
        }
        message = "\n".join((*unwritten, *undelivered, *unrecorded))
        raise OutputError(message, hint=" ".join(step for step, failed in steps.items() if failed))
    return 0
