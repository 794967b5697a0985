"""``chimeaudit report``, as it is installed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from scanner.render import Format, render
from tests.command import CHIMEAUDIT, chimeaudit, environment
from tests.render import sample


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a saved report."""
    (tmp_path / "saved.json").write_text("".join(render(sample.rich(), Format.JSON)))
    return tmp_path


def test_a_saved_report_is_written_in_every_format_that_is_asked_for(home: Path) -> None:
    files = ["r.json", "r.jsonl", "r.sarif", "r.xml", "r.csv", "r.md"]
    outputs = [f"-o{file}" for file in [*files, "ocsf:r.ocsf", "asff:r.asff", "oscal:r.oscal"]]

    ended = chimeaudit("report", "saved.json", *outputs, home=home)

    assert ended.code == 0, ended.stderr
    assert (home / "r.json").read_bytes() == (home / "saved.json").read_bytes()
    assert (home / "r.md").read_text() == "".join(render(sample.rich(), Format.MARKDOWN))
    assert (home / "r.ocsf").read_text() == "".join(render(sample.rich(), Format.OCSF))
    assert all((home / name).stat().st_size for name in [*files, "r.asff"])


def test_without_an_output_the_findings_are_printed_whatever_they_are(home: Path) -> None:
    ended = chimeaudit("report", "saved.json", home=home)

    assert ended.code == 0
    assert "Not observed" in ended.stdout
    assert "support-moderation" in ended.stdout
    assert "Coverage  NOT complete" in ended.stderr


def test_a_report_on_one_framework_has_its_rules_alone_in_every_format(home: Path) -> None:
    own = ["-o", "r.json", "-o", "r.csv", "-o", "r.html", "-o", "controls:c.csv"]

    ended = chimeaudit("report", "saved.json", "--framework", "soc2", *own, home=home)

    assert ended.code == 0
    narrowed = json.loads((home / "r.json").read_text())
    assert {framework for rule in narrowed["rules"] for framework in rule["frameworks"]} == {"soc2"}
    assert {control["framework"] for control in narrowed["controls"]} == {"soc2"}
    assert "nist" not in (home / "r.csv").read_text() + (home / "c.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--framework", "sox"], "There is acme, nist-800-53-r5 or soc2"),
        (["--framework", ""], "There is acme, nist-800-53-r5 or soc2"),
        (["--framework", "soc2", "--history", "sqlite:///x.db"], "Leave out --framework, or --history."),
        (["--framework", "soc2", "--securityhub"], "Leave out --framework, or --securityhub."),
    ],
)
def test_2_for_a_framework_that_cannot_be_reported_on(home: Path, arguments: list[str], told: str) -> None:
    ended = chimeaudit("report", "saved.json", *arguments, home=home)

    assert ended.code == 2
    assert told in ended.stderr


def test_a_part_of_a_report_that_was_saved_is_neither_recorded_nor_imported(home: Path) -> None:
    assert chimeaudit("report", "saved.json", "--framework", "soc2", "-o", "part.json", home=home).code == 0

    recorded = chimeaudit("report", "part.json", "--history", "sqlite:///x.db", home=home)
    imported = chimeaudit("report", "part.json", "--securityhub", home=home)
    unasked = {"CHIMEAUDIT_HISTORY": f"sqlite:///{home}/x.db"}
    rendered = chimeaudit("report", "part.json", home=home, variables=unasked)

    told = "error: the report is a part of one, and --{} takes whole ones"
    assert recorded.error == told.format("history")
    assert imported.error == told.format("securityhub")
    assert (recorded.code, imported.code, rendered.code) == (2, 2, 0)
    assert not (home / "x.db").exists()


def test_a_report_is_read_from_standard_input(home: Path) -> None:
    ended = subprocess.run(
        [CHIMEAUDIT, "report", "-", "-o", "json:-"],
        env=environment(home),
        input=(home / "saved.json").read_text(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout == (home / "saved.json").read_text()


def test_a_report_may_replace_the_one_it_is_rendered_from(home: Path) -> None:
    before = (home / "saved.json").read_bytes()

    assert chimeaudit("report", "saved.json", "-o", "saved.json", home=home).code == 0
    assert (home / "saved.json").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "No such file"),
        ("{", "is not JSON, or not all of it"),
        ("[]", "is not a report"),
        (json.dumps({"schema_version": "2.0", "tool": {}}), "version '2.0'"),
        ("[" * 100_000, "is not a report"),
    ],
)
def test_2_for_what_is_no_report_in_one_line_with_the_next_step(
    home: Path, content: str | None, complaint: str
) -> None:
    if content is not None:
        (home / "bad.json").write_text(content)

    ended = chimeaudit("report", "bad.json", home=home)

    error, hint = ended.stderr.splitlines()
    assert ended.code == 2
    assert error.startswith("error: bad.json ")
    assert complaint in error
    assert hint.startswith("hint: ")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full"])
def test_2_for_a_device_which_would_be_read_without_end(home: Path, device: str) -> None:
    ended = chimeaudit("report", device, home=home)

    assert ended.code == 2
    assert ended.error == f"error: {device} cannot be read: it is a device"


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("report -", "standard input cannot be read: it is closed"),
        ("diff saved.json -", "standard input cannot be read: it is closed"),
        ("check -", "(standard input): found a file that cannot be read (it is closed); expected one that can"),
    ],
)
def test_2_where_standard_input_is_closed(home: Path, command: str, error: str) -> None:
    ended = subprocess.run(
        ["bash", "-c", f'"$0" {command} <&-', CHIMEAUDIT],
        env=environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 2
    assert [line for line in ended.stderr.splitlines() if line.startswith("error: ")] == [f"error: {error}"]


def test_70_when_a_report_cannot_be_written(home: Path) -> None:
    (home / "file").write_text("")

    ended = chimeaudit("report", "saved.json", "-o", "file/r.md", "-o", "good.md", home=home)

    assert ended.code == 70
    assert "file/r.md" in ended.stderr
    assert (home / "good.md").exists()
