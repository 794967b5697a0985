"""What a first look conveys: where the verdict stands, how far it is to the findings, and that they agree with it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from scanner.model.report import Report
from tests.render import sample
from tests.render.conftest import Viewer
from tests.render.html import worlds
from tests.render.html.worlds import World

BOTTOM = "(each) => each.getBoundingClientRect().bottom + scrollY"


def bottom(page: Page, part: str) -> float:
    measured: float = page.locator(part).first.evaluate(BOTTOM)
    return measured


def test_the_verdict_stands_first_in_every_world(viewer: Viewer, demo: Report) -> None:
    for name, world in {"demo": World(report=demo), **{each.__name__: each() for each in worlds.ALL}}.items():
        page = viewer.open(world.report, trend=world.trend, width=390).page
        for width, height, most in ((390, 844, 700), (1280, 800, 420)):
            page.set_viewport_size({"width": width, "height": height})
            assert bottom(page, ".masthead") <= 120, name
            assert page.locator(".statement.verdict").evaluate("(each) => each.getBoundingClientRect().top") <= 200
            if name != "hostile":
                assert bottom(page, ".statement.verdict") <= most, name
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_few_steps_lead_to_the_search_and_charts_are_gone_through_by_arrows(viewer: Viewer, demo: Report) -> None:
    page = viewer.open(demo, height=800).page
    stops = 0
    while not page.evaluate("document.activeElement.id === 'query'") and stops < 60:
        page.keyboard.press("Tab")
        stops += 1
        if page.evaluate("Boolean(document.activeElement.closest('.bars'))"):
            before = page.evaluate("document.activeElement.textContent")
            page.keyboard.press("ArrowDown")
            assert page.evaluate("document.activeElement.textContent") != before
            assert page.evaluate("Boolean(document.activeElement.closest('.bars'))")
    assert stops <= 20


def test_tiles_say_a_number_and_a_severity_and_lead_to_as_many_findings(viewer: Viewer) -> None:
    page = viewer.open(sample.rich()).page
    expect(page.locator("#count")).to_have_text("21 of 26 findings")
    tiles = page.locator(".tiles a")
    words = [text.split() for text in tiles.all_inner_texts()]
    assert words == [["1", "critical"], ["8", "high"], ["6", "medium"], ["5", "low"], ["1", "info"]]
    for number, severity in words:
        expect(page.locator("#facets").get_by_role("button", name=f"{severity} {number}", exact=True)).to_be_visible()
    tiles.first.click()
    expect(page.locator("#count")).to_have_text("1 of 26 findings")


def test_nothing_green_stands_beside_what_was_not_seen(viewer: Viewer) -> None:
    page = viewer.open(worlds.gaps_only().report).page
    good = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--good')").strip()
    red, green, blue = (int(good[at : at + 2], 16) for at in (1, 3, 5))
    shapes = "[...document.querySelectorAll('#verdict rect, #overview rect')]"
    fills = page.evaluate(f"{shapes}.map((each) => getComputedStyle(each).fill)")
    assert fills
    assert f"rgb({red}, {green}, {blue})" not in fills
