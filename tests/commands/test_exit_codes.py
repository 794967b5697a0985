"""The installed command ends with each exit code that the README documents."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from scanner import cli
from scanner.aws import wire
from scanner.collect import facts
from scanner.model.facts import AppInstance, ChannelFlow
from tests.answers import Answer, Call, error
from tests.command import CHIMEAUDIT, Ended, chimeaudit, environment, installed
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Flow
from tests.healthy import processor

OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])


@pytest.fixture
def script(aws: FakeAws, tmp_path: Path) -> Scan:
    """Run `chimeaudit scan` against the fake AWS, by its script: once for each code."""

    def run(*arguments: str) -> Ended:
        return installed("scan", *arguments, home=tmp_path, variables=aws.variables)

    return run


def test_0_when_everything_was_seen_and_is_in_order(aws: FakeAws, script: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [Flow()]}}

    ended = script("-o", "json:-")

    assert ended.code == 0
    assert ended.report["coverage"]["complete"] is True
    assert ended.report["summary"]["by_status"]["pass"] > 0


def test_0_for_an_account_without_app_instances(scan: Scan) -> None:
    ended = scan("-o", "json:-")

    assert ended.code == 0
    assert ended.report["coverage"]["observed"]["app_instances"] == 0


def test_1_when_a_finding_reaches_the_threshold(aws: FakeAws, scan: Scan, script: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}

    assert script().code == 1
    assert scan("--fail-on", "low").code == 1


def test_0_when_no_finding_reaches_the_threshold(aws: FakeAws, scan: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}

    assert scan("--fail-on", "critical").code == 0
    assert scan("--fail-on", "none").code == 0


def test_1_even_where_something_was_not_observed(aws: FakeAws, scan: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    aws.faults = [lambda call: error(403, "ForbiddenException") if call.region == "eu-central-1" else None]

    assert scan("--allow-gaps").code == 1


def test_2_for_an_option_that_does_not_exist(script: Scan) -> None:
    ended = script("--regoins", "us-east-1")

    assert ended.code == 2
    assert "--regoins" in ended.stderr
    assert "--regions" in ended.stderr


def test_2_for_a_bad_rule_and_nothing_is_scanned(aws: FakeAws, scan: Scan, tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text("id: ours\nseverty: high\n")

    ended = scan("--rules", "ours.yaml")

    assert ended.code == 2
    assert "ours.yaml:2:1: " in ended.stderr
    assert "severity" in ended.stderr
    assert not aws.calls


def test_3_when_a_region_was_denied_and_nothing_failed(aws: FakeAws, scan: Scan, script: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [Flow()]}}
    aws.faults = [lambda call: error(403, "ForbiddenException") if call.region == "eu-central-1" else None]

    assert script().code == 3
    assert scan("--allow-gaps").code == 0


def test_4_when_every_target_was_denied(aws: FakeAws, script: Scan) -> None:
    aws.faults = [lambda call: error(403, "ForbiddenException") if call.service == "chime" else None]

    ended = script("--allow-gaps", "-o", "report.json")

    assert ended.code == 4
    assert "access denied" in ended.stderr


def test_70_when_a_report_cannot_be_written_and_the_others_are(aws: FakeAws, script: Scan, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    (tmp_path / "file").write_text("")

    ended = script("-o", "file/report.json", "-o", "good.json")

    assert ended.code == 70
    assert "file/report.json could not be written: file is no folder" in ended.stderr
    assert "--from" in ended.stderr
    assert json.loads((tmp_path / "good.json").read_text())["findings"]


def test_70_when_the_disk_is_full_and_resume_goes_on(aws: FakeAws, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {f"instance {number:02}": [OPEN] * 10 for number in range(20)}}
    run = ["scan", "--regions", "us-east-1", "--run-dir", "run"]

    ended = subprocess.run(
        ["bash", "-c", 'ulimit -f 8; exec "$0" "$@"', CHIMEAUDIT, *run],
        env=environment(tmp_path, {**aws.variables, "PYTHONDONTWRITEBYTECODE": "1"}),  # a cut .pyc would break the next
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    resumed = chimeaudit("scan", "--resume", "--run-dir", "run", home=tmp_path, variables=aws.variables)

    assert ended.returncode == 70
    assert "cannot be written" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "the scan stopped" in ended.stdout  # the report names what was not observed
    assert resumed.code == 1
    assert "200 channel flows" in resumed.stderr


def test_70_for_a_fault_of_chimeaudit_in_one_line(quick_scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr("scanner.commands.scan.gate", broken)

    ended, verbose = quick_scan(), quick_scan("-v")

    assert ended.code == verbose.code == 70
    assert "error: ZeroDivisionError: a fault" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "Traceback" in verbose.stderr


def test_a_fault_of_chimeaudit_is_a_gap_and_the_rest_is_read(
    aws: FakeAws, quick_scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.inventory = {"us-east-1": {"broken": [Flow(name="hostile")], "whole": [OPEN]}}
    whole = facts.channel_flow

    def broken(seen: wire.ChannelFlowSummary, owner: AppInstance) -> ChannelFlow:
        if seen.Name == "hostile":
            raise ZeroDivisionError
        return whole(seen, owner)

    monkeypatch.setattr(facts, "channel_flow", broken)

    ended, verbose = quick_scan("-o", "json:-"), quick_scan("-v")

    assert ended.code == verbose.code == 70
    assert [(gap["code"], gap["operation"], gap["resource_arn"].rpartition("/")[2]) for gap in ended.gaps] == [
        ("Fault", "ListChannelFlows", "broken")
    ]
    failed = {finding["resource"]["name"] for finding in ended.report["findings"] if finding["status"] == "fail"}
    assert "left open" in failed
    assert "chimeaudit itself failed" in ended.stderr
    assert "in broken" in verbose.stderr  # the traceback, for developers


@pytest.mark.parametrize("streams", [">&-", ">/dev/full", ">/dev/full 2>&1", ">&- 2>&-"])
def test_70_when_standard_output_cannot_be_written(tmp_path: Path, streams: str) -> None:
    ended = subprocess.run(
        ["bash", "-c", f'"$0" rules list {streams}', CHIMEAUDIT],
        env=environment(tmp_path, {}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 70
    assert "Traceback" not in ended.stderr


def test_a_loop_of_links_is_no_report_and_stays(aws: FakeAws, scan: Scan, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {"support": [Flow()]}}
    (tmp_path / "loop.json").symlink_to("loop.json")

    ended = scan("-o", "loop.json", "-o", "report.json")

    assert ended.code == 70
    assert "the report loop.json could not be written" in ended.stderr
    assert (tmp_path / "loop.json").is_symlink()
    assert (tmp_path / "report.json").exists()


def test_errors_are_json_where_the_log_is(scan: Scan) -> None:
    for options in (("--log-format", "json", "--from", "nowhere"), ("--log-format=json", "--regoins", "us-east-1")):
        ended = scan(*options)

        said = json.loads(ended.stderr)
        assert said["event"] == "error"
        assert said["exit_code"] == ended.code == 2
        assert said["message"]
        assert said["hint"]


@pytest.mark.parametrize(
    ("number", "options"),
    [(signal.SIGINT, ["--workers", "2"]), (signal.SIGTERM, ["--select", "last-processor-fails-open"])],
)
def test_130_when_interrupted_with_a_report_and_a_next_step_that_can_be_pasted(
    aws: FakeAws, tmp_path: Path, number: signal.Signals, options: list[str]
) -> None:
    aws.inventory = {"us-east-1": {"held up": [Flow()]}, "eu-central-1": {"quick": [OPEN]}}
    asked, goes_on = threading.Event(), threading.Event()

    def hold(call: Call) -> Answer | None:
        if call.operation == "ListChannelFlows" and call.region == "us-east-1":
            asked.set()
            goes_on.wait(60)
        return None

    aws.faults = [hold]
    scanning = subprocess.Popen(
        [CHIMEAUDIT, "scan", "--run-dir", "a run", "-o", "it's.json", "--fail-on", "critical", *options],
        env=environment(tmp_path, aws.variables),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert asked.wait(60), scanning.poll()
    scanning.send_signal(number)
    _, stderr = scanning.communicate(timeout=60)
    goes_on.set()

    assert scanning.returncode == 130
    report = json.loads((tmp_path / "it's.json").read_text())
    assert not report["coverage"]["complete"]
    assert "Interrupted" in {gap["code"] for gap in report["coverage"]["gaps"]}

    _, _, step = stderr.splitlines()[-1].partition("Go on with it: chimeaudit ")
    resumed = chimeaudit(*shlex.split(step), home=tmp_path, variables=aws.variables)
    assert resumed.code == 0
    report = json.loads((tmp_path / "it's.json").read_text())
    assert report["coverage"]["complete"]
    assert report["coverage"]["observed"]["channel_flows"] == 2
    assert report["run"]["options"]["fail_on"] == "critical"
    assert report["run"]["options"]["select"] == [each for each in options if each == "last-processor-fails-open"]


@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM])
def test_130_when_interrupted_while_it_reports_and_the_run_is_kept(
    aws: FakeAws, tmp_path: Path, word: signal.Signals
) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN] * 100}}  # their report does not fit into a pipe
    options = ("--select", "last-processor-fails-open", "-o", "json:-")
    scanning = subprocess.Popen(
        [CHIMEAUDIT, "scan", "--run-dir", "run", *options],
        env=environment(tmp_path, aws.variables),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert scanning.stdout
    assert scanning.stdout.read(1) == "{"
    scanning.send_signal(word)
    _, stderr = scanning.communicate(timeout=60)

    again = chimeaudit("scan", "--from", "run", *options, home=tmp_path, variables=aws.variables)

    assert scanning.returncode == 130
    *_, error, hint = stderr.splitlines()
    assert error == "error: interrupted before everything was reported; what was observed is kept"
    assert hint == "hint: Go on with it: chimeaudit scan --from run --select last-processor-fails-open --output json:-"
    assert again.report["summary"]["by_status"]["fail"] == 100


@pytest.mark.parametrize(
    ("goes", "why"),
    [
        (" | head -c 10 >/dev/null", "nobody reads it to its end"),
        (" >/dev/full", "No space left on device"),
        (" >&-", "it is closed"),
    ],
)
def test_70_and_every_other_report_where_one_cannot_be_printed(
    aws: FakeAws, tmp_path: Path, goes: str, why: str
) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN] * 100}}  # their report does not fit into a pipe
    scan = f'"$0" scan --run-dir run -o json:- -o report.json -o sarif:report.sarif{goes}'
    ended = subprocess.run(
        ["bash", "-c", f"{scan}; exit ${{PIPESTATUS[0]}}", CHIMEAUDIT],
        env=environment(tmp_path, aws.variables),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 70
    *_, error, hint = ended.stderr.splitlines()
    assert error == f"error: the report on standard output: {why}"
    assert hint.endswith("chimeaudit scan --from run --output json:- --output report.json --output sarif:report.sarif")
    assert len(json.loads((tmp_path / "report.json").read_text())["findings"]) >= 100
    assert json.loads((tmp_path / "report.sarif").read_text())["runs"]


def test_0_when_the_reader_of_a_listing_stops_early(tmp_path: Path) -> None:
    ended = subprocess.run(
        ["bash", "-c", '"$0" rules list --format json | head -c 10; exit ${PIPESTATUS[0]}', CHIMEAUDIT],
        env=environment(tmp_path, {}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_full_standard_error_changes_nothing(aws: FakeAws, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    ended = subprocess.run(
        ["bash", "-c", '"$0" scan -o json:- 2>/dev/full', CHIMEAUDIT],
        env=environment(tmp_path, aws.variables),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert json.loads(ended.stdout)["coverage"]["complete"]


def test_the_next_step_gives_no_secret_away(aws: FakeAws, scan: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}

    ended = scan("--run-dir", "run", "--history", "postgresql+psycopg://me:secret@127.0.0.1:1/no")

    assert ended.code == 70
    assert ended.stderr.splitlines()[-1].endswith("chimeaudit scan --from run --history ...")
    assert "secret" not in ended.stderr


def test_2_when_a_run_is_resumed_with_the_credentials_of_another_account(
    aws: FakeAws, scan: Scan, tmp_path: Path
) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    scan("--run-dir", "run")
    for journal in (tmp_path / "run" / "targets").iterdir():
        journal.write_bytes(b"")  # as if it had been stopped before anything was read
    aws.account = "999999999999"

    ended = scan("--resume", "--run-dir", "run")

    assert ended.code == 2
    assert "999999999999" in ended.stderr


def test_2_when_a_real_run_is_resumed_as_a_demo(aws: FakeAws, scan: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    scan("--run-dir", "run")

    ended = scan("--resume", "--run-dir", "run", "--demo")

    assert ended.code == 2
    assert "demo" in ended.stderr


def test_resume_does_not_take_a_demo_as_the_newest_run(aws: FakeAws, scan: Scan, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    first = scan("-o", "json:-").report
    (run,) = (tmp_path / "state/chimeaudit/runs").iterdir()
    for journal in run.glob("targets/*"):
        journal.write_bytes(b"")  # as if it had been stopped before anything was read
    demo = shutil.copytree(run, run.with_name("29991231T000000Z-000000")) / "run.json"
    header = json.loads(demo.read_text())
    demo.write_text(json.dumps(header | {"options": header["options"] | {"demo": True}}))

    ended = scan("--resume", "-o", "json:-")

    assert ended.code == 1
    assert ended.report["run"]["id"] == first["run"]["id"]


def test_an_option_without_its_value_leads_to_the_help_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["scan", "-o"]) == 2
    assert "See chimeaudit scan --help." in capsys.readouterr().err


def test_130_before_the_scope_is_known_reports_that_nothing_was_seen(
    quick_scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("scanner.collect.scope.resolve", interrupted)

    ended = quick_scan("-q", "--org", "-o", "report.json")

    assert ended.code == 130
    assert ended.stderr.splitlines()[-1] == "hint: Nothing was read yet; scan again."
    coverage = json.loads((tmp_path / "report.json").read_text())["coverage"]
    assert coverage["complete"] is False
    assert "interrupted before the accounts in scope were known" in coverage["gaps"][0]["reason"]
