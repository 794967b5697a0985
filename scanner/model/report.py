"""What the audit says: findings, and the report that holds them.

The structs here are the JSON report: their fields, in their order, are its keys. Changing one changes
``reports/schema/report-1.1.json`` and, where a reader could break, ``SCHEMA_VERSION``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Container, Mapping
from enum import StrEnum
from typing import Literal

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.model.edits import Edit
from scanner.model.facts import Gap

SCHEMA_VERSION = "1.1"
UNKNOWN = "unknown"
"""An account or a region that is not known."""


class Severity(StrEnum):
    """How bad it is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Status(StrEnum):
    """What a finding says of its resource: the rule failed, could not be judged, or failed and was waived."""

    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"


ResourceType = Literal["channel_flow", "app_instance", "role"]
Scalar = str | int | float | bool | None


class Waiver(Struct, frozen=True, kw_only=True, gc=False):
    """Somebody's decision to live with a finding or a gap until a date (YYYY-MM-DD)."""

    reason: str
    owner: str
    expires: str


class GapReference(Struct, frozen=True, kw_only=True, gc=False):
    """Enough of a gap to find it among the report's gaps."""

    account_id: str
    region: str | None
    resource_arn: str | None
    operation: str
    code: str

    @classmethod
    def to(cls, gap: Gap) -> GapReference:
        return cls(
            account_id=gap.account_id,
            region=gap.region,
            resource_arn=gap.resource_arn,
            operation=gap.operation,
            code=gap.code,
        )


class Evidence(Struct, frozen=True, kw_only=True, gc=False):
    """One condition that did not hold, or could not be decided.

    `path` leads from the resource to the value, with indexes (``processors[1].fallback_action``); `required` is a
    phrase (``equals ABORT``). Where the value is unknown, `observed` is null and `gap` says why.
    """

    path: str
    observed: Scalar | tuple[Scalar, ...]
    required: str
    gap: GapReference | UnsetType = UNSET


class PipelineStep(Struct, frozen=True, kw_only=True, gc=False):
    """A processor as a reader needs it to picture the flow; null is what was not observed.

    Of a function that is not deployed yet, `lambda_arn` is what its file says: ``${Moderation.Arn}:live``.
    """

    name: str | None
    execution_order: int | None
    fallback_action: str | None
    lambda_arn: str | None


class Resource(Struct, frozen=True, kw_only=True, gc=False):
    """What a finding is about. `processors` stand in execution order; only a channel flow has any. A role
    belongs to its account: its region is "global", and it has no app instance.

    What is not deployed yet has no ARN, and where its file does not say for which account and region it is, those are
    "unknown". A name that is not settled is given as the file writes it.
    """

    type: ResourceType
    arn: str | None
    name: str | None
    account_id: str
    region: str
    app_instance_arn: str | None
    app_instance_name: str | None
    processors: tuple[PipelineStep, ...] = ()


class Location(Struct, frozen=True, kw_only=True, gc=False):
    """Where in a judged file the value stands; line and column count from 1."""

    file: str
    line: int
    column: int


class Finding(Struct, frozen=True, kw_only=True, gc=False):
    """One rule's verdict on one resource, or on one failing part of it.

    `edits` of a file make it go away; it is left out where there are none, or where not all of it can be done by them.
    """

    rule_id: str
    title: str
    severity: Severity
    status: Status
    resource: Resource
    message: str
    evidence: tuple[Evidence, ...]
    remediation: str
    references: tuple[str, ...]
    frameworks: dict[str, tuple[str, ...]]
    fingerprint: str
    waiver: Waiver | None = None
    change: Literal["new", "existing"] | None = None
    first_seen: str | None = None
    location: Location | None = None
    edits: tuple[Edit, ...] | UnsetType = UNSET

    @property
    def is_known_failure(self) -> bool:
        """Whether it fails or, where it could not be judged, did so when it was first seen, and nobody saw it fixed."""
        return self.status is Status.FAIL or (self.status is Status.UNKNOWN and self.first_seen is not None)


