"""What the page's address and history keep, in a real browser: Back and Forward, reloads, links that lead nowhere."""

from __future__ import annotations

from msgspec import structs
from playwright.sync_api import Page, expect

from tests.render import sample
from tests.render.conftest import Viewer
from tests.render.inventories import inventoried

TITLES = "#list .line .title"


def field(page: Page) -> str:
    return page.get_by_label("Search findings").input_value()


def test_back_and_forward_go_through_filter_group_order_and_open_finding(viewer: Viewer) -> None:
    page = viewer.open(inventoried(sample.rich()), height=5000).page
    box = page.get_by_label("Search findings")

    def state() -> tuple[str, str, str, int]:
        group, sort = (page.locator(f"#{name}").input_value() for name in ("group", "sort"))
        return field(page), group, sort, page.locator(".opened .detail").count()

    states = [state()]
    box.press_sequentially("severity:low")  # one step, however many keys
    states.append(state())
    page.get_by_role("button", name="info 1").click()
    states.append(state())
    page.select_option("#sort", "name")
    states.append(state())
    page.locator(TITLES).first.click()
    states.append(state())
    page.select_option("#group", "app")
    states.append(state())
    page.locator("#inventory-list .line").first.wait_for()
    page.get_by_label("Search inventory").fill("support")
    assert len(set(states)) == len(states)
    page.go_back()
    expect(page.get_by_label("Search inventory")).to_have_value("")
    for wanted in states[-2::-1]:
        page.go_back()
        expect(page.get_by_label("Search findings")).to_have_value(wanted[0])
        assert state() == wanted
    for wanted in states[1:]:
        page.go_forward()
        expect(page.get_by_label("Search findings")).to_have_value(wanted[0])
        assert state() == wanted


def test_a_reload_keeps_open_groups_and_the_searches_and_another_tab_is_not_disturbed(viewer: Viewer) -> None:
    page = viewer.open(inventoried(sample.rich()), height=5000).page
    page.locator("#inventory-list .line").first.wait_for()
    page.get_by_label("Search inventory").fill("support")
    page.get_by_label("Search findings").fill("-waived")
    page.select_option("#group", "app")
    page.locator(TITLES).first.click()
    page.locator(TITLES).nth(1).click()
    titles = page.locator(TITLES).all_inner_texts()
    other = page.context.new_page()
    other.goto(page.url.partition("#")[0])
    other.locator("#explorer:visible").wait_for()
    assert field(other) == "status:failed"
    other.get_by_label("Search findings").fill("severity:low")
    page.get_by_role("link", name="Rules").first.click()  # a place on the page keeps the search, too
    page.reload()
    page.locator("#inventory-list .line").first.wait_for()
    assert page.locator(TITLES).all_inner_texts() == titles
    assert field(page) == "-waived"
    assert page.get_by_label("Search inventory").input_value() == "support"
    assert page.locator(".opened .detail").count() == 1


def test_focus_moves_to_the_list_after_a_tile_and_a_click_on_a_chip_but_not_after_its_key(viewer: Viewer) -> None:
    page = viewer.open(sample.rich(), fragment="#q=").page
    page.locator("a[href*='severity%3Acritical']").first.press("Enter")
    expect(page.locator(TITLES).first).to_be_focused()
    expect(page.locator(TITLES).first).to_be_in_viewport()
    page.get_by_role("button", name="high 8").click()
    expect(page.locator(TITLES).first).to_be_focused()
    chip = page.get_by_role("button", name="low 5")
    chip.press("Enter")
    expect(chip).to_be_focused()


def test_a_link_that_leads_nowhere_says_so_and_names_what_it_knows(viewer: Viewer) -> None:
    rich, carrying = sample.rich(), sample.carrying()
    carried = carrying.carried_over[0].finding.fingerprint if carrying.carried_over else ""
    rule = "last-processor-fails-open"
    part = structs.replace(rich.run, options={"filter": "severity:high"})
    cases = [
        (
            rich,
            f"open=abc&rule={rule}",
            ("“Last processor fails open”", rule, "fingerprint abc", "may have been fixed, or lie in"),
        ),
        (rich, "finding-%3Cimg%3E", ("fingerprint", "may have been fixed")),
        (rich, "open=abc&rule=gone", ("of the rule gone", "That rule did not run.")),
        (rich, "rule-gone", ("the rule gone, which did not run",)),
        (sample.clean(), f"open=abc&rule={rule}", ("“Last processor fails open”", "It may have been fixed.")),
        (structs.replace(rich, run=part), "finding-abc", ("fingerprint abc", "This is a part of a report")),
        (carrying, f"finding-{carried}", ("could not be settled", "2026-11-20")),
    ]
    for report, fragment, told in cases:
        opened = viewer.open(report, fragment=f"#{fragment}")
        note = opened.page.get_by_role("alert")
        note.wait_for()
        assert all(each in note.inner_text() for each in told), note.inner_text()
        expect(note).to_be_in_viewport()
        assert opened.complaints == []


def test_a_link_to_a_place_lands_there_once_the_lists_are_open(viewer: Viewer) -> None:
    report = inventoried(sample.rich())
    for fragment, place in (
        ("rules", "#rules-title"),
        ("rule-public-lambda-policy", ".rule:has(#rule-public-lambda-policy) .title"),
    ):
        page = viewer.open(report, fragment=f"#{fragment}").page
        page.locator("#inventory-list .line").first.wait_for()
        expect(page.locator(place).first).to_be_in_viewport()
    page.evaluate("location.hash = 'rule-last-processor-fails-open'")
    expect(page.locator("#rule-last-processor-fails-open")).to_be_in_viewport()
    page.evaluate("location.hash = 'severity-critical'")  # where a tile of a page without scripts leads
    expect(page.get_by_label("Search findings")).to_have_value("status:failed severity:critical")
    # The link that is copied names the rule, for the day on which the finding is gone.
    page.locator(TITLES).first.press("Enter")
    assert "&rule=" in page.url
