"""What many nights say together: findings open, new and fixed, how long fixing takes, and what is open longest."""

from __future__ import annotations

from msgspec import Struct

from scanner.model.report import Scalar, Severity

SCHEMA_VERSION = "1.0"


class PastRun(Struct, frozen=True, kw_only=True, gc=False):
    """A run that was recorded, as its own report counted: `failed` by severity. `reports` are paths, by format."""

    id: str
    started_at: str
    finished_at: str
    version: str
    complete: bool
    accounts: int
    accounts_in_scope: int
    targets: int
    targets_in_scope: int
    app_instances: int
    channel_flows: int
    gaps: int
    failed: dict[str, int]
    unknown: int
    waived: int
    options: dict[str, Scalar | tuple[str, ...]]
    reports: dict[str, str]


class Night(Struct, frozen=True, kw_only=True, gc=False):
    """A run, and what it did to the history.

    `open` counts the failures that are open once the run is recorded, by severity: also those that it did not look at.
    """

    run_id: str
    started_at: str
    complete: bool
    accounts: int
    channel_flows: int
    open: dict[str, int]
    new: int
    reopened: int
    fixed: int
    waived: int

    @property
    def all_open(self) -> int:
        return sum(self.open.values())


class TimeToFix(Struct, frozen=True, kw_only=True, gc=False):
    """Days from when findings of a severity were first seen, or seen again, until a run saw them fixed."""

    severity: Severity
    fixed: int
    median_days: float
    longest_days: float


class OpenFinding(Struct, frozen=True, kw_only=True, gc=False):
    """A failure that is open; its age counts from `first_seen` to the last run."""

    fingerprint: str
    rule_id: str
    severity: Severity
    account_id: str
    region: str
    resource_arn: str | None
    resource_name: str | None
    app_instance_name: str | None
    first_seen: str
    last_seen: str
    age_days: int


class Trend(Struct, frozen=True, kw_only=True):
    """A history as people look at it: nights by time, times to fix worst severity first, the oldest findings first."""

    schema_version: str = SCHEMA_VERSION
    nights: tuple[Night, ...]
    time_to_fix: tuple[TimeToFix, ...]
    oldest: tuple[OpenFinding, ...]


class Pruned(Struct, frozen=True, kw_only=True):
    """What was removed from a history: how many of each."""

    runs: int
    findings: int
    changes: int