def fingerprint(rule_id: str, resource_arn: str, part: str = "") -> str:
    """The identity of a finding across runs: no name, date or index goes into it.

    `part` is the failing part's own identity: for a processor, its function's ARN without qualifier.
    """
    return hashlib.sha256("\n".join((rule_id, resource_arn, part)).encode()).hexdigest()[:32]


HELP = r"https://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._~:/?#@!$&*+,;=%-]{0,2000}"
"""The addresses that a rule may have as `help`, as a regular expression: they can stand in every format as they are."""


class RuleInfo(Struct, frozen=True, kw_only=True, gc=False):
    """A rule that ran, as reports describe it; `help` is the address of the page that explains it, if there is one."""

    id: str
    topic: str
    title: str
    severity: Severity
    status: Literal["stable", "experimental", "deprecated"]
    profiles: tuple[str, ...]
    resource: ResourceType
    rationale: str
    remediation: str
    references: tuple[str, ...]
    frameworks: dict[str, tuple[str, ...]]
    help: str | UnsetType = UNSET


class ReportedGap(Gap, frozen=True, kw_only=True, gc=False):
    """A gap and, where somebody accepted it, the waiver; where a file could not be read, `location` says at what."""

    waiver: Waiver | None = None
    location: Location | UnsetType = UNSET


class Tool(Struct, frozen=True, kw_only=True, gc=False):
    name: str
    version: str
    rules_digest: str


class Run(Struct, frozen=True, kw_only=True, gc=False):
    """When and how; the only block that differs between two runs over the same inventory. Times are UTC, ISO 8601."""

    id: str
    started_at: str
    finished_at: str
    options: dict[str, Scalar | tuple[str, ...]]


class Scope(Struct, frozen=True, kw_only=True, gc=False):
    """What was to be looked at, and how that was decided. `files` are those that were judged, in a check.

    `account_names` has the names that AWS Organizations tells, by account id; it is left out where none is known.
    """

    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    chosen_by: str
    files: tuple[str, ...] = ()
    account_names: dict[str, str] | UnsetType = UNSET

    @property
    def names(self) -> Mapping[str, str]:
        """The names of accounts by id, as far as they are known."""
        return self.account_names or {}


class InScope(Struct, frozen=True, kw_only=True, gc=False):
    """How much there was to look at. A scan looks at accounts and their regions, a check at files."""

    accounts: int
    targets: int
    files: int = 0


class Observed(Struct, frozen=True, kw_only=True, gc=False):
    """What was seen. A target counts once its app instances were listed to the end, an account once its targets do, and
    a file once it was read to its end. `roles` is left out where no rule on roles ran."""

    accounts: int = 0
    targets: int = 0
    files: int = 0
    app_instances: int = 0
    channel_flows: int = 0
    processors: int = 0
    roles: int | UnsetType = UNSET


class Coverage(Struct, frozen=True, kw_only=True, gc=False):
    """How much of the scope was seen. `complete` is true only where every gap is waived, or there is none."""

    complete: bool
    in_scope: InScope
    observed: Observed
    gaps: tuple[ReportedGap, ...]
    not_examined: tuple[str, ...]


class RuleCounts(Struct, frozen=True, kw_only=True, gc=False):
    """How many resources a rule was applied to, by its verdict: however many parts of one fail, it has one verdict.

    A rule that fails on a resource has `failed`, even if something else there is unknown; only if all its failures
    there are waived, it is `waived`.
    """

    passed: int = 0
    failed: int = 0
    unknown: int = 0
    waived: int = 0
    not_applicable: int = 0

    @property
    def judged(self) -> int:
        """How many resources it applied to."""
        return self.passed + self.failed + self.unknown + self.waived


ControlStatus = Literal["satisfied", "not-satisfied", "not-determined"]


