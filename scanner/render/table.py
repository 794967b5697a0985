"""What a scan prints on a terminal: gaps, findings, what is not examined, and a summary.

It passes over the findings several times and prints a few at a time, so memory does not grow with their number.
"""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TypeAlias

from msgspec import structs
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scanner.model.report import Coverage, Finding, Report, Severity, Status
from scanner.render import carried
from scanner.render.causes import Cause, by_cause, causes, total
from scanner.render.text import unbroken, visible
from scanner.render.wording import (
    Names,
    aged,
    clipped,
    contents,
    count,
    explained_at,
    is_open,
    named,
    passed,
    place,
    seen,
)

Where: TypeAlias = Callable[[Finding], str]
_WIDE = 100
_HEADINGS = ("Severity", "Rule", "Resource", "What was found")
_AROUND = 11
"""Terminal columns that the table's borders and padding take."""
_ID = 37
"""Terminal columns of an id in an ARN with the slash after it."""
_AT_ONCE = 200
_MOST_OPEN = 20
_MOST_ACCOUNTS = 5
_MOST_CHARACTERS = 1_000
"""The length at which text from outside is cut; AWS allows nothing so long."""
STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}


def findings(report: Report, *, width: int, color: bool, most: int | None = None) -> Iterator[str]:
    """Gaps by cause, each with the findings that it leaves unknown, then the worst findings, then what is not examined.

    The table has at most `most` findings; None: all.
    """
    if report.coverage.gaps:
        yield printed([Text("Not observed", style="bold red"), *_gap_lines(report, width, most)], width, color) + "\n"
    levels = Counter(map(_level, _judged(report)))
    judged = levels.total()
    shown = judged if most is None else min(most, judged)
    worst = (finding for level in sorted(levels) for finding in _judged(report) if _level(finding) == level)
    yield from _rows(_judged(report), islice(worst, shown), width, color, partial(_where, report=report))
    yield from _carried(report, width, color, most)
    left_open = tuple(_open_lines(report))
    if left_open:
        yield printed(left_open, width, color) + "\n"
    if judged > shown:
        yield (
            printed([Text(f"  and {judged - shown:,} more findings in the report", style="dim")], width, color) + "\n"
        )
    if report.coverage.not_examined:
        yield printed(_not_examined(report.coverage.not_examined, most), width, color) + "\n"


def _carried(report: Report, width: int, color: bool, most: int | None) -> Iterator[str]:
    """What failed before and could not be settled, with why not; at most `most` findings."""
    entries = carried.shown(report)
    if not entries:
        return
    heading = f"{carried.TITLE}: {count(len(entries), 'finding')} that {carried.EXPLAINED}"
    yield printed([Text(heading, style="bold")], width, color) + "\n"
    findings = [structs.replace(each.finding, message=carried.why(each)) for each in entries[:most]]
    yield from _rows(findings, iter(findings), width, color, partial(_where, report=report))
    if most is not None and len(entries) > most:
        line = f"  and {count(len(entries) - most, 'more finding')} carried over, in the report"
        yield printed([Text(line, style="dim")], width, color) + "\n"


def sections(groups: Iterable[tuple[str, Sequence[Finding]]], names: Names, *, width: int, color: bool) -> str:
    """A table of findings under each heading, worst first; an empty group has a heading alone."""
    pieces: list[str] = []
    for heading, members in groups:
        pieces.append(printed([Text(f"{heading}: {count(len(members), 'finding')}", style="bold")], width, color))
        if members:
            pieces += [
                "\n",
                *_rows(members, iter(sorted(members, key=_level)), width, color, partial(place, names=names)),
            ]
    return "".join(pieces)


