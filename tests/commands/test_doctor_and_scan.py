"""``chimeaudit doctor`` and ``scan`` of the same world: the one warns of what the other then lacks, and of no more."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scanner import cli
from tests import healthy
from tests.answers import Answer, Call, error, refusal
from tests.command import environment
from tests.fake_aws import FakeAws, Flow, Inventory
from tests.healthy import ACCOUNT

MEMBER, VENDOR = "222233334444", "999988887777"
NOT_FOUND, DENIED = error(404, "ResourceNotFoundException"), error(403, "AccessDeniedException")
ORG = ("--org",)


def says(answer: Answer, *operations: str, account: str | None = None, region: str | None = None) -> Any:
    """A fault that gives this answer to these operations, in an account and region or everywhere."""

    def fault(call: Call) -> Answer | None:
        there = account in {None, call.account} and region in {None, call.region}
        return answer if there and call.operation in operations else None

    return fault


def entry_refused(call: Call) -> Answer | None:
    is_it = call.operation == "AssumeRole" and MEMBER in call.parameters["RoleArn"]
    return refusal(403, "AccessDenied") if is_it else None


class World(NamedTuple):
    fault: Callable[[Call], Answer | None]
    options: tuple[str, ...] = ()
    function: str = healthy.function_arn()


WORLDS = {
    "good": World(says(NOT_FOUND)),
    "app instances denied": World(says(DENIED, "ListAppInstances")),
    "one region denied": World(says(DENIED, "ListAppInstances", region="eu-central-1")),
    "flows denied": World(says(DENIED, "ListChannelFlows")),
    "flows throttled": World(says(error(429, "ThrottledClientException"), "ListChannelFlows")),
    "functions denied": World(says(DENIED, "GetFunctionConfiguration")),
    "policies denied": World(says(DENIED, "GetPolicy")),
    "policies failing": World(says(error(503, "ServiceUnavailableException"), "GetPolicy")),
    "roles denied": World(says(refusal(403, "AccessDenied"), "GetRole")),
    "alerts malformed": World(says(Answer(body=b'{"Rules":'), "ListRules")),
    "channels denied": World(says(DENIED, "ListChannels"), ("--select", "profile:channels")),
    "function out of scope": World(says(NOT_FOUND), function=healthy.function_arn(account=VENDOR)),
    "function missing": World(says(NOT_FOUND, "GetFunctionConfiguration")),
    "organisation denied": World(says(error(400, "AccessDeniedException"), "ListAccounts"), ORG),
    "member refused": World(entry_refused, ORG),
    "member left out": World(entry_refused, (*ORG, "--exclude", MEMBER)),
    "call of a member denied": World(says(DENIED, "GetPolicy", account=MEMBER), ORG),
    "expired": World(lambda call: refusal(403, "ExpiredToken") if call.service == "sts" else None),
    "no such region": World(says(NOT_FOUND), ("--region", "us-east1")),
}


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_what_doctor_warns_of_is_what_a_scan_lacks(
    world: World, aws: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment(tmp_path, {**aws.variables, "AWS_MAX_ATTEMPTS": "1"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    aws.inventory = inventory(world.function)
    aws.members = {MEMBER: inventory(healthy.function_arn(account=MEMBER))}
    aws.organization = [{"Id": each, "Name": each, "Status": "ACTIVE"} for each in (ACCOUNT, MEMBER)]
    aws.faults = [world.fault, says(NOT_FOUND, "GetFunctionUrlConfig"), of_no_such_name]

    tried, told = cli.run(["doctor", *world.options, "--format", "json"]), capsys.readouterr()
    scanned, seen = cli.run(["scan", *world.options, "-q", "-o", "json:-"]), capsys.readouterr()

    assert (tried == 2, tried == 4) == (scanned == 2, scanned == 4)
    if tried != 2:
        doctor, scan = json.loads(told.out), json.loads(seen.out)
        assert doctor["scope"]["accounts"] == scan["scope"]["accounts"]
        assert doctor["ready"] is (tried == 0) is scan["coverage"]["complete"]
        assert warned(doctor) == {(gap["account_id"], gap["operation"]) for gap in scan["coverage"]["gaps"]}


def inventory(function: str) -> Inventory:
    """One channel flow that invokes this function."""
    return {"us-east-1": {"chat": [Flow(processors=[healthy.processor(Configuration=healthy.invoking(function))])]}}


def of_no_such_name(call: Call) -> Answer | None:
    if "chimeaudit-doctor-no-such-name" not in call.parameters.values():
        return None
    return refusal(404, "NoSuchEntity") if call.service == "iam" else NOT_FOUND


def warned(doctor: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The accounts and operations of which doctor warns."""
    calls = {
        (target["account_id"], call["action"].partition(":")[2])
        for target in doctor["targets"]
        for call in target["calls"]
        if call["verdict"] in {"denied", "failed"}
    }
    return calls | {(gap["account_id"], gap["operation"]) for gap in doctor["gaps"]}
