"""scanner.render.asff: Security Hub checks nothing on import, so the documented limits are checked here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from msgspec import structs

from scanner.model.report import Report, Status
from scanner.render import asff
from tests.render import sample

SAMPLES = sample.ALL
REQUIRED = {
    "SchemaVersion",
    "Id",
    "ProductArn",
    "GeneratorId",
    "AwsAccountId",
    "Types",
    "CreatedAt",
    "UpdatedAt",
    "Severity",
    "Title",
    "Description",
    "Resources",
}


def findings(report: Report) -> list[dict[str, Any]]:
    parsed = json.loads("".join(asff.render(report)))
    assert isinstance(parsed, list)
    return parsed


def of_rules(report: Report) -> list[dict[str, Any]]:
    return [finding for finding in findings(report) if finding["GeneratorId"] != "chimeaudit/coverage"]


def strings(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for member in value.values():
                yield from strings(member)
        case list():
            for member in value:
                yield from strings(member)


@pytest.mark.parametrize("build", SAMPLES)
def test_every_finding_keeps_to_the_limits(build: Callable[[], Report]) -> None:
    for finding in findings(build()):
        assert finding.keys() >= REQUIRED
        assert len(finding["Title"]) <= 256
        assert len(finding["Description"]) <= 1024
        assert len(finding["Id"]) <= 512
        assert len(finding["GeneratorId"]) <= 512
        assert len(finding["ProductFields"]) <= 50
        assert all(len(key) <= 128 and len(value) <= 2048 for key, value in finding["ProductFields"].items())
        assert len(json.dumps(finding).encode()) < 240_000
        assert all(text.strip() for text in strings(finding))


@pytest.mark.parametrize("build", SAMPLES)
def test_resources_are_roles_or_of_the_type_other(build: Callable[[], Report]) -> None:
    for finding in findings(build()):
        (resource,) = finding["Resources"]
        assert resource["Type"] == ("AwsIamRole" if ":role/" in resource["Id"] else "Other")
        assert 0 < len(resource["Id"]) <= 512
        assert all(len(value) < 1024 for value in resource.get("Details", {}).get("Other", {}).values())


@pytest.mark.parametrize("build", SAMPLES)
def test_recommendations_keep_to_the_limits(build: Callable[[], Report]) -> None:
    for finding in of_rules(build()):
        recommendation = finding["Remediation"]["Recommendation"]
        assert 0 < len(recommendation["Text"]) <= 512
        assert recommendation.get("Url", "https://").startswith("https://")
        assert len(finding["Compliance"]["RelatedRequirements"]) <= 32


def test_each_status_has_its_compliance_status() -> None:
    report = sample.rich()
    expected = {
        Status.FAIL: ("FAILED", "NEW"),
        Status.UNKNOWN: ("NOT_AVAILABLE", "NEW"),
        Status.WAIVED: ("FAILED", "SUPPRESSED"),
    }

    for ours, theirs in zip(report.findings, of_rules(report), strict=True):
        assert (theirs["Compliance"]["Status"], theirs["Workflow"]["Status"]) == expected[ours.status]


def test_findings_on_roles_go_where_those_on_coverage_go() -> None:
    report = sample.roles()
    on_roles = [each for each in of_rules(report) if each["Resources"][0]["Type"] == "AwsIamRole"]
    (region,) = {each["Region"] for each in findings(report) if each["GeneratorId"] == "chimeaudit/coverage"}

    assert len(on_roles) == 5
    assert region == sample.REGIONS[0]
    assert {each["Region"] for each in on_roles} == {each["Resources"][0]["Region"] for each in on_roles} == {region}
    assert {each["ProductArn"].split(":")[3] for each in on_roles} == {region}
    assert {each["Resources"][0]["Partition"] for each in on_roles} == {"aws"}
    assert on_roles[0]["Resources"][0]["Details"] == {"AwsIamRole": {"RoleName": "guests"}}


def test_times_are_those_of_the_run() -> None:
    for finding in findings(sample.rich()):
        assert finding["CreatedAt"] == "2026-11-22T03:00:12Z"
        assert finding["UpdatedAt"] == "2026-11-22T03:04:47Z"


def test_the_id_stays_from_run_to_run() -> None:
    report = sample.rich()
    later = structs.replace(report, run=structs.replace(report.run, id="other", started_at="2026-11-23T03:00:12Z"))

    assert [finding["Id"] for finding in findings(report)] == [finding["Id"] for finding in findings(later)]


def test_coverage_that_is_not_complete_is_not_a_pass() -> None:
    status = {
        finding["AwsAccountId"]: finding["Compliance"]["Status"]
        for finding in findings(sample.rich())
        if finding["GeneratorId"] == "chimeaudit/coverage"
    }

    assert status[sample.CHAT] == "NOT_AVAILABLE"
    assert status[sample.LABS] == "PASSED"


@pytest.mark.parametrize(
    ("region", "partition"), [("us-east-1", "aws"), ("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")]
)
def test_the_partition_is_that_of_the_region(region: str, partition: str) -> None:
    (finding,) = of_rules(sample.report([sample.fails_open(sample.flow(region=region))]))

    assert finding["ProductArn"].startswith(f"arn:{partition}:securityhub:{region}:")
    assert finding["Resources"][0]["Partition"] == partition
