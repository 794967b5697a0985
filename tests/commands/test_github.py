"""In a GitHub workflow: what is written without an option, and no output that the runner takes for a command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scanner.commands.github import MOST_BYTES
from tests.answers import error
from tests.command import Ended, chimeaudit
from tests.conftest import Scan
from tests.declared.checking import processor as declared
from tests.declared.checking import request, write
from tests.fake_aws import FakeAws, Flow
from tests.healthy import processor

BAD = request(declared(FallbackAction="CONTINUE"))
OBEYED = re.compile(r"^\s*::|##\[")
HOSTILE = "##[error]no ::stop-commands::x " + "y" * 60 + " ::add-mask::a"


def check(home: Path, *arguments: str, **variables: str) -> Ended:
    on_github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(home / "summary.md")}
    return chimeaudit("check", *arguments, home=home, variables={**on_github, **variables})


def annotated(ended: Ended, level: str = "error") -> list[str]:
    return [line for line in ended.stdout.splitlines() if line.startswith(f"::{level} ")]


def test_annotations_follow_the_table_and_the_summary_is_appended(tmp_path: Path) -> None:
    write(tmp_path / "create.json", BAD)
    (tmp_path / "summary.md").write_text("before")

    ended = check(tmp_path, "create.json")

    summary = (tmp_path / "summary.md").read_text()
    assert ended.code == 1
    assert ended.stdout.startswith("\n Severity") or ended.stdout.lstrip().startswith("Severity")
    assert annotated(ended)[0].startswith("::error file=create.json,line=")
    assert summary.startswith("before\n# chimeaudit\n")
    assert "`last-processor-fails-open`" in summary


def test_a_report_on_standard_output_stays_whole(tmp_path: Path) -> None:
    write(tmp_path / "create.json", BAD)

    ended = check(tmp_path, "create.json", "-o", "json:-", "-o", "report.sarif")

    assert len(ended.report["findings"]) == 1
    assert "::error" not in ended.stderr
    assert (tmp_path / "summary.md").read_text().startswith("# chimeaudit\n")


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [(("--no-github",), {}), ((), {"GITHUB_ACTIONS": ""}), ((), {"GITHUB_ACTIONS": "false"})],
)
def test_outside_github_or_if_turned_off_there_are_no_annotations_and_no_summary(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str]
) -> None:
    write(tmp_path / "create.json", BAD)

    ended = check(tmp_path, "create.json", *arguments, **variables)

    assert ended.code == 1
    assert not annotated(ended)
    assert not (tmp_path / "summary.md").exists()


def test_a_full_summary_is_an_error_and_unchanged(tmp_path: Path) -> None:
    write(tmp_path / "create.json", BAD)
    full = "x" * (MOST_BYTES - 10)
    (tmp_path / "summary.md").write_text(full)

    ended = check(tmp_path, "create.json")

    assert ended.code == 1
    assert "Warning: the step summary is full" in ended.stderr
    assert (tmp_path / "summary.md").read_text() == full


def test_a_summary_that_cannot_be_written_is_70(tmp_path: Path) -> None:
    write(tmp_path / "create.json", BAD)

    ended = check(tmp_path, "create.json", GITHUB_STEP_SUMMARY=str(tmp_path))

    assert ended.code == 70
    assert "error: the step summary" in ended.stderr
    assert annotated(ended)


def test_findings_of_a_scan_have_no_file_and_the_last_line_counts_the_rest(
    aws: FakeAws, scan: Scan, tmp_path: Path
) -> None:
    left_open = [Flow(name=f"open {index}", processors=[processor(FallbackAction="CONTINUE")]) for index in range(12)]
    aws.inventory = {"us-east-1": {"support": left_open}}
    aws.faults = [lambda call: error(403, "ForbiddenException") if call.region == "eu-central-1" else None]

    ended = scan(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))

    errors = annotated(ended)
    assert ended.code == 1
    assert len(errors) == 10
    assert all("file=" not in line for line in errors)
    assert "::3 more errors;" in errors[-1]
    assert "Coverage is NOT complete" in annotated(ended, "warning")[0]
    assert "Coverage is NOT complete" in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize("columns", ["40", "100", "140"])
def test_no_text_from_outside_becomes_a_command(tmp_path: Path, columns: str) -> None:
    write(tmp_path / "::error::a.json", request(declared(FallbackAction="CONTINUE"), Name=HOSTILE))
    write(tmp_path / "::stop-commands::b.json", '{"Processors": [{"FallbackAction"')
    write(tmp_path / "::warning::c.json", '{"Processors": [{"FallbackAction"')

    ended = check(tmp_path, ".", "--no-github", "-v", COLUMNS=columns)

    assert ended.code == 2
    assert not [line for line in (ended.stdout + ended.stderr).splitlines() if OBEYED.search(line)]
    assert "\\u003a:" in ended.stdout
    assert "\\u0023#[error]no" in ended.stdout


def test_lines_of_a_log_stay_json(scan: Scan) -> None:
    ended = scan("--log-format", "json", "--run-dir", "##[error]", GITHUB_ACTIONS="true")

    messages = [json.loads(line)["message"] for line in ended.stderr.splitlines()]
    assert any("##[error]" in message for message in messages)
    assert not OBEYED.search(ended.stderr)


def test_an_error_that_ends_the_command_is_an_annotation(tmp_path: Path) -> None:
    named = check(tmp_path, "nowhere.yaml")
    unwanted = check(tmp_path, "nowhere.yaml", "--no-github")
    elsewhere = check(tmp_path, "--regoin", "x", GITHUB_ACTIONS="")
    option = check(tmp_path, "--regoin", "x")

    first = next(line for line in named.stderr.splitlines() if line.startswith("::error "))
    assert {named.code, unwanted.code, elsewhere.code, option.code} == {2}
    assert first.startswith("::error title=chimeaudit::")
    assert "nowhere.yaml" in first
    assert "::error title=chimeaudit::No such option" in option.stderr
    assert "::" not in unwanted.stderr + elsewhere.stderr
    assert named.stdout == ""


def test_a_mistake_that_ends_a_step_is_an_error_on_its_line(tmp_path: Path) -> None:
    write(tmp_path / "cut.json", '{"Processors": [{"FallbackAction"')
    write(tmp_path / "create.json", BAD)
    broken = check(tmp_path, "cut.json")
    write(tmp_path / "chimeaudit.yaml", "fail_on: low\nselct: []\n")
    misread = check(tmp_path, "create.json")

    for ended, place in ((broken, "file=cut.json,line=1,"), (misread, "file=chimeaudit.yaml,line=2,col=1,")):
        [error] = [line for line in ended.stderr.splitlines() if line.startswith("::")]
        assert ended.code == 2
        assert error.startswith(f"::error {place}")
        assert ended.stdout == ""
