"""A killed scan goes on where it stopped, and gives the same report as one that was not killed."""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner.store.journal import Journal
from scanner.store.target_file import TargetReader
from tests.answers import Answer, Call, error
from tests.command import CHIMEAUDIT, Ended, environment
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Flow
from tests.healthy import processor
from tests.posix import SIGKILL

OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])
CHOSEN = ("last-processor-fails-open", "app-instance-without-flow", "no-failure-alert")
RULES = tuple(word for rule in CHOSEN for word in ("--select", rule))
SCAN = ("--regions", "us-east-1", *RULES, "-o", "json:-", "--run-dir", "run")
RESUME = ("--resume", *RULES, "-o", "json:-", "--run-dir", "run")


@pytest.fixture
def busy(aws: FakeAws) -> FakeAws:
    """A fake AWS with 120 app instances, some empty, some with two pages; it answers slowly, one list at a time."""
    aws.inventory = {"us-east-1": {f"{n:03}": [OPEN] * (0, 1, 60)[n % 3] for n in range(120)}}
    one = threading.Lock()

    def slowly(call: Call) -> Answer | None:
        if call.operation == "ListChannelFlows":
            with one:
                time.sleep(0.001)
            if call.app_instance_arn == aws.app_instance_arn("us-east-1", "007"):
                return error(403, "ForbiddenException")
        return None

    aws.faults = [slowly]
    return aws


def without_run(ended: Ended) -> bytes:
    assert "Traceback" not in ended.stderr
    return json.dumps({name: value for name, value in ended.report.items() if name != "run"}).encode()


def kill_at(number: int, aws: FakeAws, home: Path) -> None:
    """Scan, and kill the scan while it waits for the answer to this list of channel flows."""
    lock = threading.Lock()

    def kill(call: Call) -> Answer | None:
        with lock:
            if call.operation == "ListChannelFlows" and len(aws.asked("ListChannelFlows")) >= number:
                scanning.kill()
        return None

    aws.faults.append(kill)
    scanning = subprocess.Popen(
        [CHIMEAUDIT, "scan", *SCAN],
        env=environment(home, aws.variables),
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert scanning.wait(60) == -SIGKILL
    aws.faults.remove(kill)


def test_a_scan_that_is_killed_and_resumed_comes_to_the_report_of_an_undisturbed_one(
    busy: FakeAws, quick_scan: Scan, tmp_path: Path
) -> None:
    undisturbed = without_run(quick_scan(*SCAN[:-1], "undisturbed"))
    for number in (1, 40, random.randint(50, 150), 159):  # noqa: S311 - any moment will do
        run = tmp_path / "run"
        busy.calls.clear()
        kill_at(number, busy, tmp_path)
        journal = run / "targets" / f"{busy.account}.us-east-1.jsonl"
        read = set(TargetReader(journal).index) if journal.exists() else set()
        busy.calls.clear()

        resumed = without_run(quick_scan(*RESUME))

        assert resumed == undisturbed, number
        asked = {call.app_instance_arn for call in busy.asked("ListChannelFlows")}
        assert asked.isdisjoint(read), number
        assert len(asked | read) == 120
        run.rename(tmp_path / f"killed at {number}")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_that_is_complete_is_rendered_again_without_reading(
    busy: FakeAws, quick_scan: Scan, workers: str
) -> None:
    first = quick_scan(*SCAN)
    busy.calls.clear()

    again = quick_scan(*RESUME, "--workers", workers)
    judged = quick_scan("--from", "run", *RULES, "-o", "json:-")

    assert without_run(first) == without_run(again) == without_run(judged)
    assert again.report["run"]["id"] == first.report["run"]["id"]
    assert busy.calls == []


def test_a_torn_line_is_dropped_and_its_app_instance_read_again(
    busy: FakeAws, quick_scan: Scan, tmp_path: Path
) -> None:
    first = quick_scan(*SCAN)
    journal = tmp_path / "run" / "targets" / f"{busy.account}.us-east-1.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1])[:-20])
    busy.calls.clear()

    again = quick_scan(*RESUME)

    assert without_run(again) == without_run(first)
    assert len({call.app_instance_arn for call in busy.asked("ListChannelFlows")}) == 1


def test_a_damaged_line_is_an_error_with_its_place(busy: FakeAws, quick_scan: Scan, tmp_path: Path) -> None:
    quick_scan(*SCAN)
    journal = tmp_path / "run" / "targets" / f"{busy.account}.us-east-1.jsonl"
    journal.write_bytes(b"garbage\n" + b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))

    ended = quick_scan(*RESUME)

    assert ended.code == 2
    assert "damaged at byte 0" in ended.stderr
    assert "Scan again into a new run directory" in ended.stderr


