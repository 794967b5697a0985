"""The page for every viewer: on a narrow screen, by touch, with more contrast, and with colours of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from scanner.render.html.page import render
from tests.render.html import worlds
from tests.render.html.test_browser import open_everything

TALLER_THAN_WIDE = """() => [...document.querySelectorAll("td, th, dd, li, .title, .message")].filter((each) => {
  const { width, height } = each.getBoundingClientRect();
  const heads = [each.closest("thead"), each.closest("tr")];
  const isClipped = heads.some((head) => head && getComputedStyle(head).clipPath !== "none");
  return !isClipped && each.checkVisibility() && width > 1 && width < 32 && height > 3 * width;
}).map((each) => each.textContent)"""
TARGETS = "button:not(.title), select, input, summary, .tile > a, .contents a, .heat a"
SMALL = f"""() => [...document.querySelectorAll("{TARGETS}")]
  .filter((each) => each.checkVisibility() && Math.round(each.getBoundingClientRect().height) < 44)
  .map((each) => each.outerHTML)"""
BORDERS = """() => {
  const canvas = document.createElement("canvas").getContext("2d");
  const light = (color) => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const page = light(getComputedStyle(document.body).backgroundColor);
  return ["#query", "#sort", "#export-csv", ".chip[aria-pressed=false]", ".drop > summary", ".tile"].map((control) => {
    const style = getComputedStyle(document.querySelector(control));
    const border = light(style.borderTopColor);
    return Math.min(...[page, light(style.backgroundColor)].map((ground) =>
      (Math.max(border, ground) + 0.05) / (Math.min(border, ground) + 0.05)));
  });
}"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = worlds.with_history()
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text("".join(render(world.report, world.trend)), encoding="utf-8")
    return file


def opened(browser: Browser, file: Path, width: int = 1280, **emulated: Any) -> Page:
    page = browser.new_context(viewport={"width": width, "height": 1400}, **emulated).new_page()
    page.goto(file.as_uri())
    page.locator("#explorer:visible").wait_for()
    return page


@pytest.mark.parametrize("width", [320, 390])
def test_no_table_breaks_letter_by_letter_and_no_link_is_cut(browser: Browser, file: Path, width: int) -> None:
    page = opened(browser, file, width)
    open_everything(page)

    assert page.evaluate(TALLER_THAN_WIDE) == []
    right = "(links) => Math.max(...links.map((link) => link.getBoundingClientRect().right))"
    assert page.locator(".contents a").evaluate_all(right) <= width
    page.context.close()


def test_what_is_touched_is_large_enough(browser: Browser, file: Path) -> None:
    page = opened(browser, file, 390, has_touch=True, is_mobile=True)

    assert page.evaluate(SMALL) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_controls_have_borders_that_are_seen(browser: Browser, file: Path, scheme: str) -> None:
    plain = opened(browser, file, color_scheme=scheme)
    more = opened(browser, file, color_scheme=scheme, contrast="more")

    assert min(plain.evaluate(BORDERS)) >= 3
    assert min(more.evaluate(BORDERS)) >= 7
    for page in (plain, more):
        page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_the_readers_own_leave_nothing_unmarked(browser: Browser, file: Path, scheme: str) -> None:
    page = opened(browser, file, color_scheme=scheme, forced_colors="active")
    open_everything(page)

    widths = "(each) => each.map((one) => getComputedStyle(one).borderTopWidth)"
    for marked in (".heat td", ".badge", ".mark", ".end"):
        assert set(page.locator(marked).evaluate_all(widths)) == {"1px"}, marked
    pressed = page.locator(".chip[aria-pressed=true]").first
    assert pressed.evaluate("(each) => getComputedStyle(each).outlineWidth") == "2px"
    page.context.close()
