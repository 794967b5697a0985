"""With IAM enforced, a caller without an action is denied exactly that call, in the service's error format."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends

from scanner.simulator.organisation import (
    READ_ONLY,
    Account,
    AppInstance,
    ChannelFlow,
    Organisation,
    Processor,
    child_arn,
)
from scanner.simulator.server import start
from scanner.simulator.surroundings import Function, Statement, document
from tests.simulator.conftest import Caller

MANAGEMENT, MEMBER = "999900001111", "999900002222"
APP_INSTANCE = child_arn(f"arn:aws:chime:us-east-1:{MEMBER}:app-instance", "chat")
FLOW = child_arn(f"{APP_INSTANCE}/channel-flow", "moderation")
ADMIN = f"{APP_INSTANCE}/user/admin-1"
CHANNEL = child_arn(f"{APP_INSTANCE}/channel", FLOW)
LOGS_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"

CALLS: dict[str, Callable[[Caller], object]] = {
    "chime:ListAppInstances": lambda c: c.identity.list_app_instances(),
    "chime:ListChannelFlows": lambda c: c.messaging.list_channel_flows(AppInstanceArn=APP_INSTANCE),
    "chime:DescribeChannelFlow": lambda c: c.messaging.describe_channel_flow(ChannelFlowArn=FLOW),
    "chime:ListChannelsAssociatedWithChannelFlow": lambda c: c.messaging.list_channels_associated_with_channel_flow(
        ChannelFlowArn=FLOW
    ),
    "chime:ListAppInstanceAdmins": lambda c: c.identity.list_app_instance_admins(AppInstanceArn=APP_INSTANCE),
    "chime:ListChannels": lambda c: c.messaging.list_channels(AppInstanceArn=APP_INSTANCE, ChimeBearer=ADMIN),
    "chime:DescribeChannel": lambda c: c.messaging.describe_channel(ChannelArn=CHANNEL, ChimeBearer=ADMIN),
    "chime:ListTagsForResource": lambda c: c.messaging.list_tags_for_resource(ResourceARN=FLOW),
    "lambda:GetFunctionConfiguration": lambda c: c.functions.get_function_configuration(FunctionName="moderate:1"),
    "lambda:GetPolicy": lambda c: c.functions.get_policy(FunctionName="moderate"),
    "lambda:GetFunctionUrlConfig": lambda c: c.functions.get_function_url_config(FunctionName="moderate"),
    "lambda:GetFunctionConcurrency": lambda c: c.functions.get_function_concurrency(FunctionName="moderate"),
    "lambda:GetFunctionEventInvokeConfig": lambda c: c.functions.get_function_event_invoke_config(
        FunctionName="moderate"
    ),
    "iam:GetAccountAuthorizationDetails": lambda c: c.iam.get_account_authorization_details(Filter=["Role"]),
    "iam:GetRole": lambda c: c.iam.get_role(RoleName="chat-processor"),
    "iam:ListRolePolicies": lambda c: c.iam.list_role_policies(RoleName="chat-processor"),
    "iam:GetRolePolicy": lambda c: c.iam.get_role_policy(RoleName="chat-processor", PolicyName="call-back"),
    "iam:ListAttachedRolePolicies": lambda c: c.iam.list_attached_role_policies(RoleName="chat-processor"),
    "iam:GetPolicy": lambda c: c.iam.get_policy(PolicyArn=LOGS_POLICY),
    "iam:GetPolicyVersion": lambda c: c.iam.get_policy_version(PolicyArn=LOGS_POLICY, VersionId="v1"),
    "events:ListRules": lambda c: c.events.list_rules(),
    "events:ListTargetsByRule": lambda c: c.events.list_targets_by_rule(Rule="processor-failures"),
}
MANAGEMENT_CALLS: dict[str, Callable[[Caller], object]] = {
    "organizations:ListAccounts": lambda c: c.organizations.list_accounts(),
    "organizations:DescribeOrganization": lambda c: c.organizations.describe_organization(),
    "sts:AssumeRole": lambda c: c.assuming(MEMBER),
}


def organisation(*statements: Statement) -> Organisation:
    flow = ChannelFlow(name="moderation", processors=(Processor(lambda_="moderate:1"),))
    member = Account(
        id=MEMBER,
        name="member",
        app_instances={"us-east-1": (AppInstance(name="chat", channel_flows=(flow,)),)},
        functions={"us-east-1": {"moderate": Function(on_failure="destination", urls={"$LATEST": "AWS_IAM"})}},
    )
    management = Account(id=MANAGEMENT, name="management")
    return Organisation(management=management, members=(member,), audit_policy=statements or READ_ONLY)


def allow(*actions: str) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


def denied(calls: dict[str, Callable[[Caller], object]], caller: Caller) -> dict[str, tuple[int, str]]:
    """The calls that are denied, with the status and the error code of the answer."""
    found = {}
    for action, call in calls.items():
        try:
            call(caller)
        except ClientError as error:
            found[action] = error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    return found


def words(action: str) -> tuple[int, str]:
    """The status and the error code with which an action's service denies a call."""
    match action.partition(":")[0]:
        case "iam" | "sts":
            return 403, "AccessDenied"
        case "events" | "organizations":
            return 400, "AccessDeniedException"
        case _:
            return 403, "AccessDeniedException"


def test_without_an_action_exactly_its_call_is_denied() -> None:
    with start(organisation(allow("sts:AssumeRole")), enforce_iam=True) as aws:
        there = Caller.of(aws).assuming(MEMBER)
        assert denied(CALLS, there) == {action: words(action) for action in CALLS}
        for missing in CALLS:
            rest = document([allow(*(action for action in CALLS if action != missing))])
            iam_backends[MEMBER]["aws"].put_role_policy("chimeaudit", "audit", json.dumps(rest))
            assert denied(CALLS, there) == {missing: words(missing)}


@pytest.mark.parametrize("missing", MANAGEMENT_CALLS)
def test_the_policy_also_applies_to_the_user_of_the_management_account(missing: str) -> None:
    allowed = allow(*(action for action in MANAGEMENT_CALLS if action != missing))
    with start(organisation(allowed), enforce_iam=True) as aws:
        assert denied(MANAGEMENT_CALLS, Caller.of(aws)) == {missing: words(missing)}


def test_by_default_an_audit_may_read_and_nothing_else() -> None:
    with start(organisation(), enforce_iam=True) as aws:
        user = Caller.of(aws)
        assert denied(MANAGEMENT_CALLS, user) == {}
        assert denied(CALLS, user.assuming(MEMBER)) == {}
        assert user.assuming(MANAGEMENT).sts.get_caller_identity()["Account"] == MANAGEMENT
        with pytest.raises(ClientError, match="chime:DeleteChannelFlow"):
            user.assuming(MEMBER).messaging.delete_channel_flow(ChannelFlowArn=FLOW)


def test_only_roles_that_exist_can_be_assumed() -> None:
    with start(organisation(), enforce_iam=True) as aws:
        for account_id, role in ((MEMBER, "any-other"), ("123456789012", "chimeaudit")):
            with pytest.raises(ClientError, match="sts:AssumeRole") as caught:
                Caller.of(aws).assuming(account_id, role)
            assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_nothing_is_denied_unless_it_is_asked_for() -> None:
    with start(organisation(allow("s3:ListBucket"))) as aws:
        assert denied(MANAGEMENT_CALLS, Caller.of(aws)) == {}
        assert denied(CALLS, Caller.of(aws).assuming(MEMBER)) == {}
