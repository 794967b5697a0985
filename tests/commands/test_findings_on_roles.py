"""Findings on roles, which are in no region: waived, compared with a former night, and sent to Security Hub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.answers import refusal
from tests.command import Ended, chimeaudit
from tests.conftest import Scan
from tests.fake_aws import FakeAws
from tests.healthy import ACCOUNT
from tests.roles import ANYBODY, ONESELF, Role, Roles

ROLES = ("--select", "profile:chat-access", "-o", "json:-")
CHAT = f"arn:aws:iam::{ACCOUNT}:role/app/chat"
WAIVER = "reason: so be it, owner: me, expires: 2999-01-01"


@pytest.fixture
def roles(aws: FakeAws) -> Roles:
    """An account with a role that lets its users act as anybody, and one app instance without flows in each region."""
    aws.inventory = {region: {"tenant": []} for region in ("us-east-1", "eu-central-1")}
    roles = Roles(things=[Role(path="/app/", arn=CHAT, tags={"team": "games"}, inline=[ANYBODY])])
    aws.faults.append(roles)
    return roles


def statuses(ended: Ended) -> list[tuple[str, str | None]]:
    return [(each["status"], each["change"]) for each in ended.report["findings"]]


@pytest.mark.usefixtures("roles")
@pytest.mark.parametrize(
    ("resource", "waived"),
    [
        ("'arn:aws:iam::*:role/app/*'", True),
        ("{tags: {team: games}}", True),
        ("{tags: {team: chat}}", False),
        ("{account: '*', app_instance: '*'}", False),
    ],
)
def test_a_role_is_waived_by_what_is_its_own_without_a_further_call(
    quick_scan: Scan, aws: FakeAws, tmp_path: Path, resource: str, waived: bool
) -> None:
    entry = f"{{rule: chat-role-acts-as-anyone, resource: {resource}, {WAIVER}}}"
    (tmp_path / "chimeaudit.yaml").write_text(f"waivers: [{entry}]\n")

    ended = quick_scan(*ROLES)

    assert (ended.code, statuses(ended)) == ((0, [("waived", None)]) if waived else (1, [("fail", None)]))
    assert ("matches nothing" in ended.stderr) is not waived
    assert not aws.asked("ListTagsForResource")


def test_roles_that_may_not_be_read_are_waived_as_a_gap(quick_scan: Scan, roles: Roles, tmp_path: Path) -> None:
    roles.before = lambda _: refusal(403, "AccessDenied")
    entry = f"{{gap: GetAccountAuthorizationDetails, resource: {{account: '{ACCOUNT}'}}, {WAIVER}}}"
    open_ = quick_scan(*ROLES)

    (tmp_path / "chimeaudit.yaml").write_text(f"waivers: [{entry}]\n")
    waived = quick_scan(*ROLES)

    assert (open_.code, waived.code) == (3, 0)
    assert waived.report["coverage"]["complete"] is True


def test_a_baseline_knows_roles_whatever_regions_are_scanned(quick_scan: Scan, roles: Roles, tmp_path: Path) -> None:
    quick_scan(*ROLES, "-o", "before.json")

    narrowed = quick_scan(*ROLES, "--regions", "us-east-1", "--baseline", "before.json")
    roles.before = lambda _: refusal(403, "AccessDenied")
    denied = quick_scan(*ROLES, "--baseline", "before.json", "-o", "denied.json")
    roles.before = lambda _: None
    roles.things = [Role(path="/app/", arn=CHAT, inline=[ONESELF])]
    mended = quick_scan(*ROLES, "--regions", "us-east-1", "--baseline", "before.json", "-o", "mended.json")
    compared = [
        json.loads(chimeaudit("diff", "before.json", new, "--format", "json", home=tmp_path).stdout)
        for new in ("denied.json", "mended.json")
    ]

    assert statuses(narrowed) == [("fail", "existing")]
    assert [each["finding"]["resource"]["arn"] for each in denied.report["carried_over"]] == [CHAT]
    assert [(len(each["no_longer_observed"]), len(each["fixed"])) for each in compared] == [(1, 0), (0, 1)]
    assert statuses(mended) == []


def test_security_hub_takes_and_archives_roles_in_the_first_region(
    quick_scan: Scan, aws: FakeAws, roles: Roles
) -> None:
    quick_scan(*ROLES, "-o", "before.json", "--securityhub")
    roles.things = [Role(path="/app/", arn=CHAT, inline=[ONESELF])]
    ended = quick_scan(*ROLES, "--baseline", "before.json", "--securityhub")

    calls = aws.asked("BatchImportFindings")
    sent = [each for call in calls for each in json.loads(call.parameters["body"])["Findings"]]
    on_roles = [each for each in sent if each["Resources"][0]["Id"] == CHAT]
    assert ended.code == 0, ended.stderr
    assert {call.region for call in calls} == {"eu-central-1"}
    assert [(each["Region"], each["RecordState"]) for each in on_roles] == [
        ("eu-central-1", "ACTIVE"),
        ("eu-central-1", "ARCHIVED"),
    ]
    assert on_roles[0]["Resources"][0]["Type"] == "AwsIamRole"
