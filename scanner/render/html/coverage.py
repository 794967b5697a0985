"""The page's section on coverage: what was observed, and each gap with what it hides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from msgspec import UnsetType

from scanner.model.facts import READ_FILE
from scanner.model.report import Finding, Report, ReportedGap
from scanner.render.causes import Cause, hides_roles
from scanner.render.html.digest import Digest
from scanner.render.html.labels import Banner, Cut, count, cut, term
from scanner.render.verdict import saw_anything
from scanner.render.wording import account, gap_place

CAUSES_AT_ONCE = 10
CAUSES = 200
PLACES = 200
UNKNOWN_ROWS = 100
_NOT_KNOWN = "A part of the scope that is not known"
NO_ROWS: Cut[Finding] = Cut(items=(), more=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Meter:
    """How many of something were observed and, where it is known, how many there are."""

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
class CauseView:
    """Gaps of one cause, the places that they hide, and the findings that are unknown because of them.

    `query` finds these findings in the page's list. The page's script describes gaps in the same words.
    """

    cause: Cause
    places: Cut[str]
    unknown: Cut[Finding]
    query: str | None

    @property
    def gap(self) -> ReportedGap:
        """The first gap of the cause."""
        return self.cause.gaps[0]

    @property
    def what(self) -> str:
        """What the gaps hide, and where."""
        if not self.cause.is_alone:
            return self.cause.extent or _NOT_KNOWN
        if self.gap.location:
            return f"{self.gap.location.file}, from line {self.gap.location.line}"
        if self.gap.operation == READ_FILE:
            return "A file"
        if not self.cause.accounts:
            return _NOT_KNOWN
        who = account(self.cause.accounts[0], self.cause.names)
        if hides_roles(self.gap):
            return f"The roles of {who}"
        return f"{who}, {self.gap.region or 'every region'}"

    @property
    def why(self) -> str:
        """Why, as the beginning of a line."""
        return self.cause.why[:1].upper() + self.cause.why[1:]

    @property
    def call(self) -> str:
        """What was tried, and AWS's error code."""
        return self.gap.code if self.gap.operation == READ_FILE else _call(self.cause)

    @property
    def behind(self) -> str:
        return "this gap" if self.cause.is_alone else "these gaps"


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageView:
    statement: Banner
    meters: tuple[Meter, ...]
    first: tuple[CauseView, ...]
    rest: tuple[CauseView, ...]
    more: int


def coverage(report: Report, digest: Digest) -> CoverageView:
    """What was observed, and each cause of gaps with the findings that it makes unknown, open causes first."""
    shown = _cause_views(digest)
    return CoverageView(
        statement=coverage_banner(report),
        meters=_meters(report),
        first=shown[:CAUSES_AT_ONCE],
        rest=shown[CAUSES_AT_ONCE:],
        more=sum(len(cause.gaps) for cause in digest.causes[CAUSES:]),
    )


def coverage_banner(report: Report) -> Banner:
    """A sentence on whether everything in scope was observed."""
    gaps = report.coverage.gaps
    waived = sum(gap.waiver is not None for gap in gaps)
    accepted = f" {count(waived, 'more was', 'more were')} accepted by a waiver." if waived else ""
    if not report.coverage.complete:
        return Banner(
            tone="failed",
            headline="Not everything in scope was observed",
            detail=f"{count(len(gaps) - waived, 'gap is', 'gaps are')} open.{accepted}",
        )
    if waived:
        return Banner(
            tone="uncertain",
            headline="Everything in scope was observed, but for what was waived",
            detail=f"{count(waived, 'gap was', 'gaps were')} accepted by a waiver; what lies behind is not known.",
        )
    in_scope = report.coverage.in_scope
    if not in_scope.targets and not in_scope.files and not saw_anything(report):
        return Banner(tone="neutral", headline="Nothing was in scope", detail="No account and region was chosen.")
    return Banner(tone="clean", headline="Everything in scope was observed", detail="There are no gaps.")


def _cause_views(digest: Digest) -> tuple[CauseView, ...]:
    alike = Counter(_call(cause) for cause in digest.causes)
    rows_left, places_left = UNKNOWN_ROWS, PLACES
    views: list[CauseView] = []
    for number, cause in enumerate(digest.causes[:CAUSES]):
        rows = digest.unknown.get(number, NO_ROWS).first(rows_left)
        rows_left -= len(rows.items)
        places = cut((gap_place(gap, cause.names) for gap in cause.gaps if not _is_said(gap, cause)), places_left)
        places_left -= len(places.items)
        views.append(CauseView(cause=cause, places=places, unknown=rows, query=_query(cause, alike)))
    return tuple(views)


def _is_said(gap: ReportedGap, cause: Cause) -> bool:
    """Whether the line of the cause itself says all about where the gap is."""
    return (cause.is_alone and gap.resource_arn is None) or not gap_place(gap)


def _query(cause: Cause, alike: Counter[str]) -> str | None:
    """A query that finds the findings of a cause; None where it would also find those of another cause."""
    if not cause.is_alone:
        return term("gap", _call(cause)) if alike[_call(cause)] == 1 else None
    gap = cause.gaps[0]
    return term("gap", " ".join(filter(None, (_call(cause), gap.account_id, gap.region, gap.resource_arn))))


def _call(cause: Cause) -> str:
    return f"{cause.gaps[0].operation} {cause.code}"


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
        *(() if isinstance(seen.roles, UnsetType) else (Meter(label="Roles", observed=seen.roles),)),
    )
