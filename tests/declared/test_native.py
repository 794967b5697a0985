"""CloudFormation's own types for channel flows and app instances are judged like requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.command import Ended
from tests.declared.checking import FUNCTION, Check, custom, findings, place, processor, request, template, where

CHAT = {"Type": "AWS::Chime::AppInstance", "Properties": {"Name": "chat"}}
ARN = {"Fn::GetAtt": ["Chat", "AppInstanceArn"]}
OPEN = processor(FallbackAction="CONTINUE")
HERE = ("--account", "111122223333", "--region", "us-east-1")


def flow(*processors: dict[str, Any], attributes: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    asked = {**request(*processors), "AppInstanceArn": ARN, **changed}
    del asked["ClientRequestToken"]
    return {"Type": "AWS::Chime::ChannelFlow", "Properties": asked, **(attributes or {})}


def told(ended: Ended) -> list[tuple[str, str, str, str]]:
    """The findings, without their places."""
    return sorted(
        (each["rule_id"], each["status"], each["message"], each["resource"]["name"])
        for each in ended.report["findings"]
    )


TWICE = (processor(), processor(Name="b", ExecutionOrder=2))


@pytest.mark.parametrize(
    ("processors", "failed"),
    [
        ((processor(),), set()),
        ((OPEN,), {"last-processor-fails-open"}),
        (TWICE, {"multiple-processors", "same-lambda-twice"}),
        ((processor(function=FUNCTION.replace("1111", "9999")),), {"cross-account-lambda"}),
        ((processor(FallbackAction={"Ref": "Free"}),), set()),
    ],
)
def test_a_native_flow_is_judged_as_the_same_request_in_a_custom_resource(
    check: Check, processors: tuple[dict[str, Any], ...], failed: set[str]
) -> None:
    asked = {**request(*processors), "AppInstanceArn": {"Fn::GetAtt": ["Chat", "appInstanceArn"]}}
    parameters = {"Parameters": {"Free": {"Type": "String"}}}
    older = template(Chat=custom("AppInstance", {"Name": "chat"}), Flow=custom("ChannelFlow", asked))

    native = check(*HERE, native__json={**template(Chat=CHAT, Flow=flow(*processors)), **parameters})
    by_custom_resource = check(*HERE, custom__json={**older, **parameters})

    assert set(findings(native)) == failed
    assert told(native) == told(by_custom_resource)
    assert native.report["coverage"]["complete"]
    assert native.report["coverage"]["observed"]["app_instances"] == 1
    assert native.report["coverage"]["observed"]["channel_flows"] == 1


YAML = """\
Resources:
  Chat:
    Type: AWS::Chime::AppInstance
    Properties: {Name: chat}
  Flow:
    Type: AWS::Chime::ChannelFlow
    Condition: Made
    Metadata: {chimeaudit: {waive: [{rule: unpinned-lambda-version, reason: r, owner: o, expires: 2999-01-01}]}}
    Properties:
      AppInstanceArn: !Ref Chat
      Name: !Sub "${AWS::StackName}-flow"
      Processors:
        - Name: moderate
          ExecutionOrder: "1"
          FallbackAction: !If [Open, CONTINUE, ABORT]
          Configuration: {Lambda: {ResourceArn: !GetAtt Moderate.Arn, InvocationType: ASYNC}}
  Moderate: {Type: AWS::Lambda::Function, Properties: {Runtime: nodejs14.x}}
  Never:
    Type: AWS::Chime::ChannelFlow
    Condition: Closed
    Properties: {AppInstanceArn: !Ref Chat, Name: never, Processors: []}
Parameters: {Stage: {Type: String, Default: prod}}
Conditions:
  Open: !Equals [!Ref Stage, prod]
  Made: !Condition Open
  Closed: !Not [!Condition Open]
"""


def test_functions_conditions_and_waivers_hold_for_a_native_flow(check: Check) -> None:
    ended = check("--parameter", "Stage=prod", stack__yaml=YAML)

    failed = findings(ended)
    assert ended.code == 1
    assert place(failed["last-processor-fails-open"]) == ("stack.yaml", *where(YAML, "CONTINUE, ABORT"))
    assert failed["last-processor-fails-open"]["resource"]["app_instance_name"] == "chat"
    assert "deprecated-lambda-runtime" in failed
    assert "app-instance-without-flow" not in failed
    assert findings(ended, "waived").keys() == {"unpinned-lambda-version"}
    assert ended.report["coverage"]["observed"]["channel_flows"] == 1


@pytest.mark.parametrize(
    "owner",
    [
        ARN,
        {"Ref": "Chat"},
        {"Fn::Sub": "${Chat.AppInstanceArn}"},
        {"Fn::Select": [0, {"Fn::Split": ["/channel-flow/", {"Fn::GetAtt": ["Other", "Arn"]}]}]},
    ],
)
def test_the_app_instance_of_a_native_flow_is_known_however_it_is_named(check: Check, owner: dict[str, Any]) -> None:
    declared = template(Chat=CHAT, Flow=flow(OPEN, AppInstanceArn=owner), Other=flow(Name="other"))

    failed = findings(check(stack__json=declared))

    assert failed["last-processor-fails-open"]["resource"]["app_instance_name"] == "chat"


@pytest.mark.parametrize(
    ("owner", "runs"),
    [("arn:aws:chime:us-east-1:111122223333:app-instance/other", True), ({"Fn::GetAtt": ["Chat", "Arn"]}, False)],
)
def test_a_native_app_instance_without_a_flow_fails_unless_a_flow_may_be_its_own(
    check: Check, owner: Any, runs: bool
) -> None:
    declared = template(Chat=CHAT, Flow=flow(AppInstanceArn=owner))

    failed = findings(check(stack__json=declared))

    assert ("app-instance-without-flow" in failed) is runs
    if runs:
        assert place(failed["app-instance-without-flow"])[1:] == where(json.dumps(declared, indent=2), '"Chat": {')


def test_a_permission_for_a_native_app_instance_lets_it_invoke(check: Check) -> None:
    permission = {
        "FunctionName": {"Ref": "Moderate"},
        "Action": "lambda:InvokeFunction",
        "Principal": "messaging.chime.amazonaws.com",
        "SourceArn": ARN,
    }
    declared = template(
        Chat=CHAT,
        Moderate={"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.13"}},
        Invoke={"Type": "AWS::Lambda::Permission", "Properties": permission},
        Flow=flow(processor(function={"Fn::GetAtt": ["Moderate", "Arn"]})),
    )

    ended = check(stack__json=declared)

    assert not {each for each in findings(ended) | findings(ended, "unknown") if "invo" in each or "policy" in each}


def test_a_native_flow_that_a_macro_changes_is_unknown(check: Check) -> None:
    declared = template(Chat=CHAT, Flow=flow(OPEN, **{"Fn::Transform": {"Name": "Ours"}}))

    ended = check(stack__json=declared)

    assert "last-processor-fails-open" in findings(ended, "unknown")
    assert not findings(ended)
