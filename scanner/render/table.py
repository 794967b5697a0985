"""What a scan prints on a terminal: what was not observed, then the findings, then a summary of both."""

from __future__ import annotations

import heapq
import io
from collections import Counter
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scanner.finding import Finding, GapReference, Report, ReportedGap, Severity, Status
from scanner.render.coverage import unknown_by_gap
from scanner.render.text import visible
from scanner.render.words import aged

_WIDE = 100
STYLES = {
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
        parts.append(_table(heapq.nsmallest(shown, known, key=_worst_first), width, report))
    if judged > shown:
        parts.append(Text(f"  and {judged - shown:,} more findings in the report\n", style="dim"))
    return printed(parts, width, color) if parts else ""


def sections(groups: Iterable[tuple[str, Sequence[Finding]]], *, width: int, color: bool) -> str:
    """A table of findings under each heading, worst first; of an empty group, the number alone."""
    parts: list[RenderableType] = []
    for heading, members in groups:
        parts.append(Text(f"{heading}: {_count(len(members), 'finding')}", style="bold"))
        if members:
            parts.append(_table(sorted(members, key=_worst_first), width))
    return printed(parts, width, color)


def summary(report: Report, *, width: int, color: bool) -> str:
    """Coverage before verdict, in a few lines."""
    coverage, counts = report.coverage, report.summary
    seen, scope = coverage.observed, coverage.in_scope
    rows = Table.grid(padding=(0, 2))
    rows.add_row(
        Text("Coverage", style="bold"),
        Text("complete", style="green") if coverage.complete else Text(_incomplete(report), style="bold red"),
    )
    rows.add_row(
        Text("Observed", style="bold"),
        f"{seen.accounts} of {_count(scope.accounts, 'account')}, "
        f"{seen.targets} of {_count(scope.targets, 'target')} (account × region): "
        f"{_count(seen.app_instances, 'app instance')}, "
        f"{_count(seen.channel_flows, 'channel flow')}, {_count(seen.processors, 'processor')}",
    )
    judged = any(counts.by_status.values())
    rows.add_row(Text("Findings", style="bold"), _severities(counts.by_severity) if judged else "nothing was judged")
    others = [f"{counts.by_status[name]:,} {name}" for name in ("unknown", "waived") if counts.by_status[name]]
    others += _changes(report)
    if others:
        rows.add_row("", ", ".join(others))
    return printed([rows], width, color)


def _changes(report: Report) -> list[str]:
    """How the failures stand to a baseline, where there is one."""
    changes = Counter(finding.change for finding in report.findings if finding.status is Status.FAIL)
    if not (changes["new"] or changes["existing"]):
        return []
    return [f"{changes['new']:,} new", f"{changes['existing']:,} in the baseline"]


def _incomplete(report: Report) -> str:
    open_gaps = sum(gap.waiver is None for gap in report.coverage.gaps)
    return f"NOT complete: {_count(open_gaps, 'gap')}, so what is clean here may not be clean"


def _gap_lines(report: Report) -> Iterable[RenderableType]:
    unknown = unknown_by_gap(report)
    for gap in report.coverage.gaps:
        yield Padding(_gap_line(gap, unknown[GapReference.to(gap)]), (0, 0, 0, 2))


def _gap_line(gap: ReportedGap, unknown: int) -> Text:
    where = " ".join(filter(None, (gap.account_id, gap.region, gap.resource_arn)))
    consequence = f" ({_count(unknown, 'finding')} unknown)" if unknown else ""
    waived = " [waived]" if gap.waiver else ""
    return Text.assemble(
        (visible(where), "bold"),
        f" {visible(gap.operation)}: {visible(gap.reason)} [{visible(gap.code)}]",
        consequence,
        waived,
    )


def _table(findings: Sequence[Finding], width: int, report: Report | None = None) -> RenderableType:
    """With the report that they are of, findings tell their age."""
    if width >= _WIDE:
        return _columns(findings, report)
    return Group(*(_stacked(finding, report) for finding in findings))


def _stacked(finding: Finding, report: Report | None) -> Text:
    """A finding where there is no room for columns."""
    place = f"{_named(finding)} ({_where(finding, report)})"
    return Text.assemble(
        _severity(finding),
        (f" {visible(finding.rule_id)}\n", "bold"),
        (f"{place}\n", "dim"),
        f"{visible(finding.message)}\n",
        overflow="fold",
    )


def _severity(finding: Finding) -> Text:
    if finding.status is Status.WAIVED:
        return Text("waived", style="dim")
    return Text(finding.severity.value, style=STYLES[finding.severity])


def _columns(findings: Sequence[Finding], report: Report | None) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("Severity", no_wrap=True)
    table.add_column("Rule", no_wrap=True)
    table.add_column("App instance / channel flow", overflow="fold", ratio=2)
    table.add_column("What was found", overflow="fold", ratio=3)
    for finding in findings:
        table.add_row(
            _severity(finding),
            Text(visible(finding.rule_id)),
            Text(_named(finding)).append(f"\n{_where(finding, report)}", style="dim"),
            Text(visible(finding.message)),
        )
    return table


def _worst_first(finding: Finding) -> tuple[bool, int]:
    return finding.status is Status.WAIVED, finding.severity.rank


def _where(finding: Finding, report: Report | None) -> str:
    place = f"{finding.resource.account_id} {finding.resource.region}"
    age = aged(finding, report) if report else ""
    return visible(f"{place}, {age}" if age else place)


def _named(finding: Finding) -> str:
    resource = finding.resource
    app_instance = visible(resource.app_instance_name or resource.app_instance_arn or "")
    name = visible(resource.name or resource.arn or "")
    return name if resource.type == "app_instance" else f"{app_instance} / {name}"


def _severities(counts: dict[str, int]) -> Text:
    found = [Text(f"{counts[level]} {level}", style=STYLES[level]) for level in Severity if counts.get(level)]
    return Text(", ").join(found) if found else Text("none failed")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printed(parts: Sequence[RenderableType], width: int, color: bool) -> str:
    """What a terminal of so many columns shows."""
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=color, no_color=not color, highlight=False, markup=False, emoji=False
    )
    for part in parts:
        console.print(part)
    lines = out.getvalue().strip("\n").split("\n")
    return "".join(f"{line.rstrip()}\n" for line in lines)
