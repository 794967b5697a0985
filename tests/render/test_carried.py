"""What is carried over, in the formats that have no part of their own for it; and what nobody asked for, in none."""

from __future__ import annotations

import json

import pytest
from msgspec import structs

from scanner.model.report import Status
from scanner.render import Format, render
from tests.render import sample

REPORT = sample.carrying()
CARRIED = {each.finding.fingerprint: each for each in REPORT.carried_over or () if not each.not_looked_for}


def text(form: Format) -> str:
    return "".join(render(REPORT, form))


@pytest.mark.parametrize("form", [form for form in Format if form is not Format.JSON])
def test_what_nobody_asked_for_is_not_shown(form: Format) -> None:
    assert "elsewhere" in text(Format.JSON)
    assert "elsewhere" not in text(form)


def test_code_scanning_gets_failures_as_open_results_and_so_does_not_close_them() -> None:
    results = json.loads(text(Format.SARIF))["runs"][0]["results"]

    failing = {key for key, entry in CARRIED.items() if entry.finding.status is Status.FAIL}
    assert {each["partialFingerprints"]["primaryLocationLineHash"] for each in results} == failing
    assert {(each["kind"], each["level"]) for each in results} == {("open", "none")}
    assert all("Carried over, last seen 2026-1" in each["message"]["text"] for each in results)


@pytest.mark.parametrize("unknown_too", [False, True])
def test_formats_of_findings_alone_have_it_as_unknown_and_once(unknown_too: bool) -> None:
    found = [structs.replace(each.finding, status=Status.UNKNOWN) for each in CARRIED.values()]
    report = structs.replace(REPORT, findings=tuple(found if unknown_too else ()))

    events = [json.loads(line) for line in render(report, Format.OCSF)]
    findings = json.loads("".join(render(report, Format.ASFF)))

    told = [each for each in events if each["compliance"]["control"] != "coverage"]
    assert sorted(each["finding_info"]["uid"] for each in told) == sorted(CARRIED)
    assert {each["compliance"]["status"] for each in told} == {"Unknown"}
    told = [each for each in findings if each["GeneratorId"] != "chimeaudit/coverage"]
    assert sorted(each["Id"].removeprefix("chimeaudit/") for each in told) == sorted(CARRIED)
    assert {(each["Compliance"]["Status"], each["RecordState"]) for each in told} == {("NOT_AVAILABLE", "ACTIVE")}
