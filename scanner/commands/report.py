"""``chimeaudit report``: a saved report in other formats."""

from __future__ import annotations

import click

from scanner.commands import inputs, outputs, showing
from scanner.errors import OutputError


@click.command("report")
@click.argument("saved", metavar="SAVED.json")
@outputs.option
@click.option("-v", "--verbose", is_flag=True, expose_value=False, help="Show details of a fault.")
def command(saved: str, output: tuple[str, ...]) -> int:
    """Render a saved JSON report again, without AWS.

    '-' reads standard input. Without -o, findings are printed as a table. The exit code says only whether that worked:
    0, 2 where the report cannot be read, 70 where one cannot be written.
    """
    wanted = outputs.parse_all(output)
    report = inputs.report(saved)
    showing.findings(report, wanted)
    failures = outputs.write(report, wanted)
    showing.summary(report, [each for each in wanted if each not in failures])
    if failures:
        raise OutputError("\n".join(failures.values()), hint="Name another place with -o.")
    return 0
