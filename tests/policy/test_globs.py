from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from scanner.policy.globs import MANY, ONE, iam_glob, matches, matches_all, representatives

PATTERNS = st.text("ab*?", max_size=5)
TEXTS = ["".join(letters) for length in range(7) for letters in product("abz", repeat=length)]


def reference(pattern: str, text: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("*", "a:b/c\n", True),
        ("?", "", False),
        ("a*c", "abbc", True),
        ("a*c", "abcb", False),
        ("a*b*c", "abcbc", True),
        ("a?c", "abc", True),
        ("[ab]", "a", False),
        (".*", "a", False),
        ("\\*", "\\anything", True),
        ("A", "a", False),
    ],
)
def test_wildcards_of_iam(pattern: str, text: str, expected: bool) -> None:
    assert matches(iam_glob(pattern), text) is expected


@given(PATTERNS, st.text("abz*?", max_size=8))
def test_matching_is_that_of_a_regular_expression(pattern: str, text: str) -> None:
    assert matches(iam_glob(pattern), text) is reference(pattern, text)


def test_a_text_is_the_glob_of_itself_even_if_it_holds_asterisks() -> None:
    assert matches("a*?", "a*?")
    assert not matches("a*?", "abc")


@pytest.mark.parametrize(
    ("glob", "texts", "expected"),
    [
        (f"a{MANY}", f"ab{MANY}", True),
        (f"ab{MANY}", f"a{MANY}", UNSET),
        (f"b{MANY}", f"a{MANY}", False),
        (f"{MANY}b", f"a{MANY}", UNSET),
        (MANY, f"a{ONE}", True),
        (f"{ONE}{MANY}", MANY, UNSET),
        (ONE * 3 + MANY, ONE * 2 + MANY, UNSET),
        ("a", "a", True),
    ],
)
def test_a_glob_may_match_all_some_or_none_of_the_texts_of_another(glob: str, texts: str, expected: object) -> None:
    assert matches_all(glob, texts) is expected


@given(PATTERNS, st.lists(PATTERNS, max_size=3))
def test_the_representatives_show_every_way_of_matching(domain: str, patterns: list[str]) -> None:
    found = representatives(iam_glob(domain), map(iam_glob, patterns))

    assert found is not None
    ways = {tuple(matches(iam_glob(pattern), text) for pattern in patterns) for text in found}
    expected = {tuple(reference(pattern, text) for pattern in patterns) for text in TEXTS if reference(domain, text)}
    assert all(matches(iam_glob(domain), text) for text in found)
    assert len(ways) == len(found)
    assert expected <= ways, "a text shows a way that none of the representatives shows"


def test_wildcards_of_the_domain_may_be_kept_from_a_character() -> None:
    domain, glob = f"a:{MANY}", f"{MANY}:{MANY}:{MANY}"

    assert representatives(domain, [glob]) == ("a:", "a::")
    assert representatives(domain, [glob], without=":") == ("a:",)


def test_patterns_with_too_many_ways_are_given_up() -> None:
    assert representatives(MANY, [iam_glob(f"*{a}*{b}*{a}*{b}*") for a in "abcdef" for b in "ghijkl"]) is None
