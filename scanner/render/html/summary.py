"""The numbers behind the page's verdict: by severity, by rule, by place, and what became of all checks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from scanner.model.report import Report, Severity
from scanner.render.html.digest import Digest, Places
from scanner.render.html.labels import Cut, cut, term
from scanner.render.wording import account

PLACES = 12
RULE_BARS = 12
FAILED = "status:failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleBar:
    """How many findings of a rule failed; `percent` is relative to the rule with the most."""

    rule_id: str
    title: str
    severity: Severity | None
    count: int
    percent: float

    @property
    def query(self) -> str:
        return f"{FAILED} {term('rule', self.rule_id)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatCell:
    """Failures of one severity in one place, with a level from 0 (none) to 4 (the most of any place)."""

    severity: Severity
    count: int
    level: int
    query: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatRow:
    """Failures in one place by severity; `query` finds them in the list."""

    name: str
    cells: tuple[HeatCell, ...]
    total: int
    query: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatMap:
    """Failures by place and severity, worst place first. `kind` is what the places are."""

    kind: Literal["file", "account", "app instance"]
    rows: Cut[HeatRow]


@dataclass(frozen=True, kw_only=True, slots=True)
class Checks:
    """How many checks, each one rule on one resource, ended in one way; `query` finds their findings."""

    label: str
    count: int
    query: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    severity: Severity
    count: int

    @property
    def short(self) -> str:
        """A short name for a narrow column."""
        return {Severity.CRITICAL: "crit", Severity.MEDIUM: "med"}.get(self.severity, self.severity.value)

    @property
    def query(self) -> str:
        return f"{FAILED} severity:{self.severity.value}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SummaryView:
    tiles: tuple[Tile, ...]
    checks: tuple[Checks, ...]
    not_applicable: int
    rules: Cut[RuleBar]
    heat: HeatMap | None

    @property
    def judged(self) -> bool:
        """Whether anything was judged, so that a zero means "none"."""
        return bool(self.checks)


def summary(report: Report, digest: Digest) -> SummaryView:
    """The numbers behind the verdict."""
    return SummaryView(
        tiles=tuple(Tile(severity=s, count=report.summary.by_severity.get(s.value, 0)) for s in Severity),
        checks=checks(report.summary.by_status),
        not_applicable=report.summary.by_status.get("not_applicable", 0),
        rules=_rule_bars(report),
        heat=_heat_map(report, digest.places),
    )


def checks(by_status: Mapping[str, int]) -> tuple[Checks, ...]:
    """What the checks that applied came to; none where nothing was judged."""
    kinds = {"fail": "failed", "unknown": "unknown", "waived": "waived", "pass": "passed"}
    return tuple(
        Checks(label=label, count=by_status[kind], query=None if kind == "pass" else f"status:{label}")
        for kind, label in kinds.items()
        if by_status.get(kind)
    )


def _rule_bars(report: Report) -> Cut[RuleBar]:
    """The rules with failures, worst first: by severity, then by number of failures."""
    rules = {rule.id: rule for rule in report.rules}
    ranks = {rule.id: rule.severity.rank for rule in report.rules}
    counts = sorted(
        report.summary.by_rule.items(), key=lambda item: (ranks.get(item[0], len(Severity)), -item[1], item[0])
    )
    most = max((value for _, value in counts), default=0)
    bars = (
        RuleBar(
            rule_id=rule_id,
            title=rules[rule_id].title if rule_id in rules else rule_id,
            severity=rules[rule_id].severity if rule_id in rules else None,
            count=value,
            percent=100 * value / most,
        )
        for rule_id, value in counts
        if value
    )
    return cut(bars, RULE_BARS)


def _heat_map(report: Report, places: Places) -> HeatMap | None:
    """Failures by file where files were checked, else by account, or with one account by app instance.

    None where all are in one place, of which a map says no more than the tiles.
    """
    names = report.scope.names
    if places.files:
        found = [(file, term("file", file), counts) for file, counts in places.files.items()]
        return _map("file", found)
    if len(places.accounts) > 1:
        accounts = places.accounts.items()
        return _map("account", [(account(id_, names), term("account", id_), counts) for id_, counts in accounts])
    several = len({region for _, region in places.apps}) > 1
    apps = [
        (f"{app} · {region}" if several else app, f"{term('app', app)} {term('region', region)}", counts)
        for (app, region), counts in places.apps.items()
    ]
    return _map("app instance", apps)


def _map(
    kind: Literal["file", "account", "app instance"], found: list[tuple[str, str, Counter[Severity]]]
) -> HeatMap | None:
    if len(found) < 2:
        return None
    most = {severity: max(counts[severity] for _, _, counts in found) or 1 for severity in Severity}
    rows = [
        HeatRow(
            name=name,
            cells=tuple(
                HeatCell(
                    severity=severity,
                    count=counts[severity],
                    level=math.ceil(4 * counts[severity] / most[severity]),
                    query=f"{FAILED} {query} severity:{severity.value}",
                )
                for severity in Severity
            ),
            total=counts.total(),
            query=f"{FAILED} {query}",
        )
        for name, query, counts in found
    ]
    rows.sort(key=lambda row: ([-cell.count for cell in row.cells], row.name))
    return HeatMap(kind=kind, rows=cut(rows, PLACES))
