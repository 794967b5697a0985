"""The HTML page in a real browser: quiet, inert, readable by everybody, at any width, on paper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

from scanner.finding import Report
from tests.render import sample
from tests.render.conftest import Viewer

SAMPLES = (sample.rich, sample.clean, sample.incomplete, sample.nothing_observed, sample.empty, sample.hostile)
OPEN_EVERYTHING = "document.querySelectorAll('details').forEach((details) => { details.open = true; })"
CONTENT_SHOWN = "(element) => element.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true})"

each_sample = pytest.mark.parametrize("build", SAMPLES, ids=lambda build: build.__name__)


@each_sample
def test_page_is_quiet_and_asks_for_nothing_but_itself(viewer: Viewer, build: Callable[[], Report]) -> None:
    opened = viewer.open(build())
    opened.page.evaluate(OPEN_EVERYTHING)
    assert opened.complaints == []
    assert opened.requests == [opened.page.url]


def test_hostile_text_does_not_act(viewer: Viewer) -> None:
    opened = viewer.open(sample.hostile())
    assert opened.page.locator("script").count() == 1
    assert opened.page.locator("img").count() == 0
    assert "<script>alert('x')</script>" in opened.page.locator(".finding .title").first.inner_text()


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


@pytest.mark.parametrize("width", [320, 360, 800, 1440])
@pytest.mark.parametrize("build", [sample.rich, sample.hostile], ids=lambda build: build.__name__)
def test_no_width_scrolls_sideways(viewer: Viewer, build: Callable[[], Report], width: int) -> None:
    page = viewer.open(build(), width=width).page
    page.evaluate(OPEN_EVERYTHING)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@each_sample
def test_axe_finds_nothing(viewer: Viewer, build: Callable[[], Report], scheme: Literal["light", "dark"]) -> None:
    page = viewer.open(build(), scheme=scheme).page
    page.evaluate(OPEN_EVERYTHING)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_axe_finds_nothing_on_a_phone(viewer: Viewer) -> None:
    page = viewer.open(sample.rich(), width=360).page
    page.evaluate(OPEN_EVERYTHING)
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_scheme_follows_the_reader(viewer: Viewer) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = viewer.open(sample.clean(), scheme="light").page.evaluate(background)
    dark = viewer.open(sample.clean(), scheme="dark").page.evaluate(background)
    assert light != dark


def test_finding_opens_from_the_keyboard(viewer: Viewer) -> None:
    page = viewer.open(sample.rich()).page
    detail = page.locator(".finding .detail").first
    assert not detail.is_visible()
    page.locator(".finding > summary").first.focus()
    page.keyboard.press("Enter")
    assert detail.is_visible()


def test_finding_opens_without_scripts(viewer: Viewer) -> None:
    page = viewer.open(sample.rich(), scripts=False).page
    page.locator(".finding > summary").first.click()
    assert page.locator(".finding .detail").first.is_visible()
    assert page.get_by_role("button", name="Open all").count() == 0


def test_open_all_and_close_all(viewer: Viewer) -> None:
    page = viewer.open(sample.rich()).page
    every, opened = page.locator(".finding"), page.locator(".finding[open]")
    page.get_by_role("button", name="Open all").click()
    assert opened.count() == every.count()
    page.get_by_role("button", name="Close all").click()
    assert opened.count() == 0


def test_link_to_a_finding_opens_it(viewer: Viewer) -> None:
    report = sample.rich()
    page = viewer.open(report).page
    failed = next(finding for finding in report.findings if finding.status.value == "fail")
    page.goto(f"{page.url}#finding-{failed.fingerprint}")
    assert page.locator(f"#finding-{failed.fingerprint}").is_visible()


def test_copied_command_is_the_one_shown(viewer: Viewer) -> None:
    page = viewer.open(sample.rich()).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".finding > summary").first.click()
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("aws lambda remove-permission")


def test_print_shows_findings_in_full_on_white(viewer: Viewer) -> None:
    page = viewer.open(sample.rich(), scheme="dark").page
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".finding .detail").first.evaluate(CONTENT_SHOWN)
    assert page.get_by_text("In print, the first").is_visible()
    assert not page.get_by_role("navigation").is_visible()


def test_large_report_prints(viewer: Viewer) -> None:
    page = viewer.open(sample.many(2_000)).page
    assert page.pdf(format="A4").startswith(b"%PDF")
