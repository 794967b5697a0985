"""Custom resources that send a request through the AWS SDK, or spell one as they please, are judged like it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.declared.checking import FUNCTION, Check, findings, gaps, place, processor, request, template, where

OPEN = request(processor(FallbackAction="CONTINUE"))
FAILS = "last-processor-fails-open"


def call(action: str = "createChannelFlow", **parameters: Any) -> str:
    return json.dumps({"service": "ChimeSDKMessaging", "action": action, "parameters": parameters})


def sdk(type_: str = "Custom::AWS", **calls: Any) -> dict[str, Any]:
    return template(Flow={"Type": type_, "Properties": {"ServiceToken": "token", **calls}})


def cut(text: str, hole: str, function: Any) -> list[Any]:
    before, _, after = text.partition(hole)
    return [before, function, after]


LAMBDA = {"Fn::GetAtt": ["Moderate", "Arn"]}


@pytest.mark.parametrize(
    "calls",
    [
        {"Create": call(**OPEN)},
        {"Update": call("updateChannelFlow", **OPEN)},
        {"Create": call("CreateChannelFlowCommand", **OPEN)},
        {"Create": json.loads(call(**OPEN))},
        {"Create": {"Fn::ToJsonString": json.loads(call(**OPEN))}},
        {"Create": {"Fn::Join": ["", cut(call(**OPEN), FUNCTION, LAMBDA)]}},
        {"Create": {"Fn::Sub": call(**OPEN).replace(FUNCTION, "${Moderate.Arn}")}},
        {"Create": {"Fn::Sub": [call(**OPEN).replace(FUNCTION, "${To}"), {"To": LAMBDA}]}},
        {"Create": {"Fn::Join": ["", cut(call(**OPEN), '"ExecutionOrder": 1', '"ExecutionOrder": 1')]}},
    ],
)
@pytest.mark.parametrize("type_", ["Custom::AWS", "Custom::ChannelFlow", "Custom::Ours"])
def test_a_call_of_the_sdk_is_judged_as_its_request(check: Check, type_: str, calls: dict[str, Any]) -> None:
    ended = check(stack__json=sdk(type_, **calls))

    assert (ended.code, gaps(ended)) == (1, []), ended.stderr
    assert findings(ended)[FAILS]["resource"]["name"] == "moderated"


def test_a_finding_is_placed_at_the_part_of_the_text_that_holds_the_value(check: Check) -> None:
    before, after = call(**OPEN).split(FUNCTION)
    declared = sdk(Create={"Fn::Join": ["", [before, LAMBDA, after]]})
    text = json.dumps(declared, indent=2)

    ended = check(stack__json=text)

    assert place(findings(ended)[FAILS])[1:] in (where(text, json.dumps(after)), where(text, json.dumps(before)))


def test_a_number_that_only_the_deployment_settles_is_unknown(check: Check) -> None:
    whole = call(**OPEN).replace('"ExecutionOrder": 1', '"ExecutionOrder": ${Order}')
    declared = sdk(Create={"Fn::Sub": whole})
    declared["Parameters"] = {"Order": {"Type": "Number"}}

    ended = check(stack__json=declared)

    assert "execution-order-not-contiguous" in findings(ended, "unknown")


def test_an_update_that_changes_the_flow_is_judged_too(check: Check) -> None:
    same = check(stack__json=sdk(Create=call(**request()), Update=call("updateChannelFlow", **request())))
    worse = check(stack__json=sdk(Create=call(**request()), Update=call("updateChannelFlow", **OPEN)))

    assert (same.code, same.report["coverage"]["observed"]["channel_flows"]) == (0, 1)
    assert worse.code == 1
    assert [(each, found["resource"]["name"]) for each, found in findings(worse).items()] == [(FAILS, "Flow.Update")]


def test_a_call_without_a_request_is_still_named(check: Check) -> None:
    ended = check(stack__json=sdk(Create=call(Name="moderated")))

    assert (ended.code, len(gaps(ended))) == (3, 1)


def snake(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            "".join(f"_{c.lower()}" if c.isupper() else c for c in k).lstrip("_"): snake(v) for k, v in value.items()
        }
    return [snake(each) for each in value] if isinstance(value, list) else value


FLAT = {"Name": "moderate", "ExecutionOrder": 1, "FallbackAction": "CONTINUE", "LambdaArn": FUNCTION}


@pytest.mark.parametrize(
    "properties",
    [
        OPEN,
        snake(OPEN),
        {key.lower() if key == "Name" else key: each for key, each in OPEN.items()},
        {**OPEN, "Processors": [FLAT]},
        snake({**OPEN, "Processors": [FLAT]}),
        {**OPEN, "Processors": [{**FLAT, "Configuration": {"Lambda": FUNCTION}}]},
        {**OPEN, "Processors": {"Fn::If": ["Ever", [snake(FLAT)], [snake(FLAT)]]}},
    ],
)
def test_a_request_in_any_case_style_is_judged(check: Check, properties: dict[str, Any]) -> None:
    made = {"Type": "Custom::Ours", "Properties": {"ServiceToken": "token", **properties}}
    declared = {**template(Flow=made), "Conditions": {"Ever": {"Fn::Equals": ["a", "a"]}}}

    ended = check(stack__json=declared)

    assert (ended.code, gaps(ended)) == (1, []), ended.stderr
    processor_ = findings(ended)[FAILS]["message"]
    assert FUNCTION in processor_ or "moderate" in processor_


def test_a_misspelled_member_is_a_mistake_in_a_custom_resource_too(check: Check) -> None:
    wrong = {**OPEN, "Processors": [{**FLAT, "FallBackAction": "ABORT"}]}

    ended = check(stack__json=template(Flow={"Type": "Custom::Ours", "Properties": wrong}))

    assert (ended.code, "FallBackAction" in ended.stderr) == (2, True)
