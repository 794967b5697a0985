"""The format is checked here for what makes it of use, and by programs of others where OSCAL_VALIDATORS names them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from scanner.model.report import Control, ControlStatus, Report, RuleCounts, Waiver
from scanner.render import oscal
from tests import installed
from tests.render import sample

SAMPLES = [
    *(sample.rich, sample.clean, sample.incomplete, sample.nothing_observed, sample.empty, sample.hostile),
    sample.carrying,
    sample.roles,
]


def control(report: Report, status: ControlStatus, framework: str = "nist-800-53-r5", name: str = "SI-4(5)") -> Control:
    return Control(
        framework=framework,
        control=name,
        supports="Somebody is told.",
        rules=tuple(rule.id for rule in report.rules),
        passed=3,
        failed=0,
        unknown=0,
        waived=0,
        not_applicable=1,
        status=status,
        accepted=False,
    )


def whole(build: Callable[[], Report]) -> Report:
    """A sample with counts and a control of each status."""
    report = build()
    counted = structs.replace(report.summary, rules={rule.id: RuleCounts(passed=2, failed=1) for rule in report.rules})
    controls = (
        control(report, "satisfied"),
        control(report, "not-satisfied", "soc2", "CC6.1"),
        control(report, "not-determined", "27-acme", "9 \N{BULLET} <b>"),
        control(report, "satisfied", "acme", "\u00e9\u63a7.\u00aa\u2163\U0001d7d9"),
    )
    return structs.replace(report, summary=counted, controls=controls)


def results(report: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads("".join(oscal.render(report)))["assessment-results"]
    return document


def result(report: Report) -> dict[str, Any]:
    only: dict[str, Any] = results(report)["results"][0]
    return only


def titled(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item["title"]: item for item in items}


def test_what_is_not_determined_is_not_satisfied_for_another_reason() -> None:
    found = titled(result(whole(sample.incomplete))["findings"])

    statuses = {title: finding["target"]["status"] for title, finding in found.items()}
    assert [(each["state"], each["reason"]) for each in statuses.values()] == [
        ("satisfied", "pass"),
        ("not-satisfied", "fail"),
        ("not-satisfied", "other"),
        ("satisfied", "pass"),
    ]
    assert "not everything" in statuses["27-acme 9 \N{BULLET} <b>"]["remarks"]


def test_controls_of_nist_have_the_ids_of_its_catalog_and_others_their_frameworks_name() -> None:
    selected = result(whole(sample.rich))["reviewed-controls"]["control-selections"][0]["include-controls"]

    ids = [each["control-id"] for each in selected]
    assert ids == ["si-4.5", "soc2_CC6.1", "_27-acme_9____b_", "acme_\u00e9\u63a7.___"]


@pytest.mark.parametrize("build", SAMPLES)
def test_every_reference_leads_to_something_and_every_id_is_unique(build: Callable[[], Report]) -> None:
    document = results(whole(build))
    inside = document["results"][0]
    ids = [value for name, value in walked(document) if name == "uuid"]

    assert len(ids) == len(set(ids))
    for name, kind in (("observation-uuid", "observations"), ("risk-uuid", "risks")):
        assert {v for k, v in walked(document) if k == name} <= {each["uuid"] for each in inside.get(kind, [])}
    local = inside["local-definitions"]
    items = {each["uuid"] for each in local.get("inventory-items", [])}
    assert {value for name, value in walked(document) if name == "subject-uuid"} == items
    assert {value for name, value in walked(document) if name == "actor-uuid"} <= {local["components"][0]["uuid"]}
    assert document["import-ap"]["href"] == f"#{document['back-matter']['resources'][0]['uuid']}"


def walked(node: Any) -> list[tuple[str, Any]]:
    if isinstance(node, list):
        return [pair for each in node for pair in walked(each)]
    if isinstance(node, dict):
        return [pair for name, value in node.items() for pair in ((name, value), *walked(value))]
    return []


def test_the_finding_of_a_control_rests_on_all_observations_of_its_rules_and_gaps() -> None:
    report = whole(sample.incomplete)
    inside = result(report)
    kinds = {each["uuid"]: each["types"][0] for each in inside["observations"]}
    satisfied, _, open_, _ = (
        sorted(kinds[each["observation-uuid"]] for each in finding["related-observations"])
        for finding in inside["findings"]
    )

    judged = ["control-objective"] * len(report.rules) + ["finding"] * len(list(report.findings))
    assert satisfied == judged
    assert open_ == sorted([*judged, *["coverage-gap"] * len(report.coverage.gaps)])


def test_findings_gaps_and_what_is_carried_over_are_observations() -> None:
    kinds = {sample.rich: "finding", sample.incomplete: "coverage-gap", sample.carrying: "historic"}
    for build, kind in kinds.items():
        assert kind in {each["types"][0] for each in result(whole(build))["observations"]}


def test_a_waiver_is_a_risk_that_is_accepted_until_it_expires() -> None:
    report = whole(sample.rich)
    waived = next(finding for finding in report.findings if finding.waiver)
    assert waived.waiver
    risk = next(each for each in result(report)["risks"] if each["title"] == waived.title)

    assert risk["status"] == "deviation-approved"
    assert risk["deadline"] == f"{waived.waiver.expires}T23:59:59Z"
    assert risk["statement"] == waived.waiver.reason
    assert waived.waiver.owner in {prop["value"] for prop in risk["props"]}


@pytest.mark.parametrize(
    "expires", ["", "tomorrow", "2026-13-01", "2026-02-30", "0000-01-01", "2026-11-2\N{ARABIC-INDIC DIGIT ONE}"]
)
def test_a_waiver_without_a_date_has_no_deadline(expires: str) -> None:
    report = sample.rich()
    waiver = Waiver(reason=" ", owner="", expires=expires)
    findings = [structs.replace(finding, waiver=waiver) for finding in report.findings]

    risks = result(structs.replace(report, findings=findings))["risks"]

    assert not [risk for risk in risks if "deadline" in risk and risk["title"] in {each.title for each in findings}]
    assert all(prop["value"].strip() for risk in risks for prop in risk["props"])


def test_the_ids_stay_from_night_to_night_but_that_of_the_document() -> None:
    report = whole(sample.rich)
    later = structs.replace(report, run=structs.replace(report.run, id="another", finished_at="2027-01-01T00:00:00Z"))

    one, other = results(report), results(later)

    assert one["uuid"] != other["uuid"]
    assert [each["uuid"] for each in one["results"][0]["observations"]] == [
        each["uuid"] for each in other["results"][0]["observations"]
    ]


def validators() -> Path:
    """The folder with the environments of compliance-trestle and oscal-validate, which .ci/run makes."""
    return installed.folder("OSCAL_VALIDATORS", "installs compliance-trestle")


def test_compliance_trestle_reads_it(tmp_path: Path) -> None:
    python = validators() / "trestle" / "bin" / "python"
    for build in SAMPLES:
        (tmp_path / f"{build.__name__}.json").write_text("".join(oscal.render(whole(build))))

    read = "import pathlib, sys; from trestle.oscal.assessment_results import AssessmentResults as Results\n"
    read += "for path in map(pathlib.Path, sys.argv[1:]): assert Results.oscal_read(path).results[0].findings, path"
    subprocess.run([python, "-c", read, *sorted(tmp_path.iterdir())], check=True, timeout=300)


def test_oscal_validate_finds_no_error(tmp_path: Path) -> None:
    python = validators() / "validate" / "bin" / "python"
    if not python.exists():
        pytest.skip("oscal-validate needs Python 3.12 or newer")
    for build in SAMPLES:
        path = tmp_path / f"{build.__name__}.json"
        path.write_text("".join(oscal.render(whole(build))))
        subprocess.run([python, "-m", "oscal_validate", path], check=True, capture_output=True, timeout=300)


def test_titles_and_messages_of_a_saved_report_that_are_empty_are_not_so_in_oscal() -> None:
    report = sample.rich()
    blank = [structs.replace(finding, title="", message="\n") for finding in report.findings]

    observations = result(structs.replace(report, findings=blank))["observations"]

    assert all(each["title"] and each["description"].strip() for each in observations)
