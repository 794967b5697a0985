"""scanner.declared.requests: findings and their places in requests and in output of the AWS CLI."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.declared.checking import APP, FUNCTION, Check, findings, place, processor, request, where

FLOW = f"{APP}/channel-flow/1a2b"
OPEN = processor(FallbackAction="CONTINUE")


def test_the_fallback_action_of_the_failing_processor_is_where_the_finding_stands(check: Check) -> None:
    asked = request(processor(Name="b", ExecutionOrder=2, FallbackAction="CONTINUE"), processor(Name="a"))

    ended = check(create__json=asked)

    text = json.dumps(asked, indent=2)
    assert ended.code == 1, ended.stderr
    assert place(findings(ended)["last-processor-fails-open"]) == ("create.json", *where(text, '"CONTINUE"'))


def test_a_request_in_yaml_has_its_places_too(check: Check) -> None:
    text = yaml.safe_dump(request(OPEN))

    ended = check(create__yaml=text)

    assert place(findings(ended)["last-processor-fails-open"]) == ("create.yaml", *where(text, "CONTINUE"))


def test_rules_on_what_no_request_tells_are_left_out_even_where_nothing_is_known(check: Check) -> None:
    ended = check(create__json=request(Processors={}), list__json={"ChannelFlows": [{"Name": "x"}]})

    assert ended.code == 2
    ran = {each["id"] for each in ended.report["rules"]}
    assert {each["rule_id"] for each in ended.report["findings"]} <= ran
    assert not ran & {"missing-lambda", "callback-not-allowed", "unused-channel-flow"}


@pytest.mark.parametrize(
    ("file", "arn"),
    [
        (request(OPEN), None),
        ({"ChannelFlowArn": FLOW, "Name": "x", "Processors": [OPEN]}, FLOW),
        ({"ChannelFlow": {"ChannelFlowArn": FLOW, "Name": "x", "Processors": [OPEN], "CreatedTimestamp": 1.5}}, FLOW),
        ({"ChannelFlows": [{"ChannelFlowArn": FLOW, "Name": "x", "Processors": [OPEN]}]}, FLOW),
        ({"appInstanceArn": APP, "name": "x", "processors": [{**OPEN, "executionOrder": "1"}]}, None),
    ],
)
def test_every_kind_is_recognised_by_its_content(check: Check, file: dict[str, Any], arn: str | None) -> None:
    ended = check(anything=file)

    found = findings(ended)["last-processor-fails-open"]["resource"]
    assert ended.code == 1, ended.stderr
    assert found["arn"] == arn
    assert found["app_instance_arn"] == APP
    assert (found["account_id"], found["region"]) == ("111122223333", "us-east-1")


def test_a_healthy_request_is_clean_and_says_what_was_left_out(check: Check) -> None:
    ended = check(create__json=request())

    assert ended.code == 0, ended.stderr
    assert ended.report["findings"] == []
    assert ended.report["coverage"]["complete"]
    told = " ".join(ended.report["coverage"]["not_examined"])
    for rule in ("no-failure-alert", "unused-channel-flow", "missing-lambda", "callback-not-allowed"):
        assert rule in told
        assert rule not in {each["id"] for each in ended.report["rules"]}
    assert "1 file: 0 app instances, 1 channel flow, 1 processor" in ended.stderr


def test_a_flow_that_is_deployed_has_the_fingerprint_that_a_scan_gives_it(check: Check) -> None:
    from scanner.model.report import fingerprint

    ended = check(list__json={"ChannelFlows": [{"ChannelFlowArn": FLOW, "Name": "x", "Processors": [OPEN]}]})

    part = FUNCTION.removesuffix(":live")
    assert findings(ended)["last-processor-fails-open"]["fingerprint"] == fingerprint(
        "last-processor-fails-open", FLOW, part
    )


def test_fingerprints_survive_reordering_renaming_and_moving(check: Check) -> None:
    one, two = (
        processor(Name="a", FallbackAction="CONTINUE"),
        processor(Name="b", ExecutionOrder=2, function=f"{APP}:x"),
    )
    two = processor(
        Name="b", ExecutionOrder=2, FallbackAction="CONTINUE", function=FUNCTION.replace("moderate", "redact")
    )
    before = check(create__json=request(one, two))
    changed = request({**two, "Name": "c"}, {**one, "Name": "d"}, Name="renamed")

    after = check(create__json="\n\n" + json.dumps(changed))

    prints = [{each["fingerprint"] for each in ended.report["findings"]} for ended in (before, after)]
    assert prints[0] == prints[1]
    assert len(prints[0]) == len(before.report["findings"])


@pytest.mark.parametrize(
    ("changed", "at", "mistake"),
    [
        ({"FallbackAction": "Abort"}, '"Abort"', 'found "Abort"; expected CONTINUE or ABORT'),
        (
            {"Configuration": {"Lambda": {"ResourceArn": FUNCTION, "InvocationType": "SYNC"}}},
            '"SYNC"',
            'found "SYNC"; expected ASYNC',
        ),
        ({"ExecutionOrder": "first"}, '"first"', 'found "first"; expected an integer'),
        ({"function": "no-arn"}, '"no-arn"', 'found "no-arn"; expected the ARN of a function'),
        ({"Name": {"a": "b"}}, '{\n        "a"', "found a mapping; expected text"),
    ],
)
def test_what_aws_would_refuse_is_a_mistake_with_its_place(
    check: Check, changed: dict[str, Any], at: str, mistake: str
) -> None:
    asked = request(processor(**changed))

    ended = check(create__json=asked)

    line, column = where(json.dumps(asked, indent=2), at)
    assert ended.code == 2
    assert f"error: create.json:{line}:{column}: {mistake}\n" in ended.stderr
    assert not findings(ended)
    assert not ended.report["coverage"]["complete"]


def test_what_a_request_leaves_out_is_unknown_and_does_not_gate(check: Check) -> None:
    asked = request({key: value for key, value in processor().items() if key != "FallbackAction"})

    ended = check(create__json=asked)

    unknown = findings(ended, "unknown")["last-processor-fails-open"]
    assert ended.code == 0, ended.stderr
    assert place(unknown) == ("create.json", *where(json.dumps(asked, indent=2), "{\n      "))


@pytest.mark.parametrize("spelled", ["FallBackAction", "fallback_action", "FALLBACKACTION"])
def test_a_misspelled_member_is_a_mistake(check: Check, spelled: str) -> None:
    asked = request({spelled if key == "FallbackAction" else key: value for key, value in OPEN.items()})

    ended = check(create__json=asked)

    line, column = where(json.dumps(asked, indent=2), f'"{spelled}"')
    assert ended.code == 2
    assert f'error: create.json:{line}:{column}: found "{spelled}"; expected "FallbackAction"\n' in ended.stderr


@pytest.mark.parametrize("lacking", ["Name", "ExecutionOrder", "FallbackAction", "Configuration"])
@pytest.mark.parametrize("listed", [True, False])
def test_a_missing_member_in_an_answer_of_aws_is_a_mistake(check: Check, lacking: str, listed: bool) -> None:
    short = {key: value for key, value in processor().items() if key != lacking}
    flow = {"ChannelFlowArn": FLOW, "Name": "x", "Processors": [short]}

    ended = check(answer__json={"ChannelFlows": [flow]} if listed else {"ChannelFlow": flow})

    assert ended.code == 2
    assert f"found a processor without {lacking}; expected all that AWS answered" in ended.stderr
    assert not ended.report["coverage"]["complete"]


def test_a_flow_without_processors_in_a_list_is_a_mistake(check: Check) -> None:
    ended = check(list__json={"ChannelFlows": [{"ChannelFlowArn": FLOW, "Name": "x"}]})

    assert ended.code == 2
    assert "found a channel flow without Processors; expected all that AWS answered" in ended.stderr


@pytest.mark.parametrize("key", ["ChannelFlows", "ChannelFlow"])
def test_a_null_answer_is_a_mistake_even_in_a_folder(check: Check, key: str) -> None:
    ended = check(".", answer__json={key: None}, create__json=request(processor()))

    assert ended.code == 2
    assert "error: answer.json:" in ended.stderr
    assert "found nothing; expected a" in ended.stderr
    assert not ended.report["coverage"]["complete"]


def test_further_pages_are_reported(check: Check) -> None:
    ended = check(list__json={"ChannelFlows": [], "NextToken": "more"})

    assert ended.code == 3, ended.stderr
    assert any("NextToken" in each["reason"] for each in ended.report["coverage"]["gaps"])


@pytest.mark.parametrize(("item", "said"), [(None, "nothing"), ("x", '"x"'), ([], "a list")])
def test_an_item_in_a_list_that_is_no_flow_is_a_mistake_and_the_others_are_judged(
    check: Check, item: object, said: str
) -> None:
    flow = {"ChannelFlowArn": FLOW, "Name": "x", "Processors": [OPEN]}

    ended = check(list__json=json.dumps({"ChannelFlows": [flow, item]}))

    assert ended.code == 2
    assert f": found {said}; expected a channel flow" in ended.stderr
    assert "last-processor-fails-open" in findings(ended)


def test_flows_of_one_name_in_a_list_are_found(check: Check) -> None:
    flows = [{"ChannelFlowArn": f"{FLOW}{index}", "Name": "x", "Processors": [processor()]} for index in range(2)]

    ended = check(list__json={"ChannelFlows": flows})

    found = findings(ended)
    assert set(found) == {"duplicate-flow-name"}
    assert place(found["duplicate-flow-name"])[1:] == (2, 3)
    assert APP in found["duplicate-flow-name"]["message"]
