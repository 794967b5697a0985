"""The progress lines of a command whose output is no terminal."""

from __future__ import annotations

import json
import re
import threading
import time

import pytest

from scanner.commands import progress
from scanner.terminal import Log
from tests.answers import Answer, Call, error
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Flow

RULE = ("--select", "last-processor-fails-open")


@pytest.fixture
def slow(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """A fake AWS whose scan takes long enough for a few progress lines."""
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.05)
    aws.inventory = {"us-east-1": {"support": [Flow()]}}

    def wait(call: Call) -> Answer | None:
        time.sleep(0.3 if call.operation == "ListChannelFlows" else 0)
        return None

    aws.faults = [wait]
    return aws


@pytest.mark.usefixtures("slow")
def test_progress_is_printed_in_plain_lines(quick_scan: Scan) -> None:
    ended = quick_scan(*RULE)

    lines = [line for line in ended.stderr.splitlines() if " accounts, " in line]
    assert lines
    for line in lines:
        assert re.fullmatch(r"\d of 1 accounts, \d app instances, \d channel flows, \d calls", line)


@pytest.mark.parametrize("options", [(), ("-v",), ("-v", "--workers", "2"), ("--max-runtime", "1h")])
def test_every_line_is_json_where_that_is_asked_for(slow: FakeAws, quick_scan: Scan, options: tuple[str, ...]) -> None:
    ended = quick_scan(*RULE, "--log-format", "json", "-o", "report.json", *options)

    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert ended.code == 0
    assert all({"time", "event", "message"} <= line.keys() for line in lines)
    said = [line["event"] for line in lines if line["event"] not in {"progress", "target"}]
    assert said == ["began", "judged", "report"]
    assert {line["region"] for line in lines if line["event"] == "target"} == (
        {"us-east-1", "eu-central-1"} if "-v" in options else set()
    )
    progressed = [line for line in lines if line["event"] == "progress"]
    assert progressed
    assert progressed[-1]["targets"] == 2
    judged, written = lines[-2:]
    assert judged["complete"] is True
    assert judged["observed"]["channel_flows"] == judged["pass"]
    assert (written["format"], written["path"]) == ("json", "report.json")
    assert slow.calls


def test_verbose_shows_each_target_as_it_is_read_and_what_is_left_to_a_second_try(
    aws: FakeAws, quick_scan: Scan
) -> None:
    failing = [error(500, "ServiceFailureException")]
    aws.faults = [lambda call: failing.pop() if call.region == "eu-central-1" and failing else None]

    lines = quick_scan(*RULE, "-v").stderr.splitlines()

    assert f"Account {aws.account} in us-east-1 has been read" in lines
    assert f"Account {aws.account} in eu-central-1 is left to a second try" in lines
    assert f"Account {aws.account} in eu-central-1 has been read" in lines
    assert not any("has been read" in line for line in quick_scan(*RULE).stderr.splitlines())


def test_what_is_waited_for_is_said_again_and_again_unless_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.001)
    told = threading.Event()

    class Noting(Log, frozen=True):
        def tell(self, event: str, message: str, **fields: object) -> None:
            assert (event, message, fields) == ("waiting", "Trying", {})
            told.set()

    with progress.waiting("Trying", Noting()):
        assert told.wait(10)

    told.clear()
    with progress.waiting("Trying", Noting(quiet=True)):
        assert not told.wait(0.01)
