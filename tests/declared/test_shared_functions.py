"""A function that several flows share is worked out once, and each flow gets what is true of it in its own branches."""

from __future__ import annotations

from typing import Any

import pytest

from tests.declared.checking import Check, findings, gaps, processor

PARAMETERS = {
    "Env": {"Type": "String", "AllowedValues": ["dev", "prod"], "Default": "dev"},
    "Runtime": {"Type": "String", "Default": "nodejs12.x"},
}
CONDITIONS = {
    "IsProd": {"Fn::Equals": [{"Ref": "Env"}, "prod"]},
    "IsDev": {"Fn::Equals": [{"Ref": "Env"}, "dev"]},
}
OTHER = "arn:aws:chime:us-east-1:111122223333:app-instance/other"


def resource(kind: str, properties: dict[str, Any], condition: str | None = None) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties, **({"Condition": condition} if condition else {})}


def flow(name: str, *, condition: str | None = None, app: Any = None, function: Any = None) -> dict[str, Any]:
    own = {
        "Name": name,
        "AppInstanceArn": app or {"Ref": "Chat"},
        "Processors": [processor(function=function or {"Ref": "Live"})],
    }
    return resource("AWS::Chime::ChannelFlow", own, condition)


def permission(function: Any, condition: str | None = None, **members: Any) -> dict[str, Any]:
    own = {"FunctionName": function, "Action": "lambda:InvokeFunction", "Principal": "messaging.chime.amazonaws.com"}
    return resource("AWS::Lambda::Permission", own | members, condition)


def template(function: dict[str, Any], **resources: Any) -> dict[str, Any]:
    shared = {
        "Chat": resource("AWS::Chime::AppInstance", {"Name": "chat"}),
        "Moderate": resource("AWS::Lambda::Function", {"Runtime": "python3.13", **function}),
        "Live": resource(
            "AWS::Lambda::Alias", {"FunctionName": {"Ref": "Moderate"}, "FunctionVersion": "1", "Name": "live"}
        ),
    }
    return {"Parameters": PARAMETERS, "Conditions": CONDITIONS, "Resources": {**shared, **resources}}


def messages(check: Check, declared: dict[str, Any], rule: str) -> dict[str, str]:
    """The messages of a rule's failures, by flow."""
    report = check("--select", rule, template__json=declared).report
    failed = (each for each in report["findings"] if each["rule_id"] == rule and each["status"] == "fail")
    return {each["resource"]["name"]: each["message"] for each in failed}


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a")])
def test_a_function_that_hangs_on_a_parameter_fails_in_the_branches_of_each_flow(
    check: Check, order: tuple[str, ...]
) -> None:
    runtime = {"Fn::If": ["IsProd", "nodejs12.x", "python3.13"]}
    flows = {"a": flow("a"), "b": flow("b", condition="IsProd"), "c": flow("c", condition="IsDev")}
    found = messages(
        check, template({"Runtime": runtime}, **{name: flows[name] for name in order}), "deprecated-lambda-runtime"
    )
    assert found.keys() == {"a", "b"}
    assert all(message.endswith(", if Env is prod") for message in found.values())


def test_each_flow_says_the_default_on_which_a_shared_function_rests(check: Check) -> None:
    declared = template({"Runtime": {"Ref": "Runtime"}}, a=flow("a"), b=flow("b"), c=flow("c", condition="IsProd"))
    found = messages(check, declared, "deprecated-lambda-runtime")
    assert found.keys() == {"a", "b", "c"}
    assert all(found[name].endswith("by the default of Runtime") for name in "ab")
    assert found["c"].endswith("by the default of Runtime, if Env is prod")


def test_who_may_invoke_a_shared_function_hangs_on_the_app_instance_and_the_qualifier(check: Check) -> None:
    only = permission({"Ref": "Live"}, SourceArn={"Ref": "Chat"}, SourceAccount={"Ref": "AWS::AccountId"})
    declared = template(
        {},
        Invoke=only,
        own=flow("own"),
        other=flow("other", app=OTHER),
        bare=flow("bare", function={"Fn::GetAtt": ["Moderate", "Arn"]}),
    )
    assert messages(check, declared, "lambda-not-invocable-by-chime").keys() == {"other", "bare"}


def test_a_permission_of_one_branch_lets_the_service_in_there_alone(check: Check) -> None:
    declared = template(
        {},
        Invoke=permission({"Ref": "Live"}, "IsProd"),
        always=flow("always"),
        prod=flow("prod", condition="IsProd"),
        dev=flow("dev", condition="IsDev"),
    )
    found = messages(check, declared, "lambda-not-invocable-by-chime")
    assert found.keys() == {"always", "dev"}
    assert found["always"].endswith(", if Env is not prod")
    assert found["dev"].endswith(", if Env is dev")


def test_a_wrong_value_is_told_once_with_its_branch_where_flows_share_a_function(check: Check) -> None:
    wrong = flow("wrong")
    wrong["Properties"]["Processors"][0]["FallbackAction"] = {"Fn::If": ["IsProd", "NEVER", "ABORT"]}
    ended = check(template__json=template({}, right=flow("right"), wrong=wrong, also=flow("also")))
    (told,) = (each for each in gaps(ended) if "NEVER" in each)
    assert told.endswith("if Env is prod")
    assert "last-processor-fails-open" not in findings(ended)
