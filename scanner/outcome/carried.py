"""What a report carries over from its baseline: what failed before, and was not settled this time.

So a night that could not see everything keeps what was open: it is neither fixed nor, when it is seen again, new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.model.moments import days
from scanner.model.report import CarriedOver, Finding, Report, Status
from scanner.outcome.observed_scope import ObservedScope

DAYS_KEPT = 30
"""How long a finding stays known that no run is asked to look for."""
_NOT_ARCHIVED = "Security Hub did not take that it is fixed"


class Inheritance(Struct, frozen=True, kw_only=True):
    """What a report carries over, how many failures of its baseline are fixed, and how many findings it drops.

    `expired` were not looked for in `DAYS_KEPT` days; of `without_rule`, by rule, the rule no longer exists.
    """

    carried: tuple[CarriedOver, ...]
    fixed: int
    expired: int
    without_rule: Mapping[str, int]


def inherit(report: Report, baseline: Report, is_rule: Callable[[str], bool]) -> Inheritance:
    """What a report carries over from its baseline; `is_rule` tells whether a rule still exists, selected or not."""
    observed, began = ObservedScope.of(report), report.run.started_at
    carried: list[CarriedOver] = []
    without_rule: Counter[str] = Counter()
    expired = fixed = 0
    for entry in filter(_may_be_carried, remembered(baseline)):
        finding = entry.finding
        if finding.fingerprint in observed.found:
            continue
        reason = observed.missing_of(finding)
        if reason is None:
            fixed += finding.is_known_failure
            continue
        since = UNSET if reason.was_asked else entry.not_looked_for or began
        if not is_rule(finding.rule_id):
            without_rule[finding.rule_id] += 1
        elif isinstance(since, UnsetType) or days(since, began) <= DAYS_KEPT:
            carried.append(structs.replace(entry, reason=reason.text, not_looked_for=since))
        else:
            expired += 1
    return Inheritance(carried=tuple(carried), fixed=fixed, expired=expired, without_rule=without_rule)


def remembered(report: Report) -> list[CarriedOver]:
    """The findings of a report, each as a later report would carry it over, in order.

    What the report itself carries over is among them. It takes the place of an unknown finding.
    """
    own = {each.fingerprint: _entry(each, report) for each in report.findings}
    known = {key for key, entry in own.items() if entry.finding.status is not Status.UNKNOWN}
    carried = {each.finding.fingerprint: each for each in report.carried_over or ()}
    left = {key: entry for key, entry in carried.items() if key not in known}
    return _in_order((own | left).values())


def with_unarchived(report: Report, baseline: Report, fingerprints: Collection[str]) -> Report:
    """The report; findings of the baseline with these fingerprints, which are fixed, are still to be archived."""
    late = (each for each in remembered(baseline) if each.finding.fingerprint in fingerprints)
    carried = [*(report.carried_over or ()), *(structs.replace(each, reason=_NOT_ARCHIVED) for each in late)]
    return structs.replace(report, carried_over=tuple(_in_order(carried)))


def _entry(finding: Finding, report: Report) -> CarriedOver:
    return CarriedOver(finding=finding, last_seen=report.run.started_at, reason="")


def _may_be_carried(entry: CarriedOver) -> bool:
    """Whether it failed or was waived when it was last judged, or was carried over before."""
    finding = entry.finding
    return finding.is_known_failure or finding.status is Status.WAIVED or bool(entry.reason)


def _in_order(entries: Iterable[CarriedOver]) -> list[CarriedOver]:
    return sorted(entries, key=lambda entry: _position(entry.finding))


def _position(finding: Finding) -> tuple[str, ...]:
    """The sort key of findings in reports."""
    resource = finding.resource
    own = "" if resource.type == "app_instance" else resource.arn or ""
    return resource.account_id, resource.region, resource.app_instance_arn or "", own, finding.rule_id
