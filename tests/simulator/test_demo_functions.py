"""The demo file's expectations of functions and roles agree with simple versions of the rules."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scanner.simulator.organisation import Expectation, Organisation, expected, placed
from tests.simulator.conftest import Caller

RULES = {
    "missing-lambda",
    "alias-to-latest",
    "retries-off",
    "disabled-lambda",
    "unhealthy-lambda",
    "lambda-update-failed",
    "deprecated-lambda-runtime",
    "no-failure-destination",
    "lambda-not-invocable-by-chime",
    "lambda-policy-confused-deputy",
    "public-lambda-policy",
    "lambda-policy-allows-foreign-app-instance",
    "lambda-policy-allows-other-accounts",
    "callback-not-allowed",
    "callback-role-too-broad",
}
CHIME = {"Service": "messaging.chime.amazonaws.com"}


def read(operation: Any, **given: str) -> dict[str, Any] | None:
    try:
        answer: dict[str, Any] = operation(**given)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return None
    return answer


def role_statements(iam: Any, name: str) -> list[dict[str, Any]]:
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    documents += [managed_document(iam, policy["PolicyArn"]) for policy in attached]
    return [statement for document in documents for statement in document["Statement"]]


def managed_document(iam: Any, arn: str) -> dict[str, Any]:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document: dict[str, Any] = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return document


@cache
def role_verdicts(iam: Any, name: str) -> dict[str, bool]:
    chime = [s for s in role_statements(iam, name) if str(s["Action"]).startswith("chime:")]
    boundary = iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary")
    bounded = boundary is not None and "chime" not in str(managed_document(iam, boundary["PermissionsBoundaryArn"]))
    reach = [
        resource for s in chime for resource in ([s["Resource"]] if isinstance(s["Resource"], str) else s["Resource"])
    ]
    return {
        "callback-not-allowed": bounded or not any(resource.endswith("*") for resource in reach),
        "callback-role-too-broad": "*" in reach or any(s["Action"] == "chime:*" for s in chime),
    }


def access_verdicts(policy: dict[str, Any] | None, account_id: str, *, has_url: bool) -> dict[str, bool]:
    statements = json.loads(policy["Policy"])["Statement"] if policy else []
    chime = [s for s in statements if s["Principal"] == CHIME and s["Action"] == "lambda:InvokeFunction"]
    pinned = [s["Condition"]["StringEquals"]["aws:SourceAccount"] for s in chime if "Condition" in s]
    return {
        "lambda-not-invocable-by-chime": not chime,
        "lambda-policy-confused-deputy": len(pinned) < len(chime),
        "public-lambda-policy": has_url and any(s["Principal"] == "*" for s in statements),
        "lambda-policy-allows-other-accounts": any("AWS" in s["Principal"] for s in statements),
        "lambda-policy-allows-foreign-app-instance": any(accounts != account_id for accounts in pinned),
    }


def verdicts(there: Caller, account_id: str, name: str, qualifier: str) -> dict[str, bool]:
    configuration = read(there.functions.get_function_configuration, FunctionName=name, Qualifier=qualifier)
    if configuration is None:
        return {"missing-lambda": True}
    invocation = read(there.functions.get_function_event_invoke_config, FunctionName=name, Qualifier=qualifier)
    concurrency = there.functions.get_function_concurrency(FunctionName=name)
    own = {} if qualifier == "$LATEST" else {"Qualifier": qualifier}
    policy = read(there.functions.get_policy, FunctionName=name, **own)
    may_have_url = not qualifier.isdecimal()
    url = read(there.functions.get_function_url_config, FunctionName=name, **own) if may_have_url else None
    destination = (invocation or {}).get("DestinationConfig", {}).get("OnFailure")
    return {
        "disabled-lambda": concurrency.get("ReservedConcurrentExecutions") == 0,
        "unhealthy-lambda": configuration["State"] == "Failed",
        "lambda-update-failed": configuration["LastUpdateStatus"] == "Failed",
        "deprecated-lambda-runtime": configuration["Runtime"] in ("nodejs16.x", "python3.8"),
        "alias-to-latest": configuration["Version"] == "$LATEST" != qualifier,
        "retries-off": (invocation or {}).get("MaximumRetryAttempts") == 0,
        "no-failure-destination": "DeadLetterConfig" not in configuration and not destination,
        **access_verdicts(policy, account_id, has_url=url is not None),
        **role_verdicts(there.iam, configuration["Role"].rpartition("/")[2]),
    }


def test_the_demo_expects_exactly_what_is_wrong_with_functions(caller: Caller, demo: Organisation) -> None:
    there = cache(lambda account_id, region: caller.assuming(account_id).at(region))

    @cache
    def broken(arn: str) -> set[str]:
        """The ids of the rules that a function breaks, read with the credentials of its account."""
        region, account_id, _, name, qualifier = [*arn.split(":"), "$LATEST"][3:8]
        read = verdicts(there(account_id, region), account_id, name, qualifier)
        return {rule_id for rule_id, fails in read.items() if fails}

    found = set()
    for instance in placed(demo):
        for flow in instance.channel_flows:
            for processor in flow.channel_flow.processors:
                here = f"arn:aws:lambda:{instance.region}:{instance.account_id}:function:"
                arn = processor.lambda_ if processor.lambda_.startswith("arn:") else here + processor.lambda_
                if ":999988887777:" not in arn:
                    found |= {Expectation(instance.account_id, instance.region, flow.arn, r) for r in broken(arn)}
    assert found == {expectation for expectation in expected(demo) if expectation.rule_id in RULES}


def test_a_vendors_function_cannot_be_read(caller: Caller) -> None:
    arn = "arn:aws:lambda:us-east-1:999988887777:function:vendor-moderation"
    with pytest.raises(ClientError, match="AccessDeniedException"):
        caller.functions.get_function_configuration(FunctionName=arn, Qualifier="3")
