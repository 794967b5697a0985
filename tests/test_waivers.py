"""Waivers: what they cover, until when, and what is said of those that are of no use."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec import UNSET, structs

from scanner.finding import Finding, Status, Waiver
from scanner.inventory import Gap
from scanner.waivers import Entry, Pattern, Waivers
from tests.render import sample

TODAY = date(2027, 3, 31)
DECISION = Waiver(reason="it moves in April", owner="chat-platform", expires="2027-03-31")
FAILED: Finding = structs.replace(next(iter(sample.rich().findings)), status=Status.FAIL)
ARN = FAILED.resource.arn or ""
APP_INSTANCE = FAILED.resource.app_instance_arn or ""
GAP = Gap(
    account_id="999988887777",
    region="us-east-1",
    resource_arn="arn:aws:lambda:us-east-1:999988887777:function:f",
    operation="GetPolicy",
    code="AccessDenied",
    reason="denied",
)


def entry(expires: str = "2027-03-31", gaps: tuple[str, ...] = (), **resource: Any) -> Entry:
    return Entry(
        rules=() if gaps else (FAILED.rule_id,),
        gaps=gaps,
        resource=Pattern(**resource),
        waiver=structs.replace(DECISION, expires=expires),
        place="chimeaudit.yaml:7",
    )


def status(*entries: Entry, finding: Finding = FAILED, tags: Any = None) -> Status:
    return Waivers(entries, today=TODAY).finding(finding, tags).status


def test_a_waived_finding_stays_and_says_whose_decision_it_was() -> None:
    found = Waivers([entry(arn="*")], today=TODAY).finding(FAILED, None)

    assert found == structs.replace(FAILED, status=Status.WAIVED, waiver=DECISION)


@pytest.mark.parametrize(
    ("resource", "fits"),
    [
        ({"arn": ARN}, True),
        ({"arn": f"{ARN[:40]}*"}, True),
        ({"arn": f"{ARN[:-1]}?"}, True),
        ({"arn": "arn:aws:chime:*:000000000000:*"}, False),
        ({"arn": "[a]*"}, False),
        ({"account": FAILED.resource.account_id}, True),
        ({"account": "000000000000"}, False),
        ({"account": FAILED.resource.account_id[:-1] + "*"}, False),
        ({"app_instance": APP_INSTANCE}, True),
        ({"app_instance": APP_INSTANCE.rpartition("/")[2]}, True),
        ({"app_instance": "another"}, False),
        ({"app_instance": FAILED.resource.app_instance_name}, False),
        ({"account": FAILED.resource.account_id, "app_instance": "another"}, False),
    ],
)
def test_everything_that_a_waiver_names_must_fit(resource: dict[str, Any], fits: bool) -> None:
    assert status(entry(**resource)) is (Status.WAIVED if fits else Status.FAIL)


@pytest.mark.parametrize(
    ("tags", "fits"),
    [({"team": "games-eu"}, True), ({"team": "chat"}, False), ({}, False), (None, False), (UNSET, False)],
)
def test_tags_that_are_not_known_do_not_fit(tags: Any, fits: bool) -> None:
    assert status(entry(tags={"team": "games*"}), tags=tags) is (Status.WAIVED if fits else Status.FAIL)


def test_only_failures_of_the_named_rules_are_waived() -> None:
    assert status(entry(arn="*"), finding=structs.replace(FAILED, status=Status.UNKNOWN)) is Status.UNKNOWN
    assert status(entry(arn="*"), finding=structs.replace(FAILED, rule_id="other")) is Status.FAIL


def test_a_waiver_waives_on_its_last_day_and_not_on_the_next() -> None:
    assert status(entry("2027-03-31", arn="*")) is Status.WAIVED
    assert status(entry("2027-03-30", arn="*")) is Status.FAIL


def test_an_expired_waiver_is_told() -> None:
    waivers = Waivers([entry("2027-03-30", arn="*")], today=TODAY)
    waivers.finding(FAILED, None)

    (warning,) = waivers.warnings()

    assert warning == f"chimeaudit.yaml:7: the waiver for {FAILED.rule_id} (chat-platform) expired on 2027-03-30"


def test_a_waiver_that_nothing_was_found_for_is_told() -> None:
    used, idle = entry(arn="*"), entry(arn="nothing")
    waivers = Waivers([used, idle], today=TODAY)
    waivers.finding(FAILED, None)

    (warning,) = waivers.warnings()

    assert "matches nothing" in warning


def test_of_two_waivers_for_the_same_the_first_counts_and_both_were_of_use() -> None:
    waivers = Waivers([entry(arn="*"), entry("2028-01-01", arn=ARN)], today=TODAY)

    assert waivers.finding(FAILED, None).waiver == DECISION
    assert waivers.warnings() == []


@pytest.mark.parametrize(
    ("of", "resource", "fits"),
    [
        (GAP, {"arn": "arn:aws:lambda:*:999988887777:*"}, True),
        (GAP, {"account": "999988887777"}, True),
        (GAP, {"account": "111122223333"}, False),
        (GAP, {"app_instance": "*"}, False),
        (structs.replace(GAP, operation="GetFunctionConfiguration"), {"account": "999988887777"}, False),
        (structs.replace(GAP, resource_arn=None), {"arn": "*"}, False),
        (structs.replace(GAP, resource_arn=None), {"account": "999988887777"}, True),
        (structs.replace(GAP, resource_arn=f"{APP_INSTANCE}/channel-flow/f"), {"app_instance": APP_INSTANCE}, True),
    ],
)
def test_gaps_are_waived_by_operation_and_resource(of: Gap, resource: dict[str, Any], fits: bool) -> None:
    waivers = Waivers([entry(gaps=("GetPolicy",), **resource)], today=TODAY)

    assert waivers.gap(of) == (DECISION if fits else None)
    assert bool(waivers.warnings()) is not fits


def test_tags_are_asked_for_only_where_a_valid_waiver_names_some() -> None:
    assert Waivers([entry(tags={"a": "b"})], today=TODAY).facets == {"tags"}
    assert Waivers([entry("2020-01-01", tags={"a": "b"}), entry(arn="*")], today=TODAY).facets == frozenset()
