"""The HTML page: correct contents in the right order, and no text that acts as markup or script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.model.report import Finding, Location, Observed, Report, ReportedGap, RuleCounts, Waiver
from scanner.render.causes import Cause
from scanner.render.html import labels, page
from scanner.render.html.coverage import CauseView, coverage_banner
from scanner.render.html.digest import FAILURES, UNKNOWN_OF_A_CAUSE, digest
from scanner.render.html.findings import IN_FULL, findings
from scanner.render.html.summary import HeatMap, checks, summary
from scanner.render.html.values import link, value_text
from tests.render import sample
from tests.render.html import worlds

SAMPLES = sample.ALL
LOADING = {"src", "srcset", "data", "poster", "action", "formaction", "background", "ping", "style", "xlink:href"}
WAIVER = Waiver(reason="accepted", owner="chat-team", expires="2027-01-31")

each_sample = pytest.mark.parametrize("build", SAMPLES, ids=lambda build: build.__name__)


class Outline(HTMLParser):
    """The elements, attributes and visible text of a page."""

    VOID = frozenset({"meta", "rect", "path", "circle", "br", "link", "img", "input", "wbr"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data


def render(report: Report) -> str:
    return "".join(page.render(report))


def title(page: str) -> str:
    return page.partition("<title>")[2].partition("</title>")[0]


def sha256(block: str) -> str:
    return base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()


def gap(**changes: str | Waiver | None) -> ReportedGap:
    whole = ReportedGap(account_id=sample.PROD, operation="ListAppInstances", code="AccessDenied", reason="denied")
    return msgspec.structs.replace(whole, **changes)


@each_sample
def test_same_report_gives_the_same_page(build: Callable[[], Report]) -> None:
    assert render(build()) == render(build())


def test_each_control_leads_to_its_rules_its_findings_and_the_risks_that_were_accepted() -> None:
    text = render(sample.rich())
    section = text.partition('<section id="controls"')[2].partition("</section>")[0]

    assert section.index("<h3>acme</h3>") < section.index("<h3>nist-800-53-r5</h3>") < section.index("<h3>soc2</h3>")
    assert "MSG|1 &lt;b&gt;" in section
    assert "left out: no file can tell what it reads" in section
    soc2 = section.partition("<h3>soc2</h3>")[2]
    assert "not-satisfied" in soc2
    assert 'href="#rule-last-processor-fails-open"' in soc2
    assert "163 of 171 passed" in soc2
    assert "waived until 2027-01-31 by chat-team" in soc2
    assert 'data-query="control:&#34;soc2 CC6.1&#34;"' in soc2


def test_a_report_that_does_not_say_has_no_section_of_controls() -> None:
    old = sample.rich()
    summary = msgspec.structs.replace(old.summary, rules=msgspec.UNSET)

    text = render(msgspec.structs.replace(old, controls=msgspec.UNSET, summary=summary))

    assert 'id="controls"' not in text
    assert "of 171 passed" not in text


def test_a_rule_that_judged_nothing_never_says_that_nothing_failed() -> None:
    nothing = sample.report(observed=Observed(accounts=1, targets=3))
    counts = re.findall(
        r'<span class="amount[^>]*>(.*?)</summary>', render(nothing).partition('<section id="rules"')[2]
    )

    assert len(counts) == len(nothing.rules)
    assert all("It judged nothing" in each and "0" not in each for each in counts)
    assert ">2 unknown, 5 waived, 2 of 9 passed<" in render(with_counts(RuleCounts(passed=2, unknown=2, waived=5)))


def with_counts(counts: RuleCounts) -> Report:
    report = sample.report(rules=(sample.FAILS_OPEN,))
    return msgspec.structs.replace(
        report, summary=msgspec.structs.replace(report.summary, rules={sample.FAILS_OPEN.id: counts})
    )


@each_sample
def test_elements_are_balanced_and_ids_are_unique(build: Callable[[], Report]) -> None:
    outline = Outline(render(build()))
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert (outline.unbalanced, outline.open) == ([], [])
    assert len(ids) == len(set(ids))


@each_sample
def test_links_inside_the_page_lead_somewhere(build: Callable[[], Report]) -> None:
    outline = Outline(render(build()))
    ids = {attributes.get("id") for _, attributes in outline.tags}
    targets = {(attributes.get("href") or "") for tag, attributes in outline.tags if tag == "a"}
    assert {target[1:] for target in targets if target.startswith("#")} <= ids


@each_sample
def test_nothing_is_loaded_from_anywhere(build: Callable[[], Report]) -> None:
    page = render(build())
    outline = Outline(page)
    assert not {tag for tag, _ in outline.tags} & {"link", "img", "iframe", "object", "embed", "form", "base", "video"}
    assert not [attributes for _, attributes in outline.tags if LOADING & attributes.keys()]
    assert not [name for _, attributes in outline.tags for name in attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import", page.partition("<style>")[2].partition("</style>")[0])


@each_sample
def test_policy_allows_the_inline_blocks_and_nothing_else(build: Callable[[], Report]) -> None:
    page = render(build())
    (policy,) = (a["content"] or "" for _, a in Outline(page).tags if a.get("http-equiv") == "Content-Security-Policy")
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    early, script = re.findall(r'<script(?: type="module")?>(.*?)</script>', page, re.DOTALL)
    assert directives == {
        "default-src": "'none'",
        "style-src": f"'sha256-{sha256(style)}'",
        "script-src": f"'sha256-{sha256(early)}' 'sha256-{sha256(script)}'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


def test_hostile_text_is_inert_and_visible() -> None:
    page = render(sample.hostile())
    outline = Outline(page)
    assert [a.get("type") for tag, a in outline.tags if tag == "script"] == [None, "application/gzip", "module"]
    assert "<script>alert('x')</script>" in outline.text
    assert "\\u202e" in outline.text
    assert not [char for char in page if char != "\n" and not char.isprintable()]


def test_only_https_references_are_links() -> None:
    outline = Outline(render(sample.hostile()))
    outside = [a["href"] for tag, a in outline.tags if tag == "a" and not (a["href"] or "").startswith("#")]
    assert outside == []
    assert "javascript:alert(1)" in outline.text


@pytest.mark.parametrize(
    ("reference", "followed"),
    [
        ("https://docs.aws.amazon.com/x?y=1#z", True),
        ("http://example.com/", False),
        ("javascript:alert(1)", False),
        ("https://user@example.com/", False),
        ("https://", False),
        ("https://exa\u202emple.com/", False),
        ("https://[oops/", False),
        ('https://example.com/"onclick', False),
    ],
)
def test_link_is_plain_https(reference: str, followed: bool) -> None:
    assert link(reference).href == (reference if followed else None)


def test_the_verdict_comes_first_then_the_gaps_then_the_findings_and_the_run_comes_last() -> None:
    page = render(sample.rich())
    order = ["<header", 'id="verdict"', 'id="coverage"', 'id="findings"', 'id="rules"', "<footer", "Scope chosen by"]
    places = [page.index(part) for part in order]
    assert places == sorted(places)


def test_failures_stand_before_waived_before_unknown() -> None:
    page = render(sample.rich()).partition('id="findings"')[2]
    places = [page.index(part) for part in ("severity-critical", "severity-info", "<h3>Waived", "<h3>Unknown")]
    assert places == sorted(places)


def test_each_gap_says_where_what_and_why() -> None:
    text = Outline(render(sample.rich())).text
    for part in ("444455556666", "eu-central-1", "ListAppInstances", "AccessDeniedException", "may not list"):
        assert part in text
    assert "Account is being closed (SEC-812)\nby cloud-platform, until 2026-12-31" in text


def test_gaps_of_one_cause_are_one_row_with_what_to_do_and_every_account_inside() -> None:
    page = render(worlds.thousand_accounts().report)
    refused, throttled = re.findall(r'<details class="gap">(.*?)</details>', page, re.DOTALL)

    assert "600 accounts" in refused.partition("</summary>")[0]
    assert "Allow sts:AssumeRole (chimeaudit iam role), then scan again." in refused
    assert "1 region in 300 accounts" in throttled.partition("</summary>")[0]
    assert "Scan again later." in throttled


def test_unknown_findings_are_listed_once_under_their_gap() -> None:
    text = Outline(render(sample.rich())).text
    assert "3 findings unknown because of this gap" in text
    assert text.count("claims-translate") == 1


def test_unknown_findings_without_a_gap_of_the_report_stand_alone() -> None:
    stray = sample.unknown(sample.PUBLIC, sample.flow(), "name", gap(code="Elsewhere"))
    assert digest(sample.report([stray])).unknown[None].items == (stray,)


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (sample.rich, "1 critical and 8 high to fix in 2 accounts"),
        (sample.clean, "Clean: no findings"),
        (sample.incomplete, "No verdict: not everything was observed"),
        (sample.nothing_observed, "No verdict: nothing was observed"),
        (sample.empty, "Nothing was judged"),
    ],
)
def test_title_says_the_verdict(build: Callable[[], Report], expected: str) -> None:
    assert title(render(build())) == f"{expected} – chimeaudit"


def test_incomplete_report_without_failures_never_looks_clean() -> None:
    page = render(sample.incomplete())
    assert 'class="statement verdict uncertain"' in page
    assert "Clean" not in Outline(page).text
    assert "Checks</b> of what was observed" in page
    assert 'class="statement verdict clean"' not in page


def test_zeros_are_not_shown_where_nothing_was_judged() -> None:
    unseen, seen = (
        render(report).partition('class="tiles"')[2].partition("</ul>")[0]
        for report in (sample.nothing_observed(), sample.clean())
    )
    assert ("<b>0</b>" in unseen, "<b>0</b>" in seen) == (False, True)


def test_waived_gaps_are_said_where_coverage_is_complete() -> None:
    banner = coverage_banner(sample.report(gaps=(gap(waiver=WAIVER),)))
    assert (banner.tone, banner.detail[:5]) == ("uncertain", "1 gap")


def test_empty_scope_is_not_called_observed() -> None:
    nothing = sample.report(accounts=(), regions=(), observed=Observed())
    assert coverage_banner(nothing).headline == "Nothing was in scope"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({}, f"{sample.PROD}, every region"),
        ({"region": "us-east-1"}, f"{sample.PROD}, us-east-1"),
        ({"region": "global"}, f"The roles of {sample.PROD}"),
        ({"account_id": "unknown"}, "A part of the scope that is not known"),
    ],
)
def test_gap_says_how_much_it_hides(changes: dict[str, str], what: str) -> None:
    view = CauseView(
        cause=Cause(gaps=(gap(**changes),)), places=labels.cut((), 0), unknown=labels.cut((), 0), query=None
    )
    assert view.what == what


def test_ten_thousand_findings_make_a_bounded_page_that_says_what_it_cut() -> None:
    page = render(sample.many(10_000))
    assert page.count('<details class="finding') == IN_FULL
    assert page.count("<td><code>last-processor-fails-open</code></td>") == FAILURES - IN_FULL
    assert f"{10_000 - FAILURES:,} more findings are in the JSON report." in page
    assert len(page.partition('id="island"')[0]) < 600_000


def test_a_gap_with_a_thousand_unknown_findings_shows_a_few() -> None:
    denied = gap(region="us-east-1")
    hidden = [sample.unknown(sample.PUBLIC, sample.flow(f"flow-{n}"), "name", denied) for n in range(1000)]
    page = render(sample.report(hidden, gaps=(denied,)))
    assert "1,000 findings unknown because of this gap" in page
    assert f"{1000 - UNKNOWN_OF_A_CAUSE} more findings are in the JSON report" in page
    assert "1,000 unknown findings in the list" in page


def test_many_gaps_are_bounded_too() -> None:
    page = render(sample.report(gaps=tuple(gap(region=f"region-{n}") for n in range(1000))))
    assert page.count('<details class="gap') == 1
    assert '<span class="gap-place">1,000 regions in 1 account</span>' in page
    assert page.count("<li><code") == 200
    assert "800 more gaps are in the JSON report." in page


def test_many_causes_are_bounded_too() -> None:
    page = render(sample.report(gaps=tuple(gap(reason=f"{n} is wrong") for n in range(1000))))
    assert page.count('<details class="gap') == 200
    assert "800 more gaps are in the JSON report." in page


def test_a_file_is_no_account() -> None:
    cut = gap(account_id="unknown", operation="ReadFile", code="InvalidFile", reason="cut.json:3:7: found no end")
    page = Outline(
        render(
            sample.report(gaps=(msgspec.structs.replace(cut, location=Location(file="cut.json", line=3, column=7)),))
        )
    ).text
    assert "account not known" not in page
    assert "line 3" in page


def test_listed_findings_are_the_worst() -> None:
    low = [sample.finding(sample.UNPINNED, sample.flow(f"a{n:04}", app=f"app{n}"), "low") for n in range(FAILURES)]
    report = sample.report([*low, sample.fails_open(sample.flow("z"))])
    view = findings(report, digest(report))
    assert [(group.severity.value, group.total, len(group.findings)) for group in view.groups] == [
        ("high", 1, 1),
        ("low", FAILURES, IN_FULL - 1),
    ]
    assert (len(view.rows.items), view.rows.more) == (FAILURES - IN_FULL, 1)


def test_finding_shows_evidence_picture_reason_and_fix() -> None:
    text = Outline(render(sample.rich())).text
    for part in (
        "processors[1].fallback_action",
        "equals ABORT",
        "If it cannot be reached, the message is delivered unprocessed.",
        "Why it matters, and what to do",
        "then reaches everybody",
        "aws chime-sdk-messaging update-channel-flow",
        "SC-24",
        "These share order 1",
        "Read-only announcement channels (SEC-701)",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "none"), (True, "true"), (3, "3"), ("x", "x"), (("a", None, False), "[a, none, false]")],
)
def test_values_are_shown_as_rules_write_them(value: str | None, expected: str) -> None:
    assert value_text(value) == expected


def test_checks_are_counted_in_words_and_lead_to_their_findings() -> None:
    parts = checks({"fail": 1, "unknown": 0, "waived": 2, "pass": 3, "not_applicable": 50})
    assert [(part.label, part.count, part.query) for part in parts] == [
        ("failed", 1, "status:failed"),
        ("waived", 2, "status:waived"),
        ("passed", 3, None),
    ]
    assert checks({}) == ()
    text = Outline(render(sample.rich())).text
    assert "Checks of what was observed, each one rule on one resource: 21 failed, 4 unknown, 1 waived" in " ".join(
        text.split()
    )
    assert "Judgement" not in text


@pytest.mark.parametrize(
    ("value", "term"),
    [("a", "app:a"), ("a b", 'app:"a b"'), ('a"b', 'app:"a""b"'), ("", 'app:""'), ("\u202ea", "app:\\u202ea")],
)
def test_term_of_the_query_language(value: str, term: str) -> None:
    assert labels.term("app", value) == term


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-11-22T03:00:00Z", "2026-11-22T03:00:09Z", "9 s"),
        ("2026-11-22T03:00:00Z", "2026-11-22T03:04:35+00:00", "4 min 35 s"),
        ("2026-11-22T03:00:00Z", "2026-11-22T05:04:35Z", "2 h 4 min"),
        ("2026-11-22T03:00:00Z", "", None),
        ("2026-11-22T03:00:00Z", "2026-11-22T02:00:00Z", None),
    ],
)
def test_duration_in_words(start: str, end: str, expected: str | None) -> None:
    assert labels.duration(start, end) == expected


def test_moment_is_in_utc_and_leaves_other_text_alone() -> None:
    assert labels.moment("2026-11-22T04:00:12+01:00") == "2026-11-22 03:00 UTC"
    assert labels.moment("never") == "never"


@given(name=st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_name_adds_markup(name: str) -> None:
    plain = Outline(render(sample.report([sample.fails_open(sample.flow("name"))])))
    named = Outline(render(sample.report([sample.fails_open(sample.flow(name, app="support"))])))
    kinds = [tag for tag, attributes in named.tags if attributes.get("class") != "esc"]
    assert kinds == [tag for tag, _ in plain.tags]


def heat(findings: list[Finding]) -> HeatMap | None:
    report = sample.report(findings)
    return summary(report, digest(report)).heat


def test_accounts_stand_worst_first_and_are_shaded_within_a_severity() -> None:
    chat, labs = (sample.flow("f", account=account) for account in (sample.CHAT, sample.LABS))
    lows = [sample.finding(sample.UNPINNED, sample.flow(f"f{n}", account=sample.PROD), "m") for n in range(40)]
    found = heat([*lows, sample.finding(sample.PUBLIC, chat, "m"), sample.finding(sample.UNPINNED, labs, "m")])

    assert found is not None
    assert (found.kind, [row.name for row in found.rows.items]) == ("account", [sample.CHAT, sample.PROD, sample.LABS])
    levels = [[cell.level for cell in row.cells] for row in found.rows.items]
    assert levels == [[4, 0, 0, 0, 0], [0, 0, 0, 4, 0], [0, 0, 0, 1, 0]]


def test_app_instances_stand_where_there_is_one_account_and_files_where_files_were_checked() -> None:
    flows = [sample.flow("f", app=app, region=region) for app, region in (("a", "us-east-1"), ("a b", "eu-central-1"))]
    found = heat([sample.finding(sample.UNPINNED, flow, "m") for flow in flows])
    files = summary(worlds.check().report, digest(worlds.check().report)).heat

    assert found is not None and files is not None  # noqa: PT018 - for the type checker
    assert found.kind == "app instance"
    assert [(row.name, row.query) for row in found.rows.items] == [
        ("a b · eu-central-1", 'status:failed app:"a b" region:eu-central-1'),
        ("a · us-east-1", "status:failed app:a region:us-east-1"),
    ]
    assert (files.kind, files.rows.items[0].query) == ("file", "status:failed file:templates/chat.yaml")
    assert heat([sample.finding(sample.UNPINNED, flows[0], "m")]) is None  # a map of one row says nothing


def test_a_critical_rule_stands_before_one_that_fails_often() -> None:
    findings = [sample.finding(sample.UNPINNED, sample.flow(f"f{n}"), "m") for n in range(40)]
    report = sample.report([*findings, sample.finding(sample.PUBLIC, sample.flow(), "m")])
    bars = summary(report, digest(report)).rules.items
    assert [bar.rule_id for bar in bars] == ["public-lambda-policy", "unpinned-lambda-version"]
