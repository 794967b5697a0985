"""scanner.render.text: hidden characters become visible, and nothing else changes."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.render.text import segments, visible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("moderation", "moderation"),
        ("Gästechat 日本 ✓ \ufffd", "Gästechat 日本 ✓ \ufffd"),
        ("a\u202eb", "a\\u202eb"),
        ("line\nbreak\ttab\x1b[31m", "line\\u000abreak\\u0009tab\\u001b[31m"),
        ("\u2028\u2029\u200b\ufeff", "\\u2028\\u2029\\u200b\\ufeff"),
        ("no\u00a0break", "no\\u00a0break"),
        ("\u3164\u2800\ufe0f", "\\u3164\\u2800\\ufe0f"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("back\\slash", "back\\slash"),
    ],
)
def test_hidden_characters_are_spelled_out(text: str, expected: str) -> None:
    assert visible(text) == expected


@given(st.text())
def test_the_result_is_one_printable_line(text: str) -> None:
    shown = visible(text)
    assert all(unicodedata.category(char)[0] != "C" for char in shown)
    assert len(shown.splitlines()) <= 1
    assert visible(shown) == shown


@given(st.text())
def test_segments_say_which_pieces_are_escapes(text: str) -> None:
    pieces = list(segments(text))
    assert "".join(piece for piece, _ in pieces) == visible(text)
    assert all(piece.startswith("\\") for piece, hidden in pieces if hidden)
