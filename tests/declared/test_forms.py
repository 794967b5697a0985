"""One channel flow in every form that is read: the same findings in each, at its place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.command import Ended
from tests.declared.checking import APP, FUNCTION, Check, custom, findings, gaps, processor, request, template, write

WANTED = request(processor(FallbackAction="CONTINUE", ExecutionOrder=2), Name="moderated")
FAILED = {"execution-order-not-contiguous", "last-processor-fails-open"}
NATIVE = {
    "Type": "AWS::Chime::ChannelFlow",
    "Properties": {k: v for k, v in WANTED.items() if k != "ClientRequestToken"},
}


def snake(value: Any) -> Any:
    if isinstance(value, dict):
        return {re.sub("(?<!^)([A-Z])", r"_\1", key).lower(): snake(each) for key, each in value.items()}
    return [snake(each) for each in value] if isinstance(value, list) else value


def camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: camel(each) for key, each in value.items()}
    return [camel(each) for each in value] if isinstance(value, list) else value


def own(**properties: Any) -> dict[str, Any]:
    return template(Flow={"Type": "Custom::Flow", "Properties": {"ServiceToken": "x", **properties}})


def planned(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format_version": "1.2", "planned_values": {"root_module": {"resources": list(resources)}}, **more}


def managed(type_: str, id_: str = "m", /, **values: Any) -> dict[str, Any]:
    return {"address": f"{type_}.{id_}", "mode": "managed", "type": type_, "name": id_, "values": values}


def step(type_: str, op: str = "create", **state: Any) -> dict[str, Any]:
    return {"op": op, "newState": {"urn": f"urn:pulumi:dev::p::{type_}::x", "type": type_, **state}}


def preview(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"config": {}, "steps": list(steps), "changeSummary": {}}


FLOW = "awscc_chime_channel_flow"
CALL = {"service": "chime-sdk-messaging", "action": "createChannelFlow", "parameters": WANTED}
FORMS: dict[str, Any] = {
    "request": WANTED,
    "request in camel case": camel(WANTED),
    "requests": [WANTED],
    "native": template(Flow=NATIVE),
    "SAM": {"Transform": "AWS::Serverless-2016-10-31", **template(Flow=NATIVE)},
    "construct library": template(Flow=custom("ChannelFlow", WANTED)),
    "custom resource": own(**WANTED),
    "custom resource in snake case": own(**snake(WANTED)),
    "AwsCustomResource": own(Create=json.dumps(CALL)),
    "Serverless Framework": {"service": "x", "provider": {}, "resources": {"Resources": {"Flow": NATIVE}}},
    "Serverless Framework in parts": {"service": "x", "provider": {}, "resources": [{"Resources": {"Flow": NATIVE}}]},
    "Terraform": planned(managed("awscc_chime_channel_flow", **snake(WANTED), tags=None)),
    "Terraform's state": {
        "format_version": "1.0",
        "values": planned(managed("awscc_chime_channel_flow", **snake(WANTED)))["planned_values"],
    },
    "invocation in Terraform": planned(managed("aws_lambda_invocation", input=json.dumps({"do": WANTED}))),
    "Pulumi": preview(step("aws-native:chime:ChannelFlow", inputs=camel(WANTED))),
}


SAID = [
    (
        "execution-order-not-contiguous",
        "medium",
        "the execution orders of channel flow moderated do not run from 1 without gaps or repeats",
        [("processors", [2], "execution_order runs from 1 without gaps or repeats")],
    ),
    (
        "last-processor-fails-open",
        "high",
        (
            "processor moderate, the last one, falls back to CONTINUE: messages are delivered unprocessed when "
            f"{FUNCTION} cannot be reached"
        ),
        [("processors[0].fallback_action", "CONTINUE", "equals ABORT")],
    ),
]
OF_ONE_RESOURCE = [
    *("native", "SAM", "construct library", "custom resource", "custom resource in snake case", "AwsCustomResource"),
    *("Serverless Framework", "Serverless Framework in parts"),
]
"""The forms in which the flow has the same logical id."""


def said(ended: Ended) -> list[tuple[Any, ...]]:
    """What the findings say."""
    return sorted(
        (
            each["rule_id"],
            each["severity"],
            each["message"],
            [(one["path"], one["observed"], one["required"]) for one in each["evidence"]],
        )
        for each in ended.report["findings"]
    )


@pytest.mark.parametrize("form", FORMS)
def test_the_same_flow_has_the_same_findings_in_every_form(check: Check, tmp_path: Path, form: str) -> None:
    ended = check(write(tmp_path / "flow.json", json.dumps(FORMS[form], indent=1)))

    assert (ended.code, gaps(ended), said(ended)) == (1, [], SAID), ended.stderr
    found = findings(ended)["last-processor-fails-open"]
    resource = found["resource"]
    assert (resource["name"], resource["app_instance_arn"], resource["arn"]) == ("moderated", APP, None)
    assert (resource["account_id"], resource["region"]) == ("111122223333", "us-east-1")
    line = found["location"]["line"]
    assert re.search("CONTINUE", (tmp_path / "flow.json").read_text().splitlines()[line - 1])


def test_a_resource_keeps_its_fingerprints_whatever_form_it_takes(check: Check, tmp_path: Path) -> None:
    fingerprints = set()
    for form in OF_ONE_RESOURCE:
        ended = check(write(tmp_path / "flow.json", json.dumps(FORMS[form])))
        fingerprints.add(tuple(each["fingerprint"] for each in ended.report["findings"]))

    assert [len(each) for each in fingerprints] == [len(SAID)]


def test_a_list_of_processors_is_judged_if_it_is_named(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "list.json", json.dumps(WANTED["Processors"]))

    ended, folder = check("list.json"), check(".")

    unnamed = [(*one[:2], one[2].replace("moderated", "(unknown)"), one[3]) for one in SAID]
    assert (ended.code, [one for one in said(ended) if one[0] in FAILED]) == (1, unnamed)
    assert (folder.code, len(gaps(folder))) == (3, 1)


def test_requests_of_a_list_have_findings_of_their_own(check: Check, tmp_path: Path) -> None:
    both = [WANTED, {**WANTED, "Name": "other"}, {**WANTED, "Name": "other"}]
    write(tmp_path / "list.json", json.dumps(both))

    ended = check("list.json")

    failed = [each for each in ended.report["findings"] if each["rule_id"] == "last-processor-fails-open"]
    assert len({each["fingerprint"] for each in failed}) == 3
    assert ended.report["coverage"]["observed"]["files"] == 1


ARN_OF_CHAT = {
    "app_instance_arn": {
        "references": ["awscc_chime_app_instance.chat.app_instance_arn", "awscc_chime_app_instance.chat"]
    }
}


def in_module(**flow: Any) -> dict[str, Any]:
    """A plan with an app instance, and a flow in a module that is given its ARN."""
    address = 'module.m["a.b"].awscc_chime_channel_flow.f[0]'
    values = {key: each for key, each in snake(WANTED).items() if key not in flow}
    made = {**managed("awscc_chime_channel_flow", "f", **values), "address": address}
    configured = {
        "address": "awscc_chime_channel_flow.f",
        "expressions": {"app_instance_arn": {"references": ["var.app"]}},
    }
    call = {"expressions": {"app": ARN_OF_CHAT["app_instance_arn"]}, "module": {"resources": [configured]}}
    return {
        "format_version": "1.2",
        "planned_values": {
            "root_module": {
                "resources": [managed("awscc_chime_app_instance", "chat", name="chat")],
                "child_modules": [{"address": 'module.m["a.b"]', "resources": [made]}],
            }
        },
        "resource_changes": [{"address": address, "change": {"after_unknown": flow}}],
        "configuration": {"root_module": {"module_calls": {"m": call}}},
    }


def test_a_flow_in_a_module_belongs_to_the_app_instance_of_the_plan(check: Check) -> None:
    ended = check(plan__json=in_module(app_instance_arn=True))

    assert (ended.code, set(findings(ended))) == (1, FAILED)
    assert findings(ended)["last-processor-fails-open"]["resource"]["app_instance_name"] == "chat"


@pytest.mark.parametrize(
    ("open_", "rule"),
    [
        ({"processors": True}, "last-processor-fails-open"),
        ({"processors": [{"fallback_action": True}]}, "last-processor-fails-open"),
        ({"processors": [{"configuration": {"lambda": {"resource_arn": True}}}]}, "cross-account-lambda"),
    ],
)
def test_what_is_only_known_after_the_apply_is_unknown(check: Check, open_: dict[str, Any], rule: str) -> None:
    ended = check(plan__json=in_module(**open_))

    assert rule in findings(ended, "unknown")


@pytest.mark.parametrize(
    "plan",
    [
        planned(managed("aws_lambda_invocation", input='{"create": "channel_flow"}')),
        planned(managed("aws_cloudformation_stack", template_body='{"Type": "AWS::Chime::ChannelFlow"}')),
        planned(
            managed(
                "aws_sfn_state_machine", "m", definition="arn:aws:states:::aws-sdk:chimesdkmessaging:createChannelFlow"
            )
        ),
        planned(managed("ours_chime_channel_flow")),
        planned(complete=False, configuration={"x": "awscc_chime_channel_flow"}),
        planned(errored=True, configuration={"x": "awscc_chime_channel_flow"}),
        planned(deferred_changes=[{"resource_change": {"type": "awscc_chime_channel_flow"}}]),
        preview(step("aws-native:chime:ChannelFlowX")),
        preview(step("command:local:Command", inputs={"create": "aws chime-sdk-messaging create-channel-flow"})),
    ],
)
def test_what_a_plan_does_not_show_is_named(check: Check, plan: dict[str, Any]) -> None:
    ended = check(plan__json=plan)

    assert (ended.code, len(gaps(ended))) == (3, 1), ended.stderr


@pytest.mark.parametrize(
    "plan",
    [
        planned(managed("aws_s3_bucket", bucket="x")),
        planned({**managed("awscc_chime_channel_flow"), "mode": "data"}),
        preview(step("aws:s3/bucket:Bucket", inputs={}), step("aws-native:chime:ChannelFlow", op="delete", inputs={})),
    ],
)
def test_a_plan_without_a_flow_is_judged_and_clean(check: Check, plan: dict[str, Any]) -> None:
    ended = check(plan__json=plan)

    assert (ended.code, gaps(ended), ended.report["coverage"]["observed"]["channel_flows"]) == (0, [], 0), ended.stderr


def test_source_code_of_terraform_is_settled_by_its_plan(check: Check, tmp_path: Path) -> None:
    write(
        tmp_path / "main.tf", 'resource "awscc_chime_channel_flow" "m" {}\nresource "awscc_chime_channel_flow" "n" {}\n'
    )
    write(tmp_path / "plan.json", FORMS["Terraform"])

    assert [each.split(": ")[0] for each in gaps(check("."))] == ["main.tf:2:1"]


def test_pulumis_unknown_values_are_unknown_and_its_app_instance_is_known(check: Check) -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    chat = step("aws-native:chime:AppInstance", inputs={"name": "chat"})
    asked = {**camel(WANTED), "appInstanceArn": unknown}
    asked["processors"][0]["fallbackAction"] = unknown
    needs = {"appInstanceArn": [chat["newState"]["urn"]], "processors": ["urn:x", "urn:y"]}

    ended = check(
        plan__json=preview(chat, step("aws-native:chime:ChannelFlow", inputs=asked, propertyDependencies=needs))
    )

    assert findings(ended, "unknown")["last-processor-fails-open"]["resource"]["app_instance_name"] == "chat"


SERVERLESS = """
service: chat
provider: {name: aws}
resources:
  Resources:
    Flow:
      Type: AWS::Chime::ChannelFlow
      Properties:
        Name: moderated-${opt:stage, ${self:provider.stage}}
        AppInstanceArn: !Sub "arn:aws:chime:${AWS::Region}:${AWS::AccountId}:app-instance/${self:custom.app}"
        Processors:
          - Name: one
            ExecutionOrder: 1
            FallbackAction: FALLBACK
            Configuration: {Lambda: {ResourceArn: "${ssm:/arn}", InvocationType: ASYNC}}
"""


def test_variables_of_serverless_are_unknown(check: Check) -> None:
    known = check(serverless__yml=SERVERLESS.replace("FALLBACK", "CONTINUE"))
    unknown = check(serverless__yml=SERVERLESS.replace("FALLBACK", "${self:custom.fallback, 'ABORT'}"))

    assert "last-processor-fails-open" in findings(known)
    assert {"last-processor-fails-open", "unpinned-lambda-version"} <= findings(unknown, "unknown").keys()


def test_resources_of_serverless_in_another_file_are_named_unless_that_is_judged(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "serverless.yml", "service: chime\nprovider: {}\nresources: ${file(./flows.yml)}\n")

    alone = check(".")
    write(tmp_path / "flows.yml", json.dumps(template(Flow=NATIVE)))
    both = check(".")

    assert (alone.code, [each.split(": ")[0] for each in gaps(alone)]) == (3, ["serverless.yml:3:12"])
    assert (both.code, gaps(both)) == (1, [])
