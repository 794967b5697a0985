"""Counts the findings for the page in one pass, and picks the few that it shows without scripts.

Memory grows with the limits below, the number of gaps and that of places, not with the number of findings.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from scanner.model.report import Finding, Report, Severity, Status, Waiver
from scanner.render.causes import Cause, Causes
from scanner.render.html.labels import Cut, app_instance_name, cut
from scanner.render.verdict import Tally

FAILURES = 300
WAIVED = 50
UNKNOWN_OF_A_CAUSE = 10
UNKNOWN_WITHOUT_A_GAP = 100


@dataclass(kw_only=True, slots=True)
class Some:
    """The first few findings, and the number of all."""

    items: list[Finding] = field(default_factory=list)
    total: int = 0

    def add(self, finding: Finding, limit: int) -> None:
        self.total += 1
        if len(self.items) < limit:
            self.items.append(finding)

    def cut(self) -> Cut[Finding]:
        return Cut(items=tuple(self.items), more=self.total - len(self.items))


@dataclass(kw_only=True, slots=True)
class Places:
    """Failures by severity in each place. An app instance goes by its name and region, as the list of findings does."""

    files: dict[str, Counter[Severity]] = field(default_factory=lambda: defaultdict(Counter))
    accounts: dict[str, Counter[Severity]] = field(default_factory=lambda: defaultdict(Counter))
    apps: dict[tuple[str, str], Counter[Severity]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, finding: Finding) -> None:
        resource = finding.resource
        self.accounts[resource.account_id][finding.severity] += 1
        self.apps[app_instance_name(resource), resource.region][finding.severity] += 1
        if finding.location:
            self.files[finding.location.file][finding.severity] += 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest:
    """What the page needs of the findings.

    `failed` and `waived` are sorted worst first. `unknown` has the index of a cause in `causes` -> the findings that it
    leaves unknown; under None are those that no gap explains. `explained` counts the findings that a cause explains.
    `accepted` has the waivers of each rule's findings, in the order of findings, by the rule's id.
    `places` counts failures by severity in each file, account and app instance, `tally` as the verdict does.
    """

    causes: Sequence[Cause]
    failed: Cut[Finding]
    waived: Cut[Finding]
    unknown: Mapping[int | None, Cut[Finding]]
    explained: int
    accepted: Mapping[str, Mapping[Waiver, None]]
    severities: Mapping[Severity, int]
    places: Places
    tally: Tally


def digest(report: Report) -> Digest:
    """Make the digest of a report in one pass over its findings."""
    causes = Causes(report)
    failed = {severity: Some() for severity in Severity}
    waived = {severity: Some() for severity in Severity}
    unknown: dict[int | None, Some] = defaultdict(Some)
    places = Places()
    tally = Tally()
    accepted: dict[str, dict[Waiver, None]] = defaultdict(dict)
    explained = 0
    for finding in report.findings:
        tally.add(finding)
        match finding.status:
            case Status.FAIL:
                failed[finding.severity].add(finding, FAILURES)
                places.add(finding)
            case Status.WAIVED:
                waived[finding.severity].add(finding, WAIVED)
                if finding.waiver:
                    accepted[finding.rule_id][finding.waiver] = None
            case Status.UNKNOWN:
                behind = causes.behind(finding)
                explained += bool(behind)
                for number in behind:
                    unknown[number].add(finding, UNKNOWN_OF_A_CAUSE)
                if not behind:
                    unknown[None].add(finding, UNKNOWN_WITHOUT_A_GAP)
    return Digest(
        causes=causes.all,
        failed=_worst(failed.values(), FAILURES),
        waived=_worst(waived.values(), WAIVED),
        unknown={number: some.cut() for number, some in unknown.items()},
        explained=explained,
        accepted=accepted,
        severities={severity: some.total for severity, some in failed.items()},
        places=places,
        tally=tally,
    )


def _worst(by_severity: Iterable[Some], limit: int) -> Cut[Finding]:
    each = tuple(by_severity)
    shown = cut((finding for some in each for finding in some.items), limit)
    return Cut(items=shown.items, more=sum(some.total for some in each) - len(shown.items))
