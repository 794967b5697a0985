"""Reads and checks what a scan is asked for: its options, and the files that they name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from scanner.aws import waiting
from scanner.commands import inputs, manifest, outputs, recording
from scanner.commands.delivery import Deliveries
from scanner.commands.options.declaring import Repeat
from scanner.commands.options.scan import ScanOptions
from scanner.commands.options.shared import severity
from scanner.commands.outputs import Output
from scanner.errors import NothingScannedError, UsageError
from scanner.judge.audit import Audit
from scanner.language.frameworks import Supports
from scanner.language.rule import Rule, facets
from scanner.model.report import Report, Severity
from scanner.outcome.waivers import Waivers
from scanner.store.journal import Journal
from scanner.terminal import Log

if TYPE_CHECKING:
    from scanner.history.address import Address


class Baseline(Struct, frozen=True):
    """A saved report whose failures are not new. `report` is None if there is nothing at the path (`at`) yet."""

    at: str | None = None
    report: Report | None = None


class ScanRequest(Struct, frozen=True, kw_only=True):
    """The options of a scan, with what they name: rules, waivers, reports, deliveries, the baseline, the history.

    `is_rule` tells whether a rule exists, selected or not. `supports` says what of each control the rules support.
    `bearer` is the id of the admin as whom channels are listed. `inventory`: the report is to have one. `record` is
    what the report contains of the options, `sources` what a manifest contains of rules and configuration. The scan
    stops at `until`, a time of `time.monotonic`.
    """

    options: ScanOptions
    rules: tuple[Rule, ...]
    supports: Supports
    sources: manifest.Digests
    is_rule: Callable[[str], bool]
    waivers: Waivers
    outputs: list[Output]
    deliveries: Deliveries
    baseline: Baseline
    history: Address | None
    fail_on: Severity | None
    bearer: str | None
    inventory: bool
    record: dict[str, Any]
    log: Log
    until: float | None

    @property
    def facets(self) -> frozenset[str]:
        """The facets that have to be collected."""
        return wanted_facets(self.rules, self.waivers)

    @property
    def judging(self) -> dict[str, Any]:
        """The recorded options that say how the run is judged, with their final values."""
        return {name: self.record[name] for name in self.options.judging}

    @property
    def to_resume(self) -> str:
        """The options to be repeated with --resume, each with a space in front."""
        return self.options.repeated(Repeat.READING, Repeat.ALWAYS)

    @property
    def to_judge_again(self) -> str:
        """The options to be repeated with --from, each with a space in front."""
        return self.options.repeated(Repeat.ALWAYS)

    def audit(self, journal: Journal) -> Audit:
        """The audit of a run by these rules and waivers."""
        return Audit(journal, self.rules, self.waivers, self.supports, inventory=self.inventory)


def wanted_facets(rules: Sequence[Rule], waivers: Waivers) -> frozenset[str]:
    """The facets that have to be collected for rules and waivers."""
    by_tags = waivers.by_tags
    tagged = any(each.info.id in by_tags and each.info.resource != "role" for each in rules)
    return facets(rules) | ({"tags"} if tagged else set())  # the facet chat_roles has the tags of roles


def read(options: ScanOptions, log: Log, until: float | None) -> ScanRequest:
    """Read and check everything that the options name.

    Raises:
        NothingScannedError: the baseline could not be read in time.
        UsageError: something that they name cannot be used.
    """
    deliveries = Deliveries.of(options)
    wanted = outputs.parse_all(options)
    outputs.keep_apart(wanted, options.run_dir, options.manifest)
    baseline = _baseline(options, log, until)
    history = recording.address(options.history)
    configured = options.configuration()
    settled = options.settled(configured, options.fail_on)
    if configured.file and not options.config:
        log.tell("configuration", f"Configuration: {configured.file}")
    bearer = options.channel_bearer or configured.bearer
    inventory = outputs.has_inventory(wanted, asked=options.inventory)
    return ScanRequest(
        options=options,
        rules=configured.rules,
        supports=configured.supports,
        sources=manifest.of_sources(options.manifest, configured, options.baseline),
        is_rule=configured.is_rule,
        waivers=Waivers(configured.waivers, today=datetime.now(UTC).date()),
        outputs=wanted,
        deliveries=deliveries,
        baseline=baseline,
        history=history,
        fail_on=severity(settled["fail_on"]),
        bearer=bearer,
        inventory=inventory,
        record=options.recorded
        | settled
        | {"channel_bearer": None if options.from_ else bearer, "inventory": inventory},
        log=log,
        until=until,
    )


def _baseline(options: ScanOptions, log: Log, until: float | None) -> Baseline:
    path = options.baseline
    if path is None:
        return Baseline()
    try:  # a bucket, or the other end of a pipe, may never answer
        what = f"the baseline {path}"
        found = waiting.in_time(lambda: inputs.report_if_any(path, options.storing), until, what)
    except waiting.OutOfTimeError:
        hint = "Scan without it, or give it more time."
        raise NothingScannedError(f"--max-runtime was over, waiting for {what}", hint=hint) from None
    if found is None:
        if not options.allow_no_baseline:
            hint = "Name one that -o wrote as JSON, or let --allow-no-baseline go on without."
            raise UsageError(f"--baseline: there is no report at {path}", hint=hint)
        log.tell("no_baseline", f"There is no report at {path} yet: everything counts as new")
    return Baseline(path, found and inputs.as_baseline(found, path))
