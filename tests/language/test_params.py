"""scanner.language.params: parameters must fit where they are used, and a faulty one is reported once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.language.rule_files import PARAM, SOUND, messages


@pytest.mark.parametrize(
    ("param", "use", "message"),
    [
        ({"type": "list", "default": ["x"]}, {"in": {"param": "p"}}, "does not fit where"),
        ({"type": "string", "default": "x"}, {"equals": {"param": "p"}}, "does not fit where"),
        (
            {"type": "string", "default": "x"},
            {"in": {"param": "p"}},
            "found a parameter of type string; expected one of type list",
        ),
        ({"type": "integer", "default": 1}, {"equals": {"param": "p"}}, "expected one of type string"),
    ],
)
def test_a_parameter_must_fit_where_it_is_used(
    tmp_path: Path, param: dict[str, Any], use: dict[str, Any], message: str
) -> None:
    declared = {"p": {**param, "description": "x"}}

    found = messages(tmp_path, params=declared, require={"processors": {"each": {"fallback_action": use}}}, message="x")

    assert any(message in each_ for each_ in found), found


def test_a_parameter_used_as_a_regular_expression_must_be_valid(tmp_path: Path) -> None:
    declared = {"wanted": {**PARAM["wanted"], "default": "("}}

    found = messages(tmp_path, params=declared, require={"name": {"matches": {"param": "wanted"}}})

    assert any("expected a regular expression that RE2 takes" in each_ for each_ in found)


@pytest.mark.parametrize(
    "faulty",
    [{"default": 7}, {"type": "strng"}, {"description": ""}, {"default": ""}, {"more": "x"}, {"type": "list"}],
)
def test_the_use_of_a_faulty_parameter_is_no_further_mistake(tmp_path: Path, faulty: dict[str, Any]) -> None:
    declared = {"wanted": {**PARAM["wanted"], **faulty}}
    tests = [{**SOUND["tests"][0], "params": {"wanted": "x"}}, SOUND["tests"][1]]
    used = {"name": {"equals": {"param": "wanted"}}}

    found = messages(tmp_path, params=declared, require=used, severity="x", off_unless="wanted", tests=tests)

    assert len(found) == 2 - (faulty == {"default": ""}), found


def test_a_parameter_in_a_mistaken_condition_is_not_called_unused(tmp_path: Path) -> None:
    require = {"nam": "x", "name": {"equal": {"param": "wanted"}}}

    assert not any("unused" in each_ for each_ in messages(tmp_path, params=PARAM, require=require))
