"""scanner.declared.worlds: a flow is read in every world that its template allows, and in no other.

The reference is slow and plain: it goes through all values of all parameters, and evaluates conditions and values anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from scanner.declared.documents import parse
from scanner.declared.requests import Home
from scanner.declared.template import Template
from scanner.declared.worlds import MOST
from scanner.model.branches import Case, Cases, Given
from scanner.model.facts import ChannelFlow
from scanner.model.yamltree import Mistakes, Table
from tests.declared.checking import Check, findings, processor, request

ALLOWED: dict[str, dict[str, Any]] = {
    "Env": {"Type": "String", "AllowedValues": ["dev", "test", "prod"], "Default": "dev"},
    "Fallback": {"Type": "String", "AllowedValues": ["ABORT", "CONTINUE"]},
    "On": {"Type": "String", "AllowedValues": ["true", "false"]},
}
PARAMETERS = {
    **ALLOWED,
    "Stage": {"Type": "String", "Default": "one"},
    "Free": {"Type": "String"},
    "Short": {"Type": "String", "MaxLength": 4},
}
WORDS = ("dev", "prod", "one", "two", "seven", "true", "ABORT")
MAP = {"dev": {"ABORT": "CONTINUE", "CONTINUE": "ABORT"}, "one": {"ABORT": "ABORT"}, "prod": {"CONTINUE": "CONTINUE"}}
ELSE = "otherwise"
"""Stands for all values that no template of these tests names."""
OPEN = "last-processor-fails-open"
World = Mapping[str, str]


class _CannotBeDeployedError(Exception):
    pass


def refs() -> st.SearchStrategy[Any]:
    return st.sampled_from(sorted(PARAMETERS)).map(lambda name: {"Ref": name})


def texts() -> st.SearchStrategy[Any]:
    composite = st.sampled_from(sorted(ALLOWED)).map(lambda name: {"Fn::Sub": f"${{{name}}}-x"})
    return st.sampled_from(WORDS) | st.sampled_from(["dev-x", "false-x"]) | refs() | composite


def conditions(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Conditions that may refer to those of these names."""
    equals = st.tuples(texts(), texts()).filter(_has_single_hole).map(lambda pair: {"Fn::Equals": list(pair)})
    leaves = equals | st.sampled_from(names).map(lambda name: {"Condition": name}) if names else equals
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, min_size=2, max_size=3).map(lambda each: {"Fn::And": each})
            | st.lists(inner, min_size=2, max_size=3).map(lambda each: {"Fn::Or": each})
            | inner.map(lambda each: {"Fn::Not": [each]})
        ),
        max_leaves=4,
    )


def _has_single_hole(pair: tuple[Any, Any]) -> bool:
    """Whether at most one side has a value without limits: two such are compared as a whole, which is tested below."""
    open_ = [each for each in pair if isinstance(each, dict) and each.get("Ref") in PARAMETERS.keys() - ALLOWED.keys()]
    return len(open_) < 2


