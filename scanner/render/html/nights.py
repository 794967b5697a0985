"""The page's trend over many nights: a bar for each night, and a table of the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scanner.model.report import Severity
from scanner.model.trend import Night, OpenFinding, TimeToFix, Trend
from scanner.render.html.labels import count, moment

BARS = 120
FEWEST = 14
"""The number of nights that fill the picture; with fewer, its right side stays empty."""
NIGHTS = 30
OLDEST = 10
HEIGHT = 112.0
"""Of the picture, in pixels: its parts are placed in pixels down and in percent across, so that none is distorted."""
GAP = 1.5
LEAST = 2.0
STEPS = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)
NO_LINKS: Mapping[str, str] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """The part of a bar for one severity, in pixels."""

    severity: Severity
    y: float
    height: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """What was open after a night, the worst at the bottom; `title` says the same in words.

    `x` and `width` are in percent of the picture. `href` leads to the night's report, if that is known.
    """

    title: str
    x: float
    width: float
    complete: bool
    parts: tuple[Part, ...]
    href: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A number beside the picture, and the height of its line, in pixels from the top."""

    value: int
    y: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TrendView:
    """The trend as the page shows it. `label` describes the picture; `nights` are the newest, last night first."""

    label: str
    ticks: tuple[Tick, ...]
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
    def shown(self) -> tuple[Severity, ...]:
        """The severities that the picture shows, in the order of its bars from the bottom."""
        drawn = {part.severity for bar in self.bars for part in bar.parts}
        return tuple(severity for severity in Severity if severity in drawn)

    @property
    def linked(self) -> bool:
        return any(bar.href for bar in self.bars)

    @property
    def partial(self) -> bool:
        """Whether a night is shown that did not observe everything."""
        return not all(bar.complete for bar in self.bars)

    @property
    def span(self) -> tuple[str, ...]:
        """The labels below the picture: its first and last night, or one label for both if it is not full."""
        first, last = moment(self.first.started_at), moment(self.last.started_at)
        if len(self.bars) < FEWEST:
            return (first if len(self.bars) == 1 else f"{first} to {last}",)
        return first, last


def view(trend: Trend | None, links: Mapping[str, str] = NO_LINKS) -> TrendView | None:
    """The trend as the page shows it; None where no history is kept. `links` has the reports of runs, by their id."""
    if trend is None or not trend.nights:
        return None
    shown = trend.nights[-BARS:]
    ticks = _ticks(max(night.all_open for night in shown))
    width = 100 / max(len(shown), FEWEST)
    return TrendView(
        label=_label(shown),
        ticks=ticks,
        first=shown[0],
        last=shown[-1],
        bars=tuple(
            _bar(night, position * width, width, ticks[-1].value, links.get(night.run_id))
            for position, night in enumerate(shown)
        ),
        nights=trend.nights[: -NIGHTS - 1 : -1],
        more=max(0, len(trend.nights) - NIGHTS),
        times=trend.time_to_fix,
        oldest=trend.oldest[:OLDEST],
    )


def _label(nights: Sequence[Night]) -> str:
    first, last = nights[0], nights[-1]
    now = f"{count(last.all_open, 'open finding')} after the last of {count(len(nights), 'night')}"
    return f"{now}; {count(first.all_open, 'open finding')} after the first, {moment(first.started_at)}"


def _ticks(most: int) -> tuple[Tick, ...]:
    """Zero, a round number and its double, which is at least `most`."""
    half = max(1, (most + 1) // 2)
    scale = 10 ** (len(str(half)) - 2)
    step = half if half < STEPS[0] else next(each * scale for each in STEPS if each * scale >= half)
    return tuple(Tick(value=value, y=HEIGHT - HEIGHT * value / (2 * step)) for value in (0, step, 2 * step))


def _bar(night: Night, x: float, width: float, top: int, href: str | None) -> Bar:
    coverage = "" if night.complete else ", not everything was observed"
    counts = ", ".join(f"{count_} {severity.value}" for severity in Severity if (count_ := _open(night, severity)))
    return Bar(
        title=f"{moment(night.started_at)}: {count(night.all_open, 'open finding')}"
        f"{f' ({counts})' if counts else ''}{coverage}",
        x=x,
        width=width,
        complete=night.complete,
        parts=tuple(_parts(night, top)),
        href=href,
    )


def _open(night: Night, severity: Severity) -> int:
    return night.open.get(severity.value, 0)


def _parts(night: Night, top: int) -> Iterator[Part]:
    """The parts from the bottom up, with a gap above each, so that no two touch; the smallest can still be seen."""
    below = 0.0
    for severity in Severity:
        if number := _open(night, severity):
            height = max(LEAST, HEIGHT * number / top - GAP)
            below += height + GAP
            yield Part(severity=severity, y=HEIGHT - below + GAP, height=height)
