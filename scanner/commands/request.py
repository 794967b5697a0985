"""What a scan was asked for, in full, checked before anything is looked at."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from scanner.aws import waiting
from scanner.commands import inputs, outputs, recording, ruleset, threshold
from scanner.commands.delivery import Deliveries
from scanner.commands.options import table
from scanner.commands.options.scan import Where
from scanner.commands.outputs import Output
from scanner.errors import NothingScannedError, UsageError
from scanner.judge.audit import Audit
from scanner.language.rule import Rule
from scanner.language.rule import facets as needed
from scanner.model.report import Report, Severity
from scanner.outcome.waivers import Waivers
from scanner.store.journal import Journal
from scanner.terminal import Log

if TYPE_CHECKING:
    from scanner.history.address import Address

_OF_THE_RUN = frozenset(
    {
        *("profile", "org", "ou", "accounts", "exclude", "role", "session_name", "external_id", "regions"),
        *("run_dir", "resume", "max_age", "from_"),
    }
)
_OF_READING = {"demo", "workers", "cluster", "max_runtime"}
_JUDGING = ("config", "rules", "select", "fail_on", "baseline", "allow_gaps")


class Baseline(Struct, frozen=True):
    """A saved report, by what it is no news; None where nothing is `at` its place yet."""

    at: str | None = None
    report: Report | None = None


class Asked(Struct, frozen=True, kw_only=True):
    """The options with the files that they name read. `options` are those that a report tells.

    `go_on` and `again` are those to be given again, as they were written, with --resume and with --from.
    """

    places: Where
    rules: tuple[Rule, ...]
    waivers: Waivers
    outputs: list[Output]
    deliveries: Deliveries
    baseline: Baseline
    history: Address | None
    fail_on: Severity | None
    allow_gaps: bool
    on_github: bool
    options: dict[str, Any]
    log: Log
    go_on: str
    again: str

    @property
    def facets(self) -> frozenset[str]:
        """What has to be collected beyond the lists."""
        return needed(self.rules) | self.waivers.facets

    @property
    def judging(self) -> dict[str, Any]:
        """The options that say how a run is judged, which may be another way each time."""
        return {name: self.options[name] for name in _JUDGING}

    def audit(self, journal: Journal) -> Audit:
        """The judging of a run."""
        return Audit(journal, self.rules, self.waivers)


def asked(
    places: Where,
    log: Log,
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
    until: float | None,
) -> Asked:
    """Read and check everything that the options name; `until`, a point in time of `time.monotonic`, ends the waiting.

    Raises:
        NothingScannedError: the baseline could not be read by then.
        UsageError: something of it cannot be used.
    """
    places.check()
    if places.demo and deliveries.securityhub:
        raise UsageError("--demo and --securityhub contradict each other", hint="Its findings are invented.")
    wanted = outputs.parse_all(output)
    outputs.keep_apart(wanted, places.run_dir)
    accepted = _baseline(baseline, log, until, may_lack=allow_no_baseline)
    address = recording.address(history)
    configured = ruleset.chosen(config_file, rules, select)
    if configured.fail_on and threshold.unsaid():
        fail_on = configured.fail_on
    if configured.file and not config_file:
        log.tell("configuration", f"Configuration: {configured.file}")
    return Asked(
        places=places,
        rules=configured.rules,
        waivers=Waivers(configured.waivers, today=datetime.now(UTC).date()),
        outputs=wanted,
        deliveries=deliveries,
        baseline=accepted,
        history=address,
        fail_on=threshold.severity(fail_on),
        allow_gaps=allow_gaps,
        on_github=on_github,
        options={
            **places.recorded,
            "config": configured.file,
            "rules": configured.named,
            "select": configured.select,
            "fail_on": fail_on,
            "baseline": baseline,
            "allow_gaps": allow_gaps,
        },
        log=log,
        go_on=table.options(besides=_OF_THE_RUN),
        again=table.options(besides=_OF_THE_RUN | _OF_READING),
    )


def _baseline(path: str | None, log: Log, until: float | None, *, may_lack: bool) -> Baseline:
    if path is None:
        if may_lack:
            raise UsageError("--allow-no-baseline goes with --baseline, which is not given", hint="Add --baseline.")
        return Baseline()
    found = _read(path, until)
    if found is None and not may_lack:
        hint = "Name one that -o wrote as JSON, or let --allow-no-baseline go on without."
        raise UsageError(f"--baseline: there is no report at {path}", hint=hint)
    if found is None:
        log.tell("no_baseline", f"There is no report at {path} yet: everything counts as new")
    return Baseline(path, found)


def _read(path: str, until: float | None) -> Report | None:
    """Who answers for a bucket, or at the other end of a pipe, may never do so."""
    context = click.get_current_context()

    def read() -> Report | None:
        with context.scope(cleanup=False):
            return inputs.report_if_any(path)

    try:
        return waiting.in_time(read, until, f"the baseline {path}")
    except waiting.OutOfTimeError:
        hint = "Scan without it, or give it more time."
        raise NothingScannedError(f"--max-runtime was over, waiting for the baseline {path}", hint=hint) from None