def values(names: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Fallback actions that hang on parameters, conditions of these names, and the map."""
    leaves = st.sampled_from(["ABORT", "CONTINUE"]) | st.just({"Ref": "Fallback"})
    keys = st.sampled_from(["dev", "nowhere"]) | st.sampled_from(["Env", "Stage", "Free"]).map(
        lambda each: {"Ref": each}
    )
    found = st.tuples(keys, leaves, st.sampled_from([None, "ABORT", "CONTINUE"])).map(
        lambda each: {"Fn::FindInMap": ["Map", *each[:2], *([{"DefaultValue": each[2]}] if each[2] else [])]}
    )
    return st.recursive(
        leaves | found,
        lambda inner: st.tuples(st.sampled_from(names), inner, inner).map(lambda each: {"Fn::If": list(each)}),
        max_leaves=4,
    )


@st.composite
def templates(draw: st.DrawFn) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for name in ("A", "B", "C"):
        named[name] = draw(conditions(tuple(named)))
    flow = {
        "Type": "AWS::Chime::ChannelFlow",
        "Properties": request(processor(FallbackAction=draw(values(tuple(named))))),
    }
    if draw(st.booleans()):
        flow["Condition"] = draw(st.sampled_from(sorted(named)))
    return {"Parameters": PARAMETERS, "Mappings": {"Map": MAP}, "Conditions": named, "Resources": {"Flow": flow}}


def worlds(template: dict[str, Any]) -> Iterator[World]:
    """All values of all parameters, as far as the template can tell them apart."""
    written = json.dumps(template["Conditions"])
    longer = [
        f"{value}-x" for name, own in ALLOWED.items() if f"${{{name}}}-x" in written for value in own["AllowedValues"]
    ]
    longer += [each for each in ("dev-x", "false-x") if each in written]
    open_ = list(dict.fromkeys((*WORDS, *longer, ELSE)))
    domains = {name: declared.get("AllowedValues") or open_ for name, declared in PARAMETERS.items()}
    domains["Short"] = [each for each in domains["Short"] if len(each) <= 4] + ["else"]
    for combination in product(*domains.values()):
        yield dict(zip(domains, combination, strict=True))


def text(value: Any, world: World) -> str:
    match value:
        case {"Ref": name}:
            return world[name]
        case {"Fn::Sub": template}:
            name = template[2 : template.index("}")]
            return world[name] + "-x"
    return str(value)


def holds(condition: Any, template: dict[str, Any], world: World) -> bool:
    ((function, argument),) = condition.items()
    match function:
        case "Fn::Equals":
            return text(argument[0], world) == text(argument[1], world)
        case "Fn::And":
            return all(holds(each, template, world) for each in argument)
        case "Fn::Or":
            return any(holds(each, template, world) for each in argument)
        case "Fn::Not":
            return not holds(argument[0], template, world)
    return holds(template["Conditions"][argument], template, world)


def fallback(value: Any, template: dict[str, Any], world: World) -> str:
    match value:
        case {"Fn::If": [name, yes, no]}:
            return fallback(yes if holds({"Condition": name}, template, world) else no, template, world)
        case {"Fn::FindInMap": [_, first, second, *default]}:
            found = MAP.get(text(first, world), {}).get(text(second, world))
            if found is None and not default:
                raise _CannotBeDeployedError
            return found or str(default[0]["DefaultValue"])
    return text(value, world)


def expected(template: dict[str, Any], world: World) -> str | None:
    """The fallback action of the flow in a world; None if it is not made."""
    flow = template["Resources"]["Flow"]
    if "Condition" in flow and not holds({"Condition": flow["Condition"]}, template, world):
        return None
    return fallback(flow["Properties"]["Processors"][0]["FallbackAction"], template, world)


def read(template: dict[str, Any]) -> Cases[ChannelFlow]:
    mistakes = Mistakes("t")
    root = parse(json.dumps(template).encode(), mistakes)
    assert isinstance(root, Table)
    groups = list(Template(root, "t", Home(), mistakes).groups())
    found = [flow for _, flows in groups for flow in flows]
    assert not mistakes.found
    return found[0] if found else ()


def seen(case: Case[ChannelFlow]) -> Any:
    if case.resource is None:
        return None
    assert isinstance(case.resource.processors, tuple)
    return case.resource.processors[0].fallback_action


def is_in(world: World, given: Given) -> bool:
    return all(
        world[name] not in limit.others if limit.value is None else world[name] == limit.value
        for name, limit in given.items()
    )


@settings(max_examples=40, deadline=None)
@example(
    {
        "Parameters": PARAMETERS,
        "Mappings": {"Map": MAP},
        "Conditions": {"A": {"Fn::Equals": ["dev-x", {"Ref": "Free"}]}},
        "Resources": {
            "Flow": {
                "Type": "AWS::Chime::ChannelFlow",
                "Properties": request(
                    processor(FallbackAction={"Fn::If": ["A", "ABORT", {"Fn::FindInMap": ["Map", "nowhere", "ABORT"]}]})
                ),
            }
        },
    }
)
@given(templates())
def test_every_world_is_in_the_one_case_that_says_what_a_plain_evaluation_says(template: dict[str, Any]) -> None:
    cases = read(template)
    certain = [case for case in cases if seen(case) is not UNSET]

    possible = 0
    for world in worlds(template):
        own = [case for case in certain if is_in(world, case.given)]
        try:
            wanted = expected(template, world)
        except _CannotBeDeployedError:
            assert not own
            continue
        if cases:
            possible += 1
            assert [seen(case) for case in own] == [wanted], world
        else:
            assert wanted is None
    assert possible or not certain


def template_of(action: Any, **sections: Any) -> dict[str, Any]:
    flow = {"Type": "AWS::Chime::ChannelFlow", "Properties": request(processor(FallbackAction=action))}
    return {"Resources": {"Flow": flow}, **sections}


def test_two_open_values_may_be_equal_or_not(check: Check) -> None:
    parameters = {name: {"Type": "String"} for name in ("A", "B")}
    same = {"Same": {"Fn::Equals": [{"Ref": "A"}, {"Ref": "B"}]}}
    declared = template_of({"Fn::If": ["Same", "ABORT", "CONTINUE"]}, Parameters=parameters, Conditions=same)

    ended = check(t__json=declared)

    assert findings(ended)[OPEN]["message"].endswith(', if "${A} = ${B}" is not true')


def test_worlds_that_a_rule_of_the_template_refuses_are_not_judged(check: Check) -> None:
    parameters = {name: ALLOWED[name] for name in ("Env", "Fallback")}
    prod = {"Fn::Equals": [{"Ref": "Env"}, "prod"]}
    closed = [{"Assert": {"Fn::Contains": [["ABORT"], {"Ref": "Fallback"}]}, "AssertDescription": "d"}]
    always = {"Closed": {"Assertions": closed}}
    in_production = {"Closed": {"RuleCondition": prod, "Assertions": closed}}
    named = {"Fn::If": ["Prod", {"Ref": "Fallback"}, "ABORT"]}
    sections = {"Parameters": parameters, "Conditions": {"Prod": prod}}

    assert OPEN in findings(check(t__json=template_of({"Ref": "Fallback"}, **sections)))
    assert findings(check(t__json=template_of({"Ref": "Fallback"}, Rules=always, **sections))) == {}
    assert OPEN in findings(check(t__json=template_of({"Ref": "Fallback"}, Rules=in_production, **sections)))
    assert findings(check(t__json=template_of(named, Rules=in_production, **sections))) == {}


def test_a_flow_that_no_parameters_can_deploy_is_judged_as_far_as_it_is_written_out(check: Check) -> None:
    lost = {"Fn::FindInMap": ["Map", {"Ref": "Env"}, "nothing"]}
    declared = template_of(lost, Parameters={"Env": ALLOWED["Env"]}, Mappings={"Map": MAP})
    flow = {**declared["Resources"]["Flow"], "Condition": "Prod"}
    prod = {"Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}}

    ended = check(t__json=declared)
    never = check(t__json={**declared, "Resources": {"Flow": flow}, "Conditions": prod})

    assert findings(ended, "unknown").keys() == {OPEN}
    told = "t.json: Flow, with which no parameters can be deployed."
    assert told in never.report["coverage"]["not_examined"]


def test_very_many_values_are_bounded_and_told_in_few_words(check: Check) -> None:
    values = [f"v{number}" for number in range(600)]
    declared = template_of("CONTINUE", Parameters={"Size": {"Type": "String", "AllowedValues": values}})
    declared["Resources"]["Flow"]["Properties"]["Name"] = {"Ref": "Size"}
    keys = template_of(
        {"Fn::FindInMap": ["Map", {"Ref": "Key"}, "CONTINUE"]},
        Parameters={"Key": {"Type": "String"}},
        Mappings={"Map": {**{value: {"x": "ABORT"} for value in values}, **MAP}},
    )

    wide = check(t__json=declared)
    lost = check(t__json=keys)

    assert len(findings(wide)[OPEN]["message"]) < 2000
    assert OPEN in findings(lost, "unknown") or OPEN in findings(lost)


def test_a_parameter_that_is_not_its_default_is_not_taken_for_it(check: Check) -> None:
    declared = template_of("ABORT", Parameters={"Existing": {"Type": "String", "Default": ""}})
    declared["Conditions"] = {"New": {"Fn::Equals": [{"Ref": "Existing"}, ""]}}
    properties = declared["Resources"]["Flow"]["Properties"]
    properties["AppInstanceArn"] = {"Fn::If": ["New", properties["AppInstanceArn"], {"Ref": "Existing"}]}

    ended = check(t__json=declared)

    unknown = findings(ended, "unknown")["cross-account-lambda"]["message"]
    assert unknown.endswith(', if Existing is not ""')


@pytest.mark.parametrize(("made", "fails"), [("New", False), ("Old", True), (None, False)])
def test_an_app_instance_is_judged_by_the_flows_of_its_own_branches(
    check: Check, made: str | None, fails: bool
) -> None:
    chat = {"Type": "AWS::Chime::AppInstance", "Properties": {"Name": "chat"}, "Condition": "New"}
    own = {"Fn::If": ["New", {"Fn::GetAtt": ["Chat", "AppInstanceArn"]}, {"Ref": "Own"}]}
    declared = template_of("ABORT", Parameters={"Own": {"Type": "String", "Default": ""}})
    new = {"Fn::Equals": [{"Ref": "Own"}, ""]}
    declared["Conditions"] = {"New": new, "Old": {"Fn::Not": [new]}}
    flow = declared["Resources"]["Flow"]
    flow["Properties"]["AppInstanceArn"] = own
    declared["Resources"] = {"Chat": chat, "Flow": {**flow, **({"Condition": made} if made else {})}}

    ended = check(t__json=declared)

    assert "app-instance-without-flow" in {each["id"] for each in ended.report["rules"]}
    assert ("app-instance-without-flow" in findings(ended)) is fails


def test_only_what_a_judged_value_hangs_on_is_varied() -> None:
    many = {f"P{number}": {"Type": "String", "AllowedValues": ["a", "b"]} for number in range(40)}
    unused = {f"C{number}": {"Fn::Equals": [{"Ref": f"P{number}"}, "a"]} for number in range(40)}
    cases = read(template_of({"Fn::If": ["C7", "ABORT", "CONTINUE"]}, Parameters=many, Conditions=unused))

    assert [[*case.given] for case in cases] == [["P7"], ["P7"]]


def test_beyond_the_limit_a_failure_is_found_and_the_rest_is_unknown_and_said(check: Check) -> None:
    names = [f"P{number}" for number in range(9)]
    declared = template_of(
        {"Fn::If": ["First", "ABORT", "CONTINUE"]},
        Parameters={name: {"Type": "String", "AllowedValues": ["a", "b"]} for name in names},
        Conditions={"First": {"Fn::Equals": [{"Ref": "P0"}, "a"]}},
    )
    declared["Resources"]["Flow"]["Properties"]["Name"] = {"Fn::Join": ["-", [{"Ref": name} for name in names]]}
    other = {**declared, "Conditions": {"First": {"Fn::Equals": [{"Ref": "P0"}, "b"]}}}

    unknown = check(t__json=declared)
    failed = check(t__json=other)

    assert findings(unknown, "unknown").keys() == {OPEN, "deceptive-name"}
    told = f"t.json: all combinations of parameters that Flow hangs on; there are more than {MOST}."
    assert told in unknown.report["coverage"]["not_examined"]
    assert findings(failed)[OPEN]["message"].endswith(", if P0 is a")


def test_a_condition_on_the_region_is_judged_for_both_unless_the_region_is_given(check: Check) -> None:
    here = {"Here": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}}
    declared = template_of({"Fn::If": ["Here", "CONTINUE", "ABORT"]}, Conditions=here)

    either = check(t__json=declared)
    given_one = check("--region", "eu-central-1", t__json=declared)

    message = findings(either)[OPEN]["message"]
    assert message.endswith(", if AWS::Region is us-east-1")
    assert findings(given_one) == {}


def test_a_flow_of_more_processors_than_are_judged_is_refused_in_one_line_however_many_branches(check: Check) -> None:
    many = [processor(Name={"Fn::Sub": f"${{Env}}-{each}"}, ExecutionOrder=each) for each in range(1, 1_001)]
    flow = {"Type": "AWS::Chime::ChannelFlow", "Properties": request(*many)}
    parameters = {"Env": {"Type": "String", "AllowedValues": [f"v{each}" for each in range(200)]}}

    ended = check(t__json={"Parameters": parameters, "Resources": {"F": flow}})

    assert ended.code == 2
    assert "found 1,000 processors; expected at most 10, of which AWS takes 3" in ended.stderr
    assert any("there are more than" in each for each in ended.report["coverage"]["not_examined"])
