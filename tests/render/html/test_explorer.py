"""The list of all findings, in a real browser: search, filters, links, keyboard, copies, exports."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from msgspec import structs
from playwright.sync_api import Page, expect

from scanner.model.report import Finding, Report, ReportedGap
from scanner.outcome.remediation import filled
from scanner.outcome.steps import pieces, steps
from scanner.render.html.labels import short
from scanner.render.pipeline import bypass, stages
from scanner.render.text import visible
from tests.render import sample
from tests.render.conftest import Viewer
from tests.render.html import worlds

TITLES = "#list .line .title"
IN_WINDOW = """
    [...document.querySelectorAll("#list .line")]
    .filter((row) => row.getBoundingClientRect().bottom > 0 && row.getBoundingClientRect().top < innerHeight)
    .map((row) => Number(row.getAttribute("aria-rowindex")))
"""
ROWS = "document.querySelector('#rows').getBoundingClientRect()"
TALL = 5000
"""The height of a window that shows a whole small list."""


@pytest.fixture
def page(viewer: Viewer) -> Page:
    return viewer.open(sample.rich(), height=TALL, fragment="#q=").page


def search(page: Page, query: str) -> str:
    page.get_by_label("Search findings").fill(query)
    return page.locator("#count").inner_text()


def test_an_account_is_found_and_shown_by_its_name_and_picked_by_its_id(viewer: Viewer) -> None:
    page = viewer.open(sample.named(), height=TALL).page

    in_chat = search(page, f"account:{sample.CHAT} -account:{sample.LABS}")
    assert search(page, "account:chat -account:7777") == in_chat
    assert search(page, f"chat {sample.CHAT}") == in_chat
    assert search(page, 'account:"<script>"') == search(page, f"account:{sample.PROD}") != "0 of 26 findings"
    page.get_by_label("Group by").select_option("account")
    search(page, "")
    assert f"{sample.CHAT} (Chat)" in in_groups(page)
    page.locator("#facets summary", has_text="Account").click()
    page.locator("#facets .choice", has_text=f"{sample.CHAT} (Chat)").locator("input").check()
    expect(page.get_by_label("Search findings")).to_have_value(f"account:{sample.CHAT}")


def in_groups(page: Page) -> list[str]:
    return page.locator("#list .group-line .title").all_inner_texts()


def first_failure(report: Report) -> Finding:
    return next(finding for finding in report.findings if finding.status.value == "fail")


def in_order(page: Page) -> list[str]:
    return page.locator("#list .line:not(.group-line) .name").all_inner_texts()


FOUND = {
    "": "26 findings",
    "severity:high": "9 of 26 findings",
    "severity:high severity:low": "14 of 26 findings",
    "severity:h": "9 of 26 findings",
    "severity:": "26 findings",
    "-severity:high": "17 of 26 findings",
    "status:failed": "21 of 26 findings",
    "status:unknown account:111122223333": "4 of 26 findings",
    "rule:fails-open": "9 of 26 findings",
    "rule:processor-fails-open": "1 of 26 findings",
    "region:eu-central-1": "1 of 26 findings",
    "app:sales": "5 of 26 findings",
    "app:Gästechat": "1 of 26 findings",
    "change:new": "2 of 26 findings",
    "gap:getpolicy": "3 of 26 findings",
    "framework:soc2": "26 findings",
    "framework:acme": "0 of 26 findings",
    "-framework:nist-800-53-r5": "0 of 26 findings",
    "control:cc6.1 rule:processor-fails-open": "1 of 26 findings",
    'control:"soc2 CC6.1" status:waived': "1 of 26 findings",
    "control:SC-2": "26 findings",
    "control:nothing-like-it": "0 of 26 findings",
    "gap:OutOfScope app:claims": "1 of 26 findings",
    "gap:ListAppInstances gap:GetPolicy": "3 of 26 findings",
    "gap:nothing-like-it": "0 of 26 findings",
    "-gap:GetPolicy status:unknown": "1 of 26 findings",
    "moderate": "3 of 26 findings",
    "MODERATE arn:aws:lambda": "3 of 26 findings",
    "moderate -another": "2 of 26 findings",
    '"falls back to CONTINUE: its step"': "1 of 26 findings",
    '"continue falls"': "0 of 26 findings",
    "SC-24 severity:critical": "4 of 26 findings",
    "nothing-like-it": "0 of 26 findings",
}


def test_queries_find(page: Page) -> None:
    assert {query: search(page, query) for query in FOUND} == FOUND


def test_roles_are_found_by_type_and_grouped_by_account(viewer: Viewer) -> None:
    page = viewer.open(sample.roles(), height=TALL, fragment="#group=app").page
    groups = page.locator("#list .group-line th").all_inner_texts()

    assert [group.split("\n")[::2][0] for group in groups].count("no app instance") == 2
    assert search(page, "type:role") == "5 of 7 findings"
    assert search(page, "type:role region:global -app:support") == "5 of 7 findings"
    assert search(page, "-type:role") == "2 of 7 findings"


def test_status_line_is_live_and_search_is_named(page: Page) -> None:
    assert search(page, "severity:low") == page.get_by_role("status").first.inner_text()
    assert page.get_by_label("Search findings").is_visible()


def test_fingerprint_and_arn_are_found(page: Page) -> None:
    finding = first_failure(sample.rich())
    assert search(page, finding.fingerprint).startswith("1 of")
    assert search(page, finding.resource.arn or "") != "0 of 26 findings"


def test_nothing_found_offers_to_clear(page: Page) -> None:
    search(page, "nothing-like-it")
    page.get_by_role("button", name="Clear the search").click()
    expect(page.locator("#count")).to_have_text("26 findings")
    assert page.get_by_label("Search findings").input_value() == ""


def test_chip_rewrites_the_query_and_counts_what_it_would_leave(page: Page) -> None:
    page.get_by_role("button", name="high 9").click()
    page.get_by_role("button", name="low 5").click()
    assert page.get_by_label("Search findings").input_value() == "severity:high severity:low"
    expect(page.locator("#count")).to_have_text("14 of 26 findings")
    expect(page.get_by_role("button", name="waived 1")).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name="high 9")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="high 9").click()
    assert page.get_by_label("Search findings").input_value() == "severity:low"


def test_list_of_choices_filters_and_escape_closes_it(page: Page) -> None:
    page.locator("#facets summary", has_text="App instance").click()
    page.get_by_role("checkbox", name="Gästechat 1").check()
    assert page.get_by_label("Search findings").input_value() == "app:Gästechat"
    expect(page.locator("#count")).to_have_text("1 of 26 findings")
    page.keyboard.press("Escape")
    assert not page.get_by_role("checkbox", name="Gästechat 1").is_visible()


def test_overview_leads_to_what_it_counts(page: Page) -> None:
    page.locator(".heat").get_by_role("link", name="6 high in 444455556666").click()
    expect(page.get_by_label("Search findings")).to_have_value("status:failed account:444455556666 severity:high")
    expect(page.locator("#count")).to_have_text("6 of 26 findings")


def test_gap_leads_to_what_it_leaves_unknown(page: Page) -> None:
    page.locator(".gap summary", has_text="3 answers missing").click()
    page.get_by_role("link", name="3 unknown findings in the list").click()
    expect(page.locator("#count")).to_have_text("3 of 26 findings")
    names = {finding.resource.name for finding in sample.rich().findings if any(item.gap for item in finding.evidence)}
    assert set(in_order(page)) == names


def test_finding_with_two_gaps_is_found_by_each(viewer: Viewer) -> None:
    gaps = tuple(
        ReportedGap(account_id=sample.PROD, resource_arn=arn, operation=operation, code="Denied", reason="denied")
        for operation, arn in (("GetPolicy", "arn:one"), ("GetRole", 'arn:"two"\u202e x'))
    )
    first, second = (sample.unknown(sample.PUBLIC, sample.flow("both"), "processors[0].name", gap) for gap in gaps)
    both = structs.replace(first, evidence=first.evidence + second.evidence)
    single = sample.unknown(sample.NO_ALERT, sample.flow("single"), "name", gaps[0])
    page = viewer.open(sample.report([both, single], gaps=gaps)).page
    for count in (2, 1):
        gap = page.locator(".gap").nth(2 - count)
        gap.locator("summary").click()
        gap.locator(".leads a").click()
        expect(page.locator("#count")).to_have_text("2 findings" if count == 2 else "1 of 2 findings")


def test_failures_come_first_then_unknown_then_waived(page: Page) -> None:
    badges = page.locator("#list .summary-badges").all_inner_texts()
    assert badges[0].split() == ["critical", "new"]
    assert page.locator("#list .summary-badges").all_inner_texts()[-1].split() == ["high", "waived"]


def test_sorting(page: Page) -> None:
    page.select_option("#sort", "name")
    assert in_order(page) == sorted(in_order(page))
    page.select_option("#sort", "place")
    accounts = [text.split(" ")[0] for text in page.locator("#list .where").all_inner_texts()]
    assert accounts == [finding.resource.account_id for finding in sample.rich().findings]
    page.select_option("#sort", "rule")
    assert page.locator(TITLES).first.inner_text() == "Processor runs in another AWS account"
    page.select_option("#sort", "age")
    page.locator(TITLES).first.click()
    assert "2026-10-30 03:00 UTC" in page.locator(".opened").inner_text()


GROUPS = {
    "rule": {"Last processor fails open", "Nobody hears of a failing processor"},
    "account": {sample.PROD, sample.CHAT, sample.LABS},
    "app": {"Gästechat", "billing", "support"},
}


def test_groups_say_what_is_in_them_and_open(page: Page) -> None:
    for group, names in GROUPS.items():
        page.select_option("#group", group)
        titles = page.locator(TITLES).all_inner_texts()
        assert names <= set(titles)
        opener = page.locator(TITLES).first
        opener.press("Enter")
        expect(opener).to_have_attribute("aria-expanded", "true")
        expect(opener).to_be_focused()
        assert page.locator("#list .line").count() > len(titles)


def test_app_instances_of_one_name_are_grouped_apart(page: Page) -> None:
    search(page, "app:support")
    page.select_option("#group", "app")
    assert page.locator(TITLES).all_inner_texts() == ["support", "support"]


def test_group_counts_only_failures_by_severity(page: Page) -> None:
    search(page, "app:announcements app:intranet")
    page.select_option("#group", "rule")
    assert page.locator(".makeup-cell").inner_text().strip() == "1 waived"


def test_finding_opens_to_everything_about_it(page: Page) -> None:
    search(page, "support-moderation severity:high")
    page.locator(TITLES).first.click()
    detail = page.locator(".opened .detail")
    for text in (
        "processors[1].fallback_action",
        "equals ABORT",
        "set wrong here",
        "if unreachable: delivered unread",
        "If it cannot be reached, the message is delivered unprocessed.",
        "then reaches everybody",
        "aws chime-sdk-messaging update-channel-flow",
        "SC-24",
        "new since then",
    ):
        assert text in detail.inner_text()
    assert detail.locator(".step.failing .step-name").inner_text() == "moderate"
    assert detail.get_by_role("link", name=sample.DOCS).get_attribute("rel") == "noreferrer noopener"
    assert "[object" not in detail.inner_text()


def test_waiver_and_gap_are_told(page: Page) -> None:
    search(page, "status:waived")
    page.locator(TITLES).first.click()
    assert "Read-only announcement channels (SEC-701)" in page.locator(".opened").inner_text()
    search(page, "claims-translate")
    page.locator(TITLES).first.click()
    assert "not observed (GetPolicy: OutOfScope)" in page.locator(".opened").inner_text()


def test_what_is_unknown_is_a_class_of_its_own_and_says_how_to_settle_it(viewer: Viewer, demo: Report) -> None:
    page = viewer.open(demo, fragment="#q=status:unknown").page
    expect(page.locator(TITLES).first).to_have_text(re.compile("^Could not tell whether "))
    assert page.locator("#list .summary-badges").first.inner_text().split("\n")[0].startswith("unknown")
    assert page.locator("#list .line .badge:not(.hollow, .new)").count() == 0
    page.locator(TITLES).first.click()
    detail = page.locator(".opened .detail")
    assert "Bring it into scope, or waive this gap." in detail.inner_text()
    assert detail.locator(".command").count() == 0


PICTURE = """flow => [flow.className, ...flow.children].map((part) =>
    part.className ? [part.className, part.textContent.replace(/\\s+/g, "")] : part)"""


def test_picture_is_the_same_as_without_scripts(viewer: Viewer) -> None:
    stop, go = ("ABORT", "CONTINUE")
    flows = ([(1, go)], [(1, stop)], [(1, stop), (2, go)], [(1, go), (2, stop), (3, go)], [(1, stop), (2, go), (2, go)])
    many = [(n, go) for n in range(1, 6)]
    findings = [
        sample.fails_open(sample.flow(f"f{n}", *(sample.step(f"p{i}", *step) for i, step in enumerate(steps))), at)
        for n, (steps, at) in enumerate([*((steps, len(steps) - 1) for steps in flows), (many, 0), (many, 4)])
    ]
    report = sample.report(findings)
    still, live = (viewer.open(report, scripts=scripts, height=TALL).page for scripts in (False, True))
    for finding in findings:
        picture = f"#finding-{finding.fingerprint} .flow"
        search(live, finding.fingerprint)
        live.locator(TITLES).first.click()
        drawn = live.locator(picture).evaluate(PICTURE)
        assert drawn == still.locator(picture).evaluate(PICTURE)
        past = bypass(stages(finding.resource, finding.evidence))
        assert live.locator(f"{picture} .bypass").all_inner_texts() == ([past] if past else [])
    assert live.locator(f"{picture} .bypass.found").count() == 1


@pytest.mark.parametrize("width", [320, 1280])
def test_the_way_past_a_processor_leads_from_it_to_the_channel(viewer: Viewer, width: int) -> None:
    flow = sample.flow("f", sample.step("a", 1, "ABORT"), sample.step("b", 2, "CONTINUE"))
    page = viewer.open(sample.report([sample.fails_open(flow, 1)]), width=width, height=TALL).page
    page.locator(TITLES).click()
    way, step, channel = (
        page.locator(f".opened {part}").bounding_box() for part in (".bypass", ".stage >> nth=1", ".end >> nth=1")
    )
    assert way and step and channel  # noqa: PT018 - for the type checker
    assert abs(way["y"] - (step["y"] + step["height"])) <= 5
    if width == 320:
        assert abs(way["y"] + way["height"] - channel["y"]) <= 5
    else:
        assert abs(way["y"] - (channel["y"] + channel["height"])) <= 5
        assert step["x"] < way["x"] < step["x"] + step["width"]
        assert channel["x"] < way["x"] + way["width"] < channel["x"] + channel["width"]


# -- links --


def test_filter_and_open_finding_are_kept_in_the_address(viewer: Viewer, page: Page) -> None:
    search(page, "severity:low")
    page.select_option("#group", "app")
    page.locator(TITLES).first.click()
    page.locator(TITLES).nth(1).click()
    fragment = page.url.partition("#")[2]
    again = viewer.open(sample.rich(), fragment=f"#{fragment}").page
    assert again.locator("#count").inner_text() == "5 of 26 findings"
    assert again.locator("#group").input_value() == "app"
    assert again.locator(".opened .detail").get_attribute("id") == page.locator(".opened .detail").get_attribute("id")


def test_link_to_a_finding_opens_it(viewer: Viewer) -> None:
    report = sample.rich()
    finding = first_failure(report)
    page = viewer.open(report, fragment=f"#finding-{finding.fingerprint}").page
    expect(page.locator("#list .line.open button")).to_be_focused()
    expect(page.locator(f"#finding-{finding.fingerprint} .step").first).to_be_in_viewport()


def test_link_to_a_finding_that_the_filter_hides_lifts_the_filter(viewer: Viewer) -> None:
    report = sample.rich()
    finding = first_failure(report)
    page = viewer.open(report, fragment=f"#q=nothing-like-it&open={finding.fingerprint}").page
    assert page.locator(f"#finding-{finding.fingerprint}").is_visible()


def test_odd_links_do_no_harm(viewer: Viewer) -> None:
    opened = viewer.open(sample.rich())
    for fragment in ("open=unknown", "group=__proto__&sort=x", "q=%22%3Cimg", "finding-%", "q=%"):
        opened.page.evaluate("(fragment) => { location.hash = fragment; }", fragment)
        expect(opened.page.locator("#group")).to_have_value("")
    assert opened.complaints == []


# -- keyboard --


def test_slash_searches_and_escape_clears_then_leaves(page: Page) -> None:
    page.keyboard.press("/")
    field = page.get_by_label("Search findings")
    expect(field).to_be_focused()
    page.keyboard.type("severity:low/")
    assert field.input_value() == "severity:low/"
    page.keyboard.press("Escape")
    assert field.input_value() == ""
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).not_to_be_focused()


def test_arrows_go_through_the_findings_and_enter_opens(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    openers = page.locator(TITLES)
    expect(openers.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(openers.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(openers.nth(1)).to_have_attribute("aria-expanded", "true")
    expect(openers.nth(1)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Copy ARN")).to_be_focused()
    page.keyboard.press("Escape")
    expect(openers.nth(1)).to_have_attribute("aria-expanded", "false")
    expect(openers.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(openers.last).to_be_focused()


def test_tab_passes_the_list_in_one_step(page: Page) -> None:
    assert page.locator(f'{TITLES}:not([tabindex="-1"])').count() == 1


# -- a long list --


def test_only_rows_near_the_window_exist_and_say_which_they_are(viewer: Viewer) -> None:
    page = viewer.open(sample.many(3_000)).page
    table = page.get_by_role("table", name="Findings", exact=True)
    assert table.get_attribute("aria-rowcount") == "3001"
    assert page.locator("#list .line").count() < 60
    page.locator(TITLES).first.press("End")
    expect(page.locator("#list .line").last).to_have_attribute("aria-rowindex", "3001")
    assert page.locator("#list .line").count() < 60
    assert page.locator(TITLES).last.is_visible()


@pytest.fixture
def tall(viewer: Viewer) -> Page:
    """A list that exceeds the browser's limit of a page's height, as 100,000 findings do on a phone's fine screen."""
    fine = "Object.defineProperty(window, 'devicePixelRatio', {value: 100})"
    return viewer.open(sample.many(3_000), width=390, height=800, before=fine).page


