"""``chimeaudit report``: a saved report in other formats."""

from __future__ import annotations

import click

from scanner.commands import inputs, keeping, outputs, showing
from scanner.errors import OutputError


@click.command("report")
@click.argument("saved", metavar="SAVED.json")
@outputs.option
@keeping.option
@click.option("-v", "--verbose", is_flag=True, expose_value=False, help="Show details of a fault.")
def command(saved: str, output: tuple[str, ...], history: str | None) -> int:
    """Render a saved JSON report again, without AWS.

    '-' reads standard input. Without -o, findings are printed as a table. The exit code says only whether that worked:
    0, 2 where the report cannot be read, 70 where one cannot be written. With --history the run is recorded, as a scan
    would have done.
    """
    wanted = outputs.parse_all(output)
    nights = keeping.address(history)
    kept = keeping.keep(inputs.report(saved), nights, wanted)
    report = kept.report
    showing.findings(report, wanted)
    failures = outputs.write(report, wanted, kept.trend)
    showing.summary(report, [each for each in wanted if each not in failures])
    if failures:
        raise OutputError("\n".join(failures.values()), hint="Name another place with -o.")
    if kept.failure:
        raise OutputError(kept.failure, hint="Record it again with --history.")
    return 0
