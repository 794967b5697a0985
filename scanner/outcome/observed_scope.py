"""What a run looked at. A finding that is missing from a run is fixed only if the run looked for it.

A gap in a list hides all that the list would have named. A gap in a fact hides only the verdicts that depend on the
fact, and these are unknown findings. A part that the HTML page exported may leave out anything. Any other gap hides its
whole region. The roles of an account are in the region "global", which is looked at wherever the account is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from sys import intern
from typing import Self

from msgspec import Struct

from scanner.model.facts import GLOBAL, READ_FILE, Gap, LambdaFunction
from scanner.model.operations import FACETS, LISTS, ORGANIZATION
from scanner.model.report import UNKNOWN, Finding, GapReference, Location, Report, ReportedGap, Resource, Scope, Status

_APP_INSTANCE = re.compile(
    r"(?P<app_instance>arn:[^:]+:chime:(?P<region>[^:]+):(?P<account_id>[^:]+):app-instance/[^/]+)(?P<flow>/.+)?"
)
_EXPORT = "Export"
"""The operation of the gap that the HTML page gives to a part of a report which it exports."""
_OF_FACTS = frozenset(operation.name for operations in FACETS.values() for operation in operations)
_WITHOUT_VALUE = frozenset({"MissingValue", "UnknownValue", "Undecided"})
_LISTS = frozenset(operation.name for operation in LISTS)
_OF_SCOPE = frozenset(operation.name for operation in ORGANIZATION)


class Reason(Struct, frozen=True, kw_only=True):
    """Why a run did not look for something: because of a gap, or because it was not asked to."""

    text: str
    was_asked: bool = True

    @classmethod
    def of(cls, gap: Gap) -> Self:
        return cls(text=f"{gap.operation}: {gap.reason} [{gap.code}]")

    @classmethod
    def unasked(cls, text: str) -> Self:
        return cls(text=text, was_asked=False)


class ObservedScope:
    """What a run looked at. `unknown` has its open verdicts by (rule id, ARN of the resource), each with its cause.

    A resource in a file has no ARN; the finding's fingerprint takes its place. `found` are the fingerprints of what
    failed or was waived.
    """

    def __init__(
        self,
        *,
        rules: Iterable[str],
        scope: Scope,
        gaps: Iterable[Gap],
        unknown: Mapping[tuple[str, str], str],
        found: Set[str] = frozenset(),
    ) -> None:
        self.found = found
        self._rules = set(rules)
        self._accounts = set(scope.accounts)
        self._regions = {*scope.regions, GLOBAL}
        self._files = set(scope.files)
        self._unknown = unknown
        self._gaps = _Gaps(gaps, {resource for _, resource in unknown})

    @classmethod
    def of(cls, report: Report) -> Self:
        """What the run of a report looked at and found, in one pass over its findings."""
        found: set[str] = set()
        unknown: dict[tuple[str, str], str] = {}
        for each in report.findings:
            if each.status is Status.UNKNOWN:
                unknown[each.rule_id, _identity(each)] = _cause(each)
            else:
                found.add(each.fingerprint)
        rules = (rule.id for rule in report.rules)
        return cls(rules=rules, scope=report.scope, gaps=report.coverage.gaps, unknown=unknown, found=found)

    def missing_of(self, finding: Finding) -> Reason | None:
        """Why the run did not look for a finding; None if it did."""
        return next(self._reasons_of(finding), None)

    def missing(self, rule_id: str, resource: Resource) -> Reason | None:
        """Why the run did not judge a deployed resource by a rule; None if it did. Open verdicts do not count."""
        return next(self._reasons(rule_id, resource), None)

    def _reasons_of(self, finding: Finding) -> Iterator[Reason]:
        if finding.location:
            yield from self._reasons_in_file(finding, finding.location)
        elif self._files or self._gaps.of_files:
            yield Reason.unasked("only files were judged")
        else:
            yield from self._reasons(finding.rule_id, finding.resource)
        cause = self._unknown.get((finding.rule_id, _identity(finding)))
        if cause is not None:
            yield Reason(text=f"its rule could not be judged{cause and f': {cause}'}")

    def _reasons_in_file(self, finding: Finding, at: Location) -> Iterator[Reason]:
        """The reasons for a finding in a file: account and region do not matter, only whether the file was read.

        A rule may not have run because only this file tells what it reads.
        """
        if gap := self._gaps.in_file(at.file):
            yield Reason.of(gap)
        if finding.rule_id not in self._rules:
            yield Reason.unasked("its rule did not run")
        if at.file not in self._files:
            yield Reason.unasked(f"{at.file} was not judged")
        if gap := self._gaps.over(finding.resource):
            yield Reason.of(gap)

    def _reasons(self, rule_id: str, resource: Resource) -> Iterator[Reason]:
        if rule_id not in self._rules:
            yield Reason.unasked("its rule did not run")
        if resource.account_id not in self._accounts:
            gap = self._gaps.of_scope
            yield Reason.of(gap) if gap else Reason.unasked(f"account {resource.account_id} was not in scope")
        if resource.region not in self._regions:
            yield Reason.unasked(f"region {resource.region} was not in scope")
        if gap := self._gaps.over(resource):
            yield Reason.of(gap)


def _identity(finding: Finding) -> str:
    """The ARN of a finding's resource or, before deployment, the finding's fingerprint."""
    return finding.resource.arn or finding.fingerprint


def _cause(finding: Finding) -> str:
    """The call for want of which a finding is unknown, with its error code; empty where no gap is behind it."""
    gap = next((item.gap for item in finding.evidence if isinstance(item.gap, GapReference)), None)
    return intern(f"{gap.operation} [{gap.code}]") if gap else ""


class _Gaps:
    """The gaps of a run, by what they hide."""

    def __init__(self, gaps: Iterable[Gap], left_open: Collection[str]) -> None:
        self.of_all: Gap | None = None
        self.of_scope: Gap | None = None
        self.of_files: dict[str | None, Gap] = {}
        self._places: dict[tuple[str, str | None], Gap] = {}
        self._resources: dict[str, Gap] = {}
        self._within: dict[str, Gap] = {}
        for gap in gaps:
            self._sort(gap, left_open)

    def in_file(self, name: str) -> Gap | None:
        """The gap of a file, or a gap of which the file is not known."""
        return self.of_files.get(name) or self.of_files.get(None)

    def over(self, resource: Resource) -> Gap | None:
        """The gap that hides a resource: of its account or region, its own, or that of its app instance."""
        own, owner = resource.arn or "", resource.app_instance_arn or ""
        found = (
            self.of_all,
            self._places.get((resource.account_id, None)),
            self._places.get((resource.account_id, resource.region)),
            self._resources.get(own),
            self._within.get(owner) if own != owner else None,
        )
        return next(filter(None, found), None)

    def _sort(self, gap: Gap, left_open: Collection[str]) -> None:
        if gap.operation == _EXPORT:
            self.of_all = gap
            return
        if gap.operation == READ_FILE:
            self.of_files.setdefault(_file(gap), gap)
            return
        if gap.operation in _OF_SCOPE or gap.account_id == UNKNOWN:
            self.of_scope = self.of_scope or gap
            return
        arn = gap.resource_arn
        app_instance = _APP_INSTANCE.fullmatch(arn) if arn else None
        if arn and app_instance and _is_at_home(gap, app_instance):
            owner, is_told = _owner(app_instance), arn in left_open or _was_listed(gap)
            if not is_told:
                self._resources.setdefault(owner, gap)
            if not (is_told and is_of_fact(gap)):
                self._within.setdefault(owner, gap)
        elif arn and gap.region == GLOBAL and is_of_fact(gap):
            if arn not in left_open:
                self._resources.setdefault(arn, gap)
        elif not arn or not LambdaFunction.of(arn):
            self._places.setdefault((gap.account_id, gap.region), gap)


def _file(gap: Gap) -> str | None:
    location = gap.location if isinstance(gap, ReportedGap) else None
    return location.file if isinstance(location, Location) else None


def is_of_fact(gap: Gap) -> bool:
    """Whether a gap leaves only a fact of its resource unknown, not the resource itself."""
    return gap.operation in _OF_FACTS or gap.code in _WITHOUT_VALUE


def _was_listed(gap: Gap) -> bool:
    """Whether a list named the gap's resource, and only a value of it is missing: what hangs on that is unknown."""
    return gap.operation in _LISTS and gap.code in _WITHOUT_VALUE


def _is_at_home(gap: Gap, named: re.Match[str]) -> bool:
    """Whether the ARN in a gap is in the gap's own account and region."""
    return named["account_id"] == gap.account_id and gap.region in (None, named["region"])


def _owner(named: re.Match[str]) -> str:
    """The ARN of the channel flow or, for anything else, of the app instance that it belongs to."""
    is_flow = (named["flow"] or "").startswith("/channel-flow/")
    return named[0] if is_flow else named["app_instance"]
