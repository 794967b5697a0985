"""scanner.declared.template: what a stack will make, as far as its template tells."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.declared.checking import FUNCTION, Check, custom, findings, place, processor, request, template, where

CHECK = Path(__file__).parents[2] / "docs" / "check.md"
ARN = {"Fn::GetAtt": ["Chat", "appInstanceArn"]}
LIVE = {"Ref": "Live"}
INVOKE = {
    "FunctionName": LIVE,
    "Action": "lambda:InvokeFunction",
    "Principal": "messaging.chime.amazonaws.com",
    "SourceAccount": {"Ref": "AWS::AccountId"},
    "SourceArn": ARN,
}
CALLBACK = {
    "Effect": "Allow",
    "Action": "chime:ChannelFlowCallback",
    "Resource": {"Fn::Sub": "${Chat.appInstanceArn}/channel/*"},
}
HERE = ("--account", "111122223333", "--region", "us-east-1")


def flow(*processors: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    own = list(processors) or [processor(function=LIVE)]
    return custom("ChannelFlow", {**request(*own), "AppInstanceArn": ARN}, **attributes)


def role(*statements: dict[str, Any], **properties: Any) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements) or [CALLBACK]}
    policies = [{"PolicyName": "p", "PolicyDocument": document}]
    return {"Type": "AWS::IAM::Role", "Properties": {"Policies": policies, **properties}}


def function(**properties: Any) -> dict[str, Any]:
    own = {"Runtime": "python3.13", "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "DeadLetterConfig": {"TargetArn": "q"}}
    return {"Type": "AWS::Lambda::Function", "Properties": {**own, **properties}}


def permission(**properties: Any) -> dict[str, Any]:
    kept = {key: value for key, value in {**INVOKE, **properties}.items() if value is not None}
    return {"Type": "AWS::Lambda::Permission", "Properties": kept}


def stack(**resources: Any) -> dict[str, Any]:
    """A healthy stack with some resources replaced; None removes one."""
    own = {
        "Chat": custom("AppInstance", {"Name": "chat"}),
        "Role": role(),
        "Moderate": function(),
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {"FunctionName": {"Ref": "Moderate"}, "FunctionVersion": "1", "Name": "live"},
        },
        "Invoke": permission(),
        "Flow": flow(),
    }
    return template(**{key: value for key, value in {**own, **resources}.items() if value is not None})


@pytest.mark.parametrize("options", [(), HERE])
def test_a_healthy_stack_is_clean_wherever_it_goes(check: Check, options: tuple[str, ...]) -> None:
    ended = check(*options, stack__json=stack())

    assert ended.code == 0, ended.stderr
    assert ended.report["findings"] == []
    assert ended.report["coverage"]["observed"]["app_instances"] == 1


@pytest.mark.parametrize(
    "other", [{"Fn::GetAtt": ["Named", "Arn"]}, "arn:aws:lambda:us-east-1:111122223333:function:named:live"]
)
def test_a_function_is_the_same_whichever_parts_of_its_arn_are_open(check: Check, other: Any) -> None:
    version = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Named"}}}
    twice = flow(processor(function={"Ref": "Version"}), processor(function=other, Name="b", ExecutionOrder=2))

    ended = check(
        *HERE,
        "--select",
        "same-lambda-twice",
        stack__json=stack(Named=function(FunctionName="named"), Version=version, Flow=twice),
    )

    assert set(findings(ended)) == {"same-lambda-twice"}


REFERENCES = {"One": {"Type": "String"}, "Other": {"Type": "String"}}


@pytest.mark.parametrize(
    ("one", "other", "status"),
    [
        ({"Fn::GetAtt": ["Named", "Arn"]}, "arn:aws:lambda:us-east-1:111122223333:function:named", "unknown"),
        ({"Fn::GetAtt": ["Named", "Arn"]}, "arn:aws:lambda:us-east-1:111122223333:function:other", None),
        ({"Fn::GetAtt": ["Named", "Arn"]}, {"Fn::GetAtt": ["Moderate", "Arn"]}, None),
        ({"Fn::GetAtt": ["Named", "Arn"]}, {"Ref": "One"}, "unknown"),
        ({"Ref": "One"}, {"Ref": "Other"}, "unknown"),
        ({"Ref": "One"}, {"Ref": "One"}, "fail"),
        ({"Fn::Sub": "${One}:1"}, {"Fn::Sub": "${One}:2"}, "unknown"),
        ({"Ref": "One"}, "arn:aws:lambda:us-east-1:111122223333:function:named", "unknown"),
        ({"Fn::ImportValue": "one"}, {"Fn::ImportValue": "other"}, "unknown"),
        ({"Fn::GetAtt": ["Nested", "Outputs.One"]}, {"Fn::GetAtt": ["Nested", "Outputs.Other"]}, None),
        (
            {"Fn::Sub": "arn:aws:lambda:eu-central-1:${AWS::AccountId}:function:named"},
            "arn:aws:lambda:us-east-1:111122223333:function:named",
            None,
        ),
    ],
)
def test_functions_that_may_turn_out_to_be_one_are_not_said_to_differ(
    check: Check, one: Any, other: Any, status: str | None
) -> None:
    two = flow(processor(function=one), processor(function=other, Name="b", ExecutionOrder=2))
    declared = stack(Named=function(FunctionName="named"), Flow=two) | {"Parameters": REFERENCES}

    ended = check("--select", "same-lambda-twice", stack__json=declared)

    assert [each["status"] for each in ended.report["findings"]] == ([status] if status else [])
    assert ended.code == 0, ended.stderr


OPEN = processor(function=LIVE, FallbackAction="CONTINUE")
TWICE = (processor(function=LIVE), processor(function=LIVE, Name="b", ExecutionOrder=2))
UNCONDITIONED = {"SourceAccount": None, "SourceArn": None}
NO_VALUE = {"Ref": "AWS::NoValue"}


@pytest.mark.parametrize(
    ("resources", "rule", "at"),
    [
        ({"Flow": flow(OPEN)}, "last-processor-fails-open", '"CONTINUE"'),
        ({"Flow": flow(*TWICE)}, "same-lambda-twice", "[\n            {"),
        ({"Flow": None}, "app-instance-without-flow", '"Chat"'),
        ({"Other": flow()}, "duplicate-flow-name", '"Chat"'),
        ({"Moderate": function(Runtime="nodejs14.x")}, "deprecated-lambda-runtime", '"nodejs14.x"'),
        ({"Moderate": function(ReservedConcurrentExecutions=0)}, "disabled-lambda", "0\n"),
        ({"Moderate": function(DeadLetterConfig=NO_VALUE)}, "no-failure-destination", '{\n          "Ref"'),
        ({"Invoke": None}, "lambda-not-invocable-by-chime", '"Moderate"'),
        ({"Invoke": permission(FunctionName={"Ref": "Moderate"})}, "lambda-not-invocable-by-chime", '"Invoke"'),
        ({"Invoke": permission(**UNCONDITIONED)}, "lambda-policy-confused-deputy", '"Invoke"'),
        ({"Invoke": permission(**UNCONDITIONED, Principal="*")}, "public-lambda-policy", '"Invoke"'),
        ({"Role": role({**CALLBACK, "Action": "chime:*"})}, "callback-role-too-broad", '"Role"'),
        ({"Role": role({**CALLBACK, "Action": "logs:*"})}, "callback-not-allowed", '"Role"'),
    ],
)
def test_what_fails_is_found_at_its_place(check: Check, resources: dict[str, Any], rule: str, at: str) -> None:
    declared = stack(**resources)

    ended = check(stack__json=declared)

    text = json.dumps(declared, indent=2)
    assert rule in findings(ended), ended.stdout
    assert place(findings(ended)[rule]) == ("stack.json", *where(text, at))
    assert findings(ended)[rule]["resource"]["arn"] is None


def changed(resource: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {**resource, "Properties": {**resource["Properties"], **properties}}


DESTINATION = {
    "Type": "AWS::Lambda::EventInvokeConfig",
    "Properties": {
        "FunctionName": {"Ref": "Moderate"},
        "Qualifier": "live",
        "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Queue", "Arn"]}}},
    },
}
ATTACHED = {
    "Type": "AWS::IAM::Policy",
    "Properties": {
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [{**CALLBACK, "Action": "chime:*"}]},
        "Roles": [{"Ref": "Role"}],
    },
}
BASIC = {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}
EVERYTHING = "arn:aws:iam::aws:policy/AdministratorAccess"
WITHOUT_QUEUE = function(DeadLetterConfig=NO_VALUE)
VERSION = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Moderate"}}}


@pytest.mark.parametrize(
    ("resources", "failed"),
    [
        ({"Moderate": WITHOUT_QUEUE, "Config": DESTINATION}, set()),
        ({"Moderate": WITHOUT_QUEUE, "Config": None}, {"no-failure-destination"}),
        ({"Moderate": WITHOUT_QUEUE, "Config": changed(DESTINATION, MaximumRetryAttempts=0)}, {"retries-off"}),
        ({"Moderate": WITHOUT_QUEUE, "Config": changed(DESTINATION, MaximumRetryAttempts=1)}, set()),
        ({"Config": changed(DESTINATION, MaximumRetryAttempts=0)}, set()),
        (
            {"Moderate": WITHOUT_QUEUE, "Config": changed(DESTINATION, Qualifier="1", MaximumRetryAttempts=0)},
            {"no-failure-destination"},
        ),
        ({"Attached": ATTACHED}, {"callback-role-too-broad"}),
        ({"Role": role(ManagedPolicyArns=[BASIC])}, set()),
        ({"Role": role(ManagedPolicyArns=[EVERYTHING])}, {"callback-role-too-broad"}),
        ({"Role": role({**CALLBACK, "Action": "s3:*", "Resource": {"Ref": "Elsewhere"}}, CALLBACK)}, set()),
        (
            {
                "Version": VERSION,
                "Invoke": permission(FunctionName={"Ref": "Version"}),
                "Flow": flow(processor(function={"Ref": "Version"})),
            },
            set(),
        ),
        ({"Moderate": function(FunctionName="moderate"), "Invoke": permission(FunctionName="moderate:live")}, set()),
    ],
)
def test_resources_around_a_function_are_taken_into_account(
    check: Check, resources: dict[str, Any], failed: set[str]
) -> None:
    ended = check(*HERE, stack__json=stack(**resources))

    assert set(findings(ended)) == failed
    assert not findings(ended, "unknown")


def test_the_picture_of_a_flow_names_functions_as_the_file_does(check: Check) -> None:
    ended = check(stack__json=stack(Flow=flow(OPEN)))

    steps = findings(ended)["last-processor-fails-open"]["resource"]["processors"]
    assert [step["lambda_arn"] for step in steps] == ["${Moderate.Arn}:live"]


SHORT = """\
Resources:
  Chat:
    Type: Custom::AppInstance
    Properties: {resourceType: AppInstance, properties: {name: chat}}
  Moderate: {Type: AWS::Lambda::Function, Properties: {Runtime: !Sub "nodejs${N}"}}
  Flow:
    Type: Custom::Whatever
    Properties:
      ResourceType: ChannelFlow
      Properties:
        Name: !Sub "${AWS::StackName}-flow"
        AppInstanceArn: !GetAtt Chat.appInstanceArn
        Processors:
          - Name: moderate
            ExecutionOrder: 1
            FallbackAction: !FindInMap [Stages, !Ref Stage, fallback]
            Configuration: {Lambda: {ResourceArn: !GetAtt Moderate.Arn}}
