"""The rules that ship: sound, tested, and worded so that a reader knows what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from scanner import resources
from scanner.engine import rule, selftest
from scanner.engine.evaluate import compiled
from scanner.engine.given import NOW

FILES = sorted(resources.rules().rglob("*.yaml"))
RULES = rule.load([resources.rules()])
SCHEMA = json.loads((resources.reports() / "schema" / "rule-1.0.json").read_text(encoding="utf-8"))
FIRST_LINE = "# yaml-language-server: $schema=../../reports/schema/rule-1.0.json"


def named(path: Path) -> str:
    return path.stem


def test_every_file_is_a_rule() -> None:
    assert [each.info.id for each in RULES] == sorted(path.stem for path in FILES)


def test_the_tests_inside_the_rules_agree() -> None:
    assert selftest.run(RULES) == []


@pytest.mark.parametrize("path", FILES, ids=named)
def test_an_editor_finds_no_fault(path: Path) -> None:
    content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))

    Draft202012Validator(SCHEMA).validate(content)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_an_editor_finds_the_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]

    assert first == FIRST_LINE
    assert (path.parent / first.partition("$schema=")[2]).resolve().name == "rule-1.0.json"


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.info.id)
def test_what_can_be_unknown_is_tested_as_unknown(each: rule.Rule) -> None:
    assert "unknown" in {example.expect for example in each.examples}


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.info.id)
def test_references_are_pages_of_those_who_decide(each: rule.Rule) -> None:
    assert any(reference.startswith("https://docs.aws.amazon.com/") for reference in each.info.references)


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.info.id)
def test_remediation_names_the_command(each: rule.Rule) -> None:
    assert "aws chime-sdk-messaging update-channel-flow --channel-flow-arn" in each.info.remediation


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.info.id)
def test_what_passes_does_so_without_the_slow_form(each: rule.Rule) -> None:
    for example in each.examples:
        if example.expect == "pass":
            assert compiled(selftest.given(each, example), NOW).passes(example.given, example.given)


def test_the_availability_profile_is_not_on_by_default() -> None:
    chosen = {each.info.id for each in rule.select(RULES, [])}

    assert chosen == {each.info.id for each in RULES} - {"last-processor-fails-closed"}


def test_rules_about_lists_alone_need_no_calls_of_their_own() -> None:
    assert frozenset().union(*(each.facets for each in RULES)) == frozenset()
