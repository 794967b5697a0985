"""scanner.render.gitlab: the fields that GitLab documents, and none that it would drop."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from msgspec import structs

from scanner.model.report import Location, Report
from scanner.render import Format, render
from tests.render import sample

# https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "additionalProperties": False,
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!/|\\./|\\.\\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "additionalProperties": False,
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
SAMPLES = sample.ALL


def entries(report: Report) -> list[dict[str, Any]]:
    found = json.loads("".join(render(report, Format.GITLAB)))
    assert isinstance(found, list)
    return found


def failures(report: Report) -> list[dict[str, Any]]:
    return [each for each in entries(report) if each["check_name"] != "coverage"]


@pytest.mark.parametrize("build", SAMPLES)
def test_it_has_the_documented_fields_and_no_fingerprint_twice(build: Callable[[], Report]) -> None:
    found = entries(build())

    jsonschema.validate(found, SCHEMA)
    assert len({each["fingerprint"] for each in found}) == len(found)


def test_only_failures_are_entries_with_their_severity() -> None:
    report = sample.rich()
    levels = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor", "info": "info"}

    told = {each["fingerprint"]: each["severity"] for each in failures(report)}

    assert told == {each.fingerprint: levels[each.severity] for each in report.findings if each.status == "fail"}


def test_a_finding_stands_in_its_file_and_one_without_in_its_rule() -> None:
    report = sample.rich()
    at = Location(file="../infra/./flow.yaml", line=3, column=7)
    located = structs.replace(report, findings=[structs.replace(each, location=at) for each in report.findings])

    in_rules = {each["location"]["path"] for each in failures(report)}

    assert {each["location"]["path"] for each in failures(located)} == {"infra/flow.yaml"}
    assert {each["location"]["lines"]["begin"] for each in failures(located)} == {3}
    assert "rules/fallback/last-processor-fails-open.yaml" in in_rules
    assert all(path.startswith("rules/") for path in in_rules)


def test_incomplete_coverage_is_critical_and_complete_coverage_is_not() -> None:
    def severities(report: Report) -> set[str]:
        return {each["severity"] for each in entries(report) if each["check_name"] == "coverage"}

    assert severities(sample.clean()) == {"info"}
    assert "critical" in severities(sample.incomplete())


def test_coverage_stands_in_the_configuration_and_an_unread_file_in_itself() -> None:
    report = sample.incomplete()
    gap, *others = report.coverage.gaps
    unread = structs.replace(gap, location=Location(file="infra/cut.json", line=3, column=7))
    coverage = structs.replace(report.coverage, gaps=(unread, *others))
    run = structs.replace(report.run, options={**report.run.options, "config": "ci/chimeaudit.yml"})

    found = [each for each in entries(structs.replace(report, run=run, coverage=coverage)) if is_coverage(each)]

    (own,) = (each for each in found if each["location"]["path"] == "infra/cut.json")
    assert own["location"]["lines"] == {"begin": 3}
    assert gap.reason in own["description"]
    assert {each["location"]["path"] for each in found if each is not own} == {"ci/chimeaudit.yml"}


def is_coverage(entry: dict[str, Any]) -> bool:
    return bool(entry["check_name"] == "coverage")
