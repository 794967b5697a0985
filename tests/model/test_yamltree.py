"""scanner.model.yamltree: a safe document, in which every value has a place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.model.yamltree import MAX_BYTES, Mistakes, Scalar, Table, parse, plain


def read(data: bytes | str) -> tuple[Table | None, list[str]]:
    mistakes = Mistakes("x.yaml")
    table = parse(data if isinstance(data, bytes) else data.encode(), mistakes)
    return table, [f"{each.line}:{each.column} {each.message}" for each in mistakes.found]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "1:1 found an empty file; expected a mapping that starts with id"),
        ("# nothing\n", "1:1 found an empty file; expected a mapping that starts with id"),
        ("- a\n- b\n", "1:1 found a list; expected a mapping that starts with id"),
        ("word\n", '1:1 found "word"; expected a mapping that starts with id'),
        ("a: 1\nb: 2\na: 3\n", '3:1 found "a" again, after line 1; expected it once'),
        ("a: &x 1\n", "1:4 found the anchor &x; expected no anchors"),
        ("a: *x\n", "1:4 found the alias *x; expected the value itself"),
        ("a: !!python/object:os.system x\n", "1:4 found the tag"),
        ("a: ! x\n", "1:4 found the tag"),
        ("? [a]\n: b\n", "1:3 found a list as a key; expected a word"),
        ("a: 1\n---\nb: 2\n", "2:1 found a second document; expected one a file"),
        ("a:\n\tb: 1\n", "2:1 found something that is not YAML"),
        ("a: [1, 2\n", "2:1 found something that is not YAML"),
        ("a: [1\nb: c: d\n", "found something that is not YAML"),
        ("a: \x07\n", "1:4 found the invisible character U+0007"),
        ("ab: 1\nc: 'x\u202ey'\n", "2:6 found the invisible character U+202E"),
        ("a: x\ry\n", "1:5 found the invisible character U+000D"),
        ("a: x\x85y\n", "1:5 found the invisible character U+0085"),
        (b"a: 1\nb: \xff\n", "2:4 found bytes that are not UTF-8; expected text"),
        (b"\xff\xfea", "1:1 found bytes that are not UTF-8; expected text"),
        ('a: {"b": 1, // no\n "c": 2}\n', '1:13 found "// no "c""; expected # before a comment'),
        ("a: {b: 1, /* no */ c: 2}\n", '1:11 found "/* no */ c"; expected # before a comment'),
        ("a: [1, // no\n 2]\n", '1:8 found "// no 2"; expected # before a comment'),
        ("a:\n- {b: true // no\n  }\n", '2:7 found "true // no"; expected # before a comment'),
        ('a: {b:"c", d: e}\n', '1:5 found "b:"c"" as a key without a value; expected a space after the colon'),
        ("a: " + "[" * 25 + "]" * 25, "found more than 20 levels of nesting"),
        ("[" * 100_000, "found more than 20 levels of nesting"),
        ("#" * (MAX_BYTES + 1), "1:1 found more than 256 KB; expected less"),
    ],
)
def test_what_is_not_one_plain_document_is_refused(text: bytes | str, mistake: str) -> None:
    _, mistakes = read(text)

    assert len(mistakes) == 1
    assert mistake in mistakes[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("True", "True"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"),
        (".inf", ".inf"),
        ('"12"', "12"),
        ("'true'", "true"),
        ('"\\u202e"', "\u202e"),
        ("1" * 5000, "1" * 5000),
    ],
)
def test_a_plain_word_means_what_it_looks_like(text: str, value: object) -> None:
    table, mistakes = read(f"a: {text}\n")

    assert not mistakes
    assert table is not None
    assert plain(table) == {"a": value}
    assert type(plain(table.entries["a"])) is type(value)


def test_leading_zeros_are_kept_in_the_text() -> None:
    table, _ = read("account: 012345678901\n")

    assert table is not None
    node = table.entries["account"]
    assert isinstance(node, Scalar)
    assert node.text == "012345678901"


@pytest.mark.parametrize("text", ["\ufeffa: 1\nb: 2\n", "a: 1\r\nb: 2\r\n", "---\na: 1\nb: 2\n...\n"])
def test_byte_order_mark_windows_line_ends_and_document_marks_are_accepted(text: str) -> None:
    table, mistakes = read(text)

    assert not mistakes
    assert table is not None
    assert plain(table) == {"a": 1, "b": 2}
    assert (table.keys["b"].line, table.keys["b"].column) == (3 if "---" in text else 2, 1)


def test_places_count_characters_not_bytes() -> None:
    table, _ = read("{é: 1, b: 2}\n")

    assert table is not None
    assert table.keys["b"].column == 8


@given(st.binary(max_size=200))
def test_any_bytes_give_a_table_or_a_mistake(data: bytes) -> None:
    table, mistakes = read(data)

    assert table is not None or mistakes


@given(st.text(alphabet=st.sampled_from("ab:-?[]{}&*!|>'\"%@`#, \n\t0~<"), max_size=60))
def test_any_punctuation_gives_a_table_or_a_mistake(text: str) -> None:
    table, mistakes = read(text)

    assert table is not None or mistakes


@pytest.mark.parametrize(
    "text",
    ["{b: c // d, e: //f.example, g: /*, h: /*/x/*/y}", "{Fn::GetAZs: }", '["// b", 1] # c', "b // c", "b:c"],
)
def test_what_only_looks_like_a_comment_or_a_key_of_another_dialect_is_text(text: str) -> None:
    table, mistakes = read(f"a: {text}\n")

    assert mistakes == []
    assert table is not None


def test_text_in_utf_16_is_read() -> None:
    table, mistakes = read("a: 1\n".encode("utf-16"))

    assert mistakes == []
    assert table is not None
    assert plain(table) == {"a": 1}
