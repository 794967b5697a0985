"""The trend over many nights on the page and on the index, in a browser, in both colour schemes and on a phone."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec import structs

from scanner.model.report import Severity
from scanner.model.trend import Night, PastRun, Trend
from scanner.render import site
from scanner.render.html import page, parts
from scanner.render.html.nights import GAP, HEIGHT, LEAST, view
from scanner.render.html.parts import STYLE
from tests.render import sample
from tests.render.conftest import Viewer
from tests.render.html import worlds
from tests.render.html.accessibility import violations
from tests.render.html.test_browser import open_everything


def night(number: int, failed: int) -> Night:
    return Night(
        run_id=f"night-{number}",
        started_at=f"2026-11-{number:02}T03:00:12Z",
        complete=number % 3 > 0,
        accounts=3,
        channel_flows=34,
        open={"critical": number % 2, "high": failed, "medium": 3, "low": 9, "info": 1},
        new=1,
        reopened=0,
        fixed=2,
        waived=0,
    )


def past_run(number: int, text: str) -> PastRun:
    return PastRun(
        id=text,
        started_at=f"2026-11-{number:02}T03:00:12Z",
        finished_at=f"2026-11-{number:02}T03:04:47Z",
        version="1.0.0",
        complete=False,
        accounts=3,
        accounts_in_scope=4,
        targets=9,
        targets_in_scope=12,
        app_instances=12,
        channel_flows=34,
        gaps=2,
        failed=dict.fromkeys(Severity, 1),
        unknown=5,
        waived=1,
        options={"role": text},
        reports={},
    )


def trend(nights: int, text: str = "moderation") -> Trend:
    seen = tuple(night(number, number % 7) for number in range(1, nights + 1))
    return structs.replace(worlds.trend(0, text), nights=seen)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_trend_is_accessible(viewer: Viewer, width: int) -> None:
    text = "".join(page.render(sample.rich(), trend(22)))

    opened = viewer.open(sample.rich(), edit=lambda _: text, width=width)
    open_everything(opened.page)

    assert violations(opened.page, "section:has(.course)") == ""
    assert not opened.complaints
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.page.get_by_role("img", name="open findings after the last of 22 nights").is_visible()


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("text", ["20261122T030012Z-7c1f", sample.HOSTILE], ids=["plain", "hostile"])
def test_the_index_is_accessible(viewer: Viewer, tmp_path: Path, width: int, text: str) -> None:
    rows = [site.row(past_run(number, text), [site.link("html", ["a b", "javascript:x.html"])]) for number in (1, 2)]
    page = site.render(trend(2, text), rows)
    (tmp_path / STYLE).write_text(site.style())

    opened = viewer.open(sample.empty(), edit=lambda _: page, width=width)
    open_everything(opened.page)

    assert not opened.complaints  # axe asks for the style itself, which the page's policy refuses
    assert violations(opened.page) == ""
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.page.get_by_role("link", name="html of 2026-11-02").get_attribute("href") == (
        "./a%20b/javascript%3Ax.html"
    )


@pytest.mark.parametrize(
    ("nights", "span"),
    [
        (1, ("2026-11-01 03:00 UTC",)),
        (2, ("2026-11-01 03:00 UTC to 2026-11-02 03:00 UTC",)),
        (22, ("2026-11-01 03:00 UTC", "2026-11-22 03:00 UTC")),
    ],
)
def test_the_dates_stand_below_the_first_and_the_last_bar(nights: int, span: tuple[str, ...]) -> None:
    text = "".join(page.render(sample.rich(), trend(nights)))

    first = re.findall(r'<rect class="(?:column|unseen)" x="(.*?)%"', text)
    assert (len(first), first[0]) == (nights, "0.00")
    assert tuple(re.findall(r"<span>(2026-.*?)</span>", text)) == span


@pytest.mark.parametrize(
    ("most", "ticks"),
    [(0, [0, 1, 2]), (1, [0, 1, 2]), (5, [0, 3, 6]), (24, [0, 12, 24]), (25, [0, 15, 30]), (1_999, [0, 1_000, 2_000])],
)
def test_the_axis_has_whole_numbers_up_to_the_highest_bar(most: int, ticks: list[int]) -> None:
    nights = tuple(structs.replace(night(1, 0), open=counts) for counts in ({}, {"high": most}))
    seen = view(Trend(nights=nights, time_to_fix=(), oldest=()))

    assert seen is not None
    assert [tick.value for tick in seen.ticks] == ticks
    highest = min((part.y for bar in seen.bars for part in bar.parts), default=HEIGHT)
    assert 0 <= highest <= HEIGHT


def test_parts_of_a_bar_never_touch_and_the_smallest_is_seen() -> None:
    seen = view(trend(22))
    tiny = view(
        Trend(nights=(structs.replace(night(1, 0), open={"critical": 1, "low": 5_000}),), time_to_fix=(), oldest=())
    )

    assert seen is not None and tiny is not None  # noqa: PT018 - for the type checker
    for bar in (*seen.bars, *tiny.bars):
        for lower, upper in pairwise(bar.parts):
            assert lower.y - (upper.y + upper.height) == pytest.approx(GAP)
    assert tiny.bars[0].parts[0].height == LEAST


def luminance(color: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_bars_differ_from_their_neighbours_and_from_the_gap_between_them(scheme: str) -> None:
    """Three to one, as WCAG 1.4.11 asks of graphics. A gap in the page's colour parts those that are no neighbours."""
    begins = {"light": ":root {", "dark": "scheme: dark) {", "print": "@page {"}[scheme]
    variables = parts.asset("print.css" if scheme == "print" else "page.css").partition(begins)[2].partition("--page")
    colors = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", "".join(variables[1:]).partition("}")[0]))
    bars = [colors[f"bar-{severity.value}"] for severity in Severity]

    assert min(contrast(one, other) for one, other in pairwise(bars)) >= 3
    assert min(contrast(bar, colors[ground]) for bar in bars for ground in ("page", "card")) >= 3
    assert contrast(colors["quiet"], colors["page"]) >= 3  # the hatching


