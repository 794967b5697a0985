"""The page's trend over many nights: a bar for each night, and a table of the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.model.report import Severity
from scanner.model.trend import Night, OpenFinding, TimeToFix, Trend
from scanner.render.html.labels import count, moment

BARS = 120
FEWEST = 14
"""The number of nights that fill the picture; with fewer, its right side stays empty."""
NIGHTS = 30
OLDEST = 10
HEIGHT = 40.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """The part of a bar for one severity."""

    severity: Severity
    y: float
    height: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """What was open after a night, the worst at the bottom; `title` says the same in words."""

    title: str
    x: int
    complete: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrendView:
    """The trend as the page shows it. `label` describes the picture; `nights` are the newest, last night first."""

    label: str
    first: Night
    last: Night
    bars: tuple[Bar, ...]
    nights: tuple[Night, ...]
    more: int
    times: tuple[TimeToFix, ...]
    oldest: tuple[OpenFinding, ...]

    @property
    def severities(self) -> tuple[Severity, ...]:
        return tuple(Severity)

    @property
    def partial(self) -> bool:
        """Whether a night is shown that did not observe everything."""
        return not all(bar.complete for bar in self.bars)

    @property
    def width(self) -> int:
        return max(len(self.bars), FEWEST)

    @property
    def span(self) -> tuple[str, ...]:
        """The labels below the picture: its first and last night, or one label for both if it is not full."""
        first, last = moment(self.first.started_at), moment(self.last.started_at)
        if len(self.bars) < FEWEST:
            return (first if len(self.bars) == 1 else f"{first} to {last}",)
        return first, last


def view(trend: Trend | None) -> TrendView | None:
    """The trend as the page shows it; None where no history is kept."""
    if trend is None or not trend.nights:
        return None
    shown = trend.nights[-BARS:]
    most = max([1, *(night.all_open for night in shown)])
    return TrendView(
        label=_label(shown),
        first=shown[0],
        last=shown[-1],
        bars=tuple(_bar(night, position, most) for position, night in enumerate(shown)),
        nights=trend.nights[: -NIGHTS - 1 : -1],
        more=max(0, len(trend.nights) - NIGHTS),
        times=trend.time_to_fix,
        oldest=trend.oldest[:OLDEST],
    )


def _label(nights: Sequence[Night]) -> str:
    first, last = nights[0], nights[-1]
    now = f"{count(last.all_open, 'open finding')} after the last of {count(len(nights), 'night')}"
    return f"{now}; {count(first.all_open, 'open finding')} after the first, {moment(first.started_at)}"


def _bar(night: Night, position: int, most: int) -> Bar:
    coverage = "" if night.complete else ", not everything was observed"
    return Bar(
        title=f"{moment(night.started_at)}: {count(night.all_open, 'open finding')}{coverage}",
        x=position,
        complete=night.complete,
        parts=tuple(_parts(night, most)),
    )


def _parts(night: Night, most: int) -> Iterator[Part]:
    below = 0.0
    for severity in Severity:
        height = HEIGHT * night.open.get(severity.value, 0) / most
        below += height
        if height:
            yield Part(severity=severity, y=HEIGHT - below, height=height)
