"""The print edition: its first page says what the page's top says, then a line a finding, and no page is half empty."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from scanner.model.report import Report
from tests.render import sample
from tests.render.conftest import Viewer
from tests.render.html import worlds
from tests.render.html.worlds import World

A4 = 1027
"""How much of a page of A4 is between its margins of 12 mm, in px."""
HEIGHTS = "(query) => [...document.querySelectorAll(query)].map((each) => each.getBoundingClientRect().height)"


def printed(viewer: Viewer, world: World, *, scripts: bool = True) -> Page:
    """The page as a printer sees it, as wide as paper."""
    page = viewer.open(world.report, trend=world.trend, scripts=scripts, width=703).page
    if scripts:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    return page


@pytest.mark.parametrize(
    ("world", "most"),
    [
        (worlds.six_hundred_and_fifty, 14),
        (worlds.with_history, 4),
        (worlds.thousand_accounts, 6),
        (worlds.nothing_observed, 2),
    ],
)
def test_it_needs_few_pages(viewer: Viewer, world: Callable[[], World], most: int) -> None:
    assert 0 < pages(viewer, world()) <= most


def test_the_demo_needs_few_pages(viewer: Viewer, demo: Report) -> None:
    assert 0 < pages(viewer, World(report=demo)) <= 8


def pages(viewer: Viewer, world: World) -> int:
    paper = viewer.open(world.report, trend=world.trend).page.pdf(format="A4")
    return len(re.findall(rb"/Type\s*/Page\b", paper))


def test_its_first_page_holds_verdict_tiles_coverage_trend_and_the_worst_rules(viewer: Viewer) -> None:
    page = printed(viewer, worlds.with_history())

    ends = [
        page.locator(part).first.evaluate("(each) => each.getBoundingClientRect().bottom + scrollY")
        for part in (".statement.verdict", ".tiles", ".seen", ".gaps", ".course", ".bars")
    ]
    assert max(ends) <= A4
    assert not page.locator(".contents, .finder, #facets, .tools").filter(visible=True).count()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_each_finding_rule_and_control_is_a_line(viewer: Viewer, scripts: bool) -> None:
    page = printed(viewer, World(report=sample.rich()), scripts=scripts)
    rows = "#list .line" if scripts else ".finding > summary, .rows tr"

    heights = [height for height in page.evaluate(HEIGHTS, rows) if height]

    assert len(heights) >= 21
    assert max(heights) < 20
    assert not page.locator(".opened, .finding .detail, .command").filter(visible=True).count()
    assert max(page.evaluate(HEIGHTS, ".of-control > summary")) < 60


def test_what_to_do_is_printed_for_rules_that_failed_without_commands(viewer: Viewer) -> None:
    page = printed(viewer, World(report=sample.rich()))

    said = page.locator(".rule.print-open .remedy").filter(visible=True)

    assert said.count() == len({each.rule_id for each in sample.rich().findings if each.status.value == "fail"})
    assert any("Set the fallback action of the last processor to ABORT." in text for text in said.all_inner_texts())


def test_it_is_as_white_and_whole_in_a_dark_scheme(viewer: Viewer) -> None:
    page = viewer.open(sample.clean(), scheme="dark").page
    page.emulate_media(media="print")

    assert page.evaluate("getComputedStyle(document.querySelector('.seen')).backgroundColor") == "rgb(255, 255, 255)"
    assert page.get_by_text(sample.NOT_EXAMINED[0]).is_visible()
