"""The manual of the rule language: it is what the command prints, it is whole, and its examples are true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from scanner.judge import selftest
from scanner.judge.evaluate import compiled
from scanner.language import header, manual
from scanner.language.examples import NOW
from scanner.language.manual import Recipe
from scanner.language.operators import NEGATIVES, OPERATORS
from scanner.language.schema import QUANTIFIERS, rule_schema
from scanner.language.vocabulary import ROOTS, paths
from tests.language.rule_files import SOUND, loaded

PAGE = Path(__file__).parents[2] / "docs" / "rule-language.md"


def test_the_page_is_what_the_command_prints() -> None:
    assert PAGE.read_text(encoding="utf-8") == manual.markdown()


def test_it_names_every_key_field_and_operator() -> None:
    text = manual.markdown()

    named = [
        *header.KEYS,
        *OPERATORS,
        *NEGATIVES,
        *QUANTIFIERS,
        *(path for root in ROOTS.values() for path in paths(root.type)),
    ]
    assert [name for name in named if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("name", [*OPERATORS, *NEGATIVES])
def test_the_example_of_each_operator_is_true(name: str, tmp_path: Path) -> None:
    sample = manual.samples().operators[name]
    tests = [
        {"name": "passes", "given": sample.passes, "expect": "pass"},
        {"name": "fails", "given": sample.fails, "expect": "fail"},
        {"name": "unknown", "given": dict.fromkeys(sample.passes, "unknown"), "expect": "unknown"},
    ]
    known = [test for test in tests if test["expect"] != "unknown" or "region" not in sample.passes]

    text = _yaml({"require": sample.require, "tests": known, "message": "{name}"})
    rule = loaded(tmp_path, text=text)

    assert name in str(sample.require) or name == "equals"
    assert selftest.run([rule]) == []


# A field of each kind that can be null, with facts in which it is, and in which it is unknown.
_NULLS: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("lambda.qualifier", {"qualifier": None}),
    "integer": ("lambda.function.reserved_concurrency", {"function": {"reserved_concurrency": None}}),
    "time": ("lambda.function.runtime_deprecated_at", {"function": {"runtime": None}}),
}
_OPERANDS: dict[str, object] = {
    "list": ["1"],
    "boolean": False,
    "duration": "1d",
    "days": 1,
    "wildcards": "*",
    "pattern": "",
}


@pytest.mark.parametrize("name", [name for name in (*OPERATORS, *NEGATIVES) if name != "has_keys"])  # no tags are null
def test_what_the_manual_says_of_null_and_unknown_is_so(name: str, tmp_path: Path) -> None:
    operator = OPERATORS[NEGATIVES.get(name, name)]
    kind = next(kind for kind in _NULLS if kind in operator.kinds)
    field, null = _NULLS[kind]
    operand = _OPERANDS.get(operator.operand, 1 if kind == "integer" else "1")
    given = [{"processors": [{"lambda": null}]}, {"processors": [{"lambda": "unknown"}]}]
    tests = [
        {"name": f"{number} {expect}", "given": each, "expect": expect}
        for number, each in enumerate(given)
        for expect in ("pass", "fail", "unknown")
    ]
    changes = {"require": {"processors": {"each": {field: {name: operand}}}}, "tests": tests, "message": "{name}"}
    rule = loaded(tmp_path, text=_yaml(changes))

    on_null, on_unknown = (compiled(rule, NOW).verdict(rule.examples[index].given)[0] for index in (0, 3))

    row = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{name}` | "))
    said = row.split(" | ")[4]
    assert (on_null, on_unknown) == ("pass" if said in ("holds", "`exists: false` holds") else "fail", "unknown")


@pytest.mark.parametrize(
    "block", re.findall("```yaml\n(.*?)```", manual.markdown().partition("## Recipes")[0], re.DOTALL)
)
def test_every_other_example_is_a_part_of_a_rule(block: str, tmp_path: Path) -> None:
    assert loaded(tmp_path, text=_yaml({**yaml.safe_load(block), "message": "{name}"})).info.id == "sound"


@pytest.mark.parametrize("recipe", manual.samples().recipes, ids=lambda recipe: recipe.title)
def test_each_recipe_is_a_rule_that_passes_and_fails_as_it_says(recipe: Recipe, tmp_path: Path) -> None:
    rule = loaded(tmp_path, text=_yaml(recipe.rule))

    assert selftest.run([rule]) == []


def test_there_are_ten_recipes_and_an_example_for_every_operator() -> None:
    assert len(manual.samples().recipes) == 10
    assert manual.samples().operators.keys() == {*OPERATORS, *NEGATIVES}


def test_an_editor_shows_what_the_manual_says_of_a_field() -> None:
    shown = rule_schema()["$defs"]["ProcessorCondition"]["properties"]
    qualifier = paths(ROOTS["channel_flow"].type)["tags"]

    assert shown["lambda.qualifier"]["description"].endswith("It can be null.")
    assert qualifier.about == "Its tags, by key. Unknown where a call is refused or fails. Facet: tags."


def _yaml(changes: dict[str, Any]) -> str:
    # as an author writes it: the word unknown without quotes
    text: str = yaml.safe_dump({**SOUND, **msgspec.to_builtins(changes)}, sort_keys=False)
    return text
