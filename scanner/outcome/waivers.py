"""Waivers: somebody's decision, until a date, to live with what a rule found or with what could not be observed."""

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
"""Stands in an ARN for what only the deployment will settle: nothing but a wildcard fits it."""


class WaiverSubject(Struct, frozen=True, kw_only=True):
    """Where a finding or a gap is; `key` identifies the resource of a finding across runs
    (scanner.language.vocabulary).

    Of what is not deployed yet, the ARNs say what is known of them.
    """

    arn: str | None
    account_id: str
    app_instance_arn: str | None
    key: str | None = None


class Pattern(Struct, frozen=True, kw_only=True):
    """Which resources a waiver is for: everything that is named must fit. ``*`` and ``?`` stand for any characters,
    and an `arn` of ``*`` fits what has no ARN, too.

    An app instance is named by ARN or id, never by its name, which whoever may rename it could choose. `key` is that of
    the one resource which a waiver was written on, in the file that declares it.
    """

    arn: str | None = None
    account: str | None = None
    app_instance: str | None = None
    tags: Mapping[str, str] = {}
    key: str | None = None

    def fits(self, place: WaiverSubject, tags: Tags) -> bool:
        """What is not known does not fit."""
        return (
            (self.account is None or _like(place.account_id, self.account))
            and (self.key is None or self.key == place.key)
            and (self.arn is None or _like(place.arn or "", self.arn))
            and (self.app_instance is None or _names(place.app_instance_arn, self.app_instance))
            and all(_like(_tag(tags, key), value) for key, value in self.tags.items())
        )


class Entry(Struct, frozen=True, kw_only=True):
    """A waiver as it was written: for findings of these rules, or for gaps of these operations.

    `place` says where it was written, and the day on which it expires is the last on which it waives. `reached` says
    whether the rules that were selected could give all that it is for.
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
    """Waives findings and gaps, and remembers which waivers were of use."""

    def __init__(self, entries: Sequence[Entry] = (), *, today: date) -> None:
        self._today = today
        self._expired: list[Entry] = []
        self._valid: list[Entry] = []
        self._used: set[int] = set()
        self._by_rule: dict[str, list[tuple[int, Entry]]] = {}
        self._by_operation: dict[str, list[tuple[int, Entry]]] = {}
        self.add(entries)

    def add(self, entries: Iterable[Entry]) -> None:
        """Heed these, too, from now on."""
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
        """The finding, waived where it failed and a waiver is for it; `tags` and `key` are those of its resource."""
        if finding.status is not Status.FAIL or not (entries := self._by_rule.get(finding.rule_id)):
            return finding
        waiver = self._first(entries, finding.resource, tags, key)
        return finding if waiver is None else structs.replace(finding, status=Status.WAIVED, waiver=waiver)

    def gap(self, gap: Gap) -> Waiver | None:
        """The waiver that is for a gap."""
        return self._first(self._by_operation.get(gap.operation, ()), gap, None)

    @property
    def facets(self) -> frozenset[str]:
        """What has to be collected, beside what the rules read, for it to be known what is waived."""
        tagged = any(entry.rules and entry.resource.tags for entry in self._valid)
        return frozenset({"tags"}) if tagged else frozenset()

    @property
    def used(self) -> frozenset[int]:
        """Those that waived something, by number: for `use`, where the same waivers are held elsewhere."""
        return frozenset(self._used)

    def use(self, numbers: Iterable[int]) -> None:
        """Remember that these were of use elsewhere."""
        self._used.update(numbers)

    def warnings(self, report: Report) -> list[str]:
        """A sentence for every waiver that no longer waives, or that the report has nothing for.

        Where only files were judged, a waiver of the configuration may well be for what is deployed.
        """
        expired = [f"{_described(entry)} expired on {entry.waiver.expires}" for entry in self._expired]
        unused = [entry for number, entry in enumerate(self._valid) if number not in self._used and entry.reached]
        if report.coverage.in_scope.files:
            unused = [entry for entry in unused if entry.resource.key is not None]
        return expired + [f"{_described(entry)} {_of_no_use(entry, report)}" for entry in unused]

    def _first(
        self, entries: Iterable[tuple[int, Entry]], of: Resource | Gap, tags: Tags, key: str | None = None
    ) -> Waiver | None:
        place = structs.replace(_subject(of), key=key)
        fitting = [(number, entry) for number, entry in entries if entry.resource.fits(place, tags)]
        self._used.update(number for number, _ in fitting)
        return fitting[0][1].waiver if fitting else None


def _of_no_use(entry: Entry, report: Report) -> str:
    """Only where everything that it names was looked at, it is surely of no use."""
    if not _in_scope(entry, report.scope):
        return "matches nothing in scope"
    if not report.coverage.complete:
        return "matches nothing that was observed"
    return "matches nothing; take it out, or mend what it is to match"


def _in_scope(entry: Entry, scope: Scope) -> bool:
    """The function that a gap is about may well be of another account."""
    pattern = entry.resource
    regions, accounts = zip(*map(_region_and_account, (pattern.arn, pattern.app_instance)), strict=True)
    named = (pattern.account, *(accounts if entry.rules else ()))
    return all(
        wanted is None or any(_like(each, wanted) for each in known)
        for wanteds, known in ((regions, scope.regions), (named, scope.accounts))
        for wanted in wanteds
    )


def _region_and_account(arn: str | None) -> tuple[str | None, str | None]:
    """Those that the pattern of an ARN names, wildcards and all; nothing where a wildcard may stand for them, too."""
    parts = [*(arn or "").split(":", 5), None, None, None, None, None][:5]
    return (None, None) if {"*", None} & {*parts[1:3]} else (parts[3], parts[4])


def _subject(of: Resource | Gap) -> WaiverSubject:
    if isinstance(of, Resource):
        account_id = _OPEN if of.account_id == UNKNOWN else of.account_id
        app_instance_arn = of.app_instance_arn or _undeployed(of.region, account_id)
        arn = app_instance_arn if of.type == "app_instance" else f"{app_instance_arn}/channel-flow/{_OPEN}"
        return WaiverSubject(arn=of.arn or arn, account_id=account_id, app_instance_arn=app_instance_arn)
    within = _APP_INSTANCE.match(of.resource_arn or "")
    return WaiverSubject(arn=of.resource_arn, account_id=of.account_id, app_instance_arn=within[0] if within else None)


def _undeployed(region: str, account_id: str) -> str:
    """What is known of the ARN of an app instance that is not deployed yet."""
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
