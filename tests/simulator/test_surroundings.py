"""The rules on the default event bus."""

from __future__ import annotations

import json

import pytest

from tests.simulator.conftest import Caller


def test_rules_come_in_pages(caller: Caller) -> None:
    first = caller.events.list_rules()
    second = caller.events.list_rules(NextToken=first["NextToken"])
    assert (len(first["Rules"]), len(second["Rules"]), "NextToken" in second) == (50, 11, False)
    assert second["Rules"][-1]["Name"] == "processor-failures"


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
        ("333344445555", "eu-central-1", {"processor-failures": "ENABLED"}, 1),
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
