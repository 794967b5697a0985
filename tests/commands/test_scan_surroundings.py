"""Scans without a home or working directory, with little memory, or without new threads or processes."""

from __future__ import annotations

import os
import subprocess
import threading
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.command import CHIMEAUDIT, environment
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Flow
from tests.healthy import processor
from tests.posix import limit_memory

OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])
ONE_RULE = ("--regions", "us-east-1", "--select", "last-processor-fails-open")


@pytest.fixture(autouse=True)
def chat(aws: FakeAws) -> FakeAws:
    aws.inventory = {"us-east-1": {f"{number}": [OPEN] for number in range(20)}}
    return aws


def test_without_a_home_directory_the_journal_is_in_a_temporary_one(
    quick_scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", home)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    for options in ((), ("--resume",)):
        ended = quick_scan(*ONE_RULE, "-o", "json:-", *options)
        assert ended.code == 1
        assert f"The journal is in {tmp_path / 'chimeaudit-'}" in ended.stderr


def test_a_deleted_working_directory_affects_only_relative_paths(
    quick_scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    whole = quick_scan(*ONE_RULE, "-o", str(tmp_path / "report.json"))
    refused = [quick_scan(*ONE_RULE, *options) for options in (("-o", "report.json"), ("--run-dir", "run"))]
    monkeypatch.chdir(tmp_path)

    assert whole.code == 1
    assert (tmp_path / "report.json").exists()
    for ended in refused:
        assert ended.code == 2
        assert "leads from the working directory, which was deleted" in ended.error


def test_a_scan_works_if_no_thread_can_be_started(
    quick_scan: Scan, monkeypatch: pytest.MonkeyPatch, chat: FakeAws
) -> None:
    start = threading.Thread.start

    def start_theirs(thread: threading.Thread) -> None:
        if "process_request_thread" not in thread.name:  # threads of the fake AWS, which runs in this process
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_theirs)

    ended = quick_scan(*ONE_RULE, "--max-runtime", "1h", "-o", "json:-")

    assert ended.gaps == []
    assert ended.report["coverage"]["observed"]["app_instances"] == 20
    assert len(chat.asked("ListChannelFlows")) == 20


def test_where_no_process_can_be_started_the_report_says_what_was_not_seen(
    quick_scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def submit(*_: Any) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(ProcessPoolExecutor, "submit", submit)

    ended = quick_scan(*ONE_RULE, "--workers", "2", "-o", "json:-")

    assert ended.code == 70
    assert [gap["code"] for gap in ended.gaps] == ["Interrupted"]
    assert "error: no worker process can be started: Resource temporarily unavailable" in ended.stderr


def test_little_memory_means_few_threads_and_no_hang(chat: FakeAws, tmp_path: Path) -> None:
    ended = subprocess.run(
        [CHIMEAUDIT, "scan", *ONE_RULE, "-o", "report.json"],
        env=environment(tmp_path, {**chat.variables, "PATH": os.environ["PATH"]}),
        cwd=tmp_path,
        preexec_fn=partial(limit_memory, 300 << 20),
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 1, ended.stderr
    assert (tmp_path / "report.json").exists()
