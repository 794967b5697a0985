"""What became of the failures of one report in a later one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct

from scanner import former
from scanner.finding import Finding, Report, Resource, Run, Scope, Status
from scanner.inventory import Gap

SCHEMA_VERSION = "1.0"


class Unseen(Struct, frozen=True, kw_only=True):
    """A finding of the old report on which the new one says nothing, and why not."""

    finding: Finding
    reason: str


class Difference(Struct, frozen=True, kw_only=True):
    """Two reports compared. `still_open` are findings of the new report; those that it waives are among them."""

    schema_version: str = SCHEMA_VERSION
    old_run: Run
    new_run: Run
    new: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    still_open: tuple[Finding, ...]
    no_longer_observed: tuple[Unseen, ...]


def compare(old: Report, new: Report) -> Difference:
    """Sort the failures of both reports by what became of them.

    A failure that is gone is fixed only where the new report looked: its rule ran, its account, region and file were in
    scope, no gap, waived or not, lies over its resource, and the rule's judgement of it is not unknown. A check looked
    at nothing that is deployed.
    """
    old = former.aligned(old, new)
    before = {finding.fingerprint: finding for finding in old.findings if finding.status is Status.FAIL}
    now = {finding.fingerprint: finding for finding in new.findings if finding.status is not Status.UNKNOWN}
    gone = [finding for key, finding in before.items() if key not in now]
    sight = Sight.of(new)
    reasons = [(finding, sight.missing_of(finding)) for finding in gone]
    return Difference(
        old_run=old.run,
        new_run=new.run,
        new=tuple(each for key, each in now.items() if each.status is Status.FAIL and key not in before),
        fixed=tuple(finding for finding, reason in reasons if reason is None),
        still_open=tuple(each for key, each in now.items() if key in before),
        no_longer_observed=tuple(Unseen(finding=finding, reason=reason) for finding, reason in reasons if reason),
    )


def settled(old: Report, new: Report) -> Iterator[Finding]:
    """The findings of the old report, whatever their status, that the new one looked for and has no more."""
    now = {finding.fingerprint for finding in new.findings}
    sight = Sight.of(new)
    for finding in old.findings:
        if finding.fingerprint not in now and sight.missing_of(finding) is None:
            yield finding


class Sight:
    """What a run looked at; `unknown` are the judgements (rule, ARN of the resource) that it left open.

    A resource of a file has no ARN; there the fingerprint stands for it.
    """

    def __init__(
        self,
        *,
        rules: Iterable[str],
        scope: Scope,
        gaps: Iterable[Gap],
        unknown: Collection[tuple[str, str | None]] = (),
    ) -> None:
        self._rules = set(rules)
        self._accounts = set(scope.accounts)
        self._regions = set(scope.regions)
        self._files = set(scope.files)
        self._unknown = unknown
        self._gaps: dict[str, list[Gap]] = {}
        for gap in gaps:
            self._gaps.setdefault(gap.account_id, []).append(gap)

    @classmethod
    def of(cls, report: Report) -> Sight:
        unknown = {(each.rule_id, _identity(each)) for each in report.findings if each.status is Status.UNKNOWN}
        rules = (rule.id for rule in report.rules)
        return cls(rules=rules, scope=report.scope, gaps=report.coverage.gaps, unknown=unknown)

    def missing_of(self, finding: Finding) -> str | None:
        """As `missing`, and whether its file was judged; of what is deployed, whether anything but files was."""
        if finding.location and finding.location.file not in self._files:
            return f"{finding.location.file} was not judged"
        if self._files and not finding.location:
            return "only files were judged"
        if (finding.rule_id, _identity(finding)) in self._unknown:
            return "its rule could not be judged"
        return self.missing(finding.rule_id, finding.resource)

    def missing(self, rule_id: str, resource: Resource) -> str | None:
        """Why nothing can be said of this rule and resource; None where it was looked at."""
        return next(self._reasons(rule_id, resource), None)

    def _reasons(self, rule_id: str, resource: Resource) -> Iterator[str]:
        if rule_id not in self._rules:
            yield "its rule did not run"
        if resource.account_id not in self._accounts:
            yield f"account {resource.account_id} was not in scope"
        if resource.region not in self._regions:
            yield f"region {resource.region} was not in scope"
        for gap in self._gaps.get(resource.account_id, ()):
            if _covers(gap, resource):
                yield f"{gap.operation}: {gap.reason} [{gap.code}]"


def _identity(finding: Finding) -> str:
    """Of a resource that is not deployed there is no ARN."""
    return finding.resource.arn or finding.fingerprint


def _covers(gap: Gap, resource: Resource) -> bool:
    """Whether the gap is the resource's own, its app instance's, or that of its whole region or account."""
    return (
        gap.account_id == resource.account_id
        and gap.region in (None, resource.region)
        and gap.resource_arn in (None, resource.arn, resource.app_instance_arn)
    )