def seen(page: Page) -> list[int]:
    """The numbers of the rows that are visible in the window."""
    return [index - 1 for index in page.evaluate(IN_WINDOW)]


def scrolled(page: Page, distance: float) -> list[int]:
    page.evaluate(
        "async (top) => { scrollBy({top, behavior: 'instant'}); await new Promise(requestAnimationFrame); }", distance
    )
    return seen(page)


def test_list_higher_than_a_page_can_be_begins_and_ends_with_it(tall: Page) -> None:
    assert tall.evaluate("document.documentElement.scrollHeight") < 330_000
    assert 3_000 in scrolled(
        tall, tall.evaluate("document.querySelector('#list').getBoundingClientRect().bottom - innerHeight")
    )
    assert 1 in scrolled(tall, tall.evaluate("document.querySelector('#list').getBoundingClientRect().top"))


def test_scrolling_shows_every_row_of_a_list_higher_than_a_page_can_be(tall: Page) -> None:
    for part in (0.001, 0.05, 0.5, 0.95, 0.999):
        top, height = tall.evaluate(f"[{ROWS}.top, {ROWS}.height]")
        met = set(scrolled(tall, top + part * height))
        assert min(met) == pytest.approx(3_000 * part, abs=150)
        step = -400 if part < 0.5 else 400
        for _ in range(40):
            met |= set(scrolled(tall, step))
        assert met == set(range(min(met), max(met) + 1)), part
        assert part in (0.05, 0.5, 0.95) or {1, 3_000} & met