def summary(report: Report, *, width: int, color: bool, verbose: bool = False) -> str:
    """Coverage, then the verdict, in a few lines; if `verbose`, how much passed of each rule before them."""
    coverage, counts = report.coverage, report.summary
    rows = Table.grid(padding=(0, 2))
    rows.add_row(
        Text("Coverage", style="bold"),
        Text("complete", style="green") if coverage.complete else Text(_incomplete(report), style="bold red"),
    )
    rows.add_row(Text("Observed", style="bold"), _seen(coverage) if coverage.in_scope.accounts else seen(report))
    judged = any(counts.by_status.values())
    rows.add_row(Text("Findings", style="bold"), _severities(counts.by_severity) if judged else "nothing was judged")
    others = [f"{counts.by_status[name]:,} {name}" for name in ("unknown", "waived") if counts.by_status[name]]
    others += _changes(report)
    if kept := carried.shown(report):
        others.append(f"{len(kept):,} carried over")
    if others:
        rows.add_row("", ", ".join(others))
    pages = f"{_pages(report)}\n" if verbose and _pages(report) else ""
    return pages + printed([*(_passed(report) if verbose else ()), rows], width, color)


def _pages(report: Report) -> str:
    """The addresses of the pages that explain what failed, each whole on its line, so that a terminal can open it."""
    failing = (rule for rule in report.rules if report.summary.by_rule.get(rule.id))
    addresses = [address for rule in failing for address in explained_at(rule)]
    return "".join(
        f"{line}\n" for line in ("What failed, explained", *(f"  {each}" for each in addresses)) if addresses
    )


def _passed(report: Report) -> Iterator[RenderableType]:
    rows = Table.grid(padding=(0, 2))
    for id_, text in passed(report).items():
        rows.add_row(Text(_shown(id_)), text)
    if rows.row_count:
        yield rows
        yield Text("")


def _seen(coverage: Coverage) -> str:
    observed, scope = coverage.observed, coverage.in_scope
    return (
        f"{observed.accounts} of {count(scope.accounts, 'account')}, "
        f"{observed.targets} of {count(scope.targets, 'target')} (account × region): {contents(coverage)}"
    )


def _changes(report: Report) -> list[str]:
    """How many failures are new and how many are in the baseline; empty without a baseline."""
    changes = Counter(finding.change for finding in report.findings if finding.status is Status.FAIL)
    if not (changes["new"] or changes["existing"]):
        return []
    return [f"{changes['new']:,} new", f"{changes['existing']:,} in the baseline"]


def _incomplete(report: Report) -> str:
    found = by_cause(gap for gap in report.coverage.gaps if gap.waiver is None)
    return f"NOT complete: {total(found)}, so what is clean here may not be clean"


def _gap_lines(report: Report, width: int, most: int | None) -> Iterable[RenderableType]:
    """A line for each cause, with its accounts if there are several; cut if a report holds the rest."""
    found = causes(report)
    for cause in found[:most]:
        yield Padding(_cause_line(cause, width), (0, 0, 0, 2))
        if not cause.is_alone and cause.accounts:
            places = cause.places(None if most is None else _MOST_ACCOUNTS)
            yield Padding(Text(unbroken(visible(places), width - 4), style="dim"), (0, 0, 0, 4))
    if most is not None and len(found) > most:
        yield Padding(Text(f"and {count(len(found) - most, 'more cause')} in the report", style="dim"), (0, 0, 0, 2))


def _cause_line(cause: Cause, width: int) -> Text:
    consequence = f" ({count(cause.unknown, 'finding')} unknown)" if cause.unknown else ""
    waived = " [waived]" if cause.waiver else ""
    return Text.assemble(
        (unbroken(_shown(cause.headline), width - 2), "bold"), f" [{_shown(cause.code)}]", consequence, waived
    )


def _judged(report: Report) -> Iterator[Finding]:
    return (finding for finding in report.findings if finding.status is not Status.UNKNOWN)


def _level(finding: Finding) -> tuple[bool, int]:
    """A sort key: failures first, worst first."""
    return finding.status is Status.WAIVED, finding.severity.rank


def _rows(every: Iterable[Finding], shown: Iterator[Finding], width: int, color: bool, where: Where) -> Iterator[str]:
    """The table rows of the shown findings, then an empty line. The column widths suit `every` finding.

    `where` says where a finding is.
    """
    widths = _widths((_cells(each, where) for each in every), width) if width >= _WIDE else None
    head = True
    while some := list(islice(shown, _AT_ONCE)):
        parts = _table(some, widths, where, head=head) if widths else _stack(some, width, where)
        yield printed(parts, width, color)
        head = False
    if not head:
        yield "\n"


