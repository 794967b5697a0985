from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scanner.model.operations import FACETS, LISTS, needed
from tests.command import chimeaudit


def printed(tmp_path: Path, *arguments: str) -> Any:
    ended = chimeaudit("iam", *arguments, home=tmp_path)
    assert ended.code == 0, ended.stderr
    return json.loads(ended.stdout)


def actions(policy: Any) -> set[str]:
    (statement,) = policy["Statement"]
    return set(statement["Action"])


def test_rules_that_read_the_lists_alone_need_the_lists_alone(tmp_path: Path) -> None:
    assert actions(printed(tmp_path, "policy", "--select", "topic:structure")) == {each.action for each in LISTS}


def test_the_default_rules_need_what_their_facets_read(tmp_path: Path) -> None:
    read = set(FACETS) - {"tags", "detail", "all_channels", "chat_roles"}

    assert actions(printed(tmp_path, "policy")) == {operation.action for operation in needed(read)}


def test_channels_are_read_as_an_admin_by_exact_actions_on_its_pattern(tmp_path: Path) -> None:
    reading, admins, as_admin, channels = printed(tmp_path, "policy", "--select", "profile:channels")["Statement"]

    app_instances = "arn:aws:chime:*:*:app-instance/*"
    assert reading["Action"] == [
        "chime:ListAppInstances",
        "chime:ListChannelFlows",
        "chime:ListChannelsAssociatedWithChannelFlow",
    ]
    assert (admins["Action"], admins["Resource"]) == (["chime:ListAppInstanceAdmins"], [app_instances])
    assert as_admin["Action"] == ["chime:DescribeChannel", "chime:ListChannels"]
    assert as_admin["Resource"] == [f"{app_instances}/user/*", f"{app_instances}/bot/*"]
    assert (channels["Action"], channels["Resource"]) == (["chime:DescribeChannel"], [f"{app_instances}/channel/*"])


def test_roles_of_users_cost_one_action_more_and_only_with_their_profile(tmp_path: Path) -> None:
    lists = {each.action for each in LISTS}

    assert actions(printed(tmp_path, "policy", "--select", "profile:chat-access")) == {
        *lists,
        "iam:GetAccountAuthorizationDetails",
    }
    assert "GetAccountAuthorizationDetails" not in json.dumps(printed(tmp_path, "role"))


def test_where_the_configuration_names_an_admin_no_other_may_be_acted_as(tmp_path: Path) -> None:
    (tmp_path / "chimeaudit.yaml").write_text("channels: {bearer: auditor}\n")

    for arguments in (("policy",), ("policy", "--org")):
        statements = printed(tmp_path, *arguments, "--select", "profile:channels")["Statement"]
        by_sid = {each["Sid"]: each for each in statements}
        assert by_sid["ReadChannelsAsAdmin"]["Resource"] == ["arn:aws:chime:*:*:app-instance/*/user/auditor"]


def test_only_reading_is_allowed(tmp_path: Path) -> None:
    assert all(
        action.split(":")[1].startswith(("List", "Get", "Describe")) for action in actions(printed(tmp_path, "policy"))
    )


def test_an_organisation_is_listed_and_the_role_assumed(tmp_path: Path) -> None:
    listing, entering, reading = printed(tmp_path, "policy", "--org", "--role", "audit")["Statement"]

    assert "organizations:ListAccounts" in listing["Action"]
    assert "chime:ListAppInstances" in reading["Action"], "the account itself may have no such role"
    assert (entering["Action"], entering["Resource"]) == ("sts:AssumeRole", "arn:aws:iam::*:role/audit")


def test_the_role_trusts_its_auditor_by_external_id_and_reads_what_the_policy_says(tmp_path: Path) -> None:
    template = printed(tmp_path, "role")
    properties = template["Resources"]["AuditRole"]["Properties"]
    (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]

    assert trust["Principal"] == {"AWS": {"Ref": "AuditorArn"}}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}
    assert properties["RoleName"] == "chimeaudit"
    assert properties["Policies"][0]["PolicyDocument"] == printed(tmp_path, "policy")


@pytest.mark.parametrize("what", ["policy", "role"])
def test_a_rule_that_does_not_exist_is_a_usage_error(tmp_path: Path, what: str) -> None:
    ended = chimeaudit("iam", what, "--select", "nothing", home=tmp_path)

    assert ended.code == 2
    assert "nothing" in ended.stderr
