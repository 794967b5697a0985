"""Values that the templates of one run hand to each other; what none of them tells stays unknown, with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from tests.declared.checking import FUNCTION, Check, findings, processor, request, template

OPEN = "last-processor-fails-open"
IMPORTED = {"Fn::ImportValue": "shared-fallback"}
STORED = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/chat/fallback"}


def flow(action: Any, **changed: Any) -> dict[str, Any]:
    properties = {**request(processor(FallbackAction=action)), **changed}
    return {"Type": "AWS::Chime::ChannelFlow", "Properties": properties}


def exporting(value: Any, name: Any = "shared-fallback", **sections: Any) -> dict[str, Any]:
    outputs = {"Fallback": {"Value": value, "Export": {"Name": name}}}
    return {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": outputs, **sections}


def storing(value: Any, name: Any = "/chat/fallback", **attributes: Any) -> dict[str, Any]:
    own = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Name": name, "Value": value}}
    return template(Stored={**own, **attributes})


def nesting(file: str, parameters: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    properties = {"TemplateURL": file, **({} if parameters is None else {"Parameters": parameters})}
    return template(Nested={"Type": "AWS::CloudFormation::Stack", "Properties": properties}, **more)


def by_parameter(action: Any = None, **declared: Any) -> dict[str, Any]:
    parameters = {"Fallback": {"Type": "String", **declared}}
    return {**template(Flow=flow(action or {"Ref": "Fallback"})), "Parameters": parameters}


@pytest.mark.parametrize("value", ["CONTINUE", {"Fn::Sub": "${Word}"}, {"Fn::ImportValue": "first"}])
def test_an_import_has_the_value_that_another_template_exports(check: Check, value: Any) -> None:
    first = exporting("CONTINUE", name="first")
    base = exporting(value, Parameters={"Word": {"Type": "String", "AllowedValues": ["CONTINUE"]}})

    ended = check(z__json=first, base__json=base, flow__json=template(Flow=flow(IMPORTED)))

    assert ended.code == 1
    assert OPEN in findings(ended)


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({}, "exported by no file that is checked"),
        ({"a__json": exporting("ABORT", name="other")}, "exported by no file that is checked"),
        ({"a__json": exporting("ABORT"), "b__json": exporting("CONTINUE")}, "exported by a.json and b.json"),
        ({"a__json": exporting(IMPORTED)}, "exported by a.json"),
        ({"a__json": exporting({"Ref": "Word"}, Parameters={"Word": {"Type": "String"}})}, "${a.json#Word}"),
        (
            {"a__json": exporting({"Ref": "Word"}, Parameters={"Word": {"Type": "String", "Default": "ABORT"}})},
            "${a.json#Word}",
        ),
        ({"a__json": exporting("ABORT", name={"Fn::Sub": "${AWS::StackName}-x"})}, "exported by no file"),
    ],
)
def test_a_dead_end_is_unknown_with_its_reason(check: Check, others: dict[str, Any], reason: str) -> None:
    ended = check(**others, flow__json=template(Flow=flow(IMPORTED)))

    assert ended.code == 0
    assert reason in findings(ended, "unknown")[OPEN]["message"]


@pytest.mark.parametrize(
    "using",
    [
        {**template(Flow=flow({"Ref": "Own"})), "Parameters": {"Own": STORED}},
        template(Flow=flow("{{resolve:ssm:/chat/fallback}}")),
        template(Flow=flow({"Fn::Sub": "{{resolve:ssm:/chat/fallback}}"})),
    ],
)
def test_a_stored_parameter_has_the_value_that_another_template_writes(check: Check, using: dict[str, Any]) -> None:
    ended = check(store__json=storing("CONTINUE"), flow__json=using)
    twice = check(other__json=storing("ABORT"), store__json=storing("CONTINUE"), flow__json=using)
    maybe = check(
        "flow.json",
        "maybe.json",
        flow__json=using,
        maybe__json={
            **storing("ABORT", Condition="Here"),
            "Conditions": {"Here": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}},
        },
    )

    assert OPEN in findings(ended)
    assert "stored by other.json and store.json" in findings(twice, "unknown")[OPEN]["message"]
    assert "stored by maybe.json" in findings(maybe, "unknown")[OPEN]["message"]


def test_a_version_of_a_stored_parameter_is_not_known(check: Check) -> None:
    ended = check(store__json=storing("CONTINUE"), flow__json=template(Flow=flow("{{resolve:ssm:/chat/fallback:3}}")))

    assert OPEN in findings(ended, "unknown")


@pytest.mark.parametrize(
    ("parameters", "declared", "failing", "unknown"),
    [
        ({"Fallback": "CONTINUE"}, {"Default": "ABORT"}, ", with parent.json#Nested", False),
        ({"Fallback": "ABORT"}, {"Default": "CONTINUE"}, None, False),
        ({"Fallback": {"Ref": "Word"}}, {"Default": "ABORT"}, None, True),
        (
            {"Fallback": {"Ref": "Word"}},
            {"AllowedValues": ["ABORT", "CONTINUE"]},
            ", with parent.json#Nested if Fallback is CONTINUE",
            False,
        ),
        (None, {"Default": "CONTINUE"}, ", by the default of Fallback", False),
    ],
)
def test_a_nested_stack_is_judged_with_the_parameters_that_it_is_given(
    check: Check, parameters: dict[str, Any] | None, declared: dict[str, Any], failing: str | None, unknown: bool
) -> None:
    parent = {**nesting("child.json", parameters), "Parameters": {"Word": {"Type": "String", "Default": "ABORT"}}}

    ended = check(parent__json=parent, child__json=by_parameter(**declared))

    failed = findings(ended).get(OPEN)
    assert failed is None if failing is None else (failed and failed["message"].endswith(failing))
    assert (OPEN in findings(ended, "unknown")) is unknown


def test_what_the_user_gives_wins_over_what_a_parent_gives(check: Check) -> None:
    files = {"parent__json": nesting("child.json", {"Fallback": "CONTINUE"}), "child__json": by_parameter()}

    assert check(**files).code == 1
    assert check("--parameter", "Fallback=ABORT", **files).code == 0


def test_an_output_of_a_nested_stack_is_known(check: Check) -> None:
    child = {
        **template(Topic={"Type": "AWS::SNS::Topic"}),
        "Parameters": {"Fallback": {"Type": "String"}},
        "Outputs": {"Fallback": {"Value": {"Ref": "Fallback"}}},
    }
    using = flow({"Fn::GetAtt": ["Nested", "Outputs.Fallback"]})

    ended = check(parent__json=nesting("child.json", {"Fallback": "CONTINUE"}, Flow=using), child__json=child)

    assert OPEN in findings(ended)


def test_an_app_instance_of_another_template_has_the_account_and_region_of_this_one(check: Check) -> None:
    arn = {"Fn::GetAtt": ["Chat", "AppInstanceArn"]}
    chat = {"Type": "AWS::Chime::AppInstance", "Properties": {"Name": "chat"}}
    base = {**exporting(arn, name="chat-arn"), "Resources": {"Chat": chat}}
    function = {"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:f:1"}
    using = flow("ABORT", AppInstanceArn={"Fn::ImportValue": "chat-arn"}, Processors=[processor(function=function)])

    ended = check(base__json=base, flow__json=template(Flow=using))

    assert ended.code == 0
    assert not findings(ended, "unknown").keys() & {"cross-account-lambda", "cross-region-lambda"}
    assert "app-instance-without-flow" not in findings(ended)
    assert FUNCTION


def test_a_circle_of_nested_stacks_and_of_exports_ends(check: Check) -> None:
    one = nesting("two.json", {"Fallback": {"Fn::GetAtt": ["Nested", "Outputs.Fallback"]}}, Flow=flow("ABORT"))
    two = {
        **nesting("one.json", {}),
        "Parameters": {"Fallback": {"Type": "String"}},
        "Outputs": {"Fallback": {"Value": {"Fn::GetAtt": ["Nested", "Outputs.Fallback"]}}},
    }
    one["Outputs"] = {"Fallback": {"Value": {"Fn::GetAtt": ["Nested", "Outputs.Fallback"]}}}

    ended = check(one__json=one, two__json=two, a__json=exporting({"Fn::ImportValue": "b"}, name="a"))

    assert ended.code in (0, 3)
