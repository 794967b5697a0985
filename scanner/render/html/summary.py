"""The page's summary: the verdict and the numbers behind it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msgspec import UnsetType

from scanner.model.report import Report, Severity, Status
from scanner.render import carried
from scanner.render.html.coverage import saw_anything
from scanner.render.html.digest import Digest
from scanner.render.html.labels import Banner, Cut, count, cut, listing, number, term

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
    verdict: Banner
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


def verdict(report: Report) -> Banner:
    """The page's headline. It says "clean" only if everything was observed, judged and passed."""
    failed = _failed(report)
    if failed:
        return Banner(tone="failed", headline=count(failed, "failed finding"), detail=_failed_detail(report))
    if not report.coverage.complete:
        return _incomplete_verdict(report)
    if not report.rules:
        return Banner(tone="neutral", headline="Nothing was judged", detail="No rule ran.")
    seen = report.coverage.observed
    if not seen.app_instances and not seen.channel_flows and not seen.roles:
        kinds = ["no app instance", "no channel flow", *(() if isinstance(seen.roles, UnsetType) else ("no role",))]
        detail = f"The scope was observed, and holds {listing(kinds)}."
        return Banner(tone="neutral", headline="Nothing to judge", detail=detail)
    return _passing_verdict(report)


def summary(report: Report, digest: Digest) -> SummaryView:
    """The verdict and the numbers behind it."""
    return SummaryView(
        verdict=verdict(report),
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
        (kind, label, digest.changes.get(kind, 0), f"{FAILED} change:{kind}") for kind, label in kinds.items()
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


def _failed(report: Report) -> int:
    return report.summary.by_status.get(Status.FAIL.value, 0)


def _failed_detail(report: Report) -> str:
    severities = report.summary.by_severity
    worst = listing(f"{number(n)} {s.value}" for s in Severity if (n := severities.get(s.value, 0)))
    where = count(sum(value > 0 for value in report.summary.by_account.values()), "account")
    if report.coverage.in_scope.files:
        where = count(report.coverage.observed.files, "file")
    missing = "" if report.coverage.complete else " There may be more: not everything in scope was observed."
    return f"{worst}, in {where}.{missing}"


def _incomplete_verdict(report: Report) -> Banner:
    if not saw_anything(report):
        return Banner(
            tone="failed",
            headline="No verdict: nothing was observed",
            detail="Nothing in scope could be read whole. This report says nothing about it.",
        )
    return Banner(
        tone="uncertain",
        headline="No verdict: not everything was observed",
        detail="Nothing failed in the part that was observed. That is not a clean result.",
    )


def _passing_verdict(report: Report) -> Banner:
    waived, unknown = (report.summary.by_status.get(s.value, 0) for s in (Status.WAIVED, Status.UNKNOWN))
    if unknown:
        return Banner(
            tone="uncertain",
            headline=f"Nothing failed, {count(unknown, 'judgement')} unknown",
            detail="What could be judged passed or was waived; the rest is listed below.",
        )
    if kept := len(carried.shown(report)):
        return Banner(
            tone="uncertain",
            headline=f"Nothing failed, {count(kept, 'finding')} carried over",
            detail="What could be judged passed or was waived; what failed before and could not be settled is below.",
        )
    if not waived and not report.summary.by_status.get("pass", 0):
        return Banner(tone="neutral", headline="Nothing to judge", detail="No rule applies to what the scope holds.")
    seen = report.coverage.observed
    ran = f"{count(len(report.rules), 'rule')} ran on {count(seen.channel_flows, 'channel flow')}"
    roles = "" if isinstance(seen.roles, UnsetType) else f" and {count(seen.roles, 'role')}"
    where = f"in {count(seen.app_instances, 'app instance')}{roles}"
    if waived or report.coverage.gaps:
        accepted = "what failed or could not be observed was accepted by a waiver"
        return Banner(tone="clean", headline="Nothing open", detail=f"{ran} {where}; {accepted}.")
    return Banner(
        tone="clean", headline="Clean: no findings", detail=f"{ran} {where}. Every judgement that applies passed."
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
