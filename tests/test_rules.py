"""The shipped rules are valid, tested, and tell readers what to do."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore import xform_name
from botocore.session import Session
from jsonschema import Draft202012Validator

from scanner import resources
from scanner.judge import selftest
from scanner.judge.evaluate import Evaluation, compiled
from scanner.language import healthy, rule, selection
from scanner.language.examples import NOW
from scanner.language.frameworks import shipped
from scanner.language.vocabulary import ROOTS, Resource, Root
from scanner.model.facts import ChannelFlow, Function, LambdaFunction

FILES = sorted(resources.rules().rglob("*.yaml"))
RULES = rule.load([resources.rules()])
SCHEMA = json.loads((resources.reports() / "schema" / "rule-1.1.json").read_text(encoding="utf-8"))
MODELS = Session()
OF_THE_CLI = {"query", "region"}
MADE_BY_THE_CLI = {"client-request-token"}
FIRST_LINE = "# yaml-language-server: $schema=../../reports/schema/rule-1.1.json"


def named(path: Path) -> str:
    return path.stem


def test_every_file_is_a_rule() -> None:
    assert [each.info.id for each in RULES] == sorted(path.stem for path in FILES)


def test_titles_are_short_and_say_what_was_found() -> None:
    """So a title fits on a line of a table, and follows "Could not tell whether"."""
    titles = [each.info.title for each in RULES]

    assert [title for title in titles if len(title) >= 60 or title != title.strip(" .")] == []
    assert len(set(titles)) == len(titles)


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
    assert (path.parent / first.partition("$schema=")[2]).resolve().name == "rule-1.1.json"


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.info.id)
def test_what_can_be_unknown_is_tested_as_unknown(each: rule.Rule) -> None:
    assert "unknown" in {example.expect for example in each.examples}


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.info.id)
def test_every_rule_has_a_page_of_aws_as_reference(each: rule.Rule) -> None:
    assert any(reference.startswith("https://docs.aws.amazon.com/") for reference in each.info.references)


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.info.id)
def test_remediation_gives_commands_that_the_aws_cli_knows(each: rule.Rule) -> None:
    commands = list(commands_of(each.info.remediation))

    assert commands
    for service, operation, options in commands:
        model = MODELS.get_service_model(service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        shape = model.operation_model(names[operation]).input_shape
        assert shape is not None
        required = {xform_name(name, "-") for name in shape.required_members}
        assert set(options) <= {xform_name(name, "-") for name in shape.members} | OF_THE_CLI
        assert required - MADE_BY_THE_CLI <= set(options)


def commands_of(remediation: str) -> Iterator[tuple[str, str, list[str]]]:
    """The service, operation and options of each command, split as by a shell."""
    for line in remediation.replace("\\\n", " ").splitlines():
        if line.startswith("aws "):
            _, service, operation, *words = shlex.split(line)
            yield service, operation, [word.removeprefix("--") for word in words if word.startswith("--")]


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.info.id)
def test_passing_verdicts_need_only_the_fast_form(each: rule.Rule) -> None:
    for example in each.examples:
        if example.expect == "pass" and not missing(example.given):
            assert compiled(selftest.given(each, example), NOW).passes(example.given, example.given)


def missing(resource: Resource) -> bool:
    """Whether a function of the resource does not exist."""
    processors = resource.processors if isinstance(resource, ChannelFlow) else ()
    assert isinstance(processors, tuple)
    functions = [each.lambda_.function for each in processors if isinstance(each.lambda_, LambdaFunction)]
    return any(isinstance(function, Function) and not function.exists for function in functions)


def test_a_function_that_does_not_exist_fails_one_rule_alone() -> None:
    example = next(
        example
        for each in RULES
        if each.info.id == "missing-lambda"
        for example in each.examples
        if example.name == "the function does not exist"
    )

    findings = Evaluation(selection.select(RULES, []), NOW).judge(example.given).findings

    assert [finding.rule_id for finding in findings] == ["missing-lambda"]


@pytest.mark.parametrize("root", ROOTS.values(), ids=lambda root: root.name)
def test_healthy_resources_pass_every_rule(root: Root) -> None:
    judged = [each for each in RULES if each.info.id != "last-processor-fails-closed"]

    assert Evaluation(judged, NOW).judge(healthy.resource(root, {})).findings == []


def test_it_is_said_of_each_control_what_of_it_rules_support() -> None:
    claimed = {
        (framework, control)
        for each in RULES
        for framework, controls in each.info.frameworks.items()
        for control in controls
    }

    assert {(name, control) for name, each in shipped().items() for control in each.controls} == claimed
    assert all(said.strip() for each in shipped().values() for said in each.controls.values())


def test_the_other_profiles_are_not_on_by_default() -> None:
    chosen = {each.info.id for each in selection.select(RULES, [])}

    assert chosen == {each.info.id for each in RULES} - {
        each.info.id for each in RULES if "default" not in each.info.profiles
    }


def test_rules_that_are_off_until_a_parameter_is_given_ask_for_nothing() -> None:
    off = {each.info.id: each for each in RULES if each.off}

    assert set(off) == {"missing-required-tags", "flow-name-convention", "stale-channel-flow"}
    assert rule.facets(RULES) == {"function", "callback_role", "channels", "alerts", "all_channels", "chat_roles"}
    on = rule.configured(off["missing-required-tags"], settings={"required_tags": ("owner",)})
    assert rule.facets([on]) == {"tags"}


@pytest.mark.parametrize("topic", ["fallback", "structure"])
def test_rules_about_the_list_of_flows_ask_for_nothing_but_the_list(topic: str) -> None:
    about = [each for each in RULES if each.info.topic == topic and each.info.id != "delivered-unprocessed-now"]

    assert rule.facets(about) == frozenset()
