"""``python -m scanner.simulator``, run as in a shell."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.simulator.conftest import Caller

COMMAND = [sys.executable, "-W", "error", "-m", "scanner.simulator"]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The process, once it is ready, and the variables that it printed."""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert process.stderr.readline().startswith("Simulated AWS ready on http://127.0.0.1:")
            lines = [process.stdout.readline().removeprefix("export ").strip() for _ in range(6)]
            yield process, dict(line.split("=", 1) for line in lines)
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serves_the_demo_until_it_is_stopped(number: signal.Signals) -> None:
    with running() as (process, exported):
        caller = Caller(
            exported["AWS_ENDPOINT_URL"], exported["AWS_ACCESS_KEY_ID"], exported["AWS_SECRET_ACCESS_KEY"].strip("'")
        )
        assert len(caller.names()) == 50
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, "", "")


def test_serves_a_given_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text('management: {id: "999900001111", name: a, app_instances: {us-east-1: [{name: mine}]}}')
    with running(str(file)) as (_, exported):
        caller = Caller(
            exported["AWS_ENDPOINT_URL"], exported["AWS_ACCESS_KEY_ID"], exported["AWS_SECRET_ACCESS_KEY"].strip("'")
        )
        assert caller.names() == ["mine"]
        assert caller.sts.get_caller_identity()["Account"] == "999900001111"


def test_enforces_iam_where_it_is_told_to(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text('management: {id: "999900001111", name: a}\naudit_policy: []')
    with running(str(file), "--enforce-iam") as (_, exported):
        caller = Caller(exported["AWS_ENDPOINT_URL"], exported["AWS_ACCESS_KEY_ID"], exported["AWS_SECRET_ACCESS_KEY"])
        with pytest.raises(ClientError, match="chime:ListAppInstances"):
            caller.names()


def test_a_bad_file_ends_with_2_and_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("management: {}")
    done = subprocess.run([*COMMAND, str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    error, hint = done.stderr.splitlines()
    assert error.startswith(f"error: {file}")
    assert hint.startswith("hint: ")
