"""scanner.terminal: streams of any encoding, also closed, full, or not read to their end."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec import structs

from scanner import terminal
from scanner.commands import outputs
from scanner.commands.outputs import Output
from scanner.commands.reporting import publish
from scanner.errors import UsageError
from scanner.model.report import Finding
from scanner.render import Format
from scanner.store import files
from scanner.terminal import Log, LogFormat
from tests.command import CHIMEAUDIT, environment, installed
from tests.posix import needs_posix
from tests.render import sample

NAME = "モデレート → 😀 «é»"
REQUEST = {
    "Name": NAME,
    "AppInstanceArn": "arn:aws:chime:us-east-1:111122223333:app-instance/ab",
    "Processors": [
        {
            "Name": "検 →",
            "ExecutionOrder": 1,
            "FallbackAction": "CONTINUE",
            "Configuration": {
                "Lambda": {
                    "ResourceArn": "arn:aws:lambda:us-east-1:111122223333:function:f:1",
                    "InvocationType": "ASYNC",
                }
            },
        }
    ],
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "request.json").write_text(json.dumps(REQUEST, ensure_ascii=False), encoding="utf-8")
    return tmp_path


@contextmanager
def standard_output(encoding: str) -> Iterator[io.BytesIO]:
    """Standard output and error in this encoding, prepared as the command does it."""
    before = sys.stdin, sys.stdout, sys.stderr
    printed = io.BytesIO()
    stream = sys.stdout = sys.stderr = io.TextIOWrapper(printed, encoding=encoding)
    try:
        terminal.prepare()
        yield printed
    finally:
        stream.detach()
        sys.stdin, sys.stdout, sys.stderr = before


def shell(script: str, home: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a bash script, with the command as $C."""
    needs_posix("bash of its own")
    variables = environment(home, {"C": CHIMEAUDIT})
    return subprocess.run(["bash", "-c", script], env=variables, cwd=home, capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize("encoding", ["cp1252", "iso8859-1", "ascii", "utf-16", "utf-8"])
@pytest.mark.parametrize("form", [Format.JSON, Format.CSV, Format.MARKDOWN, Format.HTML, Format.GITHUB])
def test_a_report_is_utf_8_whatever_standard_output_is(encoding: str, form: Format) -> None:
    report = sample.report([sample.fails_open(sample.flow(NAME))])

    with standard_output(encoding) as printed:
        assert outputs.write(report, [Output(form, "-")])[1] == ()

    assert "モデレート" in printed.getvalue().decode("utf-8")


def test_all_other_output_for_machines_is_utf_8_too(home: Path) -> None:
    variables = {"PYTHONIOENCODING": "utf-16"}
    shown = [
        installed(*command.split(), home=home, variables=variables)
        for command in ("rules list --format json", "iam policy", "rules schema", "diff a.json a.json --format json")
        if "diff" not in command or installed("check", "request.json", "-o", "a.json", home=home).code == 1
    ]

    assert [bool(json.loads(ended.stdout)) for ended in shown] == [True] * 4


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_table_replaces_characters_that_cannot_be_encoded(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    report = sample.report([sample.fails_open(sample.flow(NAME))])

    with standard_output(encoding) as printed:
        assert publish(report, [], Log()).failures == ()

    text = printed.getvalue().decode(encoding)
    assert "????? ? ?" in text
    assert " --------" in text
    assert "Coverage" in text


def test_reports_are_written_where_standard_output_is_not_utf_8(home: Path) -> None:
    ended = subprocess.run(
        [CHIMEAUDIT, "check", "request.json", "-o", "x.json", "-o", "junit:-"],
        env=environment(home, {"PYTHONIOENCODING": "cp1252"}),
        cwd=home,
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == 1, ended.stderr
    assert NAME in json.dumps(json.loads((home / "x.json").read_bytes()), ensure_ascii=False)
    assert f'name="{NAME} ' in ended.stdout.decode("utf-8")


def test_an_open_file_is_written_to_at_its_position(home: Path) -> None:
    ended = shell(
        """
        { echo before; "$C" check request.json -o jsonl:/dev/stdout -o sarif:/dev/fd/7 7>x.sarif; echo $?; } >all.txt
        mkfifo pipe && { cat pipe >fifo.json & }
        "$C" check request.json -o json:pipe -o csv:>(cat >x.csv) | cat
        wait; exit ${PIPESTATUS[0]}
        """,
        home,
    )

    before, line, code = (home / "all.txt").read_text().splitlines()
    assert (before, json.loads(line)["status"], code) == ("before", "fail", "1"), ended.stderr
    assert json.loads((home / "x.sarif").read_text())["runs"]
    assert json.loads((home / "fifo.json").read_text())["findings"]
    assert (home / "pipe").is_fifo()
    assert (home / "x.csv").read_text().startswith('"record"')
    assert not list(home.glob(".*.????????"))


def test_a_link_to_standard_output_is_standard_output(tmp_path: Path) -> None:
    needs_posix("/dev/stdout")
    (tmp_path / "link.json").symlink_to("/dev/stdout")

    assert outputs.parse(f"{tmp_path}/link.json").path == outputs.STDOUT
    assert outputs.parse(f"json:/proc/{os.getpid()}/fd/1").path == outputs.STDOUT
    assert files.descriptor(tmp_path / "fd" / "1") is None


def test_a_descriptor_that_is_not_open_is_refused() -> None:
    needs_posix("/dev/fd")
    with pytest.raises(UsageError, match="-o /dev/fd/987: Bad file descriptor"):
        outputs.parse("json:/dev/fd/987")


def test_a_report_reaches_its_descriptor_although_the_standard_streams_are_closed(home: Path) -> None:
    ended = shell('"$C" check request.json -o json:/dev/fd/9 9>x.json >&- 2>&- <&-', home)

    assert ended.returncode == 1
    assert json.loads((home / "x.json").read_text())["findings"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("check request.json -o x.json", 1),
        ("check request.json", 70),
        ("check --help", 0),
        ("rules show missing-lambda", 0),
    ],
)
def test_a_closed_pipe_is_an_error_only_if_a_result_is_lost(home: Path, command: str, code: int) -> None:
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [CHIMEAUDIT, *command.split()],
        env=environment(home),
        cwd=home,
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(write)

    assert ended.returncode == code
    assert (b"error:" in ended.stderr) is (code == 70)


@pytest.mark.parametrize(
    ("platform", "error", "unread"),
    [
        ("linux", BrokenPipeError(errno.EPIPE, "Broken pipe"), True),
        ("linux", OSError(errno.EINVAL, "Invalid argument"), False),
        ("win32", OSError(errno.EINVAL, "Invalid argument"), True),
        ("win32", OSError(errno.EINVAL, "Invalid argument", "a?.json"), False),
        ("win32", KeyboardInterrupt(), False),
    ],
)
def test_a_reader_that_has_gone_is_told_from_other_errors(
    platform: str, error: BaseException, unread: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)

    assert terminal.is_unread(error) is unread


def test_a_line_of_the_log_is_json_in_utf_8(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Log(form=LogFormat.JSON).tell("event", NAME)

    assert json.loads(capfdbinary.readouterr().err)["message"] == NAME


def test_a_lone_surrogate_is_no_fault(tmp_path: Path) -> None:
    def broken(finding: Finding) -> Finding:
        return structs.replace(finding, message="a\udc80b")

    report = sample.report([sample.fails_open(sample.flow())])
    report = structs.replace(report, findings=tuple(map(broken, report.findings)))

    assert outputs.write(report, [Output(Format.CSV, f"{tmp_path}/x.csv")])[1] == ()
    assert "a\\udc80b" in (tmp_path / "x.csv").read_text()
