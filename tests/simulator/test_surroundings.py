"""The rules on the default event bus, and the roles that functions run as."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.simulator.conftest import Caller


def test_rules_come_in_pages(caller: Caller) -> None:
    first = caller.events.list_rules()
    second = caller.events.list_rules(NextToken=first["NextToken"])
    assert (len(first["Rules"]), len(second["Rules"]), "NextToken" in second) == (50, 12, False)
    assert [rule["Name"] for rule in second["Rules"][-2:]] == ["processor-failures", "flows-changed"]


def test_a_rule_has_a_pattern_or_a_schedule(caller: Caller) -> None:
    [alert] = caller.events.list_rules(NamePrefix="processor-failures")["Rules"]
    assert json.loads(alert["EventPattern"])["detail"] == {"eventType": ["ProcessorInvocationFailure"]}
    assert (alert["State"], alert["EventBusName"], "ScheduleExpression" in alert) == ("ENABLED", "default", False)

    [report] = caller.events.list_rules(NamePrefix="nightly-report-60")["Rules"]
    assert (report["ScheduleExpression"], "EventPattern" in report) == ("rate(1 day)", False)


@pytest.mark.parametrize(
    ("account_id", "region", "states", "targets"),
    [
        ("111122223333", "eu-central-1", {"processor-failures": "DISABLED", "meeting-notices": "ENABLED"}, 2),
        ("222233334444", "us-east-1", {"everything-of-chime": "ENABLED"}, 1),
        ("333344445555", "us-east-1", {"processor-failures": "ENABLED"}, 0),
        ("333344445555", "eu-central-1", {"processor-failures": "ENABLED", "flows-changed": "ENABLED"}, 2),
        ("444455556666", "us-east-1", {}, 0),
    ],
)
def test_every_account_and_region_has_its_own(
    caller: Caller, account_id: str, region: str, states: dict[str, str], targets: int
) -> None:
    events = caller.assuming(account_id).at(region).events
    rules = events.list_rules()["Rules"]
    arns = [t["Arn"] for rule in rules for t in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]]
    assert {rule["Name"]: rule["State"] for rule in rules} == states
    assert arns == [f"arn:aws:sns:{region}:{account_id}:on-call"] * targets


def test_the_targets_of_an_unknown_rule_are_not_found(caller: Caller) -> None:
    with pytest.raises(caller.events.exceptions.ResourceNotFoundException):
        caller.events.list_targets_by_rule(Rule="none")


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
