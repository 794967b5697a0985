"""The verdict of a report: a headline and a few sentences that nobody can misread, for everything that people read.

They say what is wrong, how much and where, what changed since which night, and what could not be seen and why.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from scanner.model.moments import moment
from scanner.model.report import UNKNOWN, Finding, Report, Severity, Status
from scanner.render import carried
from scanner.render.causes import by_cause, hidden
from scanner.render.wording import account, clipped, count, listing

Tone = Literal["clean", "failed", "uncertain", "neutral"]
_GRAVE = (Severity.CRITICAL, Severity.HIGH)
_MOST_CHARACTERS = 100


class Verdict(Struct, frozen=True, kw_only=True):
    """A headline without a full stop, sentences that explain it, and the tone in which to show both."""

    tone: Tone
    headline: str
    sentences: tuple[str, ...]


class Tally:
    """What a verdict needs of the findings, added one at a time.

    `places` counts failures by severity, for each account or, where a file was judged, for each file. `changes` counts
    them by their change since the baseline.
    """

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        self.places: dict[str, Counter[Severity]] = defaultdict(Counter)
        self.changes: Counter[str] = Counter()
        for finding in findings:
            self.add(finding)

    def add(self, finding: Finding) -> None:
        if finding.status is Status.FAIL:
            at = finding.location
            self.places[at.file if at else finding.resource.account_id][finding.severity] += 1
            if finding.change:
                self.changes[finding.change] += 1


def verdict(report: Report, tally: Tally) -> Verdict:
    """The verdict of a report. It says "clean" only if everything was observed, judged and passed."""
    if report.summary.by_status.get(Status.FAIL, 0):
        headline, rest = _failed(report, tally.places)
        return Verdict(tone="failed", headline=headline, sentences=(*rest, *_besides(report, tally)))
    besides = tuple(_besides(report, tally))
    if not report.coverage.complete:
        return _no_verdict(report, besides)
    if not report.rules:
        return Verdict(tone="neutral", headline="Nothing was judged", sentences=("No rule ran.",))
    seen = report.coverage.observed
    if not seen.app_instances and not seen.channel_flows and not seen.roles:
        kinds = ["no app instance", "no channel flow", *(() if isinstance(seen.roles, UnsetType) else ("no role",))]
        holds = f"The scope was observed, and holds {listing(kinds)}."
        return Verdict(tone="neutral", headline="Nothing to judge", sentences=(holds, *besides))
    return _nothing_failed(report, besides)


def saw_anything(report: Report) -> bool:
    """Whether any part of the scope was observed."""
    seen = report.coverage.observed
    return any((seen.accounts, seen.targets, seen.files, seen.app_instances, seen.channel_flows, seen.roles or 0))


def since(report: Report) -> str:
    """The day of the run with which the report was compared, or "the baseline" where it does not say."""
    return moment(report.baseline.started_at)[:10] if report.baseline else "the baseline"


def _failed(report: Report, places: Mapping[str, Mapping[Severity, int]]) -> tuple[str, tuple[str, ...]]:
    """The headline on what failed, gravest first, and a sentence on what it leaves out."""
    counts = {level: report.summary.by_severity.get(level, 0) for level in Severity}
    grave = [level for level in _GRAVE if counts[level]]
    named = grave or [level for level in Severity if counts[level]]
    where = [place for place, row in places.items() if any(row.get(level) for level in named)]
    others = _levels(counts, [level for level in Severity if level not in named])
    headline = f"{_levels(counts, named)} to fix in {_where(report, where)}"
    return headline, (f"{others} besides.",) if others else ()


def _levels(counts: Mapping[Severity, int], levels: Iterable[Severity]) -> str:
    return listing(f"{counts[level]:,} {level}" for level in levels if counts[level])


def _where(report: Report, places: Sequence[str]) -> str:
    in_files = bool(report.coverage.in_scope.files)
    if len(places) != 1 or places[0] == UNKNOWN:
        return count(max(1, len(places)), "file" if in_files else "account")
    return clipped(places[0], _MOST_CHARACTERS) if in_files else f"account {account(places[0], report.scope.names)}"


def _besides(report: Report, tally: Tally) -> Iterator[str]:
    """What changed, what could not be seen, what is carried over, and what was accepted."""
    by_status = report.summary.by_status
    yield from _changed(report, tally.changes)
    yield from _missing(report, by_status.get(Status.UNKNOWN, 0))
    if kept := len(carried.shown(report)):
        yield f"{kept:,} that failed before could not be settled this time."
    if waived := by_status.get(Status.WAIVED, 0):
        yield f"{count(waived, 'failure')} accepted by a waiver."


def _changed(report: Report, changes: Mapping[str, int]) -> Iterator[str]:
    if not report.baseline and not any(changes.values()):
        return
    new = f"{changes['new']:,}" if changes.get("new") else "Nothing"
    fixed = report.baseline.fixed if report.baseline else UNSET
    also = f", {fixed:,} fixed" if fixed else ""
    yield f"{new} new since {since(report)}{also}."


def _missing(report: Report, unknown: int) -> Iterator[str]:
    """What could not be seen, and why: of several causes the one that hides most."""
    answers = f"{count(unknown, 'answer')} missing" if unknown else ""
    if not report.coverage.complete:
        gaps = [gap for gap in report.coverage.gaps if gap.waiver is None]
        causes = by_cause(gaps)
        others = f", and {count(len(causes) - 1, 'other cause')}" if len(causes) > 1 else ""
        why = f" ({clipped(causes[0].why, _MOST_CHARACTERS)}{others})" if causes else ""
        what = f"{hidden(gaps)}{why}"
        yield f"{answers}: {what}." if answers else f"{what[:1].upper()}{what[1:]}: nothing is known of what is there."
    elif answers:
        why = ", behind gaps that a waiver accepts" if report.coverage.gaps else ""
        why = ": the files do not settle them" if report.coverage.in_scope.files and not why else why
        yield f"{answers}{why}."


def _no_verdict(report: Report, besides: tuple[str, ...]) -> Verdict:
    if not saw_anything(report):
        nothing = "This report says nothing about what is in scope."
        return Verdict(tone="failed", headline="No verdict: nothing was observed", sentences=(nothing, *besides))
    not_clean = "Nothing failed in what was seen. That is not a clean result."
    return Verdict(
        tone="uncertain", headline="No verdict: not everything was observed", sentences=(not_clean, *besides)
    )


def _nothing_failed(report: Report, besides: tuple[str, ...]) -> Verdict:
    by_status = report.summary.by_status
    unknown, waived = by_status.get(Status.UNKNOWN, 0), by_status.get(Status.WAIVED, 0)
    rest = "What could be judged passed or was accepted by a waiver."
    if unknown:
        headline = f"Nothing failed, {count(unknown, 'answer')} missing"
        return Verdict(tone="uncertain", headline=headline, sentences=(rest, *besides))
    if kept := len(carried.shown(report)):
        headline = f"Nothing failed, {count(kept, 'finding')} carried over"
        return Verdict(tone="uncertain", headline=headline, sentences=(rest, *besides))
    if not waived and not by_status.get("pass", 0):
        none = "No rule applies to what the scope holds."
        return Verdict(tone="neutral", headline="Nothing to judge", sentences=(none, *besides))
    if waived or report.coverage.gaps:
        hides = ("What could not be observed was accepted by a waiver.",) if report.coverage.gaps else ()
        return Verdict(tone="clean", headline="Nothing open", sentences=(f"{_ran(report)}.", *besides, *hides))
    passed = f"{_ran(report)}. Every check that applies passed."
    return Verdict(tone="clean", headline="Clean: no findings", sentences=(passed, *besides))


def _ran(report: Report) -> str:
    seen = report.coverage.observed
    roles = "" if isinstance(seen.roles, UnsetType) else f" and {count(seen.roles, 'role')}"
    flows = f"{count(len(report.rules), 'rule')} ran on {count(seen.channel_flows, 'channel flow')}"
    return f"{flows} in {count(seen.app_instances, 'app instance')}{roles}"
