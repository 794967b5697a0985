"""scanner.declared.jsontext: the quick reader finds the same as the one that says what is wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.declared import jsontext
from scanner.model.yamltree import Listing, Mistakes, Node, Table, UnreadableError
from tests.declared.test_documents import VALUES


def carefully(text: str) -> tuple[Node | str, int]:
    mistakes = Mistakes("x")
    try:
        return jsontext._Reader(text, mistakes, 8).document(), len(mistakes.found)
    except UnreadableError as error:
        return f"{error.node} {error.message}", 0


def read(text: str) -> tuple[Node | str, int]:
    mistakes = Mistakes("x")
    try:
        return jsontext.parse(text, mistakes, 8), len(mistakes.found)
    except UnreadableError as error:
        return f"{error.node} {error.message}", 0


@settings(deadline=None, max_examples=60)
@given(VALUES, st.sampled_from([None, 1, "\t"]), st.booleans(), st.integers(0, 40), st.sampled_from(',}]"x\n/'))
def test_both_readers_agree_on_what_is_whole_and_what_is_damaged(
    value: Any, indent: int | str | None, ascii_only: bool, at: int, mark: str
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)

    assert read(text) == carefully(text)
    damaged = text[:at] + mark + text[at:]
    assert read(damaged) == carefully(damaged)


@pytest.mark.parametrize(
    "text", ["", " ", "{", '{"a"', '{"a":', '{"a":1,}', "[1,", "01", "truex", '{"a":1,"a":2}', "[" * 9]
)
def test_both_readers_agree_on_what_is_wrong(text: str) -> None:
    assert read(text) == carefully(text)


def test_only_what_is_wanted_of_certain_lists_is_read() -> None:
    text = '{"resources": [{"a": {"b": "}"}}, {"wanted": [{"c": 1}]}], "others": [{"a": 1}]}'

    root = jsontext.parse(text, Mistakes("x"), 8, re.compile("wanted"))

    whole, _ = carefully(text)
    assert isinstance(root, Table)
    assert isinstance(whole, Table)
    resources, listed = root.entries["resources"], whole.entries["resources"]
    assert isinstance(resources, Listing)
    assert isinstance(listed, Listing)
    assert isinstance(resources.items[0], Table)
    assert resources.items[0].entries == {}
    assert (resources.items[1], root.entries["others"]) == (listed.items[1], whole.entries["others"])
