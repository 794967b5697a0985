"""What the page's searches say and suggest, in a real browser: nothing is answered with an empty list and no word."""

from __future__ import annotations

from msgspec import structs
from playwright.sync_api import Page, expect

from scanner.model.report import Location
from tests.render import sample
from tests.render.conftest import Viewer
from tests.render.html.accessibility import violations
from tests.render.inventories import inventoried

FOUND = {
    "critical": "4 of 26 findings",
    "critical high": "13 of 26 findings",
    "critical,high": "13 of 26 findings",
    "NOT critical": "22 of 26 findings",
    "unknown": "4 of 26 findings",
    "waived": "1 of 26 findings",
    "new": "2 of 26 findings",
    "severity:high,low": "14 of 26 findings",
    "severity: high": "9 of 26 findings",
    "severity:low OR rule:processor-fails-open": "6 of 26 findings",
    "(unknown OR waived) high": "1 of 26 findings",
    "-(unknown OR waived) high": "8 of 26 findings",
    "name:support-moderation": "2 of 26 findings",
    "function:redact": "2 of 26 findings",
    "[a-z]+(.*": "0 of 26 findings",
}
SAID = {
    "severity:critcal": "No severity is called critcal. Did you mean critical?",
    "severity:critcal,high": "No severity is called critcal. Did you mean critical?",
    "status:passed": "No status is called passed.",
    "rule:public-lamda-policy": "No rule is called public-lamda-policy. Did you mean public-lambda-policy?",
    "account:123456789999": "No account is called 123456789999.",
    "region:eu-west-9": "No region is called eu-west-9. There are eu-central-1, us-east-1 and ap-southeast-1.",
    "app:suport": "No app instance is called suport. Did you mean support?",
    "file:flows.yaml": "No file is called flows.yaml. There is none.",
    "framework:soc3": "No framework is called soc3. Did you mean soc2?",
    "control:ZZ-99999999": "No control is called ZZ-99999999.",
    "gap:DeleteEverything": "No gap that hides an answer has DeleteEverything in it.",
    "sevrity:high": "There is no field sevrity: sevrity:high was searched for as text. Did you mean severity:high?",
    "verdict:failed": "There is no field verdict: verdict:failed was searched for as text. There are severity, status,",
    "critical": "“critical” filters by severity. Search the text for “critical”",
    "severity:critical app:intranet": "Nothing matches all of it.",
    "nothing or everything": "or is a word here: operators are OR, AND and NOT in capitals.",
    "a OR": "OR needs a term on both sides: it was left out.",
    "\u202eseverity:critcal": "",
}


def field(page: Page) -> str:
    return page.get_by_label("Search findings").input_value()


def search(page: Page, query: str) -> str:
    page.get_by_label("Search findings").fill(query)
    return page.locator("#count").inner_text()


def said(page: Page, query: str) -> str:
    """What is said of a search that was not typed just now."""
    page.evaluate("(q) => { location.hash = new URLSearchParams({q}); }", query)
    expect(page.get_by_label("Search findings")).to_have_value(query)
    return " ".join(page.locator("#remarks").inner_text().split())


def test_each_form_finds_and_nothing_is_left_without_a_word(viewer: Viewer) -> None:
    page = viewer.open(sample.rich(), fragment="#q=").page
    assert {query: search(page, query) for query in FOUND} == FOUND
    for query, sentence in SAID.items():
        assert sentence in said(page, query), query
    assert page.locator("#none").inner_text().startswith("No finding matches.")

    # What is said while somebody types waits until they pause.
    search(page, "severity:critcal")
    page.get_by_role("button", name="Did you mean critical?").click()
    assert field(page) == "severity:critical"
    expect(page.get_by_label("Search findings")).to_be_focused()
    assert said(page, "severity:critical app:intranet").count("Without") == 2
    page.get_by_role("button", name="Without app:intranet: 4 findings").click()
    assert page.locator("#count").inner_text() == "4 of 26 findings"
    assert said(page, "new") == "“new” filters by change. Search the text for “new”"
    page.get_by_role("button", name="Search the text").click()
    assert field(page) == '"new"'


def test_a_search_that_is_long_or_hostile_does_no_harm(viewer: Viewer) -> None:
    opened = viewer.open(sample.hostile())
    for query in (
        "x" * 100_000,
        "(" * 5_000,
        "a OR " * 2_000,
        'severity:"<script>alert(1)</script>',
        "\u202e:a",
        "constructor:x __proto__",
    ):
        search(opened.page, query)
    opened.page.locator("#remarks:has-text('no field')").or_(opened.page.locator("#none:visible")).first.wait_for()
    assert opened.page.locator("script:not([type])").count() == 0
    assert opened.complaints == []


def test_the_change_is_not_known_without_a_baseline_and_new_is_a_word(viewer: Viewer) -> None:
    page = viewer.open(sample.hostile()).page
    assert "not compared with a baseline" in said(page, "change:new")
    assert "filters by" not in said(page, "new")


