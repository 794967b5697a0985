"""The page's export: what is filtered as a report of our own schema, or as the rows of the CSV report."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec import structs
from playwright.sync_api import Page, expect

from scanner import resources
from scanner.model.edits import Edit
from scanner.model.report import Report
from scanner.outcome.remediation import filled
from scanner.render import Format, render
from tests.command import chimeaudit
from tests.render import sample
from tests.render.conftest import Viewer

RUN = "chimeaudit-20261122T030012Z-7c1f"
SCHEMA = Draft202012Validator(json.loads((resources.reports() / "schema" / "report-1.1.json").read_text()))


def search(page: Page, query: str) -> None:
    page.get_by_label("Search findings").fill(query)


def exported(page: Page, form: str, folder: Path, name: str = RUN) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=form, exact=True).click()
    assert download.value.suggested_filename == f"{name}.{form.lower()}"
    download.value.save_as(folder / "export")
    return (folder / "export").read_bytes().decode()


def rows(text: str) -> list[tuple[str, ...]]:
    return sorted(tuple(row) for row in csv.reader(io.StringIO(text)))


@pytest.mark.parametrize(
    "build",
    [sample.rich, sample.hostile, sample.roles, sample.carrying, sample.incomplete],
    ids=lambda build: build.__name__,
)
def test_everything_exported_is_the_report_itself(viewer: Viewer, tmp_path: Path, build: Callable[[], Report]) -> None:
    report = build()
    page = viewer.open(report, fragment="#q=").page
    page.locator("#explorer:visible").wait_for()
    assert json.loads(exported(page, "JSON", tmp_path)) == json.loads("".join(render(report, Format.JSON)))
    assert rows(exported(page, "CSV", tmp_path)) == rows("".join(render(report, Format.CSV)))


def test_what_is_filtered_is_a_valid_report_that_says_what_it_is_and_is_read_back(
    viewer: Viewer, tmp_path: Path
) -> None:
    report = sample.rich()
    page = viewer.open(report, fragment="#q=").page
    for query, severity in (("severity:high app:support", "high"), ("no such thing", "")):
        search(page, query)
        data = json.loads(exported(page, "JSON", tmp_path, f"{RUN}-part"))
        wanted = [
            each
            for each in whole(report)["findings"]
            if each["severity"] == severity and each["resource"]["app_instance_name"] == "support"
        ]
        told = f"{len(wanted)} of 26 findings, those that match the search {query}."
        assert data["findings"] == wanted
        assert [error.message for error in SCHEMA.iter_errors(data)] == []
        assert data["run"]["options"]["filter"] == query
        # What passed, and whether anything else failed, is not known of a part.
        assert {rule["id"] for rule in data["rules"]} == {each["rule_id"] for each in wanted}
        assert not {"controls", "inventory"} & data.keys()
        assert "rules" not in data["summary"]
        assert data["coverage"]["complete"] is False
        *gaps, part = data["coverage"]["gaps"]
        assert gaps == whole(report)["coverage"]["gaps"]
        assert (part["operation"], part["code"]) == ("Export", "Filtered")
        assert told in part["reason"]
        assert told in data["coverage"]["not_examined"][-1]
        assert counted(data) == data["summary"]

        again = chimeaudit("report", str(tmp_path / "export"), home=tmp_path)
        assert again.code == 0
        assert "NOT complete" in again.stderr
        assert f"This file is a part of the report: {told}" in " ".join(again.stdout.split())
        (tmp_path / "whole.json").write_text("".join(render(report, Format.JSON)))
        compared = chimeaudit("diff", str(tmp_path / "whole.json"), str(tmp_path / "export"), home=tmp_path)
        assert "Fixed: 0 findings" in compared.stdout, "what a part leaves out is not fixed"
        refused = chimeaudit("report", str(tmp_path / "export"), "--history", "sqlite:///x.db", home=tmp_path)
        assert "the report is a part of one" in refused.error
        for command in (("scan", "--demo"), ("check", str(tmp_path / "whole.json"))):
            refused = chimeaudit(*command, "--baseline", str(tmp_path / "export"), home=tmp_path)
            assert refused.code == 2
            assert "is a part of a report, which its page exported" in refused.error
        text = exported(page, "CSV", tmp_path, f"{RUN}-part")
        assert text.startswith('"record","status"')
        assert [row[0] for row in rows(text)].count("finding") == len(wanted)
        assert told in text


def test_what_is_carried_over_is_filtered_with_the_findings(viewer: Viewer, tmp_path: Path) -> None:
    report = sample.carrying()
    page = viewer.open(report, fragment="#q=").page
    page.locator("#explorer:visible").wait_for()
    search(page, "no such thing")
    data = json.loads(exported(page, "JSON", tmp_path, f"{RUN}-part"))
    kept = [each for each in whole(report)["carried_over"] if "not_looked_for" in each]
    assert data["carried_over"] == kept
    assert "carried over" in data["coverage"]["not_examined"][-1]


def whole(report: Report) -> Any:
    return json.loads("".join(render(report, Format.JSON)))


def counted(data: Any) -> Any:
    """The counts of a summary, as its findings have them."""
    failed = [each for each in data["findings"] if each["status"] == "fail"]
    return {
        "by_severity": {
            name: count(failed, "severity", name) for name in ("critical", "high", "medium", "low", "info")
        },
        "by_status": {name: count(data["findings"], "status", name) for name in ("fail", "unknown", "waived")},
        "by_rule": {name: count(failed, "rule_id", name) for name in {each["rule_id"] for each in failed}},
        "by_account": {
            name: sum(each["resource"]["account_id"] == name for each in failed)
            for name in {each["resource"]["account_id"] for each in failed}
        },
    }


def count(findings: list[Any], member: str, value: str) -> int:
    return sum(each[member] == value for each in findings)


def test_edits_are_exported(viewer: Viewer, tmp_path: Path) -> None:
    edit = Edit(file="a.yaml", line=3, column=5, end_column=13, name="FallbackAction", old="CONTINUE", new="ABORT")
    found = structs.replace(sample.fails_open(sample.flow()), edits=(edit,))
    report = sample.report([found])
    assert json.loads(exported(viewer.open(report, fragment="#q=").page, "JSON", tmp_path)) == whole(report)


def test_a_long_export_shows_its_progress_and_can_be_cancelled(viewer: Viewer, tmp_path: Path) -> None:
    slow = "window.setTimeout = ((later) => (act, time, ...rest) => later(act, time ?? 30, ...rest))(setTimeout)"
    page = viewer.open(sample.many(21_000), before=slow).page
    button = page.get_by_role("button", name="CSV", exact=True)
    button.press("Enter")
    expect(page.get_by_role("progressbar", name="Export")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.get_by_role("button", name="Cancel").press("Enter")
    expect(page.get_by_role("status").filter(has_text="cancelled")).to_have_text("The export was cancelled")
    expect(button).to_be_focused()
    assert len(exported(page, "CSV", tmp_path).splitlines()) > 21_000
    expect(page.get_by_role("progressbar")).to_have_count(0)


NAMED = ["support", "a b", "a  b", " a", "-x", "file://x", "$x", "it's", 'a"b', "a,b", "ä", "\u202ea", "a\n", None]


def test_script_fills_in_remediations_as_the_report_does(viewer: Viewer, tmp_path: Path) -> None:
    text = (
        "aws x --arn CHANNEL_FLOW_ARN --name FLOW_NAME \\\n"
        "  --in 'Name=PROCESSOR_NAME,Order=EXECUTION_ORDER,Back=FALLBACK_ACTION' OTHER_PROCESSORS\n"
        "REGION:ACCOUNT_ID APP_INSTANCE_ARN AWS_REGION ROLE_NAME\nFUNCTION_NAME FUNCTION_REGION FUNCTION_ARN PROCESSORS"
    )
    rules = tuple(
        structs.replace(rule, remediation=text) for rule in (sample.FAILS_OPEN, sample.NO_ALERT, sample.CHAT_ROLE)
    )
    findings = [sample.unknown(sample.NO_ALERT, sample.app_instance(), "failure_alert", None)]
    findings.append(sample.finding(sample.CHAT_ROLE, structs.replace(sample.role("ChatUsers"), arn=None), "undeployed"))
    for name in NAMED:
        findings.append(sample.finding(sample.CHAT_ROLE, sample.role(name), "acts as anyone"))
        steps = (sample.step(name, function="f:$LATEST"), sample.step("second", 2, "CONTINUE"))
        findings += [sample.fails_open(sample.flow(name, *steps[:count])) for count in (1, 2)]
        findings.append(sample.fails_open(sample.flow(f"{name}3", steps[1], steps[0]), 1))
    findings = [structs.replace(each, remediation=filled(text, each.resource, each.evidence)) for each in findings]
    page = viewer.open(sample.report(findings, rules=rules), fragment="#q=").page
    data = json.loads(exported(page, "JSON", tmp_path))
    assert len({each.remediation for each in findings}) > len(NAMED)
    assert sorted(each["remediation"] for each in data["findings"]) == sorted(each.remediation for each in findings)
    search(page, sample.flow("support").arn or "")
    page.locator("#list .line .title").first.click()
    assert "--name support" in page.locator(".opened .command").first.inner_text()
