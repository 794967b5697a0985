"""The trend over many nights: open, new and fixed findings, how long fixes take, and what has been open longest."""

from __future__ import annotations

from msgspec import Struct

from scanner.model.report import Scalar, Severity

SCHEMA_VERSION = "1.0"


class PastRun(Struct, frozen=True, kw_only=True, gc=False):
    """A recorded run, with the counts of its own report: `failed` by severity. `reports` has paths by format."""

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
    """A run and what it changed in the history.

    `open` counts the failures that are open after the run, by severity, including those that it did not look for.
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
    """How many days fixes of a severity took: from when a finding was seen, first or again, until it was fixed."""

    severity: Severity
    fixed: int
    median_days: float
    longest_days: float


class OpenFinding(Struct, frozen=True, kw_only=True, gc=False):
    """An open failure; its age is from `first_seen` to the last run, in days.

    `account_name` is what the newest run that knew any names called its account.
    """

    fingerprint: str
    rule_id: str
    severity: Severity
    account_id: str
    account_name: str | None = None
    region: str
    resource_arn: str | None
    resource_name: str | None
    app_instance_name: str | None
    first_seen: str
    last_seen: str
    age_days: int


class Trend(Struct, frozen=True, kw_only=True):
    """The trend: nights in order of time, times to fix by severity, the worst first, and the oldest open findings."""

    schema_version: str = SCHEMA_VERSION
    nights: tuple[Night, ...]
    time_to_fix: tuple[TimeToFix, ...]
    oldest: tuple[OpenFinding, ...]


class Pruned(Struct, frozen=True, kw_only=True):
    """How many runs and findings were removed from a history."""

    runs: int
    findings: int
    changes: int
