"""The permissions that a scan needs, and no more, as AWS reads them: a policy, and a role that has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scanner.model.operations import ORGANIZATION, Operation, needed

_VERSION = "2012-10-17"


def reading(facets: Iterable[str], bearer: str | None) -> dict[str, Any]:
    """The policy for each account that is scanned: what the lists and these facets read.

    It names every resource, because none of the lists can be limited to one, except for what is done as an admin of an
    app instance (`bearer` is that admin's id, if it is known): https://docs.aws.amazon.com/chime-sdk/latest/dg/iam.html
    """
    return _policy(*_reading(frozenset(facets), bearer))


def starting(facets: Iterable[str], bearer: str | None, role_name: str) -> dict[str, Any]:
    """The policy for the account that a scan with --org starts from: list accounts, assume the role in each, and read.

    That account is in scope too. Where it has no such role, it is read with the caller's own credentials.
    """
    assume = {
        "Sid": "EnterAccounts",
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": f"arn:aws:iam::*:role/{role_name}",
    }
    return _policy(_allow("ListAccounts", ORGANIZATION), assume, *_reading(frozenset(facets), bearer))


def role(facets: Iterable[str], bearer: str | None, role_name: str) -> dict[str, Any]:
    """A CloudFormation template of the role that is assumed in each account; its parameters name who may assume it."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Lets chimeaudit read Amazon Chime SDK channel flows and what surrounds them.",
        "Parameters": {
            "AuditorArn": {
                "Type": "String",
                "Description": "ARN of the account root, role or user that runs chimeaudit",
                "AllowedPattern": r"arn:aws[a-z-]*:iam::\d{12}:(root|role/.+|user/.+)",
            },
            "ExternalId": {
                "Type": "String",
                "Description": "What chimeaudit is given as --external-id",
                "MinLength": 2,
                "MaxLength": 1224,
                "AllowedPattern": r"[\w+=,.@:/-]*",
            },
        },
        "Resources": {
            "AuditRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": role_name,
                    "Description": "Read by chimeaudit",
                    "MaxSessionDuration": 3600,
                    "AssumeRolePolicyDocument": _policy(_TRUST),
                    "Policies": [{"PolicyName": "read-channel-flows", "PolicyDocument": reading(facets, bearer)}],
                },
            }
        },
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["AuditRole", "Arn"]}}},
    }


_TRUST = {
    "Effect": "Allow",
    "Principal": {"AWS": {"Ref": "AuditorArn"}},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}},
}


_APP_INSTANCES = "arn:aws:chime:*:*:app-instance/*"


def _reading(facets: frozenset[str], bearer: str | None) -> list[dict[str, Any]]:
    operations = needed(facets)
    if "all_channels" not in facets:
        return [_allow("ReadChannelFlows", operations)]
    admins, as_admin, of_channel = (
        frozenset(each for each in operations if each.name in names)
        for names in (("ListAppInstanceAdmins",), ("DescribeChannel", "ListChannels"), ("DescribeChannel",))
    )
    bearers = [bearer if "/" in bearer else f"user/{bearer}"] if bearer else ["user/*", "bot/*"]
    return [
        _allow("ReadChannelFlows", operations - admins - as_admin),
        _allow("ReadAdmins", admins, [_APP_INSTANCES]),
        _allow("ReadChannelsAsAdmin", as_admin, [f"{_APP_INSTANCES}/{each}" for each in bearers]),
        _allow("ReadChannels", of_channel, [f"{_APP_INSTANCES}/channel/*"]),
    ]


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": _VERSION, "Statement": list(statements)}


def _allow(sid: str, operations: Iterable[Operation], resources: list[str] | str = "*") -> dict[str, Any]:
    actions = sorted({operation.action for operation in operations})
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