Parameters:
  N: {Type: String}
  Stage: {Type: String, Default: prod}
Mappings:
  Stages: {prod: {fallback: CONTINUE}}
"""


def test_short_forms_have_places_and_what_they_leave_open_is_unknown(check: Check) -> None:
    ended = check(stack__yaml=SHORT)

    failed, unknown = findings(ended), findings(ended, "unknown")
    assert place(failed["last-processor-fails-open"]) == ("stack.yaml", *where(SHORT, "!FindInMap"))
    assert "${Moderate.Arn}" in failed["last-processor-fails-open"]["message"]
    assert place(failed["unpinned-lambda-version"]) == ("stack.yaml", *where(SHORT, "!GetAtt Moderate"))
    assert place(unknown["deprecated-lambda-runtime"]) == ("stack.yaml", *where(SHORT, '!Sub "nodejs'))
    assert "cross-account-lambda" not in failed | unknown  # both are written alike, so they are equal in any account
    assert failed["last-processor-fails-open"]["resource"]["name"] == "${AWS::StackName}-flow"


@pytest.mark.parametrize(
    "value", [{"Ref": "Free"}, {"Fn::ImportValue": "x"}, {"Fn::If": ["Free", "ABORT", "CONTINUE"]}]
)
def test_what_only_the_deployment_settles_is_listed_and_does_not_gate(check: Check, value: dict[str, Any]) -> None:
    declared = stack(Flow=flow(processor(function=LIVE, FallbackAction=value)))
    declared["Parameters"] = {"Free": {"Type": "String"}}

    ended = check("--fail-on", "info", stack__json=declared)

    assert ended.code == 0, ended.stderr
    assert set(findings(ended, "unknown")) == {"last-processor-fails-open"}
    assert "only settled when it is deployed" in findings(ended, "unknown")["last-processor-fails-open"]["message"]


@pytest.mark.parametrize(
    ("options", "verdicts"),
    [
        ((), {"cross-account-lambda": "unknown", "cross-region-lambda": "unknown"}),
        (("--region", "us-east-1"), {"cross-account-lambda": "unknown"}),
        (HERE, {}),
        (("--account", "444455556666"), {"cross-account-lambda": "fail", "cross-region-lambda": "unknown"}),
        (("--account", "111122223333", "--region", "eu-central-1"), {"cross-region-lambda": "fail"}),
    ],
)
def test_where_it_is_deployed_decides(check: Check, options: tuple[str, ...], verdicts: dict[str, str]) -> None:
    ended = check(*options, stack__json=stack(Flow=flow(processor())))

    crossing = {each["rule_id"]: each["status"] for each in ended.report["findings"] if each["rule_id"] in
                ("cross-account-lambda", "cross-region-lambda")}  # fmt: skip
    assert crossing == verdicts


def test_an_account_in_a_permission_may_be_the_one_that_is_deployed_to(check: Check) -> None:
    declared = stack(Invoke=permission(SourceAccount="111122223333", SourceArn=None))

    here, anywhere = check(*HERE, stack__json=declared), check(stack__json=declared)
    there = check("--account", "444455556666", stack__json=declared)

    assert here.report["findings"] == []
    assert "lambda-not-invocable-by-chime" in findings(anywhere, "unknown")
    assert "lambda-not-invocable-by-chime" in findings(there)


def test_functions_of_another_stack_are_left_out_not_unknown(check: Check) -> None:
    ended = check(*HERE, stack__json=stack(Flow=flow(processor())))

    assert ended.report["findings"] == []
    assert any("missing-lambda" in each for each in ended.report["coverage"]["not_examined"])


def test_a_resource_whose_condition_does_not_hold_is_not_made(check: Check) -> None:
    declared = stack(Bad=flow(processor(function=LIVE, FallbackAction="CONTINUE"), Condition="No"))
    declared["Conditions"] = {"No": {"Fn::Equals": ["a", "b"]}}

    ended = check(stack__json=declared)

    assert "last-processor-fails-open" not in findings(ended)
    assert ended.report["coverage"]["observed"]["channel_flows"] == 1


def test_a_flow_that_is_never_made_is_named(check: Check) -> None:
    declared = stack(Bad=flow(processor(function=LIVE, FallbackAction="CONTINUE"), Condition="No"))
    declared["Conditions"] = {"No": {"Fn::Equals": ["a", "b"]}}

    told = check(stack__json=declared).report["coverage"]["not_examined"]

    assert "stack.json: Bad, which is not made; its condition No never holds." in told


@pytest.mark.parametrize(
    ("chat", "other", "branch"),
    [({}, "Free", "if Env is not prod"), ({"Condition": "Free"}, "Free", None), ({}, None, None)],
)
def test_an_app_instance_has_no_flow_in_a_branch_in_which_none_is_made(
    check: Check, chat: dict[str, Any], other: str | None, branch: str | None
) -> None:
    condition = {} if other is None else {"Condition": other}
    declared = undecided(Chat=custom("AppInstance", {"Name": "chat"}, **chat), Flow=flow(**condition))

    failed = findings(check(stack__json=declared))

    found = failed.get("app-instance-without-flow")
    assert (found and found["message"].rpartition(", ")[2]) == branch


PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": ARN}}


@pytest.mark.parametrize(
    "declared", [{**stack(Flow=None), "Outputs": {"Arn": {"Value": ARN}}}, stack(Flow=None, Handed=PARAMETER)]
)
def test_flows_that_may_be_made_elsewhere_are_not_missed(check: Check, declared: dict[str, Any]) -> None:
    assert "app-instance-without-flow" not in findings(check(stack__json=declared))


MACRO = {"Fn::Transform": {"Name": "Macro"}}


def made_by(type_: Any, **properties: Any) -> dict[str, Any]:
    """A stack with one more resource."""
    return stack(More={"Type": type_, "Properties": properties})


def test_a_request_in_a_custom_resource_of_any_name_is_judged(check: Check) -> None:
    ended = check(stack__json=made_by("Custom::ChimeChannelFlow", **{**request(OPEN), "AppInstanceArn": ARN}))

    assert "last-processor-fails-open" in findings(ended)


def test_a_request_that_a_macro_changes_is_unknown(check: Check) -> None:
    declared = flow(OPEN)
    declared["Properties"]["properties"] |= MACRO

    ended = check(stack__json=stack(Flow=declared))

    assert ended.code == 0
    assert "last-processor-fails-open" in findings(ended, "unknown")


PARAMETERS = {"Env": {"Type": "String"}, "Names": {"Type": "CommaDelimitedList"}}


def undecided(**resources: Any) -> dict[str, Any]:
    """A stack with parameters without a value, and a condition that depends on them."""
    free = {"Free": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}}
    return {**stack(**resources), "Parameters": PARAMETERS, "Conditions": free}


def either(one: Any, other: Any = NO_VALUE) -> dict[str, Any]:
    return {"Fn::If": ["Free", one, other]}


def sub(text: str) -> dict[str, Any]:
    return {"Fn::Sub": text}


@pytest.mark.parametrize(("options", "status"), [(HERE, "fail"), ((), "unknown")])
def test_another_account_is_one_that_is_not_deployed_to(check: Check, options: tuple[str, ...], status: str) -> None:
    ended = check(*options, stack__json=stack(Other=permission(**UNCONDITIONED, Principal="444455556666")))

    assert "lambda-policy-allows-other-accounts" in findings(ended, status)


@pytest.mark.parametrize(
    ("url", "status"),
    [
        pytest.param(
            {"AuthType": "NONE", "TargetFunctionArn": {"Ref": "Moderate"}, "Qualifier": "live"}, "fail", id="own"
        ),
        pytest.param({"AuthType": "NONE", "TargetFunctionArn": {"Ref": "Live"}}, "fail", id="by the alias"),
        pytest.param(
            {"AuthType": "NONE", "TargetFunctionArn": {"Ref": "Moderate"}}, "unknown", id="of another qualifier"
        ),
        pytest.param(None, "unknown", id="none here, perhaps elsewhere"),
    ],
)
def test_a_declared_url_opens_the_function(check: Check, url: dict[str, Any] | None, status: str) -> None:
    use = permission(**UNCONDITIONED, Principal="*", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
    via = permission(**UNCONDITIONED, Principal="*", InvokedViaFunctionUrl=True)
    declared = {"Url": {"Type": "AWS::Lambda::Url", "Properties": url}} if url else {}

    ended = check(stack__json=stack(Use=use, Via=via, **declared))

    assert "public-lambda-policy" in findings(ended, status)


NO_DESTINATION = {"no-failure-destination"}
INVOKING = {"lambda-not-invocable-by-chime", "lambda-policy-allows-foreign-app-instance"}
INVOKING |= {"lambda-policy-confused-deputy", "public-lambda-policy", "lambda-policy-allows-other-accounts"}
CALLING = {"callback-not-allowed", "callback-role-too-broad"}
FUNCTION_ITSELF = {"missing-lambda", "disabled-lambda", "deprecated-lambda-runtime", "retries-off"} | NO_DESTINATION
EVERYTHING_OF_IT = FUNCTION_ITSELF | INVOKING | CALLING
PLACED = {"cross-account-lambda", "cross-region-lambda"}
POINTED = PLACED | {"unpinned-lambda-version"}
NAMED = function(FunctionName="moderate")
NAMED_BY_ENV = function(FunctionName=sub("${Env}-moderation"))


@pytest.mark.parametrize(
    ("resources", "unknown"),
    [
        ({"Moderate": WITHOUT_QUEUE, "Config": changed(DESTINATION, Qualifier={"Ref": "Env"})}, NO_DESTINATION),
        ({"Invoke": {**permission(), "Condition": ["Free"]}}, INVOKING),
        ({"Invoke": permission(FunctionName={"Ref": "Env"})}, INVOKING),
        ({"Invoke": permission(FunctionName=sub("${Env}:live")), "Moderate": NAMED}, INVOKING),
        ({"More": changed(ATTACHED, Roles={"Ref": "Names"})}, CALLING),
        ({"More": changed(ATTACHED, Roles={"Ref": "Names"}), "Role": role(RoleName="r")}, CALLING),
        ({"Moderate": function(Runtime="{{resolve:ssm:/a}}")}, {"deprecated-lambda-runtime"}),
        ({"Flow": flow(processor(function=LIVE, FallbackAction="{{resolve:ssm:/a}}"))}, {"last-processor-fails-open"}),
        ({"Flow": flow(processor(function="{{resolve:ssm-secure:/a:1}}"))}, POINTED),
        ({"Flow": flow(processor(function="{{resolve:secretsmanager:a}}:live"))}, POINTED),
        ({"Flow": flow(processor(function=sub("${Env}:live")))}, POINTED),
        ({"Flow": flow(processor(function=sub("arn:aws:lambda:${Env}:function:x:live")))}, POINTED),
        ({"Invoke": permission(Principal="{{resolve:ssm:/a}}")}, INVOKING),
    ],
)
def test_what_is_undecided_neither_passes_nor_fails(check: Check, resources: dict[str, Any], unknown: set[str]) -> None:
    ended = check(stack__json=undecided(**resources))

    assert findings(ended) == {}
    assert findings(ended, "unknown").keys() == unknown


CONDITIONAL_QUEUE = changed(DESTINATION, DestinationConfig=either({"OnFailure": {"Destination": "q"}}))
ANYTHING = {"Role": role({**CALLBACK, "Action": "logs:*"}), "More": {**ATTACHED, "Condition": "Free"}}
NOT_PROD, PROD = "if Env is not prod", "if Env is prod"


@pytest.mark.parametrize(
    ("resources", "failing"),
    [
        ({"Moderate": function(DeadLetterConfig=either({"TargetArn": "q"}))}, {"no-failure-destination": NOT_PROD}),
        ({"Moderate": function(DeadLetterConfig={"TargetArn": either("q")})}, {"no-failure-destination": NOT_PROD}),
        ({"Moderate": function(DeadLetterConfig={"TargetArn": either("q", "p")})}, {}),
        (
            {"Moderate": WITHOUT_QUEUE, "Config": {**DESTINATION, "Condition": "Free"}},
            {"no-failure-destination": NOT_PROD},
        ),
        (
            {"Moderate": WITHOUT_QUEUE, "Config": changed(DESTINATION, MaximumRetryAttempts=either(0))},
            {"retries-off": PROD},
        ),
        ({"Moderate": WITHOUT_QUEUE, "Config": CONDITIONAL_QUEUE}, {"no-failure-destination": NOT_PROD}),
        ({"Invoke": {**permission(), "Condition": "Free"}}, {"lambda-not-invocable-by-chime": NOT_PROD}),
        (
            {"Invoke": permission(SourceArn=either(ARN), SourceAccount=None)},
            {"lambda-policy-confused-deputy": NOT_PROD},
        ),
        ({"Role": role({**CALLBACK, "Condition": either({"Bool": {"aws:SecureTransport": "true"}})})}, {}),
        ({"Role": role(either(CALLBACK))}, {"callback-not-allowed": NOT_PROD}),
        (ANYTHING, {"callback-not-allowed": NOT_PROD, "callback-role-too-broad": PROD}),
        ({"More": changed(ATTACHED, Roles=either([{"Ref": "Role"}]))}, {"callback-role-too-broad": PROD}),
        ({"More": changed(ATTACHED, Roles=[either({"Ref": "Role"})])}, {"callback-role-too-broad": PROD}),
        ({"Moderate": function(Role=either({"Fn::GetAtt": ["Role", "Arn"]}, "arn:aws:iam::1:role/x"))}, {}),
        ({"Moderate": {**function(), "Condition": "Free"}}, {}),  # otherwise it cannot be deployed
    ],
)
def test_what_hangs_on_a_condition_is_judged_in_both_branches(
    check: Check, resources: dict[str, Any], failing: dict[str, str]
) -> None:
    ended = check(stack__json=undecided(**resources))

    failed = findings(ended)
    assert failed.keys() == failing.keys()
    assert all(failed[rule]["message"].endswith(f", {branch}") for rule, branch in failing.items())
    assert findings(ended, "unknown") == {}
    assert ended.report["coverage"]["observed"]["channel_flows"] == 1


def test_a_flow_of_either_app_instance_may_be_the_one_that_policies_name(check: Check) -> None:
    asked = {**request(processor(function=LIVE)), "AppInstanceArn": either(ARN, {"Ref": "Env"})}

    ended = check(stack__json=undecided(Flow=custom("ChannelFlow", asked)))

    assert findings(ended) == {}
    assert {"callback-not-allowed", "lambda-not-invocable-by-chime"} <= findings(ended, "unknown").keys()


@pytest.mark.parametrize(
    "name",
    [
        "moderate:live",
        "function:moderate:live",
        "111122223333:function:moderate:live",
        sub("${AWS::AccountId}:function:moderate:live"),
        "us-east-1:111122223333:function:moderate:live",
        FUNCTION,
    ],
)
def test_a_permission_names_its_function_in_many_ways(check: Check, name: Any) -> None:
    ended = check(*HERE, stack__json=stack(Moderate=NAMED, Invoke=permission(FunctionName=name)))

    assert ended.report["findings"] == []


@pytest.mark.parametrize("name", ["444455556666:function:moderate:live", "moderate", "other:live", "moderate:other"])
def test_a_permission_for_another_function_is_none(check: Check, name: str) -> None:
    ended = check(*HERE, stack__json=stack(Moderate=NAMED, Invoke=permission(FunctionName=name)))

    assert findings(ended).keys() == {"lambda-not-invocable-by-chime"}


ENV_ARN = sub("arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${Env}-moderation:live")


@pytest.mark.parametrize(
    "resources",
    [
        {"Flow": flow(processor(function=ENV_ARN))},
        {"Invoke": permission(FunctionName=sub("${Env}-moderation:live"))},
        {"Invoke": permission(FunctionName=ENV_ARN)},
        {"Moderate": function(FunctionName={"Ref": "Env"}), "Invoke": permission(FunctionName=sub("${Env}:live"))},
        {"Moderate": function(FunctionName="{{resolve:ssm:/a}}")},
        {
            "Role": role(RoleName=sub("${Env}-role"), Path="/service/"),
            "Moderate": function(Role=sub("arn:aws:iam::${AWS::AccountId}:role/service/${Env}-role")),
        },
    ],
)
def test_what_is_written_alike_is_the_same_function_or_role(check: Check, resources: dict[str, Any]) -> None:
    ended = check(stack__json=undecided(**{"Moderate": NAMED_BY_ENV, **resources}))

    assert ended.report["findings"] == []
    assert not any("missing-lambda" in each for each in ended.report["coverage"]["not_examined"])


@pytest.mark.parametrize(
    ("arn", "options", "unknown"),
    [
        (FUNCTION, HERE, set()),
        (FUNCTION, (), EVERYTHING_OF_IT | PLACED),
        (FUNCTION, HERE[2:], EVERYTHING_OF_IT | {"cross-account-lambda"}),
        (sub("arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:moderate:live"), (), set()),
        (sub("arn:aws:lambda:us-east-1:${AWS::AccountId}:function:moderate:live"), HERE[2:], set()),
    ],
)
def test_an_arn_that_is_written_out_is_that_of_a_function_where_the_place_is(
    check: Check, arn: Any, options: tuple[str, ...], unknown: set[str]
) -> None:
    ended = check(*options, stack__json=stack(Moderate=NAMED, Flow=flow(processor(function=arn))))

    assert findings(ended) == {}
    assert findings(ended, "unknown").keys() == unknown
    assert all("whether it is Moderate" in findings(ended, "unknown")[rule]["message"] for rule in unknown - PLACED)


def conditions(count: int, make: Any) -> dict[str, Any]:
    """A chain of conditions, each of which refers to the one before."""
    later = {f"C{index}": make({"Condition": f"C{index - 1}"}) for index in range(1, count)}
    return {"C0": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}, **later}


def aliases(count: int) -> dict[str, Any]:
    def named(name: Any) -> dict[str, Any]:
        return {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "Moderate"}, "Name": name}}

    return {"A0": named("a")} | {f"A{each}": named(sub(f"${{A{each - 1}}}" * 2)) for each in range(1, count)}


def nested(count: int) -> Any:
    return {"Fn::Sub": ["${a}" * 8, {"a": nested(count - 1)}]} if count else "ab"


@pytest.mark.parametrize(
    "declared",
    [
        {
            **undecided(Flow=flow(Condition="C49")),
            "Conditions": conditions(50, lambda before: {"Fn::Or": [before, before]}),
        },
        undecided(Flow=flow(processor(function={"Ref": "A49"})), **aliases(50)),
        stack(Moderate=function(FunctionName=nested(19))),
    ],
)
def test_nested_repeated_references_are_resolved_once(check: Check, declared: dict[str, Any]) -> None:
    assert check(stack__json=declared).code == 0


def test_a_chain_that_is_too_long_to_follow_is_one_mistake_with_its_place(check: Check) -> None:
    declared = undecided(Flow=flow(Condition="C2999"), Other=flow(Condition="C2998"))
    declared["Conditions"] = conditions(3000, lambda before: {"Fn::Not": [before]})
    named = {f"F{each}": function(FunctionName={"Ref": f"F{each + 1}"}) for each in range(300)}
    references = stack(Moderate=function(FunctionName={"Ref": "F0"}), **named)

    ended = check(conditions__json=declared, references__json=references)

    assert ended.code == 2
    assert re.findall(r"(\w+)\.json:\d+:\d+: found a chain of references that is too long", ended.stderr) == [
        "conditions",
        "references",
    ]


@pytest.mark.parametrize(
    ("tags", "failed"),
    [
        ([{"Key": "owner", "Value": "chat"}], set()),
        ({"owner": "chat"}, set()),
        ({"other": "chat"}, {"missing-required-tags"}),
        ([], {"missing-required-tags"}),
        ([either({"Key": "owner", "Value": "chat"})], {"missing-required-tags"}),
    ],
)
def test_tags_may_be_a_list_or_a_mapping(check: Check, tmp_path: Path, tags: Any, failed: set[str]) -> None:
    (tmp_path / "chimeaudit.yaml").write_text(
        "select: missing-required-tags\noverrides: {missing-required-tags: {params: {required_tags: [owner]}}}\n"
    )
    asked = {**request(processor(function=LIVE)), "AppInstanceArn": ARN, "Tags": tags}
    carried = {"Type": "Custom::ChannelFlow", "Properties": asked}

    ended = check(stack__json=undecided(Flow=carried))

    assert ended.code != 2, ended.stderr
    assert findings(ended).keys() == failed


@pytest.mark.parametrize(
    ("tags", "mistake"),
    [("owner", 'found "owner"; expected a list of tags'), (["x"], 'found "x"; expected a tag with Key and Value')],
)
def test_invalid_tags_are_a_mistake(check: Check, tags: Any, mistake: str) -> None:
    ended = check(create__json=request(Tags=tags))

    assert ended.code == 2
    assert mistake in ended.stderr


def test_fingerprints_survive_moving_and_renaming_in_a_template(check: Check) -> None:
    bad = {"FallbackAction": "CONTINUE", "function": LIVE}
    one = stack(Flow=flow(processor(**bad)))
    two = stack(Flow=flow(processor(**bad, Name="other")), Invoke=None)
    two["Resources"] = {"First": flow(), **dict(reversed(two["Resources"].items()))}

    before, after = check(stack__json=one), check(stack__json=two)

    rule = "last-processor-fails-open"
    assert findings(before)[rule]["fingerprint"] == findings(after)[rule]["fingerprint"]


WAIVER = {"rule": "last-processor-fails-open", "reason": "pilot", "owner": "chat", "expires": "2999-01-01"}


def waived(*waivers: dict[str, Any]) -> dict[str, Any]:
    metadata = {"chimeaudit": {"waive": list(waivers)}}
    return stack(Flow=flow(processor(function=LIVE, FallbackAction="CONTINUE"), Metadata=metadata))


def test_a_waiver_in_the_metadata_waives(check: Check) -> None:
    ended = check(stack__json=waived(WAIVER))

    assert ended.code == 0, ended.stderr
    assert findings(ended, "waived")["last-processor-fails-open"]["waiver"]["owner"] == "chat"


def test_the_documented_waiver_waives(check: Check) -> None:
    documented = re.search(r"<!-- read by the tests -->\n```yaml\n(.*?)```", CHECK.read_text(), re.DOTALL)
    assert documented

    ended = check(stack__yaml=documented[1])

    assert ended.code == 0, ended.stderr
    assert "last-processor-fails-open" in findings(ended, "waived")


def test_an_expired_waiver_in_the_metadata_warns_and_does_not_waive(check: Check) -> None:
    ended = check(stack__json=waived({**WAIVER, "expires": "2020-01-01"}))

    assert ended.code == 1
    assert "expired on 2020-01-01" in ended.stderr


def test_an_unused_waiver_in_the_metadata_gives_a_warning(check: Check) -> None:
    ended = check(
        stack__json=waived(
            {**WAIVER, "rule": ["last-processor-fails-open"]}, {**WAIVER, "rule": "public-lambda-policy"}
        )
    )

    assert ended.code == 0
    assert "the waiver for public-lambda-policy (chat) matches nothing" in ended.stderr


@pytest.mark.parametrize(
    ("changed", "mistake"),
    [
        ({"rule": "last-processor-fails-opn"}, "unknown rule"),
        ({"expires": "soon"}, 'found "soon"; expected a day'),
        ({"owner": ""}, "found blank text"),
        ({"resource": "*"}, 'unknown waiver key "resource"'),
    ],
)
def test_a_bad_waiver_is_a_mistake_with_its_place(check: Check, changed: dict[str, Any], mistake: str) -> None:
    ended = check(stack__json=waived({**WAIVER, **changed}))

    assert ended.code == 2
    assert "error: stack.json:" in ended.stderr
    assert mistake in ended.stderr
    assert "last-processor-fails-open" in findings(ended)
