"""What the fake AWS says of everything around channel flows: all is well."""

from __future__ import annotations

import json
from urllib.parse import quote

from tests.answers import Answer, Call, truth, xml

ACCOUNT = "111122223333"


def answer(call: Call) -> Answer:
    """The healthy answer to a call about a function, its role, an alert, tags, timestamps or channels."""
    if call.service == "iam":
        return xml(call.operation, _IAM[call.operation].replace(ACCOUNT, call.account or ACCOUNT))
    return truth(_chime_and_others(call))


def _chime_and_others(call: Call) -> object:  # noqa: PLR0911 - a table of answers
    function = call.parameters.get("function", "")
    match call.operation:
        case "GetFunctionConfiguration":
            return {
                "FunctionArn": function,
                "Runtime": "python3.13",
                "Role": f"arn:aws:iam::{function.split(':')[4]}:role/processor",
                "Timeout": 10,
                "LastModified": "2026-01-01T00:00:00.000+0000",
                "State": "Active",
                "LastUpdateStatus": "Successful",
            }
        case "GetFunctionEventInvokeConfig":
            return {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:111122223333:failed"}}}
        case "GetPolicy":
            return {"Policy": json.dumps(_resource_policy(function.split(":")[4]))}
        case "ListTagsForResource":
            return {"Tags": [{"Key": "owner", "Value": "chat"}]}
        case "DescribeChannelFlow":
            return {"ChannelFlow": {"CreatedTimestamp": 1767225600.0, "LastUpdatedTimestamp": 1767225600.0}}
        case "ListChannelsAssociatedWithChannelFlow":
            return {"Channels": [{"Name": "general"}]}
        case "ListRules":
            arn = f"arn:aws:events:{call.region}:{call.account or ACCOUNT}:rule/failures"
            return {"Rules": [{**_ALERT, "Arn": arn}]}
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


_ALERT = {
    "Name": "failures",
    "State": "ENABLED",
    "EventPattern": json.dumps({"source": ["aws.chime"], "detail": {"eventType": ["ProcessorInvocationFailure"]}}),
}
_CALLBACK = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "chime:ChannelFlowCallback",
            "Resource": "arn:aws:chime:*:*:app-instance/*/channel/*",
        }
    ],
}
_IAM = {
    "GetRole": "<Role><Path>/</Path><RoleName>processor</RoleName><RoleId>AROAEXAMPLEEXAMPLE</RoleId>"
    "<Arn>arn:aws:iam::111122223333:role/processor</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></Role>",
    "ListRolePolicies": "<PolicyNames><member>callback</member></PolicyNames><IsTruncated>false</IsTruncated>",
    "GetRolePolicy": "<RoleName>processor</RoleName><PolicyName>callback</PolicyName>"
    f"<PolicyDocument>{quote(json.dumps(_CALLBACK))}</PolicyDocument>",
    "ListAttachedRolePolicies": "<AttachedPolicies></AttachedPolicies><IsTruncated>false</IsTruncated>",
}
