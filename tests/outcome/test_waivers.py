"""scanner.outcome.waivers: what waivers cover, until when, and warnings about useless ones."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec import UNSET, structs

from scanner.model.facts import Gap
from scanner.model.report import Finding, Report, Status, Waiver
from scanner.outcome.waivers import Entry, Pattern, Waivers
from tests.render import sample

TODAY = date(2027, 3, 31)
DECISION = Waiver(reason="it moves in April", owner="chat-platform", expires="2027-03-31")
FAILED: Finding = structs.replace(next(iter(sample.rich().findings)), status=Status.FAIL)
ARN = FAILED.resource.arn or ""
APP_INSTANCE = FAILED.resource.app_instance_arn or ""
REPORT = sample.clean()
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
        ({"account": FAILED.resource.account_id[:-1] + "*"}, True),
        ({"account": FAILED.resource.account_id[:-1] + "?"}, True),
        ({"account": FAILED.resource.account_id[:-1]}, False),
        ({"app_instance": APP_INSTANCE}, True),
        ({"app_instance": APP_INSTANCE.rpartition("/")[2]}, True),
        ({"app_instance": "another"}, False),
        ({"app_instance": FAILED.resource.app_instance_name}, False),
        ({"account": FAILED.resource.account_id, "app_instance": "another"}, False),
    ],
)
def test_all_fields_of_a_waiver_must_fit(resource: dict[str, Any], fits: bool) -> None:
    assert status(entry(**resource)) is (Status.WAIVED if fits else Status.FAIL)


ROLE = sample.role("chat-user", path="/app/")
ON_A_ROLE = structs.replace(FAILED, resource=ROLE)


@pytest.mark.parametrize(
    ("resource", "fits"),
    [
        ({"arn": ROLE.arn}, True),
        ({"arn": "arn:aws:iam::*:role/app/chat-*"}, True),
        ({"arn": "*"}, True),
        ({"arn": "arn:aws:chime:*"}, False),
        ({"account": ROLE.account_id}, True),
        ({"account": "000000000000"}, False),
        ({"tags": {"team": "games*"}}, True),
        ({"tags": {"team": "chat"}}, False),
        ({"app_instance": "*"}, False),
        ({"arn": "*", "app_instance": "*"}, False),
    ],
)
def test_a_role_is_waived_by_arn_account_and_tags_and_belongs_to_no_app_instance(
    resource: dict[str, Any], fits: bool
) -> None:
    undeployed = structs.replace(ON_A_ROLE, resource=structs.replace(ROLE, arn=None))

    assert status(entry(**resource), finding=ON_A_ROLE, tags={"team": "games-eu"}) is (
        Status.WAIVED if fits else Status.FAIL
    )
    assert status(entry(app_instance="*"), finding=undeployed) is Status.FAIL
    assert status(entry(arn="arn:aws:iam::111122223333:role/app/chat-user"), finding=undeployed) is Status.FAIL
    assert status(entry(arn="arn:aws:iam::111122223333:role/*"), finding=undeployed) is Status.WAIVED


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


def test_an_expired_waiver_gives_a_warning() -> None:
    waivers = Waivers([entry("2027-03-30", arn="*")], today=TODAY)
    waivers.finding(FAILED, None)

    (warning,) = waivers.warnings(REPORT)

    assert warning == f"chimeaudit.yaml:7: the waiver for {FAILED.rule_id} (chat-platform) expired on 2027-03-30"


def test_an_unused_waiver_gives_a_warning() -> None:
    used, idle = entry(arn="*"), entry(arn="nothing")
    waivers = Waivers([used, idle], today=TODAY)
    waivers.finding(FAILED, None)

    (warning,) = waivers.warnings(REPORT)

    assert "matches nothing" in warning


def test_of_two_waivers_for_one_finding_the_first_counts_and_both_count_as_used() -> None:
    waivers = Waivers([entry(arn="*"), entry("2028-01-01", arn=ARN)], today=TODAY)

    assert waivers.finding(FAILED, None).waiver == DECISION
    assert waivers.warnings(REPORT) == []


@pytest.mark.parametrize(
    ("of", "resource", "fits"),
    [
        (GAP, {"arn": "arn:aws:lambda:*:999988887777:*"}, True),
        (GAP, {"account": "999988887777"}, True),
        (GAP, {"account": "111122223333"}, False),
        (GAP, {"app_instance": "*"}, False),
        (structs.replace(GAP, operation="GetFunctionConfiguration"), {"account": "999988887777"}, False),
        (structs.replace(GAP, resource_arn=None), {"arn": "*"}, True),
        (structs.replace(GAP, resource_arn=None), {"arn": "arn:*"}, False),
        (structs.replace(GAP, resource_arn=None), {"account": "999988887777"}, True),
        (structs.replace(GAP, resource_arn=f"{APP_INSTANCE}/channel-flow/f"), {"app_instance": APP_INSTANCE}, True),
        (structs.replace(GAP, resource_arn=None, region="global"), {"account": "999988887777"}, True),
        (structs.replace(GAP, resource_arn=None, region="global"), {"app_instance": "*"}, False),
    ],
)
def test_gaps_are_waived_by_operation_and_resource(of: Gap, resource: dict[str, Any], fits: bool) -> None:
    waivers = Waivers([entry(gaps=("GetPolicy",), **resource)], today=TODAY)

    assert waivers.gap(of) == (DECISION if fits else None)
    assert bool(waivers.warnings(REPORT)) is not fits


UNDEPLOYED = structs.replace(
    FAILED,
    resource=structs.replace(
        FAILED.resource, type="channel_flow", arn=None, account_id="111122223333", region="us-east-1"
    ),
)


@pytest.mark.parametrize(
    ("app_instance_arn", "resource", "fits"),
    [
        (None, {"arn": "*"}, True),
        (None, {"arn": "arn:aws:chime:us-east-1:111122223333:app-instance/*"}, True),
        (None, {"arn": "arn:aws:chime:*/channel-flow/*"}, True),
        (None, {"arn": "arn:aws:chime:us-east-1:111122223333:app-instance/abc/*"}, False),
        (None, {"arn": "arn:aws:chime:eu-central-1:111122223333:app-instance/*"}, False),
        (None, {"arn": "arn:aws:chime:us-east-1:111122223333:app-instance/?"}, False),
        (None, {"app_instance": "*"}, True),
        (None, {"app_instance": "abc"}, False),
        (APP_INSTANCE, {"app_instance": APP_INSTANCE}, True),
        (APP_INSTANCE, {"arn": f"{APP_INSTANCE}/*"}, True),
        (APP_INSTANCE, {"arn": f"{APP_INSTANCE}/channel-flow/abc"}, False),
        (None, {"account": "1111*"}, True),
    ],
)
def test_a_waiver_fits_an_undeployed_resource_if_it_fits_after_every_deployment(
    app_instance_arn: str | None, resource: dict[str, Any], fits: bool
) -> None:
    finding = structs.replace(
        UNDEPLOYED, resource=structs.replace(UNDEPLOYED.resource, app_instance_arn=app_instance_arn)
    )

    assert status(entry(**resource), finding=finding) is (Status.WAIVED if fits else Status.FAIL)


@pytest.mark.parametrize("resource", [{"account": "unknown"}, {"account": "111122223333"}, {"arn": "arn:aws:*"}])
def test_an_unsettled_account_or_region_fits_only_a_wildcard(resource: dict[str, Any]) -> None:
    unsettled = structs.replace(
        UNDEPLOYED,
        resource=structs.replace(UNDEPLOYED.resource, account_id="unknown", region="unknown", app_instance_arn=None),
    )

    assert status(entry(**resource), finding=unsettled) is Status.FAIL
    assert status(entry(account="*", arn="*"), finding=unsettled) is Status.WAIVED


@pytest.mark.parametrize(
    ("idle", "report", "said"),
    [
        (entry(arn="arn:aws:chime:us-east-1:*"), sample.clean(), ["matches nothing; take it out"]),
        (entry(arn="arn:aws:chime:us-east-1:*"), sample.incomplete(), ["matches nothing that was observed"]),
        (entry(arn="arn:aws:chime:sa-east-1:*"), sample.clean(), ["matches nothing in scope"]),
        (entry(account="000000000000"), sample.clean(), ["matches nothing in scope"]),
        (entry(app_instance="arn:aws:chime:us-east-1:000000000000:*"), sample.clean(), ["matches nothing in scope"]),
        (entry(arn="arn:aws:iam::111122223333:role/x"), sample.clean(), ["matches nothing; take it out"]),
        (entry(arn="arn:aws:iam::000000000000:role/x"), sample.clean(), ["matches nothing in scope"]),
        (
            entry(gaps=("GetPolicy",), arn="arn:aws:lambda:us-east-1:000000000000:*"),
            sample.clean(),
            ["matches nothing; take it out"],
        ),
        (structs.replace(entry(arn="*"), reached=False), sample.clean(), []),
    ],
)
def test_only_a_waiver_for_what_was_observed_is_called_useless(idle: Entry, report: Report, said: list[str]) -> None:
    warnings = Waivers([idle], today=TODAY).warnings(report)

    assert len(warnings) == len(said)
    assert all(warning.partition(") ")[2].startswith(each) for warning, each in zip(warnings, said, strict=True))


def test_tags_are_asked_for_only_where_a_valid_waiver_names_some() -> None:
    assert Waivers([entry(tags={"a": "b"})], today=TODAY).by_tags == {FAILED.rule_id}
    assert Waivers([entry("2020-01-01", tags={"a": "b"}), entry(arn="*")], today=TODAY).by_tags == frozenset()
