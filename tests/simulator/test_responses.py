"""All operations over HTTP, called by plain boto3, agree with botocore's service models."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scanner.simulator.organisation import Organisation, Placed, placed
from scanner.simulator.server import SimulatedAWS
from tests.simulator.conftest import Caller
from tests.simulator.wire import call, departures

READS = [
    ("identity", "ListAppInstances"),
    ("identity", "DescribeAppInstance"),
    ("identity", "GetAppInstanceRetentionSettings"),
    ("identity", "ListTagsForResource"),
    ("messaging", "ListChannelFlows"),
    ("messaging", "DescribeChannelFlow"),
    ("messaging", "ListChannelsAssociatedWithChannelFlow"),
    ("messaging", "ListTagsForResource"),
]


@pytest.fixture(scope="module")
def support_chat(demo: Organisation) -> Placed:
    return next(placed(demo))


@pytest.fixture(scope="module")
def marketplace(demo: Organisation) -> Placed:
    return next(instance for instance in placed(demo) if instance.name == "marketplace")


def parameters(service: str, operation: str, instance: Placed) -> dict[str, str]:
    flow_arn = instance.channel_flows[0].arn
    return {
        "ListAppInstances": {},
        "DescribeAppInstance": {"AppInstanceArn": instance.arn},
        "GetAppInstanceRetentionSettings": {"AppInstanceArn": instance.arn},
        "ListTagsForResource": {"ResourceARN": instance.arn if service == "identity" else flow_arn},
        "ListChannelFlows": {"AppInstanceArn": instance.arn},
        "DescribeChannelFlow": {"ChannelFlowArn": flow_arn},
        "ListChannelsAssociatedWithChannelFlow": {"ChannelFlowArn": flow_arn},
    }[operation]


@pytest.mark.parametrize(("service", "operation"), READS)
def test_answers_what_the_service_model_says(
    caller: Caller, support_chat: Placed, service: str, operation: str
) -> None:
    client: Any = getattr(caller, service)
    parsed, body = call(client, operation, **parameters(service, operation, support_chat))

    output = client.meta.service_model.operation_model(operation).output_shape
    assert departures(output, body, operation) == []
    assert set(output.members) - {"NextToken", "InitiateDeletionTimestamp"} <= set(body)
    assert parsed["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert [value for name, value in parsed.items() if name != "ResponseMetadata"] != [None]


def test_describes_an_app_instance(caller: Caller, support_chat: Placed) -> None:
    described = caller.identity.describe_app_instance(AppInstanceArn=support_chat.arn)["AppInstance"]
    assert described["AppInstanceArn"] == support_chat.arn
    assert described["Name"] == "support chat"
    assert described["CreatedTimestamp"].isoformat() == described["LastUpdatedTimestamp"].isoformat()


def test_a_flow_reads_the_same_listed_and_described(caller: Caller, support_chat: Placed) -> None:
    listed = caller.messaging.list_channel_flows(AppInstanceArn=support_chat.arn)["ChannelFlows"]
    for flow in listed:
        described = caller.messaging.describe_channel_flow(ChannelFlowArn=flow["ChannelFlowArn"])["ChannelFlow"]
        assert flow == {name: described[name] for name in flow}  # type: ignore[literal-required]  # names of flow


def test_retention_is_given_in_days(caller: Caller, demo: Organisation, support_chat: Placed) -> None:
    def settings(arn: str) -> Any:
        return caller.identity.get_app_instance_retention_settings(AppInstanceArn=arn)["AppInstanceRetentionSettings"]

    kept = next(i for i in placed(demo) if i.region == "us-east-1" and i.app_instance.retention_days is None)
    assert settings(support_chat.arn) == {"ChannelRetentionSettings": {"RetentionDays": 90}}
    assert settings(kept.arn) == {"ChannelRetentionSettings": {}}


def test_each_service_answers_for_the_tags_of_its_resources(caller: Caller, support_chat: Placed) -> None:
    flow = support_chat.channel_flows[0]
    assert caller.identity.list_tags_for_resource(ResourceARN=support_chat.arn)["Tags"] == [
        {"Key": "team", "Value": "customer-care"},
        {"Key": "data", "Value": "confidential"},
    ]
    assert caller.messaging.list_tags_for_resource(ResourceARN=flow.arn)["Tags"] == [
        {"Key": "owner", "Value": "trust-and-safety"}
    ]
    assert caller.messaging.list_tags_for_resource(ResourceARN=support_chat.channel_flows[1].arn)["Tags"] == []


def test_hostile_names_arrive_as_they_were_given(caller: Caller, demo: Organisation) -> None:
    europe = caller.at("eu-central-1").messaging
    for instance in placed(demo):
        if (instance.account_id, instance.region) == (demo.management.id, "eu-central-1"):
            listed = europe.list_channel_flows(AppInstanceArn=instance.arn)["ChannelFlows"]
            assert [flow["Name"] for flow in listed] == [flow.name for flow in instance.channel_flows]


def pages(list_page: Callable[..., Any], key: str, **given: Any) -> list[list[str]]:
    found: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        page = list_page(**given, **token)
        found.append([item.get("ChannelFlowArn") or item.get("AppInstanceArn") for item in page[key]])
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def test_57_app_instances_are_two_pages(caller: Caller, demo: Organisation) -> None:
    found = pages(caller.identity.list_app_instances, "AppInstances")
    here = [i.arn for i in placed(demo) if (i.account_id, i.region) == (demo.management.id, "us-east-1")]
    assert [len(page) for page in found] == [50, 7]
    assert [arn for page in found for arn in page] == here


def test_63_channel_flows_are_two_pages(caller: Caller, marketplace: Placed) -> None:
    found = pages(caller.messaging.list_channel_flows, "ChannelFlows", AppInstanceArn=marketplace.arn)
    assert [len(page) for page in found] == [50, 13]
    assert [arn for page in found for arn in page] == [flow.arn for flow in marketplace.channel_flows]


def test_pages_are_as_long_as_asked_for(caller: Caller, marketplace: Placed) -> None:
    found = pages(caller.messaging.list_channel_flows, "ChannelFlows", AppInstanceArn=marketplace.arn, MaxResults=21)
    assert [len(page) for page in found] == [21, 21, 21]


def test_associated_channels_come_in_pages(caller: Caller, demo: Organisation) -> None:
    busy = next(f for i in placed(demo) for f in i.channel_flows if f.channel_flow.channels == 60)
    europe = caller.at("eu-central-1").messaging
    first = europe.list_channels_associated_with_channel_flow(ChannelFlowArn=busy.arn)
    second = europe.list_channels_associated_with_channel_flow(ChannelFlowArn=busy.arn, NextToken=first["NextToken"])
    arns = {channel["ChannelArn"] for channel in first["Channels"] + second["Channels"]}
    assert (len(first["Channels"]), len(arns), "NextToken" in second) == (50, 60, False)


def refusal(list_page: Callable[..., Any], **given: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        list_page(**given)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


@pytest.mark.parametrize("token", ["nonsense", "50-0", "50-" + "0" * 64, "x" * 2000, "٥-" + "0" * 64])
def test_an_invalid_token_is_refused(caller: Caller, token: str) -> None:
    assert refusal(caller.identity.list_app_instances, NextToken=token) == (400, "BadRequestException")


def test_a_token_of_another_listing_is_refused(caller: Caller, support_chat: Placed, marketplace: Placed) -> None:
    token = caller.messaging.list_channel_flows(AppInstanceArn=marketplace.arn)["NextToken"]
    for listing, given in (
        (caller.messaging.list_channel_flows, {"AppInstanceArn": support_chat.arn}),
        (caller.identity.list_app_instances, {}),
    ):
        assert refusal(listing, NextToken=token, **given) == (400, "BadRequestException")


@pytest.mark.parametrize("size", [51, 1000])
def test_a_page_holds_at_most_fifty(caller: Caller, size: int) -> None:
    assert refusal(caller.identity.list_app_instances, MaxResults=size) == (400, "BadRequestException")


@pytest.mark.parametrize(("service", "operation"), READS[1:])
def test_an_unknown_resource_is_forbidden(caller: Caller, support_chat: Placed, service: str, operation: str) -> None:
    given = {name: f"{arn}0" for name, arn in parameters(service, operation, support_chat).items()}
    client: Any = getattr(caller, service)
    assert refusal(client._make_api_call, operation_name=operation, api_params=given) == (403, "ForbiddenException")


def test_what_is_no_chime_arn_is_a_bad_request(caller: Caller) -> None:
    given = {"AppInstanceArn": "arn:aws:s3:::bucket"}
    assert refusal(caller.identity.describe_app_instance, **given) == (400, "BadRequestException")


def test_an_error_says_code_and_message(caller: Caller) -> None:
    with pytest.raises(caller.messaging.exceptions.ClientError) as caught:
        caller.messaging.list_channel_flows(AppInstanceArn="arn:aws:chime:us-east-1:111122223333:app-instance/none")
    answer: Any = caught.value.response
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-errortype"] == "ForbiddenException"
    assert answer["Code"] == "Forbidden"
    assert answer["Message"] == answer["Error"]["Message"]
    assert "app-instance/none" in answer["Message"]


def test_resources_that_are_created_directly_can_be_read(aws: SimulatedAWS) -> None:
    caller = Caller.of(aws).assuming("444455556666")
    app_instance_arn = caller.identity.create_app_instance(
        Name="new", ClientRequestToken="once", Tags=[{"Key": "team", "Value": "a"}]
    )["AppInstanceArn"]
    flow_arn = caller.messaging.create_channel_flow(
        AppInstanceArn=app_instance_arn,
        Name="moderation",
        ClientRequestToken="once",
        Processors=[
            {
                "Name": "moderate",
                "Configuration": {
                    "Lambda": {
                        "ResourceArn": "arn:aws:lambda:us-east-1:444455556666:function:moderate:1",
                        "InvocationType": "ASYNC",
                    }
                },
                "ExecutionOrder": 1,
                "FallbackAction": "ABORT",
            }
        ],
    )["ChannelFlowArn"]
    caller.messaging.tag_resource(ResourceARN=flow_arn, Tags=[{"Key": "owner", "Value": "b"}])

    assert caller.names() == ["new"]
    [flow] = caller.messaging.list_channel_flows(AppInstanceArn=app_instance_arn)["ChannelFlows"]
    assert (flow["ChannelFlowArn"], flow["Name"], len(flow["Processors"])) == (flow_arn, "moderation", 1)
    assert caller.identity.list_tags_for_resource(ResourceARN=app_instance_arn)["Tags"][0]["Value"] == "a"
    assert caller.messaging.list_tags_for_resource(ResourceARN=flow_arn)["Tags"][0]["Value"] == "b"

    caller.messaging.delete_channel_flow(ChannelFlowArn=flow_arn)
    assert caller.messaging.list_channel_flows(AppInstanceArn=app_instance_arn)["ChannelFlows"] == []
    assert refusal(caller.messaging.describe_channel_flow, ChannelFlowArn=flow_arn) == (403, "ForbiddenException")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/app-instances", "["),
        ("POST", "/app-instances", "[]"),
        ("POST", "/app-instances", "{}"),
        ("POST", "/channel-flows", '{"AppInstanceArn": "arn:aws:chime:us-east-1:1:app-instance/a", "Name": "a"}'),
        ("GET", "/app-instances?max-results=0", ""),
        ("GET", "/app-instances?max-results=many", ""),
        ("GET", "/channel-flows?app-instance-arn=", ""),
        ("GET", "/tags?arn=app-instance", ""),
    ],
)
def test_a_request_that_boto3_would_not_send_is_a_bad_request(
    aws: SimulatedAWS, method: str, path: str, body: str
) -> None:
    scope = f"{aws.access_key_id}/20260105/us-east-1/chime/aws4_request"
    connection = HTTPConnection(aws.url.removeprefix("http://"))
    connection.request(method, path, body, {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "BadRequestException")
    assert json.load(answer)["Code"] == "BadRequest"
    connection.close()


SYNCHRONOUS = {"Lambda": {"ResourceArn": "arn:aws:lambda:us-east-1:1:function:moderate", "InvocationType": "SYNC"}}


@pytest.mark.parametrize(
    "change",
    [{"ExecutionOrder": 4}, {"FallbackAction": "SHRUG"}, {"Configuration": SYNCHRONOUS}],
    ids=["execution order", "fallback action", "invocation type"],
)
def test_a_processor_outside_the_model_is_refused(caller: Caller, support_chat: Placed, change: dict[str, Any]) -> None:
    [flow, *_] = caller.messaging.list_channel_flows(AppInstanceArn=support_chat.arn)["ChannelFlows"]
    given = {
        "AppInstanceArn": support_chat.arn,
        "Name": "new",
        "ClientRequestToken": "once",
        "Processors": [{**flow["Processors"][0], **change}],
    }
    assert refusal(caller.messaging.create_channel_flow, **given) == (400, "BadRequestException")


def channels_as(caller: Caller, instance: Placed, user: str) -> set[str]:
    bearer = f"{instance.arn}/user/{user}"
    listed = caller.messaging.list_channels(AppInstanceArn=instance.arn, ChimeBearer=bearer)["Channels"]
    return {channel["ChannelArn"] for channel in listed}


def test_an_admin_alone_sees_all_channels(caller: Caller, demo: Organisation) -> None:
    events = next(each for each in placed(demo) if each.name == "live events")
    admins = caller.identity.list_app_instance_admins(AppInstanceArn=events.arn)["AppInstanceAdmins"]
    of_flows = sum(flow.channel_flow.channels for flow in events.channel_flows)

    assert [each["Admin"]["Arn"] for each in admins] == [f"{events.arn}/user/admin-1"]
    assert len(channels_as(caller, events, "admin-1")) == of_flows + events.app_instance.channels
    assert channels_as(caller, events, "visitor") == set(), "all channels are private"


def test_a_channel_tells_its_flow_to_an_admin(caller: Caller, support_chat: Placed) -> None:
    admin = f"{support_chat.arn}/user/admin-1"
    arn = min(channels_as(caller, support_chat, "admin-1"))

    described = caller.messaging.describe_channel(ChannelArn=arn, ChimeBearer=admin)["Channel"]

    assert described["ChannelFlowArn"] in {flow.arn for flow in support_chat.channel_flows}
    visitor = f"{support_chat.arn}/user/visitor"
    refused = refusal(caller.messaging.describe_channel, ChannelArn=arn, ChimeBearer=visitor)
    assert refused == (403, "ForbiddenException")
    nobody = f"{support_chat.arn}/user/nobody"
    refused = refusal(caller.messaging.describe_channel, ChannelArn=arn, ChimeBearer=nobody)
    assert refused[0] == 422
