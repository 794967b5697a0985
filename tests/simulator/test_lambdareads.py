"""Lambda's answers over HTTP, read by plain boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulator.conftest import Caller
from tests.simulator.wire import call, departures

ARN = "arn:aws:lambda:us-east-1:111122223333:function:chat-moderation"


def refusal(operation: Any, **given: str) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        operation(**given)
    answer: Any = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


@pytest.mark.parametrize(
    ("operation", "function"),
    [
        ("GetFunctionConfiguration", "chat-moderation"),
        ("GetFunctionConfiguration", "broken-moderation"),
        ("GetFunctionConfiguration", "idle-moderation"),
        ("GetPolicy", "chat-moderation"),
        ("GetFunctionConcurrency", "capped-moderation"),
        ("GetFunctionConcurrency", "chat-moderation"),
        ("GetFunctionEventInvokeConfig", "careful-moderation"),
        ("GetFunctionUrlConfig", "public-moderation:live"),
    ],
)
def test_answers_what_the_service_model_says(caller: Caller, operation: str, function: str) -> None:
    _, body = call(caller.functions, operation, FunctionName=function)
    output = caller.functions.meta.service_model.operation_model(operation).output_shape
    assert departures(output, body, operation) == []


@pytest.mark.parametrize(
    ("reference", "qualifier", "arn", "version"),
    [
        ("chat-moderation", None, ARN, "$LATEST"),
        ("chat-moderation", "$LATEST", f"{ARN}:$LATEST", "$LATEST"),
        ("chat-moderation", "live", f"{ARN}:live", "12"),
        ("chat-moderation:7", None, f"{ARN}:7", "7"),
        (ARN, "12", f"{ARN}:12", "12"),
        (f"{ARN}:live", None, f"{ARN}:live", "12"),
        (f"{ARN}:live", "live", f"{ARN}:live", "12"),
        ("111122223333:function:chat-moderation:$LATEST", None, f"{ARN}:$LATEST", "$LATEST"),
    ],
)
def test_a_function_goes_by_many_names(
    caller: Caller, reference: str, qualifier: str | None, arn: str, version: str
) -> None:
    given = {"FunctionName": reference} | ({"Qualifier": qualifier} if qualifier else {})
    read = caller.functions.get_function_configuration(**given)
    assert (read["FunctionArn"], read["Version"], read["FunctionName"]) == (arn, version, "chat-moderation")


def test_a_configuration_holds_what_the_demo_says(caller: Caller) -> None:
    def configuration(name: str) -> dict[str, Any]:
        read: dict[str, Any] = caller.functions.get_function_configuration(FunctionName=name)
        return read

    usual = configuration("keyword-filter")
    assert (usual["Runtime"], usual["State"], usual["LastUpdateStatus"]) == ("python3.13", "Active", "Successful")
    assert usual["Role"] == "arn:aws:iam::111122223333:role/chat-processor"
    assert usual["DeadLetterConfig"]["TargetArn"] == "arn:aws:sqs:us-east-1:111122223333:keyword-filter-failures"
    assert usual["LastModified"] == "2026-01-05T09:00:00.000+0000"
    assert configuration("broken-moderation")["StateReasonCode"] == "DisabledKMSKey"
    assert configuration("half-deployed-moderation")["LastUpdateStatus"] == "Failed"
    assert configuration("half-deployed-moderation:4")["LastUpdateStatus"] == "Successful"
    assert "DeadLetterConfig" not in configuration("careful-moderation")


def test_each_qualifier_has_its_own_policy(caller: Caller) -> None:
    for name, qualifier, resource in (
        ("chat-moderation", "live", f"{ARN}:live"),
        ("chat-moderation", None, ARN),
        ("half-open-moderation", "1", "arn:aws:lambda:us-east-1:111122223333:function:half-open-moderation:1"),
    ):
        own = {"Qualifier": qualifier} if qualifier else {}
        policy = json.loads(caller.functions.get_policy(FunctionName=name, **own)["Policy"])
        assert [statement["Resource"] for statement in policy["Statement"]] == [resource]


def test_latest_has_no_policy_of_its_own(caller: Caller) -> None:
    given = {"FunctionName": "chat-moderation", "Qualifier": "$LATEST"}

    assert refusal(caller.functions.get_policy, **given)[:2] == (404, "ResourceNotFoundException")


def test_a_url_belongs_to_an_alias(caller: Caller) -> None:
    read = caller.functions.get_function_url_config

    assert read(FunctionName="public-moderation", Qualifier="live")["AuthType"] == "NONE"
    for name in ("public-moderation", "retired-moderation:live"):
        assert refusal(read, FunctionName=name)[:2] == (404, "ResourceNotFoundException")


def test_reserved_concurrency_may_be_nothing_none_and_some(caller: Caller) -> None:
    def reserved(name: str) -> int | None:
        answer: dict[str, int] = caller.functions.get_function_concurrency(FunctionName=name)
        return answer.get("ReservedConcurrentExecutions")

    names = ("throttled-moderation", "chat-moderation", "capped-moderation")
    assert [reserved(name) for name in names] == [0, None, 25]


def test_a_failure_destination_belongs_to_a_qualifier(caller: Caller) -> None:
    read = caller.functions.get_function_event_invoke_config
    latest, live = read(FunctionName="careful-moderation"), read(FunctionName="careful-moderation", Qualifier="live")
    assert latest["FunctionArn"].endswith(":careful-moderation:$LATEST")
    assert live["FunctionArn"].endswith(":careful-moderation:live")
    assert live["DestinationConfig"]["OnFailure"]["Destination"].endswith(":careful-moderation-failures")


@pytest.mark.parametrize(
    ("reference", "status", "code"),
    [
        ("old-moderation", 404, "ResourceNotFoundException"),
        ("chat-moderation:blue", 404, "ResourceNotFoundException"),
        ("chat-moderation:13", 404, "ResourceNotFoundException"),
        ("arn:aws:lambda:us-east-1:111122223333:function:old-moderation", 404, "ResourceNotFoundException"),
        ("arn:aws:lambda:eu-central-1:111122223333:function:chat-moderation", 404, "ResourceNotFoundException"),
        ("arn:aws:lambda:us-east-1:222233334444:function:spam-filter", 403, "AccessDeniedException"),
        ("arn:aws:lambda:us-east-1:222233334444:function:none", 403, "AccessDeniedException"),
        ("arn:aws:lambda:eu-central-1:222233334444:function:none", 403, "AccessDeniedException"),
        ("arn:aws:s3:::bucket", 400, "InvalidParameterValueException"),
    ],
)
@pytest.mark.parametrize("operation", ["get_function_configuration", "get_policy", "get_function_event_invoke_config"])
def test_what_cannot_be_read_says_why(caller: Caller, operation: str, reference: str, status: int, code: str) -> None:
    assert refusal(getattr(caller.functions, operation), FunctionName=reference)[:2] == (status, code)


def test_what_a_function_does_not_have_is_not_found(caller: Caller) -> None:
    functions = caller.functions
    assert refusal(functions.get_policy, FunctionName="closed-moderation")[:2] == (404, "ResourceNotFoundException")
    assert refusal(functions.get_function_event_invoke_config, FunctionName="chat-moderation", Qualifier="live") == (
        404,
        "ResourceNotFoundException",
        f"The function {ARN}:live doesn't have an EventInvokeConfig",
    )


def test_qualifiers_that_do_not_fit_are_invalid(caller: Caller) -> None:
    given = {"FunctionName": "chat-moderation:live", "Qualifier": "12"}
    assert refusal(caller.functions.get_function_configuration, **given)[:2] == (400, "InvalidParameterValueException")
    given = {"FunctionName": "chat-moderation:live"}
    assert refusal(caller.functions.get_function_concurrency, **given)[:2] == (400, "InvalidParameterValueException")


def test_accounts_have_functions_of_their_own(caller: Caller) -> None:
    theirs = caller.assuming("222233334444").functions
    assert theirs.get_function_configuration(FunctionName="spam-filter")["FunctionArn"].split(":")[4] == "222233334444"
    assert refusal(theirs.get_function_configuration, FunctionName="chat-moderation")[:2] == (
        404,
        "ResourceNotFoundException",
    )
