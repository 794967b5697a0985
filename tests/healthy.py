"""A fake AWS's healthy answers about everything around channel flows."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from tests.answers import Answer, Call, truth, xml
from tests.roles import POOL, trusting

ACCOUNT = "111122223333"


def answer(call: Call, account: str = ACCOUNT) -> Answer:
    """The healthy answer to a call about a function, its role, an alert, tags, timestamps, channels or the caller."""
    match call.service:
        case "sts" if call.operation == "AssumeRole":
            return xml("AssumeRole", assumed(call.parameters["RoleArn"]))
        case "sts":
            return xml(call.operation, _IDENTITY.format(account))
        case "iam":
            role = call.parameters.get("RoleName", "")
            values = {"account": account, "role": role, "document": _CALLBACK, "trust": _TRUST}
            return xml(call.operation, _IAM[call.operation].format(**values))
        case _:
            return truth(_told(call, account))


def _told(call: Call, account: str) -> object:  # noqa: C901, PLR0911 - a table of answers
    function = call.parameters.get("function", "")
    match call.operation:
        case "GetFunctionConfiguration":
            return configuration(function)
        case "GetFunctionEventInvokeConfig":
            return {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:111122223333:failed"}}}
        case "GetPolicy":
            return {"Policy": json.dumps(_resource_policy(function.split(":")[4]))}
        case "ListTagsForResource":
            return {"Tags": [{"Key": "owner", "Value": "chat"}]}
        case "DescribeChannelFlow":
            return {"ChannelFlow": {"CreatedTimestamp": 1767225600.0, "LastUpdatedTimestamp": 1767225600.0}}
        case "ListAppInstanceAdmins":
            admin = f"{call.app_instance_arn}/user/admin"
            return {"AppInstanceAdmins": [{"Admin": {"Arn": admin, "Name": "Ada Lovelace"}}]}
        case "ListChannels":
            return {"Channels": [{"ChannelArn": f"{call.app_instance_arn}/channel/general", "Name": "general"}]}
        case "DescribeChannel":
            return {"Channel": {"ChannelArn": call.parameters["channel"], "Name": "general"}}
        case "ListChannelsAssociatedWithChannelFlow":
            arn = call.parameters["channel-flow-arn"].partition("/channel-flow/")[0]
            return {"Channels": [{"ChannelArn": f"{arn}/channel/general", "Name": "general"}]}
        case "ListRules":
            return {"Rules": [alert("failures", f"{call.region}:{account}")]}
        case "ListTargetsByRule":
            return {"Targets": [{"Id": "1", "Arn": "arn:aws:sns:us-east-1:111122223333:alerts"}]}
        case _:
            return {}


def _resource_policy(account: str) -> object:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "messaging.chime.amazonaws.com"},
                "Action": "lambda:InvokeFunction",
                "Resource": "*",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": account},
                    "ArnLike": {"aws:SourceArn": f"arn:aws:chime:*:{account}:app-instance/*"},
                },
            }
        ],
    }


def processor(**changes: Any) -> dict[str, Any]:
    """A healthy processor, in AWS's JSON."""
    return {
        "Name": "moderate",
        "Configuration": invoking(function_arn()),
        "ExecutionOrder": 1,
        "FallbackAction": "ABORT",
        **changes,
    }


def invoking(arn: Any) -> dict[str, Any]:
    """The configuration of a processor that invokes this function."""
    return {"Lambda": {"ResourceArn": arn, "InvocationType": "ASYNC"}}


def function_arn(name: str = "moderate:live", region: str = "us-east-1", account: str = ACCOUNT) -> str:
    return f"arn:aws:lambda:{region}:{account}:function:{name}"


def configuration(function: str) -> dict[str, Any]:
    """Lambda's configuration of a function."""
    return {
        "FunctionArn": function,
        "Version": "1",
        "Runtime": "python3.13",
        "Role": f"arn:aws:iam::{function.split(':')[4]}:role/processor",
        "Timeout": 10,
        "LastModified": "2026-01-01T00:00:00.000+0000",
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }


def alert(name: str, place: str, source: str = "aws.chime") -> dict[str, str]:
    """An EventBridge rule that matches every event of a source."""
    pattern = json.dumps({"source": [source]})
    return {"Name": name, "Arn": f"arn:aws:events:{place}:rule/{name}", "State": "ENABLED", "EventPattern": pattern}


_IDENTITY = "<Arn>arn:aws:iam::{0}:user/auditor</Arn><UserId>AIDAEXAMPLE</UserId><Account>{0}</Account>"


def credentials(account: str, suffix: str = "", expiration: str = "2099-01-01T00:00:00Z") -> str:
    """The credentials that AssumeRole gives. The access key holds the account, and the `suffix` of a session."""
    return (
        f"<Credentials><AccessKeyId>ASIA{account}{suffix}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
        f"<SessionToken>t</SessionToken><Expiration>{expiration}</Expiration></Credentials>"
    )


def assumed(role_arn: str) -> str:
    """The healthy answer of AssumeRole."""
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    arn = f"arn:aws:sts::{account}:assumed-role/{name}/chimeaudit"
    return f"<AssumedRoleUser><Arn>{arn}</Arn><AssumedRoleId>A:chimeaudit</AssumedRoleId></AssumedRoleUser>" + (
        credentials(account)
    )


_CALLBACK = quote(
    json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "chime:ChannelFlowCallback",
                    "Resource": "arn:aws:chime:*:*:app-instance/*/channel/*",
                }
            ],
        }
    )
)
_TRUST = quote(json.dumps(trusting(POOL)))
_IAM = {
    "GetRole": "<Role><Path>/</Path><RoleName>{role}</RoleName><RoleId>AROAEXAMPLEEXAMPLE</RoleId>"
    "<Arn>arn:aws:iam::{account}:role/{role}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></Role>",
    "ListRolePolicies": "<PolicyNames><member>callback</member></PolicyNames><IsTruncated>false</IsTruncated>",
    "GetRolePolicy": "<RoleName>{role}</RoleName><PolicyName>callback</PolicyName>"
    "<PolicyDocument>{document}</PolicyDocument>",
    "ListAttachedRolePolicies": "<AttachedPolicies></AttachedPolicies><IsTruncated>false</IsTruncated>",
    "GetAccountAuthorizationDetails": "<RoleDetailList><member><RoleName>customer</RoleName>"
    "<Arn>arn:aws:iam::{account}:role/customer</Arn><AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument>"
    "<RolePolicyList/><AttachedManagedPolicies/></member></RoleDetailList><Policies/><IsTruncated>false</IsTruncated>",
    "GetPolicy": "<Policy><PolicyName>managed</PolicyName><DefaultVersionId>v1</DefaultVersionId></Policy>",
    "GetPolicyVersion": "<PolicyVersion><VersionId>v1</VersionId><Document>{document}</Document></PolicyVersion>",
}
