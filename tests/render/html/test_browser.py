"""The HTML page in a real browser: no errors, no requests, accessible, at any width, and in print."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from msgspec import structs
from playwright.sync_api import Page

from scanner.model.report import Report
from tests.render import sample
from tests.render.conftest import Viewer
from tests.render.html.accessibility import violations

SAMPLES = sample.ALL
OPEN_EVERYTHING = "document.querySelectorAll('details').forEach((details) => { details.open = true; })"
CONTENT_SHOWN = "(element) => element.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true})"
DISTANCE_FROM_CARD = """(cell) => {
  const canvas = document.createElement("canvas").getContext("2d");
  const [shade, card] = [cell, document.querySelector(".seen")].map((element) => {
    canvas.fillStyle = getComputedStyle(element).backgroundColor;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  });
  return Math.hypot(...[0, 1, 2].map((n) => shade[n] - card[n]));
}"""

each_sample = pytest.mark.parametrize("build", SAMPLES, ids=lambda build: build.__name__)


def open_everything(page: Page) -> None:
    """Open all folded parts and the first finding."""
    page.evaluate(OPEN_EVERYTHING)
    rows = page.locator("#list .line button")
    if rows.count():
        rows.first.press("Enter")


@each_sample
def test_page_is_quiet_and_asks_for_nothing_but_itself(viewer: Viewer, build: Callable[[], Report]) -> None:
    opened = viewer.open(build())
    open_everything(opened.page)
    assert opened.complaints == []
    assert opened.requests == [opened.page.url.partition("#")[0]]


def test_injected_script_and_style_are_refused(viewer: Viewer) -> None:
    opened = viewer.open(sample.clean())
    opened.page.evaluate(
        """() => {
            const style = document.createElement("style");
            style.textContent = "body { display: none }";
            document.head.append(style);
        }"""
    )
    assert opened.page.locator("body").is_visible()
    assert opened.page.evaluate("() => { try { document.body.innerHTML = '<b>'; } catch { return 'refused'; } }")
    assert any("Content Security Policy" in complaint for complaint in opened.complaints)


@pytest.mark.parametrize("build", [sample.rich, sample.hostile, sample.roles], ids=lambda build: build.__name__)
def test_no_width_scrolls_sideways(viewer: Viewer, build: Callable[[], Report]) -> None:
    page = viewer.open(build(), width=320).page
    open_everything(page)
    for width in (320, 360, 800, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        for group in ("", "app"):
            page.select_option("#group", group)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


BOXES = "[...document.querySelectorAll('#list .line')].map((row) => [row.offsetHeight, row.scrollHeight])"


@pytest.mark.parametrize("width", [320, 640, 800, 1000, 1440])
def test_every_row_of_a_long_list_is_as_high_as_the_others_and_holds_its_text(viewer: Viewer, width: int) -> None:
    findings = [
        structs.replace(each, title=sample.HOSTILE * (1 + n % 3), change="new")
        for n, each in enumerate(
            sample.fails_open(sample.flow(f"{n} {sample.HOSTILE}", app=sample.HOSTILE)) for n in range(501)
        )
    ]
    page = viewer.open(sample.report(findings), width=width, height=5000).page
    boxes = page.evaluate(BOXES)
    assert 20 < len(boxes) < 501
    assert len({height for height, _ in boxes}) == 1
    assert all(needed <= height for height, needed in boxes)


def test_every_row_of_a_short_list_is_as_high_as_its_text(viewer: Viewer) -> None:
    page = viewer.open(sample.rich(), width=320).page
    boxes = page.evaluate(BOXES)
    assert len({height for height, _ in boxes}) > 1
    assert all(needed <= height for height, needed in boxes)


@pytest.mark.parametrize(
    "build", [sample.rich, sample.incomplete, sample.hostile, sample.roles], ids=lambda build: build.__name__
)
def test_axe_finds_nothing(viewer: Viewer, build: Callable[[], Report]) -> None:
    page = viewer.open(build(), height=2500).page
    open_everything(page)
    assert violations(page) == ""


def test_axe_finds_nothing_on_a_phone_among_groups_and_filters(viewer: Viewer) -> None:
    page = viewer.open(sample.rich(), width=360, fragment="#q=severity:high&group=rule").page
    page.locator("#list .line button").first.click()
    page.locator("#facets summary", has_text="Account").last.click()
    assert violations(page) == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_critical_is_shaded_more_than_many_low(viewer: Viewer, scheme: Literal["light", "dark"]) -> None:
    lows = [sample.finding(sample.UNPINNED, sample.flow(f"flow-{n}"), "m") for n in range(40)]
    other = [sample.finding(sample.PUBLIC, sample.flow(f"flow-{n}", account=sample.CHAT), "m") for n in range(9)]
    worst = sample.finding(sample.PUBLIC, sample.flow("worst"), "m")
    page = viewer.open(sample.report([*lows, *other, worst]), scheme=scheme).page
    row = page.locator(".heat tbody tr").filter(has_text=sample.PROD)
    one, many = (row.locator(f"td.{name}").evaluate(DISTANCE_FROM_CARD) for name in ("critical", "low"))
    assert one > 2 * many > 0


def test_scheme_follows_the_reader(viewer: Viewer) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = viewer.open(sample.clean(), scheme="light").page.evaluate(background)
    dark = viewer.open(sample.clean(), scheme="dark").page.evaluate(background)
    assert light != dark


def test_without_scripts_the_worst_findings_are_there_and_open(viewer: Viewer) -> None:
    page = viewer.open(sample.rich(), scripts=False).page
    assert page.locator("details.finding").count() == 21
    page.locator(".finding > summary").first.click()
    assert page.locator(".finding .detail").first.is_visible()
    assert not page.locator("#explorer").is_visible()
    assert not page.locator(".leads").first.is_visible()


def test_without_scripts_a_finding_leads_to_its_rule(viewer: Viewer) -> None:
    page = viewer.open(sample.rich(), scripts=False).page
    page.locator(".finding > summary").first.click()
    page.get_by_role("link", name="Why it matters, and what to do").first.click()
    assert page.get_by_text("aws lambda remove-permission").is_visible()


def test_torn_file_says_so_and_shows_the_first_findings(viewer: Viewer) -> None:
    page = viewer.open(sample.rich(), edit=lambda text: text.replace('id="island">\n', 'id="island">\nAAAA')).page
    page.get_by_text("could not be opened").wait_for()
    assert page.locator("details.finding").first.is_visible()
    assert not page.locator("#explorer").is_visible()
    page.evaluate(OPEN_EVERYTHING)
    assert violations(page, "#findings") == ""


def test_file_that_ends_before_its_script_shows_the_first_findings(viewer: Viewer) -> None:
    cut = viewer.open(
        sample.rich(), edit=lambda text: text.partition('<script type="application/gzip"')[0], opens=False
    )
    assert cut.page.locator("details.finding").first.is_visible()


def test_print_shows_findings_on_white(viewer: Viewer) -> None:
    page = viewer.open(sample.rich(), scheme="dark", fragment="#q=severity:high").page
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.get_by_text("9 of 26 findings. Filter: severity:high").is_visible()
    assert page.locator("#list .line").count() == 9
    assert not page.get_by_role("navigation").is_visible()
    assert not page.get_by_label("Search findings").is_visible()
    assert page.locator(".rule.print-open .detail").first.evaluate(CONTENT_SHOWN)


def test_large_report_prints_a_thousand_rows_and_says_so(viewer: Viewer) -> None:
    page = viewer.open(sample.many(2_000)).page
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#list .line").count() == 1_000
    assert "The first 1,000 of 2,000 rows are printed" in page.locator("#printed").inner_text()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#list .line").count() < 50
    assert page.pdf(format="A4").startswith(b"%PDF")
