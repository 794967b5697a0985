"""What a scan prints on a terminal: what was not observed, then the findings, then a summary of both."""

from __future__ import annotations

import heapq
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scanner.finding import Coverage, Finding, GapReference, Report, ReportedGap, Severity, Status
from scanner.render.coverage import unknown_by_gap
from scanner.render.text import visible
from scanner.render.words import contents, count, is_open, named, place, seen

_WIDE = 100
_MOST_OPEN = 20
_STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}


def findings(report: Report, *, width: int, color: bool, most: int | None = None) -> str:
    """Gaps, each with the findings it leaves unknown, then a table of the first `most` findings, worst first."""
    parts: list[RenderableType] = []
    if report.coverage.gaps:
        parts += [Text("Not observed", style="bold red"), *_gap_lines(report), Text()]
    judged = report.summary.by_status["fail"] + report.summary.by_status["waived"]
    shown = judged if most is None else min(most, judged)
    if shown:
        known = (finding for finding in report.findings if finding.status is not Status.UNKNOWN)
        parts.append(_table(heapq.nsmallest(shown, known, key=_worst_first), width))
    parts += _open_lines(report)
    if judged > shown:
        parts.append(Text(f"  and {judged - shown:,} more findings in the report\n", style="dim"))
    return _printed(parts, width, color) if parts else ""


def sections(groups: Iterable[tuple[str, Sequence[Finding]]], *, width: int, color: bool) -> str:
    """A table of findings under each heading, worst first; of an empty group, the number alone."""
    parts: list[RenderableType] = []
    for heading, members in groups:
        parts.append(Text(f"{heading}: {count(len(members), 'finding')}", style="bold"))
        if members:
            parts.append(_table(sorted(members, key=_worst_first), width))
    return _printed(parts, width, color)


def summary(report: Report, *, width: int, color: bool) -> str:
    """Coverage before verdict, in a few lines."""
    coverage, counts = report.coverage, report.summary
    rows = Table.grid(padding=(0, 2))
    rows.add_row(
        Text("Coverage", style="bold"),
        Text("complete", style="green") if coverage.complete else Text(_incomplete(report), style="bold red"),
    )
    rows.add_row(Text("Observed", style="bold"), _seen(coverage) if coverage.in_scope.accounts else seen(coverage))
    judged = any(counts.by_status.values())
    rows.add_row(Text("Findings", style="bold"), _severities(counts.by_severity) if judged else "nothing was judged")
    others = [f"{counts.by_status[name]:,} {name}" for name in ("unknown", "waived") if counts.by_status[name]]
    others += _changes(report)
    if others:
        rows.add_row("", ", ".join(others))
    return _printed([rows], width, color)


def _seen(coverage: Coverage) -> str:
    observed, scope = coverage.observed, coverage.in_scope
    return (
        f"{observed.accounts} of {count(scope.accounts, 'account')}, "
        f"{observed.targets} of {count(scope.targets, 'target')} (account × region): {contents(coverage)}"
    )


def _changes(report: Report) -> list[str]:
    """How the failures stand to a baseline, where there is one."""
    changes = Counter(finding.change for finding in report.findings if finding.status is Status.FAIL)
    if not (changes["new"] or changes["existing"]):
        return []
    return [f"{changes['new']:,} new", f"{changes['existing']:,} in the baseline"]


def _incomplete(report: Report) -> str:
    open_gaps = sum(gap.waiver is None for gap in report.coverage.gaps)
    return f"NOT complete: {count(open_gaps, 'gap')}, so what is clean here may not be clean"


def _gap_lines(report: Report) -> Iterable[RenderableType]:
    unknown = unknown_by_gap(report)
    for gap in report.coverage.gaps:
        yield Padding(_gap_line(gap, unknown[GapReference.to(gap)]), (0, 0, 0, 2))


def _gap_line(gap: ReportedGap, unknown: int) -> Text:
    where = " ".join(filter(None, (gap.account_id, gap.region, gap.resource_arn)))
    consequence = f" ({count(unknown, 'finding')} unknown)" if unknown else ""
    waived = " [waived]" if gap.waiver else ""
    return Text.assemble(
        (visible(where), "bold"),
        f" {visible(gap.operation)}: {visible(gap.reason)} [{visible(gap.code)}]",
        consequence,
        waived,
    )


def _open_lines(report: Report) -> Iterator[RenderableType]:
    """What files leave to the deployment, a line each."""
    left_open = list(islice(filter(is_open, report.findings), _MOST_OPEN + 1))
    if left_open:
        yield Text("Not known before the deployment", style="dim")
    for finding in left_open[:_MOST_OPEN]:
        told = f"{place(finding)} {finding.rule_id}: {named(finding.resource)}"
        yield Padding(Text(visible(told), style="dim"), (0, 0, 0, 2))
    if len(left_open) > _MOST_OPEN:
        yield Padding(Text("and more, which the reports list", style="dim"), (0, 0, 0, 2))


def _table(findings: Sequence[Finding], width: int) -> RenderableType:
    return _columns(findings) if width >= _WIDE else Group(*map(_stacked, findings))


def _stacked(finding: Finding) -> Text:
    """A finding where there is no room for columns."""
    where = f"{visible(named(finding.resource))} ({visible(place(finding))})"
    return Text.assemble(
        _severity(finding),
        (f" {visible(finding.rule_id)}\n", "bold"),
        (f"{where}\n", "dim"),
        f"{visible(finding.message)}\n",
        overflow="fold",
    )


def _severity(finding: Finding) -> Text:
    if finding.status is Status.WAIVED:
        return Text("waived", style="dim")
    return Text(finding.severity.value, style=_STYLES[finding.severity])


def _columns(findings: Sequence[Finding]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("Severity", no_wrap=True)
    table.add_column("Rule", no_wrap=True)
    table.add_column("App instance / channel flow", overflow="fold", ratio=2)
    table.add_column("What was found", overflow="fold", ratio=3)
    for finding in findings:
        table.add_row(
            _severity(finding),
            Text(visible(finding.rule_id)),
            Text(visible(named(finding.resource))).append(f"\n{visible(place(finding))}", style="dim"),
            Text(visible(finding.message)),
        )
    return table


def _worst_first(finding: Finding) -> tuple[bool, int]:
    return finding.status is Status.WAIVED, finding.severity.rank


def _severities(counts: dict[str, int]) -> Text:
    found = [Text(f"{counts[level]} {level}", style=_STYLES[level]) for level in Severity if counts.get(level)]
    return Text(", ").join(found) if found else Text("none failed")


def _printed(parts: Sequence[RenderableType], width: int, color: bool) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=color, no_color=not color, highlight=False, markup=False, emoji=False
    )
    for part in parts:
        console.print(part)
    lines = out.getvalue().strip("\n").split("\n")
    return "".join(f"{line.rstrip()}\n" for line in lines)
