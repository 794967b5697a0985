"""The query language of the page's searches, in a real browser: how a text is read, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from scanner.render.html.parts import bundled

Read = Callable[[list[str]], list[tuple[str, str, str]]]
FIELDS = ["severity", "status", "rule", "account", "app", "name", "file"]
WORDS = {"critical": "severity", "high": "severity", "low": "severity", "unknown": "status", "failed": "status"}
READ = {  # as typed: as it is read
    "": "",
    "support moderation": "support moderation",
    '"two words" -"not these"': '"two words" -"not these"',
    "severity:high": "severity:high",
    "SEVERITY:High": "severity:High",
    "severity:high severity:low": "severity:high severity:low",
    "severity:high,low": "severity:high,low",
    "severity: high, low , critical x": "severity:high,low,critical x",
    'app:"a, b",c(d)': 'app:"a, b","c(d)"',
    'account:"a""b"': 'account:"a""b"',
    "rule:-x": "rule:-x",
    "critical": "severity:critical",
    "Critical,high": "severity:Critical,high",
    "critical,foo": "critical,foo",
    "critical OR high": "severity:critical,high",
    "critical OR unknown": "(severity:critical OR status:unknown)",
    '"critical"': '"critical"',
    "NOT critical": "-severity:critical",
    "-critical": "-severity:critical",
    "a AND b": "a b",
    "(a OR b) c": "(a OR b) c",
    "((a OR b))": "(a OR b)",
    "-(a b) d": "-(a b) d",
    "NOT (a OR b)": "-(a OR b)",
    "NOT NOT a": "a",
    "--x": "x",
    "a - b": "a b",
    'a "OR" b': 'a "OR" b',
    "or and not": "or and not",
    "f(x)": '"f(x)"',
    "(f(x))": '"f(x)"',
    "a)": '"a)"',
    "arn:aws:lambda": '"arn:aws:lambda"',
    "[a-z]+(.*": '"[a-z]+(.*"',
    "\u202eabc": "\u202eabc",
    "(severity:high OR severity:low) status:failed": "severity:high,low status:failed",
}
REMARKED = {  # as typed: as it is read, and a part of what is said of it
    '"open': ("open", "quote is not closed"),
    'name:"x y': ('name:"x y"', "quote is not closed"),
    "a OR": ("a", "OR needs a term on both sides"),
    "OR": ("", "OR needs a term on both sides"),
    "a OR OR b": ("(a OR b)", "OR needs a term on both sides"),
    "AND a": ("a", "AND needs a term on both sides"),
    "NOT": ("", "NOT needs a term after it"),
    "a NOT OR b": ("(a OR b)", "NOT needs a term after it"),
    "(a": ("a", "parenthesis is not closed"),
    "a )": ("a", "no opening one"),
    "severity:": ("", "severity: has no value yet"),
    "severity: status:failed": ("status:failed", "severity: has no value yet"),
    'app:""': ("", "app: has no value yet"),
    "a OR b c": ("(a OR (b c))", "Read as (a OR (b c))"),
}
HUGE = [
    "(" * 100_000,
    "-" * 100_000,
    '"' * 100_001,
    "a OR " * 20_000,
    " " * 100_000,
    "severity:" + "," * 100_000,
    "(-a:" * 30_000,
]


@pytest.fixture(scope="module")
def read(browser: Browser) -> Iterator[Read]:
    page = browser.new_page()
    page.set_content("<!doctype html><title>x</title>")
    page.evaluate(
        "(source) => { globalThis.Language = new Function(`${source}; return Language`)(); }", bundled("dom", "query")
    )

    def reading(texts: list[str]) -> list[tuple[str, str, str]]:
        """As it is written again, what is said, and that read and written once more."""
        found: list[tuple[str, str, str]] = page.evaluate(
            """([fields, words, texts]) => {
                const language = new Language(fields, words);
                return texts.map((text) => {
                    const { parts, remarks } = language.read(text);
                    const written = language.text(parts);
                    return [written, remarks.join(" "), language.text(language.read(written).parts)];
                });
            }""",
            [FIELDS, WORDS, texts],
        )
        return found

    yield reading
    page.close()


def test_each_form_is_read_and_what_is_written_is_read_the_same(read: Read) -> None:
    found = read(list(READ))
    assert {typed: written for typed, (written, _, _) in zip(READ, found, strict=True)} == READ
    assert {typed: again for typed, (_, _, again) in zip(READ, found, strict=True)} == READ
    assert {remarks for _, remarks, _ in found} == {""}


def test_what_is_malformed_is_read_as_far_as_it_goes_and_said(read: Read) -> None:
    found = read(list(REMARKED))
    for (typed, (wanted, said)), (written, remarks, _) in zip(REMARKED.items(), found, strict=True):
        assert (typed, written) == (typed, wanted)
        assert said in remarks, typed


def test_a_search_of_any_length_is_cut_and_said(read: Read) -> None:
    for _, remarks, _ in read([*HUGE[:-3], *HUGE[-1:]]):
        assert "only its first 10,000 characters" in remarks or "only the first 300" in remarks
    assert "too many terms" in read(["a " * 400])[0][1]
