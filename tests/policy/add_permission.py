"""Random policies of the kinds that Lambda's AddPermission writes.

https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
"""

from __future__ import annotations

import random
from typing import Any

from tests.policy.concrete import MESSAGING

Json = dict[str, Any]

ACCOUNT, OTHER, STRANGER = "111122223333", "444455556666", "999988887777"
ORGANIZATION = "o-abcdefghij"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:moderate"
APP_INSTANCE = f"arn:aws:chime:us-east-1:{ACCOUNT}:app-instance/11111111-2222-3333-4444-555555555555"
ROLE = f"arn:aws:iam::{OTHER}:role/deploy"

_CHIME_SOURCES: list[Json] = [
    {},
    {"SourceAccount": ACCOUNT},
    {"SourceArn": APP_INSTANCE},
    {"SourceArn": f"arn:aws:chime:us-east-1:{ACCOUNT}:app-instance/*", "SourceAccount": ACCOUNT},
    {"SourceArn": f"arn:aws:chime:us-east-1:{ACCOUNT}:*"},
    {"SourceAccount": OTHER},
    {"SourceArn": f"arn:aws:chime:us-east-1:{OTHER}:app-instance/*"},
    {"SourceArn": "arn:aws:chime:us-east-1::app-instance/*"},
    {"SourceArn": f"arn:aws:chime:eu-central-1:{ACCOUNT}:app-instance/*"},
    {"EventSourceToken": "token"},
    {"PrincipalOrgID": ORGANIZATION},
]
_OTHER_SERVICES = [
    ("events.amazonaws.com", {"SourceArn": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/nightly"}),
    ("s3.amazonaws.com", {"SourceArn": "arn:aws:s3:::bucket", "SourceAccount": ACCOUNT}),
    ("apigateway.amazonaws.com", {"SourceArn": f"arn:aws:execute-api:us-east-1:{ACCOUNT}:abc/*/POST/hook"}),
    ("alexa-appkit.amazon.com", {"EventSourceToken": "amzn1.ask.skill.x"}),
]
_ACCOUNTS = [OTHER, f"arn:aws:iam::{OTHER}:root", ROLE, f"arn:aws:iam::{ACCOUNT}:role/own", ACCOUNT]
_ACTIONS = ["lambda:InvokeFunction"] * 4 + ["lambda:UpdateFunctionCode", "lambda:GetFunction", "lambda:*", "*"]
_URLS: list[Json] = [
    {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
    {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "AWS_IAM"},
    {"Action": "lambda:InvokeFunctionUrl"},
    {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
]
_CONDITIONS = {
    "SourceArn": ("ArnLike", "AWS:SourceArn"),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
}


def policies(count: int) -> list[Json]:
    """`count` policies, always the same ones."""
    chance = random.Random(13)  # noqa: S311 - no secret
    return [_policy([_permission(chance) for _ in range(chance.randint(1, 3))]) for _ in range(count)]


def _permission(chance: random.Random) -> Json:
    action = chance.choice(_ACTIONS)
    match chance.choice(["chime"] * 4 + ["service", "account", "account", "anybody", "organization", "url", "url"]):
        case "chime":
            return {"Principal": MESSAGING, "Action": action, **chance.choice(_CHIME_SOURCES)}
        case "service":
            service, source = chance.choice(_OTHER_SERVICES)
            return {"Principal": service, "Action": action, **source}
        case "account":
            return {"Principal": chance.choice(_ACCOUNTS), "Action": action}
        case "anybody":
            return {"Principal": "*", "Action": action, **chance.choice([{}, {"SourceAccount": ACCOUNT}])}
        case "organization":
            return {"Principal": "*", "Action": action, "PrincipalOrgID": ORGANIZATION}
        case _:
            return {"Principal": chance.choice(["*", "*", OTHER]), **chance.choice(_URLS)}


def _policy(permissions: list[Json]) -> Json:
    return {"Version": "2012-10-17", "Id": "default", "Statement": [_statement(each) for each in permissions]}


def _statement(permission: Json) -> Json:
    principal = permission["Principal"]
    kind = "Service" if principal.endswith((".amazonaws.com", ".amazon.com")) else "AWS"
    if principal.isdecimal():
        principal = f"arn:aws:iam::{principal}:root"
    condition: dict[str, Json] = {}
    for name, (operator, key) in _CONDITIONS.items():
        if name in permission:
            value = permission[name]
            condition.setdefault(operator, {})[key] = "true" if value is True else value
    return {
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {kind: principal},
        "Action": permission["Action"],
        "Resource": FUNCTION,
        **({"Condition": condition} if condition else {}),
    }
