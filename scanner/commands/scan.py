"""``chimeaudit scan``: collect, judge, report."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from msgspec import Struct, structs

from scanner import baseline, config, runs
from scanner.commands import inputs, outputs, showing, threshold
from scanner.config import Configuration
from scanner.engine.audit import audit
from scanner.errors import InterruptedScanError, NothingScannedError, OutputError, UsageError
from scanner.finding import Report
from scanner.gate import ExitCode, gate
from scanner.journal import Journal, RunHeader
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
_NO_OTHER_AWS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


class Options(Struct, frozen=True, kw_only=True):
    """What the user asked for, by the names of the options."""

    demo: bool
    profile: str | None
    regions: tuple[str, ...]
    run_dir: Path | None
    resume: bool
    from_: Path | None
    config: Path | None
    rules: tuple[str, ...]
    select: tuple[str, ...]
    output: tuple[str, ...]
    fail_on: str
    baseline: str | None
    allow_gaps: bool


def _regions(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(region.strip() for value in values for region in value.split(","))


@click.command("scan", epilog=_EXIT_CODES)
@click.option("--demo", is_flag=True, help="Scan the simulated organisation that comes with chimeaudit[demo].")
@click.option("--profile", metavar="NAME", help="Use the credentials of this AWS profile.")
@click.option(
    "--regions",
    multiple=True,
    metavar="REGION,...",
    callback=_regions,
    help="Look only here.  [default: every region where the service exists]",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"Configuration; the other options win over it.  [default: {config.FILE} where there is one]",
)
@click.option(
    "--rules",
    multiple=True,
    metavar="PATH",
    help=f"Rule file or folder to use instead of the shipped ones; '{config.SHIPPED}' names those.",
)
@click.option(
    "--select",
    multiple=True,
    metavar="WHAT",
    help="Rules to apply: an id, topic:T, severity:S, framework:F or profile:P.  [default: profile:default]",
)
@outputs.option
@threshold.option
@click.option("--baseline", metavar="REPORT", help="Saved JSON report; what already failed in it gives no exit code 1.")
@click.option("--allow-gaps", is_flag=True, help="Exit with 0, not 3, where something could not be observed.")
@click.option("--run-dir", type=click.Path(path_type=Path), metavar="DIR", help="Where the journal of the run is kept.")
@click.option("--resume", is_flag=True, help="Go on with the run in --run-dir, or with the newest unfinished one.")
@click.option(
    "--from",
    "from_",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Judge the run in this directory again, without AWS.",
)
@click.option("-v", "--verbose", is_flag=True, expose_value=False, help="Show details of a fault.")
def command(**given: Any) -> int:
    """Look at every channel flow, judge it by the rules, and report.

    Without -o, findings are printed as a table.
    """
    options = Options(**given)
    _check(options)
    wanted = [outputs.parse(value) for value in options.output]
    accepted = inputs.report(options.baseline) if options.baseline else None
    configured = config.load(config.find(options.config), rules=options.rules, select=options.select)
    options = _effective(options, configured)
    waivers = Waivers(configured.waivers, today=datetime.now(UTC).date())
    journal, interrupted = _observe(options)
    report = audit(journal, configured.rules, _now(), waivers)
    if accepted:
        report = baseline.marked(report, accepted)
    showing.findings(report, wanted)
    failures = outputs.write(report, wanted)
    showing.summary(report, wanted)
    for warning in waivers.warnings():
        showing.say(f"Warning: {warning}")
    if interrupted:
        raise InterruptedScanError(
            "\n".join(("interrupted: what was observed until then is in the report", *failures)),
            hint=f"Go on with it: chimeaudit scan --resume --run-dir {journal.directory}",
        )
    if failures:
        hint = f"Write it elsewhere: chimeaudit scan --from {journal.directory} -o PATH"
        raise OutputError("\n".join(failures), hint=hint)
    return _verdict(report, options)


def _check(options: Options) -> None:
    """Refuse options that contradict each other, before anything is done."""
    scanning = {"--demo": options.demo, "--profile": options.profile, "--regions": options.regions}
    contradictions: dict[str, tuple[object, dict[str, object]]] = {
        "--from": (options.from_, {**scanning, "--resume": options.resume, "--run-dir": options.run_dir}),
        "--resume": (options.resume, {"--regions": options.regions}),
        "--demo": (options.demo, {"--profile": options.profile}),
    }
    for option, (given, others) in contradictions.items():
        clash = next((name for name, value in others.items() if given and value), None)
        if clash:
            raise UsageError(f"{option} and {clash} contradict each other", hint="Leave one of them out.")


def _effective(options: Options, configured: Configuration) -> Options:
    """The options, with what the configuration file says where they say nothing."""
    unsaid = click.get_current_context().get_parameter_source("fail_on") is ParameterSource.DEFAULT
    fail_on = (configured.fail_on if unsaid else None) or options.fail_on
    return structs.replace(options, rules=configured.named, select=configured.select, fail_on=fail_on)


def _observe(options: Options) -> tuple[Journal, bool]:
    """The journal of what was seen, and whether the user stopped it before the end."""
    if options.from_:
        return Journal.open(options.from_), False
    with _interruptible(), _aws_environment(options):
        from scanner.collect.aws import Aws
        from scanner.collect.run import collect

        aws = Aws(options.profile)
        journal = _take_up(options) if options.resume else _begin(options, aws)
        showing.say(f"Scanning {_scope(journal)}. The journal is in {journal.directory}")
        try:
            collect(aws, journal)
        except KeyboardInterrupt:
            return journal, True
    return journal, False


def _begin(options: Options, aws: Any) -> Journal:
    from scanner.collect.scope import resolve

    now = datetime.now(UTC)
    run_id = runs.new_id(now)
    resolved = resolve(aws, options.regions)
    runs.prune(now)
    return Journal.create(
        options.run_dir or runs.home() / run_id,
        RunHeader(
            id=run_id,
            started_at=_now(),
            scope=resolved.scope,
            targets=resolved.targets,
            gaps=resolved.gaps,
            options=_recorded(options),
        ),
    )


def _take_up(options: Options) -> Journal:
    return Journal.open(options.run_dir or runs.newest_unfinished())


def _recorded(options: Options) -> dict[str, Any]:
    """What decides the result; there are no secrets among it."""
    names = ("demo", "profile", "regions", "rules", "select", "fail_on", "baseline", "allow_gaps")
    return {name: getattr(options, name) for name in names}


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM stops a scan as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _aws_environment(options: Options) -> Iterator[None]:
    """The user's own, or with --demo that of the simulation alone: no call may leave this machine then."""
    if not options.demo:
        yield
        return
    before = dict(os.environ)
    kept = {name: value for name, value in before.items() if not name.startswith("AWS_")}
    _replace_environment({**kept, **_NO_OTHER_AWS})
    try:
        from scanner.simulator.server import start

        with start() as simulation:
            os.environ.update(simulation.environment)
            yield
    finally:
        _replace_environment(before)


def _replace_environment(variables: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def _verdict(report: Report, options: Options) -> int:
    code = gate(report, threshold.severity(options.fail_on), allow_gaps=options.allow_gaps)
    if code is ExitCode.NOTHING_SCANNED:
        reason, _, step = report.coverage.gaps[0].reason.rpartition("; ")
        raise NothingScannedError(f"nothing could be scanned: {reason}", hint=f"{step[:1].upper()}{step[1:]}.")
    return code


def _scope(journal: Journal) -> str:
    scope = journal.header.scope
    return f"account {', '.join(scope.accounts)} in {', '.join(scope.regions)}"


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
