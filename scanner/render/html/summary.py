"""The numbers behind the page's verdict: by severity, by rule, by account, and what became of all checks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scanner.model.report import Report, Severity
from scanner.render.html.digest import Digest
from scanner.render.html.labels import Cut, cut, term

ACCOUNTS = 25
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
class HeatRow:
    """Failures of one account by severity, each with a level from 0 (none) to 4 (the most of any account)."""

    account_id: str
    cells: tuple[tuple[Severity, int, int], ...]
    total: int

    def query(self, severity: Severity | None = None) -> str:
        account = f"{FAILED} {term('account', self.account_id)}"
        return account if severity is None else f"{account} severity:{severity.value}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One part of a stacked bar; `start` and `width` are in percent of the bar."""

    kind: str
    label: str
    count: int
    start: float
    width: float
    query: str | None = None


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
    changes: tuple[Segment, ...]
    judgements: tuple[Segment, ...]
    not_applicable: int
    rules: Cut[RuleBar]
    accounts: Cut[HeatRow]

    @property
    def judged(self) -> bool:
        """Whether anything was judged, so that a zero means "none"."""
        return bool(self.judgements)


def summary(report: Report, digest: Digest) -> SummaryView:
    """The numbers behind the verdict."""
    return SummaryView(
        tiles=tuple(Tile(severity=s, count=report.summary.by_severity.get(s.value, 0)) for s in Severity),
        changes=_changes(digest),
        judgements=judgements(report.summary.by_status),
        not_applicable=report.summary.by_status.get("not_applicable", 0),
        rules=_rule_bars(report),
        accounts=_heat_map(digest),
    )


def judgements(by_status: Mapping[str, int]) -> tuple[Segment, ...]:
    """The parts of the bar of all judgements; none where nothing was judged."""
    kinds = {"fail": "failed", "waived": "waived", "unknown": "unknown", "pass": "passed"}
    return _stack((kind, label, by_status.get(kind, 0), f"status:{label}") for kind, label in kinds.items())


def _changes(digest: Digest) -> tuple[Segment, ...]:
    """The parts of the bar of failures, by whether the baseline has them; none without a baseline."""
    kinds = {"new": "new", "existing": "already known"}
    return _stack(
        (kind, label, digest.tally.changes.get(kind, 0), f"{FAILED} change:{kind}") for kind, label in kinds.items()
    )


def _stack(counts: Iterable[tuple[str, str, int, str]]) -> tuple[Segment, ...]:
    """(kind, label, count, query) tuples as parts of one bar; zero counts are left out."""
    counts = [item for item in counts if item[2]]
    total = sum(value for _, _, value, _ in counts)
    segments: list[Segment] = []
    start = 0.0
    for kind, label, value, query in counts:
        width = 100 * value / total
        listed = None if kind == "pass" else query
        segments.append(Segment(kind=kind, label=label, count=value, start=start, width=width, query=listed))
        start += width
    return tuple(segments)


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


def _heat_map(digest: Digest) -> Cut[HeatRow]:
    """The accounts, worst first: by number of critical failures, then of high ones, and so on."""
    counts = {account: [row.get(severity, 0) for severity in Severity] for account, row in digest.accounts.items()}
    most = [max(column, default=0) or 1 for column in zip(*counts.values(), strict=True)]
    rows = (
        HeatRow(
            account_id=account,
            cells=tuple((s, n, math.ceil(4 * n / top)) for s, n, top in zip(Severity, row, most, strict=True)),
            total=sum(row),
        )
        for account, row in sorted(counts.items(), key=lambda item: ([-value for value in item[1]], item[0]))
    )
    return cut(rows, ACCOUNTS)