def test_bars_of_the_index_lead_to_their_nights_and_those_of_a_report_nowhere(viewer: Viewer) -> None:
    links = [site.link("json", ["1.json"]), site.link("html", ["night 1.html"])]
    rows = [site.row(past_run(1, "night-1"), links), site.row(past_run(2, "night-2"), links[:1])]
    text = site.render(trend(3), [*rows, site.row(past_run(3, "night-3"), [])])

    opened = viewer.open(sample.empty(), edit=lambda _: text)
    bars = opened.page.get_by_role("group", name="open findings after").get_by_role("link")
    assert [bar.get_attribute("href") for bar in bars.all()] == ["./night%201.html", "./1.json"]
    assert "2026-11-01 03:00 UTC: 15 open findings (1 critical, 1 high, 3 medium, 9 low, 1 info)" in (
        bars.first.locator("title").text_content() or ""
    )
    assert 'href="./' not in "".join(page.render(sample.rich(), trend(3)))


def test_a_history_without_a_night_draws_nothing() -> None:
    empty = Trend(nights=(), time_to_fix=(), oldest=())

    assert "".join(page.render(sample.rich(), empty)) == "".join(page.render(sample.rich()))
    assert "No run is recorded." in site.render(empty, [])


def test_the_index_says_what_changed_against_the_night_before() -> None:
    rows = [site.row(past_run(number, f"night-{number}"), []) for number in (1, 2)]

    text = site.render(trend(2), [*rows, site.row(past_run(3, "of another history"), [])])

    cells = [re.findall(r"<td>([^<]*)</td>", line) for line in text.split("<tr>") if "<details><summary>" in line]
    assert [line[-4:] for line in cells] == [["5", "–", "–", "–"], ["5", "1", "0", "2"], ["5", "1", "0", "2"]]