def _widths(rows: Iterable[Sequence[Text]], width: int) -> tuple[int, int, int, int]:
    """The width of each column: that of its widest cell, or a share where there is not enough room."""
    needs = [len(heading) for heading in _HEADINGS]
    for cells in rows:
        needs = [max(pair) for pair in zip(needs, map(_need, cells), strict=True)]
    severity, rule, resource, message = needs
    rule = min(rule, width // 3)
    room = width - _AROUND - severity - rule
    resource = min(resource, max(room * 2 // 5, min(_ID, room // 2), room - message))
    return severity, rule, resource, min(message, room - resource)


def _need(cell: Text) -> int:
    return max(map(cell_len, cell.plain.split("\n")))


def _cells(
    finding: Finding, where: Where, widths: Sequence[int] = (sys.maxsize,) * len(_HEADINGS)
) -> tuple[Text, Text, Text, Text]:
    _, _, resource, message = widths
    at = unbroken(_shown(where(finding)), resource)
    return (
        _severity(finding),
        Text(_shown(finding.rule_id)),
        Text(unbroken(_shown(named(finding.resource)), resource)).append(f"\n{at}", style="dim"),
        Text(unbroken(_shown(finding.message), message)),
    )


def _open_lines(report: Report) -> Iterator[RenderableType]:
    """A line for each value that files leave to the deployment."""
    left_open = list(islice(filter(is_open, report.findings), _MOST_OPEN + 1))
    if left_open:
        yield Text("Not known before the deployment", style="dim")
    for finding in left_open[:_MOST_OPEN]:
        line = f"{place(finding)} {finding.rule_id}: {named(finding.resource)}"
        yield Padding(Text(_shown(line), style="dim"), (0, 0, 0, 2))
    if len(left_open) > _MOST_OPEN:
        yield Padding(Text("and more, which the reports list", style="dim"), (0, 0, 0, 2))


def _not_examined(sentences: Sequence[str], most: int | None) -> Iterator[RenderableType]:
    yield Text("Not examined", style="bold")
    for sentence in sentences[:most]:
        yield Padding(_shown(sentence), (0, 0, 0, 2))
    if most is not None and len(sentences) > most:
        yield Padding(Text(f"and {len(sentences) - most:,} more in the report", style="dim"), (0, 0, 0, 2))


def _stack(findings: Sequence[Finding], width: int, where: Where) -> Iterator[RenderableType]:
    """Findings below each other, for terminals too narrow for columns."""
    for finding in findings:
        at = f"{_shown(named(finding.resource))} ({_shown(where(finding))})"
        yield Text.assemble(
            _severity(finding),
            (f" {_shown(finding.rule_id)}\n", "bold"),
            (f"{unbroken(at, width)}\n", "dim"),
            f"{unbroken(_shown(finding.message), width)}\n",
            overflow="fold",
        )


def _severity(finding: Finding) -> Text:
    if finding.status is Status.WAIVED:
        return Text("waived", style="dim")
    return Text(finding.severity.value, style=STYLES[finding.severity])


def _table(findings: Sequence[Finding], widths: Sequence[int], where: Where, *, head: bool) -> Iterable[RenderableType]:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_header=head)
    for heading, width in zip(_HEADINGS, widths, strict=True):
        table.add_column(heading, width=width, overflow="fold")
    for finding in findings:
        table.add_row(*_cells(finding, where, widths))
    return [table]


def _shown(text: str) -> str:
    """Text from outside, with hidden characters escaped and cut to a readable length."""
    return visible(clipped(text, _MOST_CHARACTERS))


def _where(finding: Finding, report: Report) -> str:
    """Where a finding is, and how old."""
    age = aged(finding, report)
    at = place(finding, report.scope.names)
    return f"{at}, {age}" if age else at


def _severities(counts: dict[str, int]) -> Text:
    found = [Text(f"{counts[level]} {level}", style=STYLES[level]) for level in Severity if counts.get(level)]
    return Text(", ").join(found) if found else Text("none failed")


def printed(parts: Iterable[RenderableType], width: int, color: bool) -> str:
    """The parts as text for a terminal of `width` columns."""
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=color, no_color=not color, highlight=False, markup=False, emoji=False
    )
    for part in parts:
        console.print(part)
    text = "\n".join(line.rstrip() for line in out.getvalue().split("\n"))
    return text.strip("\n") + "\n"
