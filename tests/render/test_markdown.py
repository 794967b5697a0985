from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec import structs

from scanner.model.report import Report, ReportedGap
from scanner.render import markdown
from scanner.render.markdown import code, prose
from scanner.render.text import visible
from tests.render import sample

BUDGET = 900_000
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ATTACKS = [
    "<img src=x onerror=alert(1)>",
    "`| x | ` y",
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "@octocat please look at #1 and GH-2",
    "https://evil.example www.evil.example",
    "# heading",
    "- item",
    "1. item",
    "a\n\n<script>b</script>",
    "&lt;b&gt; \\` \\",
]
HOSTILE_TEXT = st.text() | st.text(alphabet="`|<>\\[]()!@#*_~&:/- \n1.aw") | st.sampled_from(ATTACKS)
PLAIN = {"text", "text_special", "code_inline"}


def render(report: Report) -> str:
    return "".join(markdown.render(report))


def inline(text: str) -> list[Token]:
    """The tokens of a text that must be a single paragraph."""
    tokens = PARSER.parse(text)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    return tokens[1].children or []


def test_coverage_comes_before_findings() -> None:
    text = render(sample.incomplete())

    assert text.index("Coverage is NOT complete") < text.index("## Not observed") < text.index("## Findings")
    assert "Coverage is complete" in render(sample.clean())


@given(HOSTILE_TEXT)
def test_text_from_outside_is_one_inert_code_span(text: str) -> None:
    (span,) = inline(code(text))

    assert span.type == "code_inline"
    assert not re.search(r"[|<\n]", code(text))


@given(HOSTILE_TEXT)
def test_a_code_span_keeps_to_its_cell(text: str) -> None:
    tokens = PARSER.parse(f"| a | b |\n| --- | --- |\n| {code(text)} | {code(text)} |\n")

    assert [token.type for token in tokens].count("td_open") == 2
    cells = [token for token in tokens if token.type == "inline"][2:]
    assert all([child.type for child in cell.children or ()] == ["code_inline"] for cell in cells)


@given(HOSTILE_TEXT)
def test_prose_is_prose_whatever_a_rule_says(text: str) -> None:
    tokens = inline(f"x {prose(text)}")

    assert {token.type for token in tokens} <= PLAIN
    shown = "".join(token.content for token in tokens).replace("\u200b", "").removeprefix("x").strip()
    assert shown == visible(" ".join(text.split()))


@pytest.mark.parametrize("attack", ATTACKS)
def test_prose_begins_no_block(attack: str) -> None:
    assert {token.type for token in inline(prose(attack))} <= PLAIN


@pytest.mark.parametrize(
    "attack", ["@octocat", "#1", "GH-1", "https://evil.example", "www.evil.example", "a@b.example"]
)
def test_prose_mentions_and_links_nobody(attack: str) -> None:
    shown = "".join(token.content for token in inline(prose(attack)))

    assert not re.search(r"@\w|#\d|GH-\d|://|www\.", shown)


@pytest.mark.parametrize("build", [sample.hostile, sample.rich])
def test_no_html_link_or_image_is_in_it(build: Callable[[], Report]) -> None:
    tokens = PARSER.parse(render(build()))

    types = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}
    assert not types & {"html_block", "html_inline", "link_open", "image"}


def test_a_huge_report_is_cut_to_what_github_shows_and_says_so() -> None:
    text = render(sample.many(20_000))

    assert len(text.encode()) < BUDGET
    (left_out,) = re.findall(r"([\d,]+) more rows left out", text)
    assert int(left_out.replace(",", "")) + text.count("\n| high ") == 20_000
    assert "-o report.html" in text


def test_many_long_gaps_leave_room_for_findings() -> None:
    gaps = tuple(
        ReportedGap(account_id=sample.PROD, region="r", operation="X", code="Y", reason=f"{number}" + "\u202e" * 900)
        for number in range(5_000)
    )
    report = structs.replace(
        sample.many(5_000), coverage=structs.replace(sample.many(1).coverage, gaps=gaps, complete=False)
    )

    text = render(report)

    assert len(text.encode()) < BUDGET
    assert text.count("left out") == 2
    assert text.count("\n| high ") > 1_000
