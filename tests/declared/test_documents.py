"""scanner.declared.documents: JSON and YAML, in which every value has its place."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.declared.documents import MAX_BYTES, parse
from scanner.model.yamltree import Mistakes, Node, Table, plain


def read(data: bytes | str, *, only_json: bool = False) -> tuple[Node | None, list[str]]:
    mistakes = Mistakes("x")
    node = parse(data if isinstance(data, bytes) else data.encode(), mistakes, only_json=only_json)
    return node, [str(each) for each in mistakes.found]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(), VALUES), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_json_is_read_as_json_reads_it(value: Any, indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    node, mistakes = read(text)

    assert mistakes == []
    assert node is not None
    assert plain(node) == json.loads(text.decode())


def test_every_value_knows_its_place_whatever_stands_before_it() -> None:
    node, _ = read('\t{"a": "\\ud83d\\ude00\U0001f600",\r\n\t"b": [1,\n 22]}')

    assert isinstance(node, Table)
    assert (node.entries["b"].line, node.entries["b"].column) == (2, 7)
    assert node.keys["b"].column == 2
    assert [(item.line, item.column) for item in node.entries["b"].items] == [(2, 8), (3, 2)]  # type: ignore[attr-defined]  # it is a list


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029"])
def test_lines_are_those_of_editors(character: str) -> None:
    text = f"# one{character}#\r\n# two\na: 'x{character} y'\nb: [1, \U0001f600, "

    node, _ = read(f"{text}2]\n")
    _, mistakes = read(f"{text}*no]\n")
    _, torn = read(f"{text}\n")

    assert isinstance(node, Table)
    assert [(item.line, item.column) for item in node.entries["b"].items][2] == (4, 11)  # type: ignore[attr-defined]  # it is a list
    assert mistakes == ["x:4:11: found the alias *no; expected &no before it"]
    assert torn[0].startswith("x:5:1: found something that is not YAML")


def test_a_lone_surrogate_becomes_a_replacement_character() -> None:
    node, _ = read('{"a": "\\ud83d"}')

    assert node is not None
    assert plain(node) == {"a": "\N{REPLACEMENT CHARACTER}"}


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "x:1:1: found an empty file"),
        (" \n", "x:1:1: found an empty file"),
        (b"\xff\xfe{", "x:1:1: found bytes that are not UTF-8"),
        ('{"a": 1', "x:1:8: found the end of the file; expected , or }, as JSON has it"),
        ('{"a": "b', "x:1:7: found a text that does not end"),
        ('{"a": 1} 2', "x:1:10: found something after the end"),
        ('{"a": nil{', 'x:1:7: found "n"; expected a value'),
        ('{\n "a": 1,\n "a": 2}', 'x:3:2: found "a" again, after line 2'),
        ("a: 1\nb: 2\na: 3", 'x:3:1: found "a" again, after line 1'),
        ("a: 1\n---\nb: 1", "x:2:1: found a second document"),
        ("a: !Nope 1", 'x:1:4: found the tag "!Nope"'),
        ("a: !!python/object:os.system x", 'x:1:4: found the tag "tag:yaml.org,2002:python/object:os.system"'),
        ("a: *b", "x:1:4: found the alias *b"),
        ("a:\n\tb: 1", "x:2:1: found something that is not YAML"),
        ("[" * 100_000, "x:1:66: found more than 64 levels"),
        ("a: " + "[" * 500, "x:1:68: found more than 64 levels"),
        ("#" * (MAX_BYTES + 1), "x:1:1: found more than 10 MB"),
    ],
)
def test_an_invalid_document_is_a_mistake_with_its_place(text: bytes | str, mistake: str) -> None:
    node, mistakes = read(text)

    assert node is None
    assert len(mistakes) == 1
    assert mistakes[0].startswith(mistake)


NEARLY_JSON = {
    "slashes": ('{"a": 1, // b\n "c": 2}', "1:10: found a comment; expected a key in double quotes"),
    "star": ('{"a": /* b */ 1}', "1:7: found a comment; expected a value"),
    "hash": ('{"a": 1 # b\n}', "1:9: found a comment; expected , or }"),
    "first": ("// b\n{}", "1:1: found a comment; expected a value"),
    "last": ("{}\n/* b */", "2:1: found a comment after the end of the document; expected nothing"),
    "comma": ('{"a": 1,}', '1:9: found "}"; expected a key in double quotes'),
    "single quotes": ("{'a': 1}", '1:2: found "\'"; expected a key in double quotes'),
    "no quotes": ("{a: 1}", '1:2: found "a"; expected a key in double quotes'),
    "not a number": ('{"a": NaN}', '1:7: found "N"; expected a value'),
    "lines": ('{"a": 1}\n{"a": 2}', "2:1: found something after the end of the document; expected nothing"),
    "YAML": ("a: 1", '1:1: found "a"; expected a value'),
}


@pytest.mark.parametrize(("text", "mistake"), NEARLY_JSON.values(), ids=NEARLY_JSON)
def test_what_may_only_be_json_is_not_read_as_anything_else(text: str, mistake: str) -> None:
    node, mistakes = read(text, only_json=True)

    assert node is None
    assert mistakes == [f"x:{mistake}, as JSON has it"]


@pytest.mark.parametrize("which", ["slashes", "star", "first", "last", "lines"])
def test_members_of_nearly_json_that_yaml_would_lose_are_a_mistake(which: str) -> None:
    text, mistake = NEARLY_JSON[which]

    node, mistakes = read(text)

    assert node is None
    assert mistakes == [f"x:{mistake}, as JSON has it"]


@pytest.mark.parametrize("text", ["{'a': 1, # b\n 'c': 2,}", "{a: 1, c: 2}"])
def test_yaml_may_begin_with_a_brace(text: str) -> None:
    node, mistakes = read(text)

    assert mistakes == []
    assert node is not None
    assert plain(node) == {"a": 1, "c": 2}


def test_nesting_that_exceeds_yamls_own_limit_is_reported_as_nesting() -> None:
    node, mistakes = read("a: " + "[" * 100_000)

    assert node is None
    (mistake,) = mistakes
    assert mistake.endswith("found more than 64 levels of nesting; expected fewer")


def test_short_forms_become_long_forms() -> None:
    text = "a: !Ref b\nc: !GetAtt d.e.f\ng: !Sub ['${h}', {h: !If [i, j, !Ref 'AWS::NoValue']}]\nk: !Equals [1, '1']\n"
    node, mistakes = read(text)

    assert mistakes == []
    assert node is not None
    assert plain(node) == {
        "a": {"Ref": "b"},
        "c": {"Fn::GetAtt": ["d", "e.f"]},
        "g": {"Fn::Sub": ["${h}", {"h": {"Fn::If": ["i", "j", {"Ref": "AWS::NoValue"}]}}]},
        "k": {"Fn::Equals": [1, "1"]},
    }


def test_aliases_and_merged_mappings_are_expanded() -> None:
    node, mistakes = read("a: &x {b: 1, c: 2}\nd: *x\ne: {<<: *x, c: 3}\n")

    assert mistakes == []
    assert node is not None
    assert plain(node) == {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 2}, "e": {"b": 1, "c": 3}}


def test_aliases_of_aliases_do_not_explode() -> None:
    names = "abcdefghij"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in pairwise(names)]

    _, mistakes = read("\n".join(lines))

    assert len(mistakes) == 1
    assert "stand for too much" in mistakes[0]


@pytest.mark.parametrize("use", ["  - *a", "  - <<: *a"])
def test_many_aliases_of_something_large_do_not_explode(use: str) -> None:
    large = "".join(f"  k{number}: 1\n" for number in range(2_000))

    _, few = read(f"a: &a\n{large}b:\n" + f"{use}\n" * 400)
    _, many = read(f"a: &a\n{large}b:\n" + f"{use}\n" * 600)

    assert few == []
    assert len(many) == 1
    assert "stand for too much" in many[0]


def test_a_long_chain_of_aliases_is_too_deep() -> None:
    lines = ["a0: &a0 [x]", *(f"a{number}: &a{number} [*a{number - 1}]" for number in range(1, 3_000))]

    _, mistakes = read("\n".join(lines))

    assert len(mistakes) == 1
    assert "stand for too much" in mistakes[0]