def test_arrows_go_through_a_list_higher_than_a_page_can_be(tall: Page) -> None:
    tall.locator(TITLES).first.press("End")
    for place in (3_000, 2_999, 2_998):
        row = tall.locator("#list .line").filter(has=tall.locator(":focus"))
        expect(row).to_have_attribute("aria-rowindex", str(place + 1))
        assert place in seen(tall)
        tall.keyboard.press("ArrowUp")
    tall.keyboard.press("Home")
    assert 1 in seen(tall)


def test_finding_in_the_middle_of_a_list_higher_than_a_page_can_be_opens_in_place(tall: Page) -> None:
    scrolled(tall, 150_000)
    place = seen(tall)[2]
    row = tall.locator(f'#list .line[aria-rowindex="{place + 1}"]')
    before = row.bounding_box()
    row.get_by_role("button").press("Enter")
    after = row.bounding_box()
    assert before
    assert after
    assert after["y"] == pytest.approx(before["y"], abs=1)
    assert tall.locator(".opened .detail").is_visible()


def test_open_finding_leaves_its_row_in_place_and_the_list_whole(viewer: Viewer) -> None:
    page = viewer.open(sample.many(3_000), fragment="#q=flow").page
    page.locator(TITLES).first.press("End")
    row = page.locator("#list .line").nth(-3)
    before = row.bounding_box()
    row.locator("button").press("Enter")
    after = page.locator("#list .line.open").bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 2
    assert page.get_by_role("table", name="Findings", exact=True).get_attribute("aria-rowcount") == "3002"
    page.keyboard.press("Home")
    expect(page.locator("#list .line").first).to_have_attribute("aria-rowindex", "2")


