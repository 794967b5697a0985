"""The page's inventory, in a real browser: everything that was seen, with what passed and what failed."""

from __future__ import annotations

import pytest
from msgspec import structs
from playwright.sync_api import Page

from scanner.model.report import InventoryItem, Report
from scanner.render.html import inventory as module
from scanner.render.html.page import render
from tests.render import sample
from tests.render.conftest import Opened, Viewer
from tests.render.html.accessibility import violations
from tests.render.inventories import inventoried, unseen

RICH = inventoried(sample.rich())
NAMES = "#inventory-list .line .title"
TALL = 9000


def open_inventory(viewer: Viewer, report: Report, *, width: int = 1280, height: int = TALL) -> Opened:
    opened = viewer.open(report, width=width, height=height)
    opened.page.locator("#inventory-list .line").first.wait_for()
    return opened


def items(report: Report) -> list[InventoryItem]:
    return list(report.inventory or ())


def search(page: Page, query: str) -> str:
    page.get_by_label("Search inventory").fill(query)
    return page.locator("#inventory-count").inner_text()


@pytest.fixture
def page(viewer: Viewer) -> Page:
    return open_inventory(viewer, RICH).page


def test_every_resource_is_listed_worst_first_and_can_be_searched_and_sorted(page: Page) -> None:
    all_ = items(RICH)
    failed = [item for item in all_ if item.verdict == "failed"]
    rule = "last-processor-fails-open"
    of_rule = [item for item in all_ if item.verdicts.get(rule) == "failed"]

    of_findings = page.locator("#count").inner_text()

    badges = page.locator("#inventory-list .line .badge").all_inner_texts()
    assert badges == sorted(badges, key=["failed", "unknown", "waived", "passed"].index)
    assert page.locator("#inventory-count").inner_text() == f"{len(all_)} resources"
    assert 0 < len(of_rule) < len(failed) < len(all_)
    assert search(page, "verdict:failed").startswith(f"{len(failed)} of")
    assert search(page, f"failed:{rule}").startswith(f"{len(of_rule)} of")
    assert search(page, f"-failed:{rule}").startswith(f"{len(all_) - len(of_rule)} of")
    assert search(page, f"waived:{rule}").startswith("1 of")
    assert search(page, "function:translate").startswith("4 of")
    assert search(page, "nothing has this").startswith("0 of")
    page.get_by_role("button", name="Clear the search").last.click()
    page.select_option("#inventory-sort", "place")
    assert page.locator(NAMES).all_inner_texts() == [item.name or (item.arn or "").rpartition("/")[2] for item in all_]
    page.locator("#inventory-facets .chip", has_text="waived").click()
    assert page.locator(NAMES).all_inner_texts() == ["announcements"]
    assert page.locator("#count").inner_text() == of_findings == "21 of 26 findings", "they are searched alone"


def test_an_item_shows_its_flow_and_the_rules_by_verdict(page: Page) -> None:
    search(page, "support-moderation")
    page.locator(NAMES).press("Enter")

    detail = page.locator("#inventory-list .detail")
    assert detail.locator(".step-name").all_inner_texts() == ["redact", "moderate"]
    assert "delivered unprocessed" in detail.locator(".outcome").last.inner_text()
    (own,) = (item for item in items(RICH) if item.name == "support-moderation")
    heads = detail.locator(".h4").all_inner_texts()
    passed = sum(verdict == "passed" for verdict in own.verdicts.values())
    assert {"The flow", "Failed (2)", f"Passed ({passed})", "Reference"} <= set(heads)

    detail.get_by_role("link", name="in the list of findings").first.click()
    assert page.locator("#list .line .title").count() == 1
    assert page.locator("#list .name").inner_text() == "support-moderation"


def test_what_was_not_observed_is_said_and_never_blank(viewer: Viewer) -> None:
    page = open_inventory(viewer, unseen()).page

    assert "What was not observed is not among them" in page.locator("#inventory").inner_text()
    assert page.locator("#inventory-list .badge").all_inner_texts() == ["passed", "not judged"]
    assert "processors not observed" in page.locator("#inventory-list .message").first.inner_text()
    page.locator(NAMES).first.press("Enter")
    assert "Its processors were not observed." in page.locator("#inventory-list .detail").inner_text()
    page.locator(NAMES).last.press("Enter")
    assert "No rule was applied to it." in page.locator("#inventory-list .detail").inner_text()


def test_keys_go_through_the_list_and_escape_closes_what_is_nearest(page: Page) -> None:
    page.get_by_label("Search inventory").press("ArrowDown")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert page.locator("#inventory-list .opened").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("#inventory-list .opened").count() == 0
    search(page, "translate")
    page.keyboard.press("Escape")
    assert page.locator("#inventory-count").inner_text() == f"{len(items(RICH))} resources"


@pytest.mark.parametrize("width", [320, 800, 1440])
def test_a_hostile_inventory_is_quiet_accessible_and_fits(viewer: Viewer, width: int) -> None:
    opened = open_inventory(viewer, inventoried(sample.hostile()), width=width)
    page = opened.page
    page.locator(NAMES).first.press("Enter")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "\\u202e" in page.locator(NAMES).first.inner_text()
    boxes = page.evaluate(
        "[...document.querySelectorAll('#inventory-list .line')].map((row) => [row.offsetHeight, row.scrollHeight])"
    )
    assert all(needed <= height for height, needed in boxes)
    assert opened.complaints == []
    assert violations(page, "#inventory") == ""


def test_paper_and_a_page_without_scripts_say_where_it_is(viewer: Viewer) -> None:
    opened = open_inventory(viewer, RICH)
    opened.page.emulate_media(media="print")
    assert opened.page.locator("#inventory-list").is_hidden()
    assert opened.page.get_by_text("The list of the inventory is not printed").is_visible()

    plain = viewer.open(RICH, scripts=False).page
    assert f"{len(items(RICH))} resources were seen" in plain.locator("#inventory").inner_text()
    assert plain.get_by_text("the JSON report has them, too").is_visible()
    assert plain.locator("#inventory-view").is_hidden()


def test_beyond_its_limit_the_page_says_where_the_rest_is(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ITEMS", 3)
    page = open_inventory(viewer, RICH).page

    assert page.locator("#inventory-count").inner_text() == "3 resources"
    assert "This page lists the first 3; the JSON report has all" in page.locator("#inventory").inner_text()


def test_a_clean_report_opens_its_inventory_and_one_without_has_no_word_of_it(viewer: Viewer) -> None:
    clean = structs.replace(sample.clean(), inventory=items(RICH)[:1])

    assert open_inventory(viewer, clean).page.locator("#inventory-count").inner_text() == "1 resource"
    assert 'id="inventory"' not in "".join(render(sample.rich()))


def test_an_inventory_that_is_cut_short_says_so(viewer: Viewer) -> None:
    opened = viewer.open(
        RICH, edit=lambda text: text.replace('id="inventory-island">\n', 'id="inventory-island">\nAAAA')
    )
    assert "could not be opened" in opened.page.locator("#inventory-opening:has-text('could')").inner_text()
