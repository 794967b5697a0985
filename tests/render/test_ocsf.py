from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import jsonschema
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema  # type: ignore[import-untyped]

from scanner.model.report import Report, Status
from scanner.render import ocsf
from tests.render import sample

SAMPLES = sample.ALL


@cache
def validator() -> Any:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.6.0"))
    return jsonschema.Draft202012Validator(schema.get_class_schema("compliance_finding", ["cloud", "datetime"]))


def events(report: Report) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ocsf.render(report)]


def of_rules(report: Report) -> list[dict[str, Any]]:
    return [event for event in events(report) if event["compliance"]["control"] != "coverage"]


@pytest.mark.parametrize("build", SAMPLES)
def test_every_event_fits_the_published_class(build: Callable[[], Report]) -> None:
    for event in events(build()):
        validator().validate(event)


def test_statuses_are_those_of_the_findings() -> None:
    report = sample.rich()
    expected = {
        Status.FAIL: ("Fail", "New"),
        Status.UNKNOWN: ("Unknown", "New"),
        Status.WAIVED: ("Fail", "Suppressed"),
    }

    for finding, event in zip(report.findings, of_rules(report), strict=True):
        assert (event["compliance"]["status"], event["status"]) == expected[finding.status]
        assert event["finding_info"]["uid"] == finding.fingerprint
        assert event["resources"][0]["uid"] == finding.resource.arn


def test_a_finding_that_was_there_before_is_an_update() -> None:
    report = sample.rich()

    for finding, event in zip(report.findings, of_rules(report), strict=True):
        assert event["activity_name"] == ("Update" if finding.change == "existing" else "Create")
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]


def test_each_account_has_an_event_on_its_coverage() -> None:
    report = sample.rich()

    coverage = {
        event["cloud"]["account"]["uid"]: event["compliance"]
        for event in events(report)
        if event["compliance"]["control"] == "coverage"
    }

    assert list(coverage) == list(report.scope.accounts)
    assert coverage[sample.CHAT]["status"] == "Unknown"
    assert coverage[sample.LABS]["status"] == "Pass"
    assert coverage["888899990000"]["status"] == "Pass"
    assert any("waived" in line for line in coverage["888899990000"]["status_details"])


def test_a_gap_in_no_known_account_counts_for_all_accounts() -> None:
    compliance = [event["compliance"] for event in events(sample.incomplete())]

    assert {each["status"] for each in compliance} == {"Unknown"}
    assert all(any("ListAccounts" in line for line in each["status_details"]) for each in compliance)


def test_times_are_those_of_the_run() -> None:
    event = events(sample.rich())[0]

    assert event["time_dt"] == "2026-11-22T03:04:47Z"
    assert event["time"] == 1795316687000
