"""scanner.simulator.seeding: accounts, regions and the organisation around them."""

from __future__ import annotations

import pytest

from scanner.simulator.organisation import Organisation, placed
from tests.simulator.conftest import Caller


def test_the_given_key_is_the_management_accounts(caller: Caller, demo: Organisation) -> None:
    assert caller.sts.get_caller_identity()["Account"] == demo.management.id


@pytest.mark.parametrize("role", ["chimeaudit", "any-other"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_an_assumed_role_sees_its_own_account(caller: Caller, demo: Organisation, role: str, region: str) -> None:
    for account in demo.members:
        there = caller.assuming(account.id, role).at(region)
        names = [i.name for i in placed(demo) if (i.account_id, i.region) == (account.id, region)]
        assert there.sts.get_caller_identity()["Account"] == account.id
        assert there.names() == names


def test_one_account_cannot_read_anothers_app_instance(caller: Caller, demo: Organisation) -> None:
    theirs = next(i for i in placed(demo) if i.account_id == "222233334444")
    with pytest.raises(caller.messaging.exceptions.ForbiddenException):
        caller.messaging.list_channel_flows(AppInstanceArn=theirs.arn)


def test_a_region_without_the_service_refuses_rather_than_seeming_empty(caller: Caller) -> None:
    elsewhere = caller.at("eu-west-1").identity
    with pytest.raises(elsewhere.exceptions.ForbiddenException, match="does not exist in eu-west-1"):
        elsewhere.list_app_instances()


def test_the_organisation_lists_its_accounts(caller: Caller, demo: Organisation) -> None:
    listed = caller.organizations.list_accounts()["Accounts"]
    assert [(account["Id"], account["Name"]) for account in listed] == [(a.id, a.name) for a in demo.accounts]
    assert [account["Id"] for account in listed if account["Status"] == "SUSPENDED"] == ["555566667777"]


def test_accounts_stand_in_their_units(caller: Caller) -> None:
    client = caller.organizations
    [root] = client.list_roots()["Roots"]
    units = client.list_organizational_units_for_parent(ParentId=root["Id"])["OrganizationalUnits"]
    found = {
        unit["Name"]: [account["Id"] for account in client.list_accounts_for_parent(ParentId=unit["Id"])["Accounts"]]
        for unit in units
    }
    at_root = [account["Id"] for account in client.list_accounts_for_parent(ParentId=root["Id"])["Accounts"]]
    assert found == {"Products": ["222233334444", "333344445555"], "Platform": ["444455556666"]}
    assert at_root == ["111122223333", "555566667777"]


def test_every_account_holds_the_role_to_assume(caller: Caller, demo: Organisation) -> None:
    for account in demo.members:
        there = caller.assuming(account.id)
        assert there.iam.get_role(RoleName="chimeaudit")["Role"]["Arn"] == f"arn:aws:iam::{account.id}:role/chimeaudit"
