"""The permissions that a scan needs, and no more, as AWS reads them: a policy, and a role that has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scanner.model.operations import ORGANIZATION, Operation, needed

_VERSION = "2012-10-17"


def reading(facets: Iterable[str]) -> dict[str, Any]:
    """The policy for each account that is scanned: what the lists and these facets read.

    It names every resource, because none of the lists can be limited to one.
    """
    return _policy(_allow("ReadChannelFlows", needed(facets)))


def starting(facets: Iterable[str], role_name: str) -> dict[str, Any]:
    """The policy for the account that a scan with --org starts from: list the accounts, assume the role in each, and
    read.

    That account is in scope too. Where it has no such role, it is read with the caller's own credentials.
    """
    assume = {
        "Sid": "EnterAccounts",
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": f"arn:aws:iam::*:role/{role_name}",
    }
    return _policy(_allow("ListAccounts", ORGANIZATION), assume, _allow("ReadChannelFlows", needed(facets)))


def role(facets: Iterable[str], role_name: str) -> dict[str, Any]:
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
                    "Policies": [{"PolicyName": "read-channel-flows", "PolicyDocument": reading(facets)}],
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


def _policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": _VERSION, "Statement": list(statements)}


def _allow(sid: str, operations: Iterable[Operation]) -> dict[str, Any]:
    actions = sorted({operation.action for operation in operations})
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*"}
