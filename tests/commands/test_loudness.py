"""How much commands print: -q, --summary-only, and the next step after an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scanner import cli
from tests.answers import error
from tests.command import chimeaudit
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Flow
from tests.healthy import processor

OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])
RULE = ("--select", "last-processor-fails-open")
REQUEST = {
    "AppInstanceArn": "arn:aws:chime:us-east-1:111122223333:app-instance/0b9bd1d6-7a5c-4c7e-9e2b-111111111111",
    "Name": "open",
    "Processors": [processor(FallbackAction="CONTINUE")],
}


@pytest.fixture
def open_flow(aws: FakeAws) -> FakeAws:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    return aws


@pytest.mark.usefixtures("open_flow")
def test_quiet_prints_nothing_but_exits_and_reports_as_ever(quick_scan: Scan, tmp_path: Path) -> None:
    quiet = quick_scan("-q", *RULE, "-o", "report.json")

    assert (quiet.code, quiet.stdout, quiet.stderr) == (1, "", "")
    assert json.loads((tmp_path / "report.json").read_text())["summary"]["by_status"]["fail"] == 1
    assert quick_scan("--quiet", *RULE, "-o", "json:-").report["findings"]
    assert quick_scan("-q", *RULE, "--log-format", "json").stderr == ""


def test_quiet_still_prints_errors(aws: FakeAws, quick_scan: Scan) -> None:
    aws.faults = [lambda _: error(403, "ForbiddenException")]

    assert quick_scan("-q", "--regoins", "x").code == 2
    denied = quick_scan("-q", *RULE)

    assert denied.code == 4
    assert denied.error.startswith("error: nothing could be scanned")


def test_quiet_leaves_json_that_was_asked_for(capsys: pytest.CaptureFixture[str], quick_scan: Scan) -> None:
    quick_scan("-q", *RULE, "-o", "report.json")

    assert cli.run(["diff", "report.json", "report.json", "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    assert cli.run(["diff", "report.json", "report.json", "-q", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["new"] == []
    assert cli.run(["doctor", "--select", "last-processor-fails-open", "-q", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["ready"] is True


def test_quiet_and_verbose_contradict_each_other(quick_scan: Scan) -> None:
    assert quick_scan("-q", "-v").error == "error: --quiet and --verbose contradict each other"


@pytest.mark.usefixtures("open_flow")
def test_the_summary_alone_lists_no_findings(quick_scan: Scan) -> None:
    ended = quick_scan("--summary-only", *RULE)

    assert (ended.code, ended.stdout) == (1, "")
    assert "Coverage  complete" in ended.stderr
    assert "Findings  1 high" in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("Exit 1    mend what failed")


def test_a_scan_with_gaps_says_what_to_do(aws: FakeAws, quick_scan: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [Flow()]}}
    aws.faults = [lambda call: error(403, "ForbiddenException") if call.region == "eu-central-1" else None]

    ended = quick_scan(*RULE)

    assert ended.code == 3
    assert ended.stderr.splitlines()[-1].startswith("Exit 3    close the gaps (see chimeaudit doctor)")


@pytest.mark.usefixtures("open_flow")
def test_region_and_regions_are_one_option(quick_scan: Scan) -> None:
    mixed = quick_scan("--region", "us-east-1", "--regions", "eu-central-1", *RULE, "-o", "json:-")

    assert mixed.report["scope"]["regions"] == ["eu-central-1", "us-east-1"]


def test_check_is_quiet_takes_both_spellings_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "flow.json").write_text(json.dumps(REQUEST))
    monkeypatch.chdir(tmp_path)

    assert cli.run(["check", "flow.json", "-q", "--regions", "us-east-1"]) == 1
    assert capsys.readouterr() == ("", "")
    assert cli.run(["check", "flow.json", "--summary-only"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Exit 1    mend what failed (some by --fix)" in printed.err
    assert cli.run(["check", "flow.json", "--region", "us-east-1,eu-central-1"]) == 2


@pytest.mark.parametrize(
    "line",
    [
        "chimeaudit ",
        "chimeaudit scan --accounts 'unclosed",
        "chimeaudit scan --accounts missing.txt --regions ",
        "chimeaudit scan --rules missing --select ",
        "chimeaudit nonsense --x ",
        "chimeaudit history list --limit ",
        "chimeaudit check --parameter A=",
        "chimeaudit scan -o 'json:",
        "chimeaudit scan --regions= --profile=",
        "chimeaudit doctor --",
        "chimeaudit scan --notify \\",
    ],
)
def test_tab_never_prints_a_traceback_or_an_error(line: str, tmp_path: Path) -> None:
    (tmp_path / "chimeaudit.yaml").write_text("nonsense: [")
    for shell in ("bash", "zsh", "fish"):
        variables = {"_CHIMEAUDIT_COMPLETE": f"{shell}_complete", "COMP_LINE": line}
        ended = chimeaudit(home=tmp_path, variables=variables)
        assert (ended.code, ended.stderr) == (0, ""), shell
