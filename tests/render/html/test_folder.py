"""The page with its style and scripts beside it: on a disk, and on a server whose own policy forbids what is inline."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from scanner.render import BESIDE, CONTENT_TYPES, PAGE, Format, html_folder
from tests.render.html import worlds

ADDRESS = "http://ci.test/job/1/Chime%20%23audit/"
JENKINS = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';"
HATCHED = "getComputedStyle(document.querySelector('.unseen')).fill"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a #b?%20")
    world = worlds.with_history()
    (folder / PAGE).write_text("".join(html_folder.render(world.report, world.trend)), encoding="utf-8")
    for name in BESIDE:
        (folder / name).write_text(html_folder.file(name), encoding="utf-8")
    return folder


def opened(browser: Browser, folder: Path, policy: str | None) -> tuple[Page, list[str]]:
    """The page, from a server with a policy or from the disk, and what the browser complained of."""
    page, complaints = browser.new_context().new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def serve(route: Route) -> None:
        name = route.request.url.removeprefix(ADDRESS).partition("#")[0] or PAGE
        headers = {
            "content-type": (BESIDE | {PAGE: CONTENT_TYPES[Format.HTML]})[name],
            "content-security-policy": policy or "",
        }
        route.fulfill(body=(folder / name).read_text(encoding="utf-8"), headers=headers)

    if policy is not None:
        page.route(f"{ADDRESS}**", serve)
    page.goto(ADDRESS if policy is not None else (folder / PAGE).as_uri())
    return page, complaints


@pytest.mark.parametrize("policy", ["default-src 'self'", None], ids=["server", "disk"])
def test_the_page_works_with_its_files_beside_it(browser: Browser, folder: Path, policy: str | None) -> None:
    page, complaints = opened(browser, folder, policy)

    expect(page.locator("#count")).to_have_text("21 of 26 findings")
    page.locator("#query").fill("severity:critical")
    expect(page.locator("#count")).to_have_text("4 of 26 findings")
    page.locator("#list .line button").first.press("Enter")
    assert page.locator(".opened .detail").is_visible()
    assert "hatch" in page.evaluate(HATCHED)
    assert "background: rgb(20, 28, 51)" in "background: " + page.evaluate(
        "getComputedStyle(document.querySelector('.masthead')).backgroundColor"
    )
    assert complaints == []
    page.context.close()


def test_where_a_server_runs_no_scripts_the_page_has_its_style_and_shows_the_worst(
    browser: Browser, folder: Path
) -> None:
    page, _ = opened(browser, folder, JENKINS)

    assert page.locator("details.finding").count() == 21
    page.locator(".finding > summary").first.click()
    assert page.locator(".finding .detail").first.is_visible()
    assert page.evaluate("document.styleSheets[0].cssRules.length") > 100
    page.context.close()