def test_many_unknown_values_are_not_all_named(viewer: Viewer) -> None:
    page = viewer.open(sample.rich()).page
    told = said(page, "account:" + ",".join(f"{number:012}" for number in range(200)))
    assert told.count("No account is called") == 6
    assert told.endswith("And 194 more of this kind.")


def test_files_are_found_and_what_has_no_findings_is_told_from_what_is_not_there(viewer: Viewer) -> None:
    found = structs.replace(sample.fails_open(sample.flow()), location=Location(file="flows/a.yaml", line=3, column=1))
    report = sample.report([found, sample.fails_open(sample.flow("b", app="other"))])
    page = viewer.open(report).page
    assert search(page, "file:a.yaml") == "1 of 2 findings"
    assert said(page, "rule:unpinned-lambda-version") == "unpinned-lambda-version has no findings."
    assert said(page, f"account:{sample.LABS}") == f"{sample.LABS} has no findings."


def test_gaps_and_what_is_carried_over_are_found_too(viewer: Viewer) -> None:
    page = viewer.open(sample.rich(), fragment="#q=").page
    others = page.locator("#others")
    assert search(page, "AssumeRole") == "0 of 26 findings"
    assert others.locator("summary").inner_text() == "1 gap matches"
    assert "888899990000: AssumeRole ended in AccessDenied" in others.inner_text()
    search(page, "account:888899990000 -region:eu-central-1")
    assert others.locator("summary").inner_text() == "1 gap matches"
    search(page, "severity:high")
    assert others.is_hidden()

    page = viewer.open(sample.carrying()).page
    page.locator("#explorer:visible").wait_for()
    search(page, "rule:last-processor")
    assert "carried over" in page.locator("#others summary").inner_text()
    page = viewer.open(sample.nothing_observed()).page
    page.locator("#explorer:visible").wait_for()
    search(page, sample.PROD)
    assert page.locator("#others li").first.is_visible()


def test_suggestions_come_from_the_values_that_there_are_and_from_keys_alone(viewer: Viewer) -> None:
    page = viewer.open(sample.rich(), height=1200, fragment="#q=").page
    box = page.get_by_role("combobox", name="Search findings")
    options = page.locator("#suggestions [role=option]")
    box.press_sequentially("sev")
    assert options.all_inner_texts() == ["severity:"]
    box.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", "suggestions-0")
    expect(box).to_have_attribute("aria-expanded", "true")
    assert violations(page) == ""
    box.press("Enter")
    assert field(page) == "severity:"
    assert options.all_inner_texts() == [f"severity:{name}" for name in ("critical", "high", "medium", "low", "info")]
    box.press("ArrowDown")
    box.press("ArrowDown")
    box.press("Enter")
    assert (field(page), page.locator("#count").inner_text()) == ("severity:high ", "9 of 26 findings")
    expect(box).to_have_attribute("aria-expanded", "false")

    box.press_sequentially("app:int")
    options.filter(has_text="app:intranet").click()
    assert field(page) == "severity:high app:intranet "
    box.press_sequentially("rule:lamb")
    assert {text.split()[0] for text in options.all_inner_texts()} >= {
        "rule:public-lambda-policy",
        "rule:cross-account-lambda",
    }
    box.press("Escape")
    expect(page.locator("#suggestions")).to_be_hidden()
    assert field(page).endswith("rule:lamb")
    box.fill("crit")
    assert options.all_inner_texts() == ["severity:critical"]
    box.press("ArrowDown")
    box.press("ArrowDown")  # beyond the last one there is the list
    expect(page.locator("#none button, #list .line button").first).to_be_visible()
    box.fill('name:"inte')
    assert all(text.startswith("name:") for text in options.all_inner_texts())


def test_the_inventory_is_searched_in_the_same_language(viewer: Viewer) -> None:
    page = viewer.open(inventoried(sample.rich()), height=2000).page
    page.locator("#inventory-list .line").first.wait_for()
    box = page.get_by_role("combobox", name="Search inventory")
    counts = {}
    for query in (
        "failed",
        "verdict:failed",
        "failed OR waived",
        "verdict:failed,waived",
        "failed:fails-open",
        "failed:fails-opn",
    ):
        box.fill(query)
        counts[query] = page.locator("#inventory-count").inner_text()
    assert counts["failed"] == counts["verdict:failed"] != counts["failed OR waived"] == counts["verdict:failed,waived"]
    assert counts["failed:fails-opn"].startswith("0 of")
    expect(page.locator("#inventory-remarks")).to_contain_text("No rule that came to failed is called fails-opn.")
    box.fill("passed:public")
    page.locator("#inventory-suggestions [role=option]", has_text="passed:public-lambda-policy").click()
    assert box.input_value() == "passed:public-lambda-policy "
