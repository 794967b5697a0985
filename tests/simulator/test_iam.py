"""The roles that functions run as."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.simulator.conftest import Caller


def test_a_role_that_is_not_there_is_not_found(caller: Caller) -> None:
    with pytest.raises(caller.iam.exceptions.NoSuchEntityException):
        caller.iam.get_role(RoleName="nobody")


def test_a_role_has_the_policies_that_the_demo_gives_it(caller: Caller) -> None:
    iam = caller.iam
    attached = iam.list_attached_role_policies(RoleName="events-processor")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AWSLambdaBasicExecutionRole", "events-processor-chime"]
    assert iam.list_role_policies(RoleName="events-processor")["PolicyNames"] == []
    assert iam.list_role_policies(RoleName="chat-processor")["PolicyNames"] == ["call-back"]

    arn = attached[1]["PolicyArn"]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v1"
    document = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
    inline = iam.get_role_policy(RoleName="chat-processor", PolicyName="call-back")["PolicyDocument"]
    assert document == inline
    assert document["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "chime:ChannelFlowCallback",
            "Resource": "arn:aws:chime:*:111122223333:app-instance/*",
        }
    ]


def test_a_boundary_is_a_managed_policy(caller: Caller) -> None:
    role: Any = caller.iam.get_role(RoleName="bounded-processor")["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith("policy/bounded-processor-boundary")
    assert "PermissionsBoundary" not in caller.iam.get_role(RoleName="chat-processor")["Role"]
    assert role["CreateDate"] == datetime(2026, 1, 5, 9, tzinfo=UTC)
