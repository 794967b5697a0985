"""`scan --demo` from outside: the installed command scans the demo organisation and finds the planted faults."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec import UNSET

from scanner.language.vocabulary import attributes, paths, read
from scanner.model.facts import Processor
from scanner.model.metadata import nearest_path
from scanner.render.json import schema
from scanner.simulator.organisation import expected, load, placed
from scanner.store.journal import Journal
from tests.command import chimeaudit
from tests.demo import Demo

Report = dict[str, Any]


@pytest.fixture
def report(demo_run: Demo) -> Report:
    return demo_run.report


def found(report: Report) -> set[tuple[str, str, str, str]]:
    return {
        (
            finding["resource"]["account_id"],
            finding["resource"]["region"],
            finding["resource"]["arn"],
            finding["rule_id"],
        )
        for finding in report["findings"]
        if finding["status"] == "fail"
    }


def test_the_demo_scan_finds_exactly_the_planted_faults(report: Report) -> None:
    ran = {rule["id"] for rule in report["rules"]}
    planted = {
        (each.account_id, each.region, each.resource_arn, each.rule_id)
        for each in expected(load())
        if each.rule_id in ran
    }

    assert found(report) == planted


def test_only_functions_in_an_account_out_of_scope_are_unknown(report: Report) -> None:
    gaps = report["coverage"]["gaps"]
    unknown = [finding for finding in report["findings"] if finding["status"] == "unknown"]

    assert {gap["code"] for gap in gaps} == {"OutOfScope"}
    assert all(":999988887777:" in gap["resource_arn"] for gap in gaps)
    assert {item["gap"]["resource_arn"] for finding in unknown for item in finding["evidence"]} == {
        gap["resource_arn"] for gap in gaps
    }


def test_every_fact_that_a_rule_of_ones_own_may_read_is_known_or_has_a_gap(demo_run: Demo) -> None:
    journal = Journal.open(demo_run.run)
    readers = [journal.reader(target) for target in journal.header.targets]
    silent: Counter[str] = Counter()
    for reader in readers:
        for flow in (flow for seen in reader.app_instances() for flow in reader.flows(seen)):
            for index, processor in enumerate(flow.processors or ()):
                for name, fact in paths(Processor).items():
                    unknown = fact.facet in journal.header.facets and read(processor, attributes(name)) is UNSET
                    if unknown and nearest_path(f"processors[{index}].{name}", flow.gaps) is None:
                        silent[name] += 1

    # what only rules ask for that have the facet retries read
    assert silent.keys() == {"lambda.function.maximum_retry_attempts"}
    assert "retries" not in journal.header.facets


def test_every_rule_of_the_default_profile_finds_something(report: Report) -> None:
    idle = {rule for rule, count in report["summary"]["by_rule"].items() if not count}

    assert idle == {"flow-name-convention", "missing-required-tags", "stale-channel-flow"}, "off until configured"


def test_commands_name_the_resource_that_they_fix(report: Report) -> None:
    by_rule = {finding["rule_id"]: finding for finding in report["findings"] if finding["status"] == "fail"}
    rules = {rule["id"]: rule for rule in report["rules"]}
    finding = by_rule["unused-channel-flow"]

    assert f"--channel-flow-arn {finding['resource']['arn']}" in finding["remediation"]
    assert "--channel-flow-arn CHANNEL_FLOW_ARN" in rules["unused-channel-flow"]["remediation"]


def test_the_demo_scan_reads_every_page(report: Report) -> None:
    everything = list(placed(load()))
    observed = report["coverage"]["observed"]
    instances = Counter((each.account_id, each.region) for each in everything)

    assert max(instances.values()) > 50
    assert observed["app_instances"] == len(everything)
    assert observed["channel_flows"] == sum(len(each.channel_flows) for each in everything)
    assert max(len(each.channel_flows) for each in everything) > 50


def test_the_report_fits_its_schema(report: Report) -> None:
    jsonschema.Draft202012Validator(schema()).validate(report)


def test_the_demo_scan_ends_with_findings_and_the_path_of_the_report(demo_run: Demo) -> None:
    ended = demo_run.ended

    assert ended.code == 1
    assert "last-processor-fails-open" in ended.stdout
    assert "Coverage" in ended.stderr
    assert "out/report.html" in ended.stderr
    assert (demo_run.home / "out/report.html").stat().st_size > 10_000
    assert "Traceback" not in ended.stderr


def test_another_run_gives_the_same_bytes_but_for_the_run_block_and_does_not_use_the_users_own_aws(
    report: Report, tmp_path: Path
) -> None:
    theirs = {"AWS_PROFILE": "production", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}

    ended = chimeaudit("scan", "--demo", "-o", "again.json", home=tmp_path, variables=theirs)

    again: Report = json.loads((tmp_path / "again.json").read_text())
    assert ended.code == 1
    assert json.dumps({**again, "run": None}) == json.dumps({**report, "run": None})


def test_the_availability_profile_asks_for_the_opposite(demo_run: Demo, tmp_path: Path) -> None:
    select = ("--select", "profile:availability")

    ended = chimeaudit("scan", "--from", str(demo_run.run), *select, "-o", "json:-", home=tmp_path)

    assert set(ended.report["summary"]["by_rule"]) == {"last-processor-fails-closed"}
    assert ended.report["summary"]["by_severity"]["medium"] > 0
    assert ended.report["summary"]["by_severity"]["high"] == 0


def test_roles_of_users_are_judged_where_their_profile_is_selected(tmp_path: Path) -> None:
    ended = chimeaudit("scan", "--demo", "--select", "profile:chat-access", "-o", "json:-", home=tmp_path)

    ran = {rule["id"] for rule in ended.report["rules"]}
    assert found(ended.report) == {tuple(each) for each in expected(load()) if each.rule_id in ran}
    assert set(ended.report["summary"]["by_rule"].values()).isdisjoint({0})
    assert ended.report["coverage"]["observed"]["roles"] == 6
    assert any(each.endswith("manages: 2.") for each in ended.report["coverage"]["not_examined"])
    assert (ended.code, ended.gaps) == (1, [])


def test_a_finished_run_is_judged_again_without_aws(demo_run: Demo, report: Report, tmp_path: Path) -> None:
    judge = ("scan", "--from", str(demo_run.run), "-o", "json:-")

    again = chimeaudit(*judge, home=tmp_path)
    other = chimeaudit(*judge, "--select", "severity:low", home=tmp_path)

    assert {**again.report, "run": None} == {**report, "run": None}
    assert again.report["run"]["started_at"] == report["run"]["started_at"]
    assert {finding["severity"] for finding in other.report["findings"]} == {"low"}
    assert other.code == 3, "nothing low reaches the threshold, but one account is out of scope"


def test_regions_narrow_the_scan(tmp_path: Path) -> None:
    narrowed = ("--regions", "eu-central-1", "--select", "profile:availability")

    ended = chimeaudit("scan", "--demo", *narrowed, "-o", "json:-", home=tmp_path)

    assert ended.report["scope"]["regions"] == ["eu-central-1"]
    assert {finding["resource"]["region"] for finding in ended.report["findings"]} == {"eu-central-1"}
    assert ended.code == 0, "its severity is medium, and the threshold is high"


def test_make_demo_keeps_to_venv_and_out(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[2] / "Makefile", tmp_path)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    stand_in = tmp_path / ".venv/bin/chimeaudit"
    stand_in.write_text('#!/bin/sh\necho "$XDG_STATE_HOME $PYTHONPYCACHEPREFIX $*"; exit 1\n')
    stand_in.chmod(0o755)
    ended = subprocess.run(
        ["make", "-o", ".venv/demo.installed", "demo"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert f"{tmp_path}/out/state .venv/pycache scan --demo -o out/report.html" in ended.stdout
    assert "exit code 1 means: findings" in ended.stdout
