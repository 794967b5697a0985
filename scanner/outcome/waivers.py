"""Waivers: somebody's decision to accept a finding or a gap until a date."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.model.facts import Gap, partition_of
from scanner.model.report import UNKNOWN, Finding, Report, Resource, Scope, Status, Waiver

Tags = Mapping[str, str] | UnsetType | None

_APP_INSTANCE = re.compile(r"arn:[^:]*:chime:[^:]*:[^:]*:app-instance/[^/]*")
_OPEN = "\N{OBJECT REPLACEMENT CHARACTER}" * 2
"""Stands in an ARN for a part that only the deployment settles; only wildcards match it."""


class WaiverSubject(Struct, frozen=True, kw_only=True):
    """Where a finding or a gap is. `key` identifies a finding's resource across runs (scanner.language.vocabulary).

    Before deployment, the ARNs hold the parts that are known. A role has no app instance.
    """

    arn: str | None
    account_id: str
    app_instance_arn: str | None
    key: str | None = None


class Pattern(Struct, frozen=True, kw_only=True):
    """Which resources a waiver is for: all fields that are given must fit. ``*`` and ``?`` are wildcards.

    An `arn` of ``*`` also fits a resource without an ARN. An app instance is given by ARN or id, never by name, since
    anybody who may rename an app instance could choose that name. `key` is that of the resource in whose metadata the
    waiver was written.
    """

    arn: str | None = None
    account: str | None = None
    app_instance: str | None = None
    tags: Mapping[str, str] = {}
    key: str | None = None

    def fits(self, subject: WaiverSubject, tags: Tags) -> bool:
        """Whether something with these tags fits; an unknown value does not."""
        return (
            (self.account is None or _like(subject.account_id, self.account))
            and (self.key is None or self.key == subject.key)
            and (self.arn is None or _like(subject.arn or "", self.arn))
            and (self.app_instance is None or _names(subject.app_instance_arn, self.app_instance))
            and all(_like(_tag(tags, key), value) for key, value in self.tags.items())
        )


class Entry(Struct, frozen=True, kw_only=True):
    """A waiver as it was written: for findings of these rules, or for gaps of these operations.

    `place` is where it was written, as FILE:LINE. The day on which it expires is the last day on which it is valid.
    `reached` tells whether the selected rules can produce all that it is for.
    """

    rules: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    resource: Pattern
    waiver: Waiver
    place: str
    reached: bool = True

    def expired(self, today: date) -> bool:
        return date.fromisoformat(self.waiver.expires) < today


class Waivers:
    """Waives findings and gaps, and records which waivers were used. `today` decides which have expired."""

    def __init__(self, entries: Sequence[Entry] = (), *, today: date) -> None:
        self._today = today
        self._expired: list[Entry] = []
        self._valid: list[Entry] = []
        self._used: set[int] = set()
        self._by_rule: dict[str, list[tuple[int, Entry]]] = {}
        self._by_operation: dict[str, list[tuple[int, Entry]]] = {}
        self.add(entries)

    def add(self, entries: Iterable[Entry]) -> None:
        """Add waivers."""
        for entry in entries:
            if entry.expired(self._today):
                self._expired.append(entry)
                continue
            numbered = len(self._valid), entry
            self._valid.append(entry)
            for rule in entry.rules:
                self._by_rule.setdefault(rule, []).append(numbered)
            for operation in entry.gaps:
                self._by_operation.setdefault(operation, []).append(numbered)

    def finding(self, finding: Finding, tags: Tags, key: str | None = None) -> Finding:
        """The finding, waived if it failed and a waiver fits; `tags` and `key` are those of its resource."""
        if finding.status is not Status.FAIL or not (entries := self._by_rule.get(finding.rule_id)):
            return finding
        waiver = self._first(entries, finding.resource, tags, key)
        return finding if waiver is None else structs.replace(finding, status=Status.WAIVED, waiver=waiver)

    def gap(self, gap: Gap) -> Waiver | None:
        """The waiver that fits a gap, or None."""
        return self._first(self._by_operation.get(gap.operation, ()), gap, None)

    @property
    def by_tags(self) -> frozenset[str]:
        """The ids of the rules whose findings are waived by the tags of their resources."""
        return frozenset(rule for entry in self._valid if entry.resource.tags for rule in entry.rules)

    @property
    def used(self) -> frozenset[int]:
        """The numbers of the waivers that waived something, for `use` of another object with the same waivers."""
        return frozenset(self._used)

    def use(self, numbers: Iterable[int]) -> None:
        """Record waivers, by number, that waived something elsewhere."""
        self._used.update(numbers)

    def warnings(self, report: Report) -> list[str]:
        """A sentence for each waiver that has expired or that fits nothing in the report.

        For a check, unused waivers of the configuration are not mentioned: they may be for what is deployed.
        """
        expired = [f"{_described(entry)} expired on {entry.waiver.expires}" for entry in self._expired]
        unused = [entry for number, entry in enumerate(self._valid) if number not in self._used and entry.reached]
        if report.coverage.in_scope.files:
            unused = [entry for entry in unused if entry.resource.key is not None]
        return expired + [f"{_described(entry)} {_of_no_use(entry, report)}" for entry in unused]

    def _first(
        self, entries: Iterable[tuple[int, Entry]], of: Resource | Gap, tags: Tags, key: str | None = None
    ) -> Waiver | None:
        subject = structs.replace(_subject(of), key=key)
        fitting = [(number, entry) for number, entry in entries if entry.resource.fits(subject, tags)]
        self._used.update(number for number, _ in fitting)
        return fitting[0][1].waiver if fitting else None


def _of_no_use(entry: Entry, report: Report) -> str:
    """What to say of an unused waiver; it is surely useless only if everything in its scope was observed."""
    if not _in_scope(entry, report.scope):
        return "matches nothing in scope"
    if not report.coverage.complete:
        return "matches nothing that was observed"
    return "matches nothing; take it out, or mend what it is to match"


def _in_scope(entry: Entry, scope: Scope) -> bool:
    """Whether a waiver's accounts and regions are in scope; a gap's ARN may be of another account, as a function's."""
    pattern = entry.resource
    regions, accounts = zip(*map(_region_and_account, (pattern.arn, pattern.app_instance)), strict=True)
    named = (pattern.account, *(accounts if entry.rules else ()))
    return all(
        wanted is None or any(_like(each, wanted) for each in known)
        for wanteds, known in ((regions, scope.regions), (named, scope.accounts))
        for wanted in wanteds
    )


