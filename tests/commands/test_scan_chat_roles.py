"""`scan --select profile:chat-access`: who is asked, how often, and what a run that was cut short says of roles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.answers import refusal
from tests.command import Ended
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Flow
from tests.healthy import ACCOUNT, processor
from tests.roles import ANYBODY, ONESELF, OPERATION, SERVICE, Role, Roles, allowing, trusting

ROLES = ("--select", "profile:default,profile:chat-access")
MEMBERS = ("222222222222", "333333333333")
ACCOUNTS = ("--accounts", ",".join((ACCOUNT, *MEMBERS)))
OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])
CHAT = f"arn:aws:iam::{ACCOUNT}:role/chat"


@pytest.fixture
def roles(aws: FakeAws) -> Roles:
    """The roles of each account; it has a flow that fails open in each region."""
    aws.inventory = {region: {"tenant": [OPEN]} for region in ("us-east-1", "eu-central-1")}
    aws.members = dict.fromkeys(MEMBERS, aws.inventory)
    others = (
        Role(name="processor", trust=SERVICE),
        Role(name="deploy", trust=trusting("arn:x"), inline=[allowing("*")]),
    )
    roles = Roles(things=[Role(inline=[ANYBODY]), Role(name="fine", inline=[ONESELF]), *others])
    aws.faults.append(roles)
    return roles


def of_roles(ended: Ended) -> list[tuple[str, str]]:
    findings = ended.report["findings"]
    return [(each["rule_id"], each["status"]) for each in findings if each["resource"]["type"] == "role"]


def without_run(ended: Ended) -> dict[str, Any]:
    return {name: value for name, value in ended.report.items() if name != "run"}


@pytest.mark.usefixtures("roles")
def test_each_account_is_asked_once_in_its_first_region_by_its_own_credentials(aws: FakeAws, quick_scan: Scan) -> None:
    ended = quick_scan(*ROLES, *ACCOUNTS, "-o", "json:-")

    asked = sorted((call.account or ACCOUNT, call.region) for call in aws.asked(OPERATION))
    assert [account for account, _ in asked] == [ACCOUNT, *MEMBERS]
    assert (ended.code, ended.gaps) == (1, [])
    assert of_roles(ended) == [("chat-role-acts-as-anyone", "fail")] * 3
    assert ended.report["coverage"]["observed"]["roles"] == 6
    told = ended.report["coverage"]["not_examined"]
    assert any(each.endswith("manages: 3.") for each in told)
    assert any("AssumeRole" in each for each in told)
    assert any("control policies" in each for each in told)
    assert not any("profile:chat-access" in each for each in told)


@pytest.mark.usefixtures("roles")
def test_without_the_profile_nobody_is_asked_and_the_report_names_it(aws: FakeAws, quick_scan: Scan) -> None:
    ended = quick_scan("--regions", "us-east-1", "-o", "json:-")

    assert aws.asked(OPERATION) == []
    assert "roles" not in ended.report["coverage"]["observed"]
    assert any("profile:chat-access" in each for each in ended.report["coverage"]["not_examined"])


@pytest.mark.parametrize("allow_gaps", [False, True])
def test_a_denied_listing_is_one_gap_and_hides_no_flow(
    quick_scan: Scan, aws: FakeAws, roles: Roles, allow_gaps: bool
) -> None:
    roles.before = lambda _: refusal(403, "AccessDenied")
    aws.inventory = {"us-east-1": {"tenant": [Flow()]}}

    ended = quick_scan(*ROLES, "-o", "json:-", *(["--allow-gaps"] if allow_gaps else []))

    (gap,) = ended.gaps
    assert (gap["account_id"], gap["region"], gap["resource_arn"]) == (ACCOUNT, "global", None)
    assert (gap["operation"], gap["code"]) == (OPERATION, "AccessDenied")
    assert gap["reason"] == f"access denied; allow iam:{OPERATION}"
    assert ended.report["coverage"]["observed"]["channel_flows"] == 1
    assert (ended.code, of_roles(ended)) == (0 if allow_gaps else 3, [])


def test_an_account_that_cannot_be_entered_is_one_gap_for_its_roles_too(
    quick_scan: Scan, aws: FakeAws, roles: Roles
) -> None:
    assert roles.things
    aws.faults.append(
        lambda call: (
            refusal(403, "AccessDenied")
            if call.operation == "AssumeRole" and MEMBERS[0] in call.parameters["RoleArn"]
            else None
        )
    )

    ended = quick_scan(*ROLES, *ACCOUNTS, "-o", "json:-")
    alone = quick_scan(*ROLES, "--accounts", MEMBERS[0], "-o", "json:-")

    assert [(gap["account_id"], gap["region"]) for gap in ended.gaps] == [(MEMBERS[0], None)]
    assert ended.report["coverage"]["observed"]["roles"] == 4
    assert (alone.code, [gap["region"] for gap in alone.gaps]) == (4, [None])


def test_where_the_lists_are_denied_nothing_was_scanned_although_roles_were(
    quick_scan: Scan, aws: FakeAws, roles: Roles
) -> None:
    assert roles.things
    aws.faults.append(lambda call: refusal(403, "AccessDenied") if call.operation == "ListAppInstances" else None)

    assert quick_scan(*ROLES).code == 4


@pytest.mark.usefixtures("roles")
@pytest.mark.parametrize("kept", ["roles", "nothing"])
def test_a_run_cut_short_says_so_of_roles_and_asks_on_resuming_only_if_it_has_to(
    quick_scan: Scan, aws: FakeAws, tmp_path: Path, kept: str
) -> None:
    whole = quick_scan(*ROLES, "-o", "json:-", "--run-dir", "run")
    first = tmp_path / "run" / "targets" / f"{ACCOUNT}.eu-central-1.jsonl"
    lines = [line for line in first.read_bytes().splitlines(keepends=True) if b'"type":"roles"' in line]
    assert len(lines) == 1
    first.write_bytes(lines[0] if kept == "roles" else b"")
    aws.calls.clear()

    halfway = quick_scan(*ROLES, "--from", "run", "-o", "json:-")
    resumed = quick_scan(*ROLES, "--resume", "--run-dir", "run", "-o", "json:-")

    missing = [("eu-central-1", "ListAppInstances")] + [("global", OPERATION)] * (kept == "nothing")
    assert [(gap["region"], gap["operation"]) for gap in halfway.gaps] == missing
    assert {gap["code"] for gap in halfway.gaps} == {"Interrupted"}
    assert len(of_roles(halfway)) == (kept == "roles")
    assert without_run(resumed) == without_run(whole)
    assert len(aws.asked(OPERATION)) == (kept == "nothing")


@pytest.mark.usefixtures("roles")
def test_a_run_that_did_not_read_roles_cannot_be_judged_by_rules_about_them(quick_scan: Scan) -> None:
    quick_scan("--regions", "us-east-1", "--run-dir", "run")

    for again in (("--from", "run"), ("--resume", "--run-dir", "run")):
        ended = quick_scan(*ROLES, *again)
        assert (ended.code, "holds no chat_roles" in ended.stderr) == (2, True)


def test_worker_processes_come_to_the_same(scan: Scan, roles: Roles) -> None:
    roles.things.append(Role(name="odd", inline=["no JSON"]))
    threads = scan(*ROLES, *ACCOUNTS, "-o", "json:-")
    processes = scan(*ROLES, *ACCOUNTS, "--workers", "2", "-o", "json:-")

    assert without_run(processes) == without_run(threads)
    assert {gap["code"] for gap in threads.gaps} == {"Undecided"}


def test_what_is_throttled_at_first_is_asked_again_at_the_end(quick_scan: Scan, roles: Roles) -> None:
    answers = iter([refusal(400, "Throttling")])
    roles.before = lambda _: next(answers, None)

    ended = quick_scan(*ROLES, "--regions", "us-east-1", "-o", "json:-")

    assert (ended.gaps, of_roles(ended)) == ([], [("chat-role-acts-as-anyone", "fail")])


def test_policies_reach_neither_journal_nor_report(quick_scan: Scan, roles: Roles, tmp_path: Path) -> None:
    secret = "chime:SecretOfOurs"
    roles.things = [Role(inline=[ANYBODY, allowing(secret)]), Role(name="private", trust=SERVICE)]

    quick_scan(*ROLES, "-v", "-o", "r.json", "-o", "r.html", "--run-dir", "run")

    written = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert json.loads(written[tmp_path / "r.json"])["coverage"]["observed"]["roles"] == 1
    assert any(CHAT in text for text in written.values())
    assert not [path for path, text in written.items() if secret in text or "role/private" in text]


def test_a_role_named_by_hostile_text_stays_text(quick_scan: Scan, roles: Roles, tmp_path: Path) -> None:
    name = "<script>\u202e&'"
    roles.things = [Role(name=name, arn=f"arn:aws:iam::{ACCOUNT}:role/{name}", inline=[ANYBODY])]

    ended = quick_scan(*ROLES, "--regions", "us-east-1", "-o", "r.json", "-o", "r.html", "-o", "r.md")

    assert ended.code == 1
    assert "\u202e" not in ended.stdout + ended.stderr + (tmp_path / "r.md").read_text()
    assert "<script>\\u202e" not in (tmp_path / "r.html").read_text()
