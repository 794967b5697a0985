"""Throttling, outages and slow answers: temporary failures are retried, lasting ones are gaps, time is limited."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from scanner.aws import patience
from scanner.aws import session as scanner_aws
from scanner.collect import target, task
from tests.answers import Answer, Call, error, truth
from tests.command import CHIMEAUDIT, chimeaudit, environment
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Fault, Flow
from tests.healthy import processor
from tests.posix import SIGKILL, killpg, mkfifo

OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])
ONE_RULE = ("--regions", "us-east-1", "--select", "last-processor-fails-open", "-o", "json:-")


@pytest.fixture
def chat(aws: FakeAws) -> FakeAws:
    """A fake AWS with three app instances, one of which has two pages of flows."""
    aws.inventory = {"us-east-1": {"a": [OPEN], "b": [OPEN] * 60, "c": []}}
    return aws


def first(times: int, operation: str, answer: Answer) -> Fault:
    """A fault that gives this answer to the first calls of an operation."""
    left = [answer] * times

    def fault(call: Call) -> Answer | None:
        return left.pop() if call.operation == operation and left else None

    return fault


TROUBLE = [
    pytest.param(error(429, "ThrottledClientException"), id="throttled"),
    pytest.param(error(500, "ServiceFailureException"), id="failing"),
    pytest.param(error(503, "ServiceUnavailableException"), id="unavailable"),
    pytest.param(Answer(body=b'{"ChannelFlows": []}', cut=7), id="reset in mid-body"),
    pytest.param(Answer(body=b'{"ChannelFlows": ['), id="truncated"),
    pytest.param(Answer(body=b"<html>sign in</html>", headers={"Content-Type": "text/html"}), id="no JSON"),
    pytest.param(error(403, "ExpiredTokenException"), id="expired"),
]


@pytest.mark.parametrize("answer", TROUBLE)
@pytest.mark.parametrize("operation", ["ListAppInstances", "ListChannelFlows"])
def test_a_failure_that_outlasts_its_retries_but_not_the_second_try_leaves_no_gap(
    chat: FakeAws, quick_scan: Scan, operation: str, answer: Answer
) -> None:
    chat.faults = [first(1, operation, answer)]

    ended = quick_scan(*ONE_RULE)

    assert ended.gaps == []
    assert ended.report["coverage"]["observed"]["channel_flows"] == 61
    assert ended.report["summary"]["by_rule"]["last-processor-fails-open"] == 61


def test_the_second_try_asks_only_for_what_the_first_did_not_get(chat: FakeAws, quick_scan: Scan) -> None:
    chat.faults = [
        lambda call: (
            error(500, "ServiceFailureException")
            if str(call.app_instance_arn).endswith("/b") and len(chat.asked("ListAppInstances")) == 1
            else None
        )
    ]

    ended = quick_scan(*ONE_RULE)

    asked = Counter(str(call.app_instance_arn).rpartition("/")[2] for call in chat.asked("ListChannelFlows"))
    assert ended.gaps == []
    assert asked == {"a": 1, "b": 3, "c": 1}


@pytest.mark.parametrize("answer", TROUBLE)
def test_a_failure_that_outlasts_the_second_try_is_a_gap(chat: FakeAws, quick_scan: Scan, answer: Answer) -> None:
    chat.faults = [lambda call: answer if str(call.app_instance_arn).endswith("/b") else None]

    ended = quick_scan(*ONE_RULE)

    (gap,) = ended.gaps
    assert gap["resource_arn"] == chat.app_instance_arn("us-east-1", "b")
    assert len(chat.asked("ListAppInstances")) == 2
    assert ended.report["coverage"]["observed"]["channel_flows"] == 1
    assert ended.code == 1


def test_throttling_slows_the_scan_and_is_counted(chat: FakeAws, scan: Scan) -> None:
    turns = iter(range(1000))
    chat.faults = [
        lambda call: error(429, "ThrottledClientException") if call.service == "chime" and next(turns) % 2 else None
    ]

    ended = scan(*ONE_RULE, AWS_MAX_ATTEMPTS="8")

    assert ended.gaps == []


def test_an_explicit_deny_in_one_region_is_one_gap_that_names_it(chat: FakeAws, quick_scan: Scan) -> None:
    denied = error(403, "AccessDeniedException", "not authorized with an explicit deny in a service control policy")
    chat.faults = [lambda call: denied if call.region == "eu-central-1" else None]

    ended = quick_scan("-o", "json:-")

    (gap,) = ended.gaps
    assert (gap["region"], gap["resource_arn"]) == ("eu-central-1", None)
    assert "an explicit deny in a service control policy" in gap["reason"]
    assert len(chat.asked("ListAppInstances")) == 2  # once for each region: a denied call is not repeated


@pytest.mark.parametrize(("code", "words"), [("RequestTimeTooSkewed", "clock"), ("InvalidSignatureException", "clock")])
def test_a_clock_that_is_wrong_is_named(chat: FakeAws, quick_scan: Scan, code: str, words: str) -> None:
    chat.faults = [lambda call: error(403, code) if call.service == "chime" else None]

    ended = quick_scan(*ONE_RULE)

    assert ended.code == 4
    assert {words in gap["reason"] for gap in ended.gaps} == {True}


def test_an_app_instance_that_was_deleted_since_it_was_listed_is_no_gap(chat: FakeAws, quick_scan: Scan) -> None:
    def delete(call: Call) -> Answer | None:
        if not str(call.app_instance_arn).endswith("/b"):
            return None
        chat.inventory[call.region].pop("b", None)
        return error(404, "NotFoundException")

    chat.faults = [delete]

    ended = quick_scan(*ONE_RULE)

    assert ended.gaps == []
    assert ended.report["coverage"]["observed"]["app_instances"] == 2
    assert len(chat.asked("ListAppInstances")) == 2


def test_an_app_instance_that_is_listed_and_does_not_exist_is_a_gap(chat: FakeAws, quick_scan: Scan) -> None:
    gone = error(404, "NotFoundException")
    chat.faults = [lambda call: gone if str(call.app_instance_arn).endswith("/b") else None]

    ended = quick_scan(*ONE_RULE, "--select", "no-failure-alert,app-instance-without-flow")

    assert [(gap["code"], gap["resource_arn"].rpartition("/")[2]) for gap in ended.gaps] == [("StillListed", "b")]
    assert ended.report["coverage"]["complete"] is False
    [unknown] = [finding for finding in ended.report["findings"] if finding["status"] == "unknown"]
    assert unknown["rule_id"] == "app-instance-without-flow"
    assert unknown["evidence"][0]["gap"]["code"] == "StillListed"


def test_pages_that_come_back_reordered_change_nothing(chat: FakeAws, quick_scan: Scan) -> None:
    straight = quick_scan(*ONE_RULE).report

    def reversed_pages(call: Call) -> Answer | None:
        if call.operation != "ListChannelFlows" or not str(call.app_instance_arn).endswith("/b"):
            return None
        flows = [
            {"ChannelFlowArn": f"{call.app_instance_arn}/channel-flow/{n:04}", "Name": OPEN.name}
            | {"Processors": OPEN.processors}
            for n in reversed(range(60))
        ]
        token = int(call.token or 0)
        more = {"NextToken": str(token + 25)} if token < 50 else {}
        return truth({"ChannelFlows": flows[max(0, token - 5) : token + 25], **more})

    chat.faults = [reversed_pages]

    assert without_run(quick_scan(*ONE_RULE).report) == without_run(straight)


def without_run(report: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in report.items() if name != "run"}


def test_app_instances_that_are_never_all_listed_are_a_gap_and_what_was_listed_is_judged(
    chat: FakeAws, quick_scan: Scan
) -> None:
    app_instance = {"AppInstanceArn": chat.app_instance_arn("us-east-1", "b"), "Name": "b"}
    listed = {"AppInstances": [app_instance], "NextToken": "again"}
    chat.faults = [lambda call: truth(listed) if call.operation == "ListAppInstances" else None]

    ended = quick_scan(*ONE_RULE)

    (gap,) = ended.gaps
    assert (gap["code"], gap["resource_arn"]) == ("EndlessPages", None)
    assert ended.report["coverage"]["observed"]["channel_flows"] == 60


def test_an_answer_that_never_comes_is_given_up(
    chat: FakeAws, quick_scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner_aws, "_READ_SECONDS", 0.3)
    never = threading.Event()
    chat.faults = [lambda call: (never.wait(20), None)[1] if str(call.app_instance_arn).endswith("/b") else None]

    ended = quick_scan(*ONE_RULE)

    never.set()
    (gap,) = ended.gaps
    assert gap["code"] == "Timeout"
    assert "no answer in time" in gap["reason"]


def test_app_instances_that_stall_in_the_second_try_share_one_time_limit(chat: FakeAws, quick_scan: Scan) -> None:
    stalling = 12
    chat.inventory = {"us-east-1": {f"{number:02}": [Flow()] for number in range(stalling)}}
    all_are_asked = threading.Barrier(stalling)
    asked: set[str] = set()

    def stall(call: Call) -> Answer | None:
        if call.operation != "ListChannelFlows":
            return None
        if call.app_instance_arn not in asked:
            asked.add(str(call.app_instance_arn))
            return error(503, "ServiceUnavailableException")
        with suppress(threading.BrokenBarrierError):
            all_are_asked.wait(8)
        return None

    chat.faults = [stall]

    ended = quick_scan(*ONE_RULE)

    assert not all_are_asked.broken
    assert ended.gaps == []


def test_an_app_instance_that_stalls_in_the_second_try_is_given_up_whatever_the_configured_attempts(
    chat: FakeAws, quick_scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanner_aws, "_READ_SECONDS", 0.2)
    monkeypatch.setattr(task, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(target, "_LEAST_PATIENCE_SECONDS", 0.0)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "6")
    never = threading.Event()
    first = iter([error(400, "ExpiredTokenException")])
    chat.faults = [
        lambda call: (
            next(first, None) or (never.wait(20), None)[1] if str(call.app_instance_arn).endswith("/b") else None
        )
    ]

    ended = quick_scan(*ONE_RULE)

    never.set()
    (gap,) = ended.gaps
    assert (gap["code"], gap["resource_arn"].rpartition("/")[2]) == ("Timeout", "b")
    assert len([call for call in chat.calls if str(call.app_instance_arn).endswith("/b")]) == 3


@pytest.mark.parametrize("padding", [0, 10_000], ids=["in its head", "in its body"])
def test_an_answer_that_drips_in_is_given_up(
    chat: FakeAws, quick_scan: Scan, monkeypatch: pytest.MonkeyPatch, padding: int
) -> None:
    monkeypatch.setattr(patience, "ANSWER_SECONDS", 0.5)
    drip = Answer(body=b'{"ChannelFlows":[]' + b" " * padding + b"}", drips=0.1 if not padding else 0.005)
    chat.faults = [lambda call: drip if str(call.app_instance_arn).endswith("/b") else None]

    ended = quick_scan(*ONE_RULE)

    (gap,) = ended.gaps
    assert (gap["code"], gap["resource_arn"].rpartition("/")[2]) == ("Timeout", "b")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_max_runtime_is_kept_though_an_answer_is_awaited_and_resume_goes_on(
    chat: FakeAws, tmp_path: Path, workers: str
) -> None:
    never = threading.Event()
    chat.faults = [lambda call: (never.wait(60), None)[1] if str(call.app_instance_arn).endswith("/b") else None]
    run = ("--run-dir", str(tmp_path / "run"), "--workers", workers)
    began = time.monotonic()

    ended = chimeaudit("scan", *ONE_RULE, *run, "--max-runtime", "8s", home=tmp_path, variables=chat.variables)

    took = time.monotonic() - began
    never.set()
    assert took < 25  # neither the 60 s that the answer takes nor the 30 s of the read timeout
    assert ended.code == 1
    assert {gap["code"] for gap in ended.gaps} == {"Interrupted"}
    assert "Stopped by --max-runtime" in ended.stderr
    assert f"--resume --run-dir {tmp_path / 'run'}" in ended.stderr
    chat.faults = []
    chat.calls.clear()
    resumed = chimeaudit(
        *("scan", "--resume", *run, "--select", "last-processor-fails-open", "-o", "json:-"),
        home=tmp_path,
        variables=chat.variables,
    )
    assert resumed.gaps == []
    assert {str(call.app_instance_arn).rpartition("/")[2] for call in chat.asked("ListChannelFlows")} == {"b"}


def test_max_runtime_with_nothing_found_yet_ends_in_3(chat: FakeAws, tmp_path: Path) -> None:
    chat.inventory = {"us-east-1": {"a": [Flow()], "b": []}}
    never = threading.Event()
    chat.faults = [lambda call: (never.wait(60), None)[1] if str(call.app_instance_arn).endswith("/b") else None]

    ended = chimeaudit("scan", *ONE_RULE, "--max-runtime", "4s", home=tmp_path, variables=chat.variables)

    never.set()
    assert ended.code == 3


def test_max_runtime_that_is_over_before_anything_was_seen_ends_in_3_whatever_is_allowed(
    chat: FakeAws, tmp_path: Path
) -> None:
    never = threading.Event()
    chat.faults = [lambda call: (never.wait(60), None)[1] if call.operation == "ListAppInstances" else None]

    ended = chimeaudit(
        *("scan", *ONE_RULE, "--allow-gaps", "--max-runtime", "1s"), home=tmp_path, variables=chat.variables
    )

    never.set()
    assert ended.code == 3
    assert {gap["code"] for gap in ended.gaps} == {"Interrupted"}


@pytest.mark.parametrize(
    ("options", "hangs", "awaited"),
    [
        pytest.param(("--profile", "slow"), "", "the credential_process of profile slow", id="credential_process"),
        pytest.param(("--profile", "role"), "", "the credentials of profile role", id="credentials of a role"),
        pytest.param(("--org",), "ListAccounts", "organizations:ListAccounts", id="Organizations"),
    ],
)
def test_max_runtime_bounds_the_finding_of_the_scope_and_says_what_it_waits_for(
    chat: FakeAws, tmp_path: Path, options: tuple[str, ...], hangs: str, awaited: str
) -> None:
    never, pipe = threading.Event(), tmp_path / "pipe"
    mkfifo(pipe)
    (tmp_path / "config").write_text(
        f"[profile slow]\ncredential_process = cat {pipe}\n"
        "[profile role]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = slow\n"
    )
    chat.faults = [lambda call: (never.wait(60), None)[1] if call.operation == hangs else None]
    began = time.monotonic()

    ended = chimeaudit(
        *("scan", *ONE_RULE, *options, "--max-runtime", "4s", "--run-dir", "run"),
        home=tmp_path,
        variables={**chat.variables, "AWS_CONFIG_FILE": str(tmp_path / "config")},
    )

    never.set()
    if not hangs:
        os.close(os.open(pipe, os.O_WRONLY))  # ends the process that reads from it
    assert time.monotonic() - began < 25
    assert ended.code == 3
    assert f"Stopped by --max-runtime, waiting for {awaited}; the gaps say what is left." in ended.stderr
    (gap,) = ended.gaps
    assert (gap["account_id"], gap["code"]) == ("unknown", "Interrupted")
    assert f"waiting for {awaited};" in gap["reason"]
    assert not (tmp_path / "run").exists()


def test_max_runtime_bounds_the_reading_of_the_baseline(chat: FakeAws, tmp_path: Path) -> None:
    mkfifo(tmp_path / "pipe")

    ended = chimeaudit(
        *("scan", *ONE_RULE, "--max-runtime", "1s", "--baseline", "pipe"), home=tmp_path, variables=chat.variables
    )

    assert ended.code == 4
    assert ended.error == "error: --max-runtime was over, waiting for the baseline pipe"


@pytest.mark.parametrize(("send", "number"), [(os.kill, signal.SIGTERM), (os.kill, SIGKILL), (killpg, signal.SIGINT)])
def test_worker_processes_end_with_the_scan(
    chat: FakeAws, tmp_path: Path, send: Callable[[int, int], None], number: signal.Signals
) -> None:
    asked, never = threading.Event(), threading.Event()

    def hold(call: Call) -> Answer | None:
        if call.operation == "ListChannelFlows":
            asked.set()
            never.wait(60)
        return None

    chat.faults = [hold]
    scanning = subprocess.Popen(
        [CHIMEAUDIT, "scan", *ONE_RULE, "--workers", "2", "--run-dir", "run"],
        env=environment(tmp_path, {**chat.variables, "MARK": str(tmp_path), "PYTHONWARNINGS": "default"}),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert asked.wait(60), scanning.poll()
    assert len(marked(tmp_path)) > 1

    send(scanning.pid, number)
    _, stderr = scanning.communicate(timeout=60)
    if number != SIGKILL:
        assert "Traceback" not in stderr
        assert "leaked" not in stderr
        assert stderr.splitlines()[-1].startswith("hint: Go on with it: chimeaudit scan --resume --run-dir run")

    deadline = time.monotonic() + 20
    while marked(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert marked(tmp_path) == []
    never.set()


def marked(home: Path) -> list[int]:
    """The process ids of all processes that this test started."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"MARK={home}".encode() in environ.read_bytes() and (environ.parent / "cmdline").read_bytes():
                found.append(int(environ.parent.name))
        except OSError:
            continue
    return found


