"""What the page says of coverage, worked out from a report: what was observed, and each gap with what it hides."""

from __future__ import annotations

from dataclasses import dataclass

from scanner.finding import Finding, GapReference, Report, ReportedGap
from scanner.render.html_digest import Digest
from scanner.render.html_words import Cut, Statement, count, term

GAPS_AT_ONCE = 10
GAPS = 200
UNKNOWN_ROWS = 100
NO_ROWS: Cut[Finding] = Cut(items=(), more=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Meter:
    """A number that was observed and, where it is known, how many there should have been."""

    label: str
    observed: int
    in_scope: int | None = None

    @property
    def percent(self) -> float:
        return 100 * min(self.observed / self.in_scope, 1) if self.in_scope else 0

    @property
    def short(self) -> bool:
        return self.in_scope is not None and self.observed < self.in_scope


@dataclass(frozen=True, kw_only=True, slots=True)
class GapView:
    """One gap, and the findings that are unknown because of it."""

    gap: ReportedGap
    unknown: Cut[Finding]

    @property
    def query(self) -> str:
        """What finds its unknown findings in the list. The page's script puts a gap together in the same words."""
        gap = self.gap
        words = (gap.operation, gap.code, gap.account_id, gap.region, gap.resource_arn)
        return term("gap", " ".join(filter(None, words)))

    @property
    def account(self) -> str:
        """The account, or that even it is not known."""
        return self.gap.account_id if self._account_known else "account not known"

    @property
    def region(self) -> str:
        """The region, or what stands for it."""
        return self.gap.region or ("every region" if self._account_known else "region not known")

    @property
    def reason(self) -> str:
        """The reason as a sentence begins."""
        return self.gap.reason[:1].upper() + self.gap.reason[1:]

    @property
    def extent(self) -> str:
        """How much the gap hides where it names no resource."""
        if self.gap.region:
            return "the whole region"
        return "the whole account" if self._account_known else "a part of the scope that is not known"

    @property
    def _account_known(self) -> bool:
        return self.gap.account_id not in ("", "unknown")


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageView:
    statement: Statement
    meters: tuple[Meter, ...]
    first: tuple[GapView, ...]
    rest: tuple[GapView, ...]
    more: int


def coverage(report: Report, digest: Digest) -> CoverageView:
    """What was observed, and each gap with what it makes unknown: open gaps first."""
    gaps = _gap_views(report, digest)
    shown = gaps[:GAPS]
    return CoverageView(
        statement=coverage_statement(report),
        meters=_meters(report),
        first=shown[:GAPS_AT_ONCE],
        rest=shown[GAPS_AT_ONCE:],
        more=len(gaps) - len(shown),
    )


def coverage_statement(report: Report) -> Statement:
    """Whether everything in scope was seen, in plain words."""
    gaps = report.coverage.gaps
    waived = sum(gap.waiver is not None for gap in gaps)
    accepted = f" {count(waived, 'more was', 'more were')} accepted by a waiver." if waived else ""
    if not report.coverage.complete:
        return Statement(
            tone="failed",
            headline="Not everything in scope was observed",
            detail=f"{count(len(gaps) - waived, 'gap is', 'gaps are')} open. "
            f"The findings below say nothing about what lies behind a gap.{accepted}",
        )
    if waived:
        return Statement(
            tone="uncertain",
            headline="Everything in scope was observed, but for what was waived",
            detail=f"{count(waived, 'gap was', 'gaps were')} accepted by a waiver; what lies behind is not known.",
        )
    in_scope = report.coverage.in_scope
    if not in_scope.targets and not in_scope.files and not saw_anything(report):
        return Statement(tone="neutral", headline="Nothing was in scope", detail="No account and region was chosen.")
    return Statement(tone="clean", headline="Everything in scope was observed", detail="There are no gaps.")


def saw_anything(report: Report) -> bool:
    """Whether any part of the scope was seen at all."""
    seen = report.coverage.observed
    return any((seen.accounts, seen.targets, seen.files, seen.app_instances, seen.channel_flows))


def _gap_views(report: Report, digest: Digest) -> tuple[GapView, ...]:
    unknown = dict(digest.unknown)
    budget = UNKNOWN_ROWS
    views: list[GapView] = []
    for gap in sorted(report.coverage.gaps, key=lambda gap: gap.waiver is not None):
        rows = unknown.pop(GapReference.to(gap), NO_ROWS).first(budget)  # a twin of a gap does not show them again
        budget -= len(rows.items)
        views.append(GapView(gap=gap, unknown=rows))
    return tuple(views)


def _meters(report: Report) -> tuple[Meter, ...]:
    scope, seen = report.coverage.in_scope, report.coverage.observed
    accounts = (
        Meter(label="Accounts", observed=seen.accounts, in_scope=scope.accounts),
        Meter(label="Accounts × regions", observed=seen.targets, in_scope=scope.targets),
    )
    return (
        *((Meter(label="Files", observed=seen.files, in_scope=scope.files),) if scope.files else accounts),
        Meter(label="App instances", observed=seen.app_instances),
        Meter(label="Channel flows", observed=seen.channel_flows),
        Meter(label="Processors", observed=seen.processors),
    )
