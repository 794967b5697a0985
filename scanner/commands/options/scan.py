"""The table of the options of ``scan``.

To add an option, declare it here and use it where its value is needed. Nothing else changes. Options that other
commands share are declared in `scanner.commands.options.shared`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import click

from scanner.commands.options import completion, values
from scanner.commands.options.declaring import Group, Needs, Repeat, either, option
from scanner.commands.options.scope import ScopeOptions
from scanner.commands.options.shared import (
    DeliveryOptions,
    OutputOptions,
    RuleOptions,
    fail_on_option,
    github_option,
    history_option,
    inventory_option,
    quiet_option,
    summary_only_option,
    verbose_option,
)
from scanner.errors import UsageError
from scanner.model.phrases import first_of
from scanner.terminal import LogFormat

_MAX_AGE = timedelta(hours=24)
_SHOWN = 3
"""Values that a message repeats of an option that has many."""


@dataclass(frozen=True, kw_only=True)
class ScanOptions(ScopeOptions, DeliveryOptions, OutputOptions, RuleOptions):
    """All options of ``scan``."""

    from_: Path | None = option(
        "--from",
        group=Group.SCOPE,
        repeat=Repeat.NEVER,
        excludes=either(
            *("org", "accounts", "ou", "exclude", "regions", "profile", "demo", "resume", "max_age", "run_dir"),
            *("workers", "cluster", "max_runtime", "external_id", "channel_bearer", "channel_rate", "max_channels"),
        ),
        type=values.PATH,
        metavar="DIR",
        shell_complete=completion.directories,
        help="Judge the run in this directory again, without AWS.",
    )
    fail_on: str = fail_on_option()
    baseline: str | None = option(
        "--baseline",
        group=Group.JUDGING,
        recorded=True,
        callback=values.named,
        metavar="REPORT",
        shell_complete=completion.files,
        help="Saved JSON report (file or s3://BUCKET/KEY); what already failed in it gives no exit code 1.",
    )
    allow_no_baseline: bool = option(
        "--allow-no-baseline",
        group=Group.JUDGING,
        needs=Needs(one_of=("baseline",)),
        is_flag=True,
        help="Go on where --baseline is not there yet; everything is new then.",
    )
    history: str | None = history_option()
    inventory: bool = inventory_option()
    summary_only: bool = summary_only_option()
    on_github: bool = github_option()
    max_runtime: float | None = option(
        "--max-runtime",
        group=Group.STOPPING,
        repeat=Repeat.READING,
        recorded=True,
        callback=values.seconds,
        metavar="TIME",
        help="Stop in time (90s, 30m, 2h), report, and say what is left.",
    )
    allow_gaps: bool = option(
        "--allow-gaps",
        group=Group.STOPPING,
        recorded=True,
        is_flag=True,
        help="Exit with 0, not 3, where something could not be observed.",
    )
    workers: int = option(
        "--workers",
        repeat=Repeat.READING,
        excludes=either("cluster"),
        type=click.IntRange(0, 64),
        default=0,
        metavar="N",
        help="Read targets in N processes.  [default: in threads of one]",
    )
    cluster: str | None = option(
        "--cluster",
        repeat=Repeat.READING,
        metavar="ADDRESS",
        help="Read targets on the Dask cluster of this scheduler; local starts one here.",
    )
    run_dir: Path | None = option(
        "--run-dir",
        repeat=Repeat.NEVER,
        type=values.PATH,
        metavar="DIR",
        shell_complete=completion.directories,
        help="Where the journal of the run is kept.",
    )
    resume: bool = option(
        "--resume",
        repeat=Repeat.NEVER,
        is_flag=True,
        help="Go on with the run in --run-dir. Without --run-dir: with the newest unfinished one of the same scope; "
        "where there is none, scan anew.",
    )
    max_age: float | None = option(
        "--max-age",
        repeat=Repeat.NEVER,
        needs=Needs(one_of=("resume",)),
        callback=values.seconds,
        metavar="TIME",
        help="With --resume: go on with no run that began longer ago (90m, 12h, 2d).  [default: 24h]",
    )
    verbose: bool = verbose_option("Show each target as it is read, and details of a fault.")
    quiet: bool = quiet_option()
    log_format: str = option(
        "--log-format",
        type=click.Choice([form.value for form in LogFormat]),
        default=LogFormat.TEXT.value,
        show_default=True,
        help="How to write progress on standard error.",
    )

    def check(self) -> Self:
        super().check()
        if self.demo and self.cluster not in {None, "local"}:
            raise UsageError("--demo and --cluster contradict each other", hint="Leave one of them out.")
        if self.cluster is not None:
            from scanner.cluster.coordinator import check_address

            check_address(self.cluster)
        return self

    @property
    def oldest(self) -> timedelta:
        """The greatest age of a run that --resume goes on with."""
        return _MAX_AGE if self.max_age is None else timedelta(seconds=self.max_age)

    @property
    def names_scope(self) -> bool:
        """Whether the command line defines the scope."""
        return any(name in self.given for name in _scope())

    def differs_from(self, recorded: Mapping[str, Any]) -> tuple[str, str] | None:
        """How the scope of a run (by its recorded options) and this one differ, in words; None if they are the same.

        Each side names only the options that differ: first the run's, then these.
        """
        unset = {name: declared.unset for name, declared in self.declared().items()}
        theirs = {name: recorded.get(name, unset[name]) for name in _scope()}
        ours = {name: getattr(self, name) for name in _scope()}
        differing = [name for name in ours if _comparable(theirs[name]) != _comparable(ours[name])]
        return (_scope_in_words(theirs, differing), _scope_in_words(ours, differing)) if differing else None


def _scope() -> list[str]:
    """The options that define the scope of a run. They cannot change when it is resumed."""
    declared = ScanOptions.declared()
    return [name for name, own in declared.items() if own.recorded and own.repeat is Repeat.NEVER]


def _comparable(value: object) -> object:
    return frozenset(value) if isinstance(value, tuple) else value


def _scope_in_words(scope: Mapping[str, Any], names: list[str]) -> str:
    """The options as a user would write them."""
    return " ".join(_option_in_words(ScanOptions.declared()[name].flag, scope[name]) for name in names)


def _option_in_words(flag: str, value: Any) -> str:
    if isinstance(value, tuple) and value:
        return f"{flag} {first_of(value, _SHOWN, ',')}"
    if value is True:
        return flag
    return f"{flag} {value}" if value else f"no {flag}"
