"""``--manifest``: what a command wrote and went by, as sha256sum checks it."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from scanner.render import Format, render
from tests.command import CHIMEAUDIT, Ended, chimeaudit, environment
from tests.render import sample

TEMPLATE = """\
{"AppInstanceArn": "arn:aws:chime:us-east-1:111122223333:app-instance/a", "Name": "m", "ClientRequestToken": "t",
 "Processors": [{"Name": "p", "ExecutionOrder": 1, "FallbackAction": "ABORT", "Configuration": {"Lambda":
  {"ResourceArn": "arn:aws:lambda:us-east-1:111122223333:function:moderation:1", "InvocationType": "ASYNC"}}}]}
"""


def checked(manifest: Path) -> tuple[int, str]:
    """What sha256sum says of a manifest, in its folder."""
    ended = subprocess.run(
        ["sha256sum", "--check", "--strict", manifest.name],
        cwd=manifest.parent,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )
    return ended.returncode, ended.stdout


def check(home: Path, *more: str) -> Ended:
    (home / "request.json").write_text(TEMPLATE)
    (home / "chimeaudit.yaml").write_text("select: topic:fallback\n")
    return chimeaudit("check", "request.json", *more, home=home)


def test_a_check_names_reports_configuration_and_rules(tmp_path: Path) -> None:
    outputs = ("-o", "out/a b.json", "-o", "out/odd\nname.md", "-o", "csv:-")

    ended = check(tmp_path, *outputs, "--manifest", "out/SHA256SUMS")

    assert (ended.code, ended.stderr.count("Manifest  out/SHA256SUMS")) == (0, 1)
    code, said = checked(tmp_path / "out" / "SHA256SUMS")
    assert code == 0
    assert "a b.json: OK" in said
    assert f"{tmp_path}/chimeaudit.yaml: OK" in said
    assert "fallback/last-processor-fails-open.yaml: OK" in said
    printed = hashlib.sha256(ended.stdout.encode()).hexdigest()
    assert f"# {printed}  standard output (csv)\n" in (tmp_path / "out" / "SHA256SUMS").read_text()
    (tmp_path / "out" / "a b.json").write_text("{}")
    assert checked(tmp_path / "out" / "SHA256SUMS")[0] == 1


def test_a_report_that_is_rendered_again_is_named_with_what_was_made_of_it(tmp_path: Path) -> None:
    (tmp_path / "saved.json").write_text("".join(render(sample.rich(), Format.JSON)))

    ended = chimeaudit("report", "saved.json", "-o", "r.md", "--manifest", "sums", home=tmp_path)
    both = chimeaudit("report", "saved.json", "-o", "saved.json", "--manifest", "sums2", home=tmp_path)

    assert (ended.code, both.code) == (0, 0)
    assert (tmp_path / "sums2").read_text().count("saved.json") == 1
    assert checked(tmp_path / "sums2")[0] == 0


@pytest.mark.parametrize(
    ("manifest", "code", "told"),
    [
        (".", 2, "--manifest . is a folder"),
        ("-", 2, "--manifest -: a manifest is a file"),
        ("./chimeaudit.yaml", 2, "--manifest chimeaudit.yaml: this file is read, and would be lost"),
        ("r.json", 2, "--manifest r.json: a report goes there"),
        ("request.json/sums", 70, "the manifest request.json/sums could not be written"),
    ],
)
def test_a_manifest_that_cannot_be_written(tmp_path: Path, manifest: str, code: int, told: str) -> None:
    ended = check(tmp_path, "-o", "r.json", "--manifest", manifest)

    assert ended.code == code
    assert told in ended.stderr
    assert (tmp_path / "r.json").exists() is (code == 70)


def test_a_scan_names_its_run_too(tmp_path: Path) -> None:
    narrowed = ("--regions", "us-east-1", "--select", "topic:fallback")

    ended = chimeaudit(
        *("scan", "--demo", *narrowed, "-o", "r.json", "--run-dir", "run", "--manifest", "sums"), home=tmp_path
    )

    assert ended.code == 1
    code, said = checked(tmp_path / "sums")
    assert code == 0
    assert {"r.json: OK", "run/run.json: OK", "run/targets/111122223333.us-east-1.jsonl: OK"} <= set(said.splitlines())


def test_names_that_are_no_text_are_in_the_manifest_as_they_are(tmp_path: Path) -> None:
    assert check(tmp_path, "-o", "r\udcff.json", "--manifest", "sums").code == 0

    assert b"r\xff.json" in (tmp_path / "sums").read_bytes()
    assert checked(tmp_path / "sums")[0] == 0


def test_a_report_from_standard_input_is_no_file_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "-").write_text("something else")

    ended = subprocess.run(
        [CHIMEAUDIT, "report", "-", "-o", "r.md", "--manifest", "sums"],
        env=environment(tmp_path),
        cwd=tmp_path,
        input="".join(render(sample.rich(), Format.JSON)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert [line.split()[-1] for line in (tmp_path / "sums").read_text().splitlines()[2:]] == ["r.md"]


def test_a_manifest_does_not_replace_the_baseline(tmp_path: Path) -> None:
    assert check(tmp_path, "-o", "old.json").code == 0

    ended = check(tmp_path, "--baseline", "old.json", "-o", "new.json", "--manifest", "old.json")

    assert (ended.code, ended.error) == (2, "error: --manifest old.json: this file is read, and would be lost")