def test_scrolled_away_row_gives_its_focus_to_the_table(viewer: Viewer) -> None:
    page = viewer.open(sample.many(3_000)).page
    page.locator(TITLES).first.focus()
    page.evaluate("scrollTo({top: 100000, behavior: 'instant'})")
    expect(page.locator("#list")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#list .line[aria-rowindex='3'] button")).to_be_focused()


# -- rows --


def test_short_lists_are_there_as_a_whole_and_rows_are_as_high_as_their_text(viewer: Viewer) -> None:
    """So that the browser's own search and captures find every finding."""
    page = viewer.open(sample.many(500), width=390, height=800).page
    rows = page.locator("#list .line")
    expect(rows).to_have_count(500)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(rows.last).to_have_attribute("aria-rowindex", "501")
    assert page.evaluate("find('flow-000499')")
    rows.nth(400).locator("button").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".opened .detail")).to_be_in_viewport()
    expect(rows.nth(401)).to_be_in_viewport()
    page.keyboard.press("End")
    expect(rows.last).to_be_in_viewport()
    expect(rows.last.locator("button")).to_be_focused()


def test_rows_name_a_function_and_details_its_whole_arn(viewer: Viewer) -> None:
    arn = "arn:aws:lambda:us-east-1:111122223333:function:moderate:live"
    role = "arn:aws:iam::111122223333:role/service/chime-role"
    message = f"processor x invokes {arn}, whose role {role}, says {arn}: it"
    findings = [sample.finding(sample.UNPINNED, sample.flow("support"), message)]
    shorter = "processor x invokes moderate:live, whose role chime-role, says moderate:live: it"
    opened = viewer.open(sample.report(findings))
    assert opened.page.locator("#list .message").inner_text() == shorter == short(message)
    opened.page.locator(TITLES).click()
    assert message in opened.page.locator(".opened .said").inner_text()
    static = viewer.open(sample.report(findings), scripts=False).page
    assert static.locator("summary .message").inner_text() == shorter
    static.locator("summary .message").click()
    assert static.locator(".detail .said").inner_text() == message