def _region_and_account(arn: str | None) -> tuple[str | None, str | None]:
    """The region and account in an ARN's pattern, with their wildcards; None if an earlier wildcard may cover them.

    The ARNs of IAM have no region: what they name is in scope wherever the account is.
    """
    parts = [*(arn or "").split(":", 5), None, None, None, None, None][:5]
    return (None, None) if {"*", None} & {*parts[1:3]} else (parts[3] or None, parts[4])


def _subject(of: Resource | Gap) -> WaiverSubject:
    if isinstance(of, Resource):
        account_id = _OPEN if of.account_id == UNKNOWN else of.account_id
        if of.type == "role":
            arn = of.arn or f"arn:{partition_of(of.region)}:iam::{account_id}:role/{_OPEN}"
            return WaiverSubject(arn=arn, account_id=account_id, app_instance_arn=None)
        app_instance_arn = of.app_instance_arn or _undeployed(of.region, account_id)
        arn = app_instance_arn if of.type == "app_instance" else f"{app_instance_arn}/channel-flow/{_OPEN}"
        return WaiverSubject(arn=of.arn or arn, account_id=account_id, app_instance_arn=app_instance_arn)
    within = _APP_INSTANCE.match(of.resource_arn or "")
    return WaiverSubject(arn=of.resource_arn, account_id=of.account_id, app_instance_arn=within[0] if within else None)


def _undeployed(region: str, account_id: str) -> str:
    """The ARN of an app instance that is not deployed yet, as far as it is known."""
    partition, region = (_OPEN, _OPEN) if region == UNKNOWN else (partition_of(region), region)
    return f"arn:{partition}:chime:{region}:{account_id}:app-instance/{_OPEN}"


def _described(entry: Entry) -> str:
    return f"{entry.place}: the waiver for {', '.join(entry.rules or entry.gaps)} ({entry.waiver.owner})"


def _names(app_instance_arn: str | None, pattern: str) -> bool:
    arn = app_instance_arn or ""
    return bool(arn) and (_like(arn, pattern) or _like(arn.rpartition("/")[2], pattern))


def _tag(tags: Tags, key: str) -> str | None:
    return tags.get(key) if tags is not UNSET and tags is not None else None


def _like(text: str | None, pattern: str) -> bool:
    return text is not None and fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))
