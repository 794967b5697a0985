"""With IAM enforced, the actions in scanner.model.operations are enough for a scan, and each is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.iam.models import iam_backends

from scanner.commands import access_policy
from scanner.model.operations import FACETS, LISTS, ORGANIZATION, needed
from scanner.simulator.organisation import Account, AppInstance, ChannelFlow, Organisation, Processor
from scanner.simulator.server import SimulatedAWS, start
from scanner.simulator.surroundings import IDENTITY_POOL, Function, Role, document
from tests.command import Ended, environment
from tests.conftest import Scan

MANAGEMENT, MEMBER = "999900001111", "999900002222"
EVERY_FACET = frozenset(FACETS)
WITH_A_URL_OPEN = (
    {
        "Principal": {"Service": "messaging.chime.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": MEMBER}},
    },
    {"Principal": "*", "Action": "lambda:InvokeFunctionUrl"},
    {"Principal": "*", "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}},
)
AS_ONESELF = {
    "Effect": "Allow",
    "Action": "chime:SendChannelMessage",
    "Resource": f"arn:aws:chime:*:*:app-instance/*/user/${{{IDENTITY_POOL}:sub}}",
}
RULE_OF_TAGS_AND_DATES = """
id: governed
title: Governed
severity: low
status: stable
resource: channel_flow
rationale: r
remediation: r
references: [https://docs.aws.amazon.com/]
require:
  tags.owner: {exists: true}
  updated_at: {newer_than: 36500d}
message: m
tests:
  - {name: fine, given: {tags: {owner: x}, updated_at: 1d}, expect: pass}
  - {name: not fine, given: {tags: {}, updated_at: 1d}, expect: fail}
  - {name: not known, given: {tags: {owner: unknown}, updated_at: 1d}, expect: unknown}
"""


def policy(*actions: str) -> str:
    return json.dumps(document([{"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}]))


def allowed(facets: frozenset[str]) -> set[str]:
    return {operation.action for operation in needed(facets)}


@pytest.fixture
def member() -> Iterator[SimulatedAWS]:
    """A member account with a healthy flow, whose function's role has inline and managed policies and a boundary.

    The function's policy lets anybody use a URL, but the function has none.
    """
    flow = ChannelFlow(name="moderation", processors=(Processor(lambda_="moderate:live"),), tags={"owner": "chat"})
    role = Role(attached={"more": "call-back"}, boundary="call-back")
    account = Account(
        id=MEMBER,
        name="member",
        app_instances={"us-east-1": (AppInstance(name="chat", channel_flows=(flow,), tags={"team": "chat"}),)},
        functions={
            "us-east-1": {"moderate": Function(role="processor", on_failure="destination", policy=WITH_A_URL_OPEN)}
        },
        roles={"processor": role, "customer": Role(users_of=IDENTITY_POOL, inline={"chat": (AS_ONESELF,)})},
    )
    entry = {operation.action for operation in ORGANIZATION} | {"sts:AssumeRole"}
    statement = {"Effect": "Allow", "Action": sorted(entry), "Resource": "*"}
    organisation = Organisation(
        management=Account(id=MANAGEMENT, name="management"), members=(account,), audit_policy=(statement,)
    )
    with start(organisation, enforce_iam=True) as aws:
        yield aws


@pytest.fixture
def scan_member(member: SimulatedAWS, quick_scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scan:
    """Scan the member account with only these actions allowed."""
    for name, value in environment(tmp_path, {**member.environment, "AWS_MAX_ATTEMPTS": "1"}).items():
        monkeypatch.setenv(name, value)
    (tmp_path / "governed.yaml").write_text(RULE_OF_TAGS_AND_DATES)

    def run(*actions: str) -> Ended:
        iam_backends[MEMBER]["aws"].put_role_policy("chimeaudit", "audit", policy(*actions))
        rules = (
            "--rules",
            "default",
            "--rules",
            "governed.yaml",
            "--select",
            "profile:default,profile:channels,profile:chat-access",
        )
        return quick_scan("--accounts", MEMBER, "--regions", "us-east-1", *rules, "-o", "json:-")

    return run


def test_under_exactly_the_actions_of_its_facets_a_scan_is_complete(scan_member: Scan) -> None:
    ended = scan_member(*allowed(EVERY_FACET))

    assert ended.gaps == []
    assert ended.code == 0
    assert ended.report["summary"]["by_status"]["unknown"] == 0


def test_what_iam_policy_prints_is_enough_for_every_facet(scan_member: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = json.dumps(access_policy.reading(EVERY_FACET, None))
    monkeypatch.setattr(f"{__name__}.policy", lambda *_: printed)

    ended = scan_member()

    assert (ended.code, ended.gaps) == (0, [])


def test_without_any_one_action_its_facts_are_unknown_with_a_gap_and_never_pass(scan_member: Scan) -> None:
    everything = allowed(EVERY_FACET)
    whole = scan_member(*everything).report["summary"]["by_status"]["pass"]

    of_suspects = {"chime:DescribeChannel"}  # called only about a channel that no flow lists
    of_roles = {"iam:GetAccountAuthorizationDetails"}  # without it there is no role to say anything about
    for missing in sorted(everything - {operation.action for operation in LISTS} - of_suspects):
        ended = scan_member(*(everything - {missing}))

        operations = {gap["operation"] for gap in ended.gaps}
        assert ended.code == 3, missing
        assert operations == {missing.partition(":")[2]}, missing
        assert all("access denied" in gap["reason"] and missing in gap["reason"] for gap in ended.gaps)
        statuses = ended.report["summary"]["by_status"]
        assert statuses["fail"] == 0, missing
        assert (statuses["unknown"] > 0) is (missing not in of_roles), missing
        assert statuses["pass"] < whole, missing


@pytest.mark.parametrize("missing", sorted(operation.action for operation in LISTS))
def test_without_a_list_nothing_below_it_is_judged(scan_member: Scan, missing: str) -> None:
    ended = scan_member(*(allowed(EVERY_FACET) - {missing}))

    assert ended.code in {3, 4}
    assert {gap["operation"] for gap in ended.gaps} == {missing.partition(":")[2]}
    assert ended.report["coverage"]["observed"]["channel_flows"] == 0