def test_findings_in_files_are_found_filtered_and_grouped_by_their_file(viewer: Viewer) -> None:
    page = viewer.open(worlds.check().report, height=TALL).page
    file = "templates/support/moderation.yaml"
    assert page.locator("#list .where").all_inner_texts().count(f"{file}:12") == 1
    assert [text.strip() for text in page.locator("#facets summary").all_inner_texts()] == [
        "File",
        "Rule",
        "App instance",
    ]
    assert search(page, "file:support/mod") == "3 of 6 findings"
    assert page.locator("#list .line").count() == 3
    search(page, "")
    page.get_by_label("Group by").select_option("file")
    assert sorted(in_groups(page)) == ["templates/chat.yaml", file]
    page.locator("#facets summary", has_text="File").click()
    page.locator("#facets .choice", has_text=file).locator("input").check()
    expect(page.get_by_label("Search findings")).to_have_value(f"file:{file}")
    assert viewer.open(sample.rich()).page.locator("#group option[value=file]").count() == 0


# -- copies and exports --


def test_copies_are_what_is_shown(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    finding = first_failure(sample.rich())
    search(page, finding.fingerprint)
    page.locator(TITLES).first.click()
    page.get_by_role("button", name="Copy ARN").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == finding.resource.arn
    search(page, "rule:public-lambda-policy status:failed")
    page.locator(TITLES).first.click()
    page.locator(".opened").get_by_role("button", name="Copy", exact=True).click()
    page.get_by_role("button", name="Copied").wait_for()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_text("Copied")
    assert page.locator(".opened .effect").inner_text() == "Removes a statement from the function's resource policy."
    assert page.evaluate("navigator.clipboard.readText()") == (
        "aws lambda remove-permission \\\n  --function-name moderate \\\n  --statement-id anyone"
    )


def test_what_is_to_be_filled_in_is_marked_and_counted_as_in_other_formats(viewer: Viewer) -> None:
    text = (
        "aws x put --name FLOW_NAME --a NEW_NAME --b TAG_KEY\naws x put --in 'Name=PROCESSOR_NAME,A=TAG_KEY,B=TAG_KEY'"
    )
    names = ("support", "<NEW_NAME>", "it's <NEW_NAME>", "\u202e")
    flows = [sample.flow(name, sample.step(name)) for name in names]
    findings = [
        structs.replace(each, remediation=filled(text, each.resource, each.evidence))
        for each in map(sample.fails_open, flows)
    ]
    rule = structs.replace(sample.FAILS_OPEN, remediation=text)
    page = viewer.open(sample.report(findings, rules=(rule,)), height=TALL).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for finding in findings:
        commands = steps(finding.remediation)
        search(page, finding.fingerprint)
        page.locator(TITLES).first.click()
        shown = page.locator(".opened .command")
        assert shown.locator("pre").all_inner_texts() == [each.text for each in commands]
        marked = [piece for each in commands for piece, is_open in pieces(each.text) if is_open]
        assert shown.locator("mark").all_inner_texts() == marked
        counted = [f"Copy, fill in {each.open} value{'s' * (each.open > 1)}" for each in commands]
        assert shown.get_by_role("button").all_inner_texts() == counted
    shown.get_by_role("button").first.click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_text(
        "Copied. Fill in FLOW_NAME, NEW_NAME, TAG_KEY before you run it"
    )


# -- hostile names --


def test_hostile_names_are_inert_and_visible(viewer: Viewer) -> None:
    opened = viewer.open(sample.hostile(), height=TALL, fragment="#q=")
    page = opened.page
    for row in range(3):
        page.locator(TITLES).nth(row).press("Enter")
        assert page.locator(".opened a").count() == 0
        page.keyboard.press("Escape")
    assert page.locator("script:not([type='module'])").count() == 0
    assert page.locator("img").count() == 0
    assert visible(sample.HOSTILE) in page.locator(TITLES).first.inner_text()
    assert opened.complaints == []


def test_hidden_characters_are_spelled_as_the_rest_of_the_report_spells_them(viewer: Viewer) -> None:
    name = "a\u00a0b\u2003c\u202ed\u200be\u00adf\ue000g\U000e0041h\u3164i\ufe0fj\u2800k\U0001f600l é \u0301m\x7fn\x85o"
    page = viewer.open(sample.report([sample.fails_open(sample.flow(name))]), height=TALL).page
    assert page.locator("#list .name").inner_text() == visible(name)


def test_hostile_names_can_be_filtered_for(viewer: Viewer) -> None:
    name = 'a "quoted" \u202ename -x:y'
    other = sample.fails_open(sample.flow("b", app="other"))
    report = sample.report([sample.fails_open(sample.flow("a", app=name)), other])
    page = viewer.open(report).page
    page.locator("#facets summary", has_text="App instance").click()
    page.get_by_role("checkbox", name="quoted").check()
    expect(page.locator("#count")).to_have_text("1 of 2 findings")
    page = viewer.open(report, fragment=f"#q={quote(page.get_by_label('Search findings').input_value())}").page
    expect(page.locator("#count")).to_have_text("1 of 2 findings")
