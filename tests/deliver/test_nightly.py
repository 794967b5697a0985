"""Night after night: last night's report in S3 is the baseline of the next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.answers import error
from tests.command import chimeaudit
from tests.conftest import Scan
from tests.deliver.conftest import Cloud, Run
from tests.deliver.fake_webhook import Answer, listening
from tests.fake_aws import FakeAws, Flow, serve
from tests.healthy import processor

OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The run directory of a scan that found one flow that fails open."""
    home = tmp_path_factory.mktemp("seen")
    with serve(FakeAws(inventory={"us-east-1": {"support": [OPEN]}})) as aws:
        ended = chimeaudit("scan", "--select", "topic:fallback", "--run-dir", "run", home=home, variables=aws.variables)
    assert ended.code == 1, ended.stderr
    return str(home / "run")


def night(seen: str, latest: str) -> list[str]:
    return ["scan", "--from", seen, "--select", "topic:fallback", "-o", latest, "--baseline", latest]


def test_the_first_night_needs_no_baseline_and_the_second_reports_only_news(cloud: Cloud, run: Run, seen: str) -> None:
    latest, topic = f"s3://{cloud.bucket()}/latest.json", cloud.topic()

    first = run(*night(seen, latest), "--allow-no-baseline", "--notify", topic.arn)
    second = run(*night(seen, latest), "--allow-no-baseline", "--notify", topic.arn)

    assert (first.code, second.code) == (1, 0), first.stderr + second.stderr
    assert f"There is no report at {latest} yet: everything counts as new" in first.stderr
    assert f"Report    {latest}, the next baseline" in first.stderr
    (message,) = topic.messages()
    assert f"Report: {latest}" in message["Message"]
    assert "0 new, 1 in the baseline" in second.stderr


def test_2_without_a_baseline_unless_that_is_allowed(cloud: Cloud, run: Run, seen: str, home: Path) -> None:
    for latest in (f"s3://{cloud.bucket()}/latest.json", "latest.json"):
        refused = run(*night(seen, latest))
        allowed = run(*night(seen, latest), "--allow-no-baseline")

        assert (refused.code, allowed.code) == (2, 1)
        assert refused.error == f"error: --baseline: there is no report at {latest}"
    assert json.loads((home / "latest.json").read_text())["findings"]


def test_2_for_a_bucket_that_is_not_there_whatever_is_allowed(run: Run, seen: str) -> None:
    ended = run(*night(seen, "s3://no-such-bucket/latest.json"), "--allow-no-baseline")

    assert ended.code == 2
    assert "there is no such bucket" in ended.error


def test_what_could_not_be_delivered_is_new_the_next_time(cloud: Cloud, run: Run, seen: str) -> None:
    latest = f"s3://{cloud.bucket()}/latest.json"
    with listening(Answer(404), Answer(200)) as slack:
        nights = [
            run(*night(seen, latest), "--allow-no-baseline", "-o", "tonight.json", "--notify", slack.url)
            for _ in range(3)
        ]

    assert [ended.code for ended in nights] == [70, 1, 0]
    assert f"The baseline {latest} stays as it was" in nights[0].stderr
    assert "Report    tonight.json" in nights[0].stderr
    assert len(slack.posted) == 2


def test_a_night_that_saw_nothing_keeps_the_baseline(aws: FakeAws, scan: Scan, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    night = ("--baseline", "latest.json", "--allow-no-baseline", "-o", "latest.json", "--select", "topic:fallback")
    assert scan(*night).code == 1
    before = (tmp_path / "latest.json").read_bytes()
    aws.faults = [lambda call: error(403, "ForbiddenException") if call.service == "chime" else None]

    denied = scan(*night)

    assert denied.code == 4
    assert "The baseline latest.json stays as it was" in denied.stderr
    assert (tmp_path / "latest.json").read_bytes() == before


def test_an_account_that_security_hub_does_not_serve_does_not_make_old_findings_new(
    aws: FakeAws, scan: Scan, tmp_path: Path
) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    refused = error(401, "InvalidAccessException")
    aws.faults = [lambda call: refused if call.operation == "BatchImportFindings" else None]
    night = ("--baseline", "latest.json", "--allow-no-baseline", "-o", "latest.json", "--select", "topic:fallback")

    with listening() as slack:
        codes = [scan(*night, "--securityhub", "--notify", slack.url).code for _ in range(2)]

    assert codes == [70, 70]
    assert len(slack.posted) == 1
    assert (tmp_path / "latest.json").exists()