def test_a_killed_worker_process_is_an_error_of_one_line(chat: FakeAws, tmp_path: Path) -> None:
    def kill(call: Call) -> Answer | None:
        if call.operation == "ListChannelFlows":
            for pid in set(marked(tmp_path)) - {scanning.pid}:
                if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, SIGKILL)
        return None

    chat.faults = [kill]
    scanning = subprocess.Popen(
        [CHIMEAUDIT, "scan", *ONE_RULE, "--workers", "1"],
        env=environment(tmp_path, {**chat.variables, "MARK": str(tmp_path)}),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    _, stderr = scanning.communicate(timeout=60)

    assert scanning.returncode == 70
    assert "error: a worker process was killed" in stderr
    assert "--resume" in stderr
    assert "Traceback" not in stderr


@pytest.mark.usefixtures("chat")
def test_an_error_of_a_worker_process_reaches_the_user_whole(scan: Scan, tmp_path: Path) -> None:
    scan("--regions", "us-east-1", "--run-dir", "run")
    (journal,) = (tmp_path / "run" / "targets").iterdir()
    journal.unlink()
    journal.symlink_to("/dev/null/nothing")

    ended = scan("--resume", "--run-dir", "run", "--workers", "1")

    assert ended.code == 70
    assert "cannot be written" in ended.stderr
    assert "hint: Make room, or name another directory" in ended.stderr


def test_the_report_is_the_same_with_worker_processes(chat: FakeAws, scan: Scan) -> None:
    chat.inventory["eu-central-1"] = {"d": [OPEN] * 3}
    chat.faults = [lambda call: error(403, "ForbiddenException") if str(call.app_instance_arn).endswith("/a") else None]

    reports = [scan("-o", "json:-", "--workers", workers).report for workers in ("0", "2")]

    first_bytes, second_bytes = (json.dumps(without_run(report)) for report in reports)
    assert first_bytes == second_bytes