class Control(Struct, frozen=True, kw_only=True, gc=False):
    """A control of a framework, and what the rules that support it come to together.

    `supports` says what of the control the rules support; null if nobody has said it. `rules` are those that were
    selected: one that is not among the report's rules judged nothing, since no file can tell what it reads. The counts
    are sums over the rules, as in RuleCounts.

    It is satisfied only if something was judged, nothing failed, was waived or is unknown, and no gap, waived or not,
    may hide what a rule judges. A failure makes it not satisfied; `accepted` if all of them are waived. Anything else
    is not determined.
    """

    framework: str
    control: str
    supports: str | None
    rules: tuple[str, ...]
    passed: int
    failed: int
    unknown: int
    waived: int
    not_applicable: int
    status: ControlStatus
    accepted: bool


class Summary(Struct, frozen=True, kw_only=True, gc=False):
    """Counts. By severity, rule and account: failed findings. By status: findings, and besides them the judgements
    (one rule on one resource) that passed or did not apply. `rules`: judgements by the rule's id."""

    by_severity: dict[str, int]
    by_status: dict[str, int]
    by_rule: dict[str, int]
    by_account: dict[str, int]
    rules: dict[str, RuleCounts] | UnsetType = UNSET


class BaselineRun(Struct, frozen=True, kw_only=True, gc=False):
    """The run of the report that this one was compared with. "new" means: failed now, and not known to fail then.

    `fixed` is how many of the failures known then were looked for and are gone; it is left out where that is not known.
    """

    id: str
    started_at: str
    fixed: int | UnsetType = UNSET


class CarriedOver(Struct, frozen=True, kw_only=True, gc=False):
    """What an earlier report knew as failed or waived, and this run did not settle. It counts as neither new nor fixed.

    `finding` is as the earlier report had it, `last_seen` when the last run began that saw it. `reason` says why this
    run did not settle it. `not_looked_for` is left out where the run was to look for it. Otherwise nobody asked for its
    account, region, file or rule, in this run and those just before it; then it is when the first of these runs began.
    """

    finding: Finding
    last_seen: str
    reason: str
    not_looked_for: str | UnsetType = UNSET


Verdict = Literal["passed", "failed", "unknown", "waived", "not_applicable"]
"""What a rule comes to on a resource, as RuleCounts counts it."""
VERDICTS: tuple[Verdict, ...] = ("failed", "unknown", "waived", "passed", "not_applicable")
"""The verdicts, worst first."""


class InventoryItem(Struct, frozen=True, kw_only=True, gc=False):
    """A resource that was seen, with the verdict of every rule that was applied to it, by the rule's id.

    `processors` stand in execution order; they are null if they were not observed, and only a channel flow has any.
    `location` is where a file declares the resource. The rest is as in Resource.
    """

    type: ResourceType
    arn: str | None
    name: str | None
    account_id: str
    region: str
    app_instance_arn: str | None
    processors: tuple[PipelineStep, ...] | None
    verdicts: dict[str, Verdict]
    location: Location | UnsetType = UNSET

    @property
    def verdict(self) -> Verdict | None:
        """The worst of the verdicts; None if no rule was applied."""
        own = frozenset(self.verdicts.values())
        return next((verdict for verdict in VERDICTS if verdict in own), None)

    def narrowed(self, rules: Container[str]) -> InventoryItem:
        """The item with the verdicts of these rules only."""
        return structs.replace(self, verdicts={id_: own for id_, own in self.verdicts.items() if id_ in rules})


class Report(Struct, frozen=True, kw_only=True):
    """Everything one audit has to say; what every format is rendered from.

    `findings` can be gone through more than once, in order of account, region, app instance, channel flow or role, rule
    and part; they need not be in memory. `baseline` and `carried_over` are left out where there was no baseline.
    """

    schema_version: str = SCHEMA_VERSION
    tool: Tool
    run: Run
    scope: Scope
    coverage: Coverage
    summary: Summary
    rules: tuple[RuleInfo, ...]
    controls: tuple[Control, ...] | UnsetType = UNSET
    baseline: BaselineRun | UnsetType = UNSET
    carried_over: tuple[CarriedOver, ...] | UnsetType = UNSET
    findings: Collection[Finding]
    inventory: Collection[InventoryItem] | UnsetType = UNSET
