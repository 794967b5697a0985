"""``python -m scanner.simulator``: a simulated AWS for any AWS client."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path
from threading import Event

import click

from scanner.errors import UsageError
from scanner.simulator.organisation import DEMO, load


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=DEMO, metavar="[FILE]")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on loopback; any free one by default.")
@click.option("--enforce-iam", is_flag=True, help="Deny what the organisation's audit_policy does not allow.")
def main(file: Path, port: int, enforce_iam: bool) -> None:
    """Serve the organisation that FILE describes (the demo, without one) until stopped.

    The variables an AWS client needs go to standard output, as lines for a shell.
    """
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        from scanner.simulator.server import start  # needs moto, which --help does not

        with start(load(file), port=port, enforce_iam=enforce_iam) as aws:
            for name, value in aws.environment.items():
                click.echo(f"export {name}={shlex.quote(value)}")
            click.echo(f"Simulated AWS ready on {aws.url}, account {aws.account_id}. Ctrl-C stops it.", err=True)
            stop.wait()
    except UsageError as error:
        click.echo(f"error: {error.message}\nhint: {error.hint}", err=True)
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main(prog_name="python -m scanner.simulator")
