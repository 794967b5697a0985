"""A history as tables for the terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scanner.model.phrases import named_account
from scanner.model.report import Severity
from scanner.model.trend import Night, OpenFinding, PastRun, Pruned, TimeToFix, Trend
from scanner.render.table import STYLES, printed
from scanner.render.text import visible
from scanner.render.wording import count

_NIGHTS = 30
_BARS = "▁▂▃▄▅▆▇█"
_SPARKS = 60


def json(value: Trend | Sequence[PastRun] | Pruned) -> str:
    """The trend, the list of runs, or what was removed, as indented JSON."""
    return f"{msgspec.json.format(msgspec.json.encode(value), indent=2).decode()}\n"


def runs(listed: Sequence[PastRun], *, width: int, color: bool) -> str:
    """A table with a row for each run, the newest last."""
    columns = ("Began", "Run", "Coverage", "Failed", "unknown", "waived", "accounts", "flows")
    rows = (
        (
            _moment(run.started_at),
            visible(run.id),
            _coverage(run.complete, run.gaps),
            _counts(run.failed),
            _number(run.unknown),
            _number(run.waived),
            f"{run.accounts:,} of {run.accounts_in_scope:,}",
            f"{run.channel_flows:,}",
        )
        for run in listed
    )
    return printed([_table(columns, rows, left=4, whole=("Began", "Coverage"))], width, color)


def trend(past: Trend, *, width: int, color: bool) -> str:
    """Open findings over time, how long fixes took, and what has been open longest."""
    if not past.nights:
        return "No run is recorded.\n"
    return printed([_course(past.nights), _fixing(past.time_to_fix), _oldest(past.oldest)], width, color)


def pruned(removed: Pruned, before: str) -> str:
    """A line on what was removed from the history."""
    runs, findings = count(removed.runs, "run"), count(removed.findings, "finding")
    return f"Removed {runs} from before {_moment(before)}, and {findings} that had been fixed before then.\n"


def sparkline(values: Sequence[int]) -> str:
    """A bar for each value, scaled to the largest; if there are too many, the last ones."""
    values = values[-_SPARKS:]
    most = max((*values, 1))
    return "".join(_BARS[-(-value * (len(_BARS) - 1) // most)] for value in values)


def _course(nights: Sequence[Night]) -> RenderableType:
    last = nights[-1]
    head = Text.assemble(
        ("Open  ", "bold"), sparkline([night.all_open for night in nights]), f"  {count(last.all_open, 'finding')}"
    )
    columns = ("Night", "Coverage", "Open", "all", "new", "reopened", "fixed", "waived")
    rows: Iterable[Sequence[RenderableType]] = (
        (
            _moment(night.started_at),
            _coverage(night.complete),
            _counts(night.open),
            Text(f"{night.all_open:,}", style="bold"),
            *map(_number, (night.new, night.reopened, night.fixed, night.waived)),
        )
        for night in nights[-_NIGHTS:]
    )
    left_out = [Text(f"  and {count(len(nights) - _NIGHTS, 'earlier night')}", style="dim")] if nights[_NIGHTS:] else []
    return Group(head, _table(columns, rows, left=3, whole=("Night", "Coverage")), *left_out)


def _fixing(times: Sequence[TimeToFix]) -> RenderableType:
    if not times:
        return Text("Time to fix: nothing was fixed yet\n", style="bold")
    rows = (
        (
            Text(time.severity.value, style=STYLES[time.severity]),
            f"{time.fixed:,}",
            _days(time.median_days),
            _days(time.longest_days),
        )
        for time in times
    )
    columns = ("Severity", "fixed", "median", "longest")
    return Group(Text("Time to fix", style="bold"), _table(columns, rows, left=1))


def _oldest(oldest: Sequence[OpenFinding]) -> RenderableType:
    if not oldest:
        return Text("Nothing is open", style="bold")
    rows = (
        (
            Text(each.severity.value, style=STYLES[each.severity]),
            visible(each.rule_id),
            visible(each.resource_name or each.resource_arn or "unnamed"),
            visible(f"{named_account(each.account_id, each.account_name)} {each.region}"),
            _moment(each.first_seen),
            _days(each.age_days),
        )
        for each in oldest
    )
    columns = ("Severity", "Rule", "Resource", "Where", "First seen", "age")
    return Group(Text("Open longest", style="bold"), _table(columns, rows, left=5))


def _table(
    columns: Iterable[str], rows: Iterable[Sequence[RenderableType]], *, left: int, whole: Container[str] = ()
) -> Table:
    """A table whose first `left` columns hold words and the others numbers. Words wrap, but not in `whole` columns."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for position, name in enumerate(columns):
        if position < left:
            table.add_column(name, overflow="fold", no_wrap=name in whole)
        else:
            table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _counts(by_severity: dict[str, int]) -> Text:
    """The counts that are not zero, worst severity first."""
    parts = [
        Text(f"{number:,}\N{NO-BREAK SPACE}{severity.value}", style=STYLES[severity])
        for severity in Severity
        if (number := by_severity.get(severity.value, 0))
    ]
    return Text(" ").join(parts) if parts else Text("-", style="dim")


def _number(value: int, style: str = "") -> Text:
    return Text(f"{value:,}", style=style) if value else Text("-", style="dim")


def _coverage(complete: bool, gaps: int = 0) -> Text:
    if complete:
        return Text("complete", style="green")
    return Text(count(gaps, "gap") if gaps else "NOT complete", style="bold red")


def _days(value: float) -> str:
    return count(round(value), "day")


def _moment(time: str) -> str:
    return visible(time.replace("T", " ").removesuffix("Z")[:16])
