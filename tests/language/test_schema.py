"""scanner.language.schema: the schema file in the repository is the one that the types give."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from scanner import resources
from scanner.language import schema
from tests.language.rule_files import SOUND
from tests.language.strategies import CONDITIONS

VALIDATOR = Draft202012Validator(schema.rule_schema())


def test_the_schema_file_is_up_to_date() -> None:
    path = resources.reports() / "schema" / "rule-1.1.json"

    assert path.read_text(encoding="utf-8") == schema.render()


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json.loads(schema.render()))


def test_the_schema_describes_every_field_and_operator() -> None:
    mute = [
        f"{name}.{key}"
        for name, definition in schema.rule_schema()["$defs"].items()
        for key, each in definition.get("properties", {}).items()
        if not each.get("description") and name not in ("Reference", "Parameter")
    ]

    assert mute == []


@settings(max_examples=60, deadline=None)
@given(CONDITIONS)
def test_the_schema_accepts_every_condition_that_the_loader_accepts(written: dict[str, Any]) -> None:
    VALIDATOR.validate({**SOUND, "require": written})


@pytest.mark.parametrize(
    "changes",
    [
        {"severity": "severe"},
        {"require": {"nam": "x"}},
        {"require": {"name": {"equal": "x"}}},
        {"require": {"processors": {"each": {"fallback_action": "CONTINU"}}}},
        {"tests": [{"name": "x", "given": {"nam": "x"}, "expect": "pass"}] * 2},
        {"resource": "app_instance", "require": {"processors": {"count": 1}}},
        {"require": {"processors": {"where": {"name": "x"}}}},
        {"require": {"processors": {"where": {"name": "x"}, "last": {"name": "y"}}}},
        {"require": {"processors": {"each": {"when": {"name": "x"}}}}},
        {"params": {"x": {"type": "integer", "default": "1", "description": "x"}}},
        {"params": {"x": {"type": "list", "default": "1", "description": "x"}}},
        {"evidence": ["nam"]},
        {"surplus": 1},
    ],
)
def test_an_editor_sees_the_common_mistakes(changes: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid({**SOUND, **changes})