def test_a_damaged_run_does_not_prevent_later_scans(busy: FakeAws, quick_scan: Scan, tmp_path: Path) -> None:
    busy.inventory = {"us-east-1": {"a": [OPEN]}}
    quick_scan("--regions", "us-east-1", *RULES)
    (run,) = (tmp_path / "state" / "chimeaudit" / "runs").iterdir()
    header = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(header | {"started_at": "2020-01-01T00:00:00Z"}))
    (run / "targets" / f"{busy.account}.us-east-1.jsonl").write_text("garbage\n")

    assert quick_scan("--regions", "us-east-1", *RULES).code == 1
    assert quick_scan("--regions", "us-east-1", "--resume", *RULES).code == 1
    assert run.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"journal_version": 99}, "another version of chimeaudit", id="another version"),
        pytest.param({"facets": []}, "holds no alerts, which the rules read", id="other facets"),
    ],
)
def test_a_run_that_does_not_fit_the_options_is_an_error_with_a_next_step(
    busy: FakeAws, quick_scan: Scan, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    quick_scan(*SCAN)
    header = tmp_path / "run" / "run.json"
    header.write_text(json.dumps(json.loads(header.read_text()) | change))
    busy.calls.clear()

    for options in (RESUME, ("--from", "run", *RULES)):
        ended = quick_scan(*options)
        assert ended.code == 2
        assert words in ended.error
        assert "scan again" in ended.stderr.lower()
    assert busy.calls == []


def test_where_a_run_directory_cannot_be_made_nothing_is_observed_and_the_report_says_so(
    busy: FakeAws, quick_scan: Scan, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")

    ended = quick_scan("--regions", "us-east-1", "--run-dir", "file/run", "-o", "json:-")

    assert ended.code == 70
    assert [(gap["region"], gap["operation"]) for gap in ended.gaps] == [("us-east-1", "ListAppInstances")]
    *_, error, hint = ended.stderr.splitlines()
    assert error == "error: the journal file/run cannot be written: Not a directory"
    assert hint == "hint: Make room, or name another directory with --run-dir."
    assert not busy.asked("ListAppInstances")


def test_two_scans_do_not_share_a_run_directory(aws: FakeAws, quick_scan: Scan, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {"a": [OPEN]}}
    asked, goes_on = threading.Event(), threading.Event()

    def hold(call: Call) -> Answer | None:
        if call.operation == "ListChannelFlows" and not asked.is_set():
            asked.set()
            goes_on.wait(60)
        return None

    aws.faults = [hold]
    scanning = subprocess.Popen(
        [CHIMEAUDIT, "scan", *SCAN],
        env=environment(tmp_path, aws.variables),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert asked.wait(60)

    resumed, begun = quick_scan(*RESUME), quick_scan(*SCAN)
    goes_on.set()

    assert (resumed.code, begun.code) == (2, 2)
    assert "another scan is writing to run" in resumed.error
    assert "run holds a run already" in begun.error
    assert scanning.wait(60) == 1


WHOLE = ("--regions", "us-east-1", *RULES, "-o", "json:-")


@pytest.fixture
def small(aws: FakeAws) -> FakeAws:
    aws.inventory = {"us-east-1": {"a": [OPEN]}}
    aws.members = {"222222222222": {"us-east-1": {"b": [OPEN]}}}
    return aws


def runs_of(home: Path) -> list[Path]:
    return sorted((home / "state" / "chimeaudit" / "runs").iterdir())


def stopped(home: Path, ago: timedelta = timedelta(), **changes: Any) -> Path:
    """Turn the only run, a finished one, into one that was killed `ago` before it had read anything."""
    (run,) = runs_of(home)
    header = json.loads((run / "run.json").read_text())
    began = f"{datetime.now(UTC) - ago:%Y-%m-%dT%H:%M:%SZ}"
    (run / "run.json").write_text(json.dumps(header | {"started_at": began} | changes))
    for journal in (run / "targets").iterdir():
        journal.write_bytes(b"")
    return run


@pytest.mark.usefixtures("small")
def test_a_cron_line_may_add_resume_whether_or_not_there_is_something_to_resume(
    quick_scan: Scan, tmp_path: Path
) -> None:
    first = quick_scan(*WHOLE, "--resume")
    run = stopped(tmp_path, timedelta(hours=23))
    second = quick_scan(*RULES, "-o", "json:-", "--regions", "us-east-1", "--resume")
    third = quick_scan(*WHOLE, "--resume")

    assert "No unfinished run of this scope began in the last 24 hours: a new one begins." in first.stderr
    assert second.stderr.startswith(f"Going on with the run in {run}, which began ")
    assert first.report["run"]["id"] == second.report["run"]["id"] != third.report["run"]["id"]
    assert [ended.code for ended in (first, second, third)] == [1, 1, 1]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("ago", "changes", "options"),
    [
        pytest.param(timedelta(days=10), {}, (), id="ten days old"),
        pytest.param(timedelta(hours=25), {}, (), id="a day old"),
        pytest.param(timedelta(days=-10), {}, (), id="of the future"),
        pytest.param(timedelta(minutes=61), {}, ("--max-age", "1h"), id="older than --max-age"),
        pytest.param(timedelta(), {}, ("--regions", "eu-central-1"), id="another region"),
        pytest.param(timedelta(), {}, ("--accounts", "222222222222"), id="accounts"),
        pytest.param(timedelta(), {"facets": []}, (), id="without a facet"),
        pytest.param(timedelta(), {"callers": {}, "targets": []}, (), id="of nobody knows whom"),
        pytest.param(timedelta(), {"journal_version": 0}, (), id="of another version"),
    ],
)
def test_resume_ignores_runs_that_do_not_match(
    quick_scan: Scan, tmp_path: Path, ago: timedelta, changes: dict[str, Any], options: tuple[str, ...]
) -> None:
    first = quick_scan(*WHOLE)
    stopped(tmp_path, ago, **changes)

    ended = quick_scan(*WHOLE[2:], *(() if "--regions" in options else WHOLE[:2]), *options, "--resume")

    assert ended.report["run"]["id"] != first.report["run"]["id"]
    assert "a new one begins" in ended.stderr
    assert len(runs_of(tmp_path)) == 2


@pytest.mark.usefixtures("small")
def test_max_age_allows_resuming_an_older_run(quick_scan: Scan, tmp_path: Path) -> None:
    first = quick_scan(*WHOLE)
    stopped(tmp_path, timedelta(days=10))

    ended = quick_scan(*WHOLE, "--resume", "--max-age", "11d")

    assert ended.report["run"]["id"] == first.report["run"]["id"]


@pytest.mark.usefixtures("small")
def test_a_run_that_another_scan_writes_to_is_not_resumed(quick_scan: Scan, tmp_path: Path) -> None:
    first = quick_scan(*WHOLE)
    with Journal.open(stopped(tmp_path)).locked():
        ended = quick_scan(*WHOLE, "--resume")

    assert ended.report["run"]["id"] != first.report["run"]["id"]


def test_a_run_that_is_named_takes_its_own_scope_and_no_other(small: FakeAws, quick_scan: Scan) -> None:
    members = ("--accounts", "222222222222", "--regions", "us-east-1")
    first = quick_scan(*members, *RULES, "--external-id", "xx", "-o", "json:-", "--run-dir", "run")
    began = first.report["run"]["started_at"]
    small.calls.clear()

    for options in ((), members, ("--regions", "us-east-1,us-east-1", "--accounts", "222222222222")):
        again = quick_scan("--resume", "--run-dir", "run", *RULES, *options, "-o", "json:-")
        assert again.stderr.startswith(f"run holds a finished run, which began {began}: it is reported again")
        assert without_run(again) == without_run(first)
    for other, words in {
        ("--org",): "--org no --accounts no --regions",
        ("--accounts", "111122223333", *members[2:]): "--accounts 111122223333",
        members[:2]: "no --regions",
        (*members, "--role", "chimeaudit2"): "--role chimeaudit2",
        (*members, "--exclude", "111122223333"): "--exclude 111122223333",
    }.items():
        refused = quick_scan("--resume", "--run-dir", "run", *RULES, *other)
        assert refused.code == 2
        assert refused.error.endswith(f"and this is to be one with {words}")
    assert small.calls == []


def test_resume_ignores_runs_of_another_account(small: FakeAws, quick_scan: Scan, tmp_path: Path) -> None:
    organization = ("--org", "--regions", "us-east-1", *RULES, "-o", "json:-", "--resume")
    small.organization = [{"Id": small.account, "Status": "ACTIVE"}]
    first = quick_scan(*organization)
    stopped(tmp_path)
    small.account = "222222222222"

    ended = quick_scan(*organization)

    assert ended.report["run"]["id"] != first.report["run"]["id"]
    assert "was begun with other credentials" in ended.stderr


@pytest.mark.usefixtures("small")
def test_max_age_holds_for_a_run_that_is_named_too(quick_scan: Scan, tmp_path: Path) -> None:
    quick_scan(*WHOLE)
    run = stopped(tmp_path, timedelta(days=10))

    refused = quick_scan("--resume", "--run-dir", str(run), *RULES, "--max-age", "2d")
    ended = quick_scan("--resume", "--run-dir", str(run), *RULES)

    assert refused.code == 2
    assert "which is beyond --max-age" in refused.error
    assert ended.code == 1
    assert ended.stderr.startswith(f"Going on with the run in {run}, which began ")


@pytest.mark.parametrize("place", ["run/run.json", "link.json", "./run/../run/lock", "run/targets/new.json", "run"])
@pytest.mark.parametrize("options", [("--run-dir", "run"), ("--from", "run"), ("--run-dir", "run", "--resume")])
def test_a_report_does_not_take_the_place_of_a_run(
    small: FakeAws, quick_scan: Scan, tmp_path: Path, place: str, options: tuple[str, ...]
) -> None:
    (tmp_path / "link.json").symlink_to("run/run.json")
    if len(options) != 2 or options[0] == "--from":
        quick_scan(*WHOLE, "--run-dir", "run")
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    small.calls.clear()

    ended = quick_scan(*options, "-o", f"json:{place}")

    assert ended.code == 2
    assert ended.error.startswith("error: -o json:run: run is a folder" if before and place == "run" else "error: -o ")
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before
    assert small.calls == []


@pytest.mark.usefixtures("small")
def test_a_report_may_lie_beside_the_journal(quick_scan: Scan, tmp_path: Path) -> None:
    assert quick_scan(*WHOLE[:-2], "--run-dir", "run", "-o", "run/report.json").code == 1
    assert (tmp_path / "run" / "report.json").exists()
