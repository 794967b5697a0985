"""scanner.language.checks: regular expressions by RE2 take linear time, and the fast form is never wrong."""

from __future__ import annotations

import pytest
import re2  # type: ignore[import-untyped]  # google-re2 ships no types
from hypothesis import given
from hypothesis import strategies as st

from scanner.language.checks import PatternError, search


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("b", "abc", True),
        ("^b", "abc", False),
        ("", "", True),
        (r"\p{Cf}", "a\u202eb", True),
        (r"(?i)ABC", "xabcx", True),
        ("a{1000}", "a" * 1000, True),
        ("é.$", "x éé", True),
    ],
)
def test_a_pattern_is_searched_for_anywhere(pattern: str, text: str, found: bool) -> None:
    assert search(pattern)(text) is found


@pytest.mark.parametrize("pattern", ["(", "a{2000}", "(?=x)", r"\1", "[b-a]", "*"])
def test_a_pattern_that_re2_rejects_raises_and_prints_nothing(pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PatternError):
        search(pattern)

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("text", ["abc", "xyz"])
def test_a_fast_form_that_runs_out_of_memory_is_noticed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(re2.Set, "Match", lambda *_: None)

    assert search("b")(text) is (text == "abc")


def test_a_pattern_that_the_fast_form_does_not_take_is_searched_for_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: object) -> None:
        raise re2.error("failed to compile Set")

    monkeypatch.setattr(re2.Set, "Compile", refuse)

    assert search("b")("abc") is True


def test_backtracking_patterns_are_fast() -> None:
    assert search("(a+)+$")("a" * 50_000 + "b") is False


@given(st.text())
def test_any_text_can_be_searched(text: str) -> None:
    assert search("")(text.encode(errors="ignore").decode()) is True
