"""Scans on a Dask cluster give the same report even if processes are killed, or end with one clear line."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner import __version__
from tests.answers import Answer, Call
from tests.cluster.dask_cluster import DaskCluster
from tests.command import CHIMEAUDIT, Ended, chimeaudit, environment
from tests.fake_aws import FakeAws, Flow
from tests.healthy import ACCOUNT, processor
from tests.posix import SIGKILL, SIGSTOP
from tests.roles import ANYBODY, Role, Roles

OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])
MEMBERS = ("222222222222", "333333333333", "444444444444")
NO_CHIMEAUDIT = "import sys\nsys.modules['scanner'] = None\n"
OTHER_VERSION = "import scanner, sys\nscanner.__version__ = '9.9.9'\nsys.modules['scanner.cluster'] = None\n"
ONE_RULE = ("--select", "last-processor-fails-open", "-o", "json:-")


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[DaskCluster]:
    """A scheduler without workers and without chimeaudit."""
    cluster = DaskCluster(tmp_path, started_with(tmp_path / "scheduler", NO_CHIMEAUDIT))
    yield cluster
    cluster.close()


@pytest.fixture
def organization(aws: FakeAws) -> FakeAws:
    """Three accounts in two regions, which are entered by a role; some flows fail open, in the first on two pages."""
    aws.members = {
        account: {
            "us-east-1": {"one": [OPEN] * (60 if account == MEMBERS[0] else 5), "two": [Flow()], "none": []},
            "eu-central-1": {f"{account}": [OPEN, Flow()]},
        }
        for account in MEMBERS
    }
    return aws


def started_with(folder: Path, code: str) -> dict[str, str]:
    """The variables that make a Python interpreter run this code first."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": str(folder)}


def key(aws: FakeAws, name: str) -> dict[str, str]:
    """The variables of a worker with its own credentials."""
    return {**aws.variables, "AWS_ACCESS_KEY_ID": f"AKIA{name}"}


def scan(aws: FakeAws, home: Path, *arguments: str) -> Ended:
    return chimeaudit("scan", *arguments, home=home, variables=aws.variables)


def without_run(report: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in report.items() if name != "run"}


def test_threads_processes_a_cluster_and_a_resumed_run_give_the_same_report(
    organization: FakeAws, dask: DaskCluster, tmp_path: Path
) -> None:
    for name in ("FIRST", "SECOND"):
        dask.add_worker(key(organization, name))
    dask.wait()
    organization.faults.append(Roles(things=[Role(inline=[ANYBODY]), Role(name="other", inline=["no JSON"])]))
    rules = ("--select", "profile:default,profile:chat-access", "--inventory", "-o", "json:-")
    accounts = ("--accounts", ",".join((ACCOUNT, *MEMBERS)), *rules)

    threads = scan(organization, tmp_path, *accounts, "--run-dir", "whole")
    ways = {
        "processes": scan(organization, tmp_path, *accounts, "--workers", "4"),
        "cluster": scan(organization, tmp_path, *accounts, "--cluster", dask.address),
    }
    halves = tmp_path / "halves"
    halves.mkdir()
    (halves / "run.json").write_bytes((tmp_path / "whole" / "run.json").read_bytes())
    (halves / "targets").mkdir()
    for journal in sorted((tmp_path / "whole" / "targets").iterdir())[::2]:
        lines = journal.read_bytes().splitlines(keepends=True)
        (halves / "targets" / journal.name).write_bytes(b"".join(lines[:-2]))
    ways["resumed"] = scan(organization, tmp_path, "--resume", "--run-dir", "halves", "--cluster", dask.address, *rules)
    ways["judged again"] = scan(organization, tmp_path, "--from", "whole", *rules)

    assert {(gap["region"], gap["code"]) for gap in threads.gaps} == {("global", "Undecided")}
    assert threads.report["coverage"]["observed"]["roles"] == 8
    assert threads.report["summary"]["by_status"]["fail"] > 70
    seen = threads.report["coverage"]["observed"]
    assert len(threads.report["inventory"]) == seen["app_instances"] + seen["channel_flows"] + seen["roles"]
    for name, ended in ways.items():
        assert without_run(ended.report) == without_run(threads.report), name
        assert ended.code == threads.code == 1
        assert "arning" not in ended.stderr


def test_roles_are_assumed_by_the_workers_and_the_coordinators_keys_stay_with_it(
    organization: FakeAws, dask: DaskCluster, tmp_path: Path
) -> None:
    dask.add_worker(key(organization, "WORKER"))

    ended = scan(organization, tmp_path, "--accounts", ",".join(MEMBERS), "--cluster", dask.address, *ONE_RULE)

    assert not ended.gaps
    assert {call.access_key for call in organization.asked("AssumeRole")} == {"AKIAWORKER"}
    assert {call.account for call in organization.asked("ListChannelFlows")} == set(MEMBERS)


def test_a_worker_that_is_killed_leaves_its_targets_to_another(
    organization: FakeAws, dask: DaskCluster, tmp_path: Path
) -> None:
    whole = scan(organization, tmp_path, "--accounts", MEMBERS[0], *ONE_RULE)
    doomed = dask.add_worker(key(organization, "DOOMED"))

    def kill(call: Call) -> Answer | None:
        if call.operation == "ListChannelFlows" and doomed.poll() is None:
            doomed.kill()
            doomed.wait()
            dask.add_worker(key(organization, "HEIR"))
        return None

    organization.faults = [kill]
    ended = scan(organization, tmp_path, "--accounts", MEMBERS[0], "--cluster", dask.address, *ONE_RULE)

    assert without_run(ended.report) == without_run(whole.report)
    assert {call.access_key for call in organization.asked("AssumeRole")} >= {"AKIADOOMED", "AKIAHEIR"}


HASTY = "import scanner.cluster.coordinator as it\nit._SILENT_SECONDS = 4\n"


@pytest.mark.parametrize("heirs", [0, 1])
def test_a_frozen_workers_tasks_move_to_another_or_the_scan_ends_with_its_name(
    organization: FakeAws, dask: DaskCluster, tmp_path: Path, heirs: int
) -> None:
    frozen = dask.add_worker(key(organization, "FROZEN"))
    once = threading.Lock()

    def freeze(call: Call) -> Answer | None:
        """Freeze the worker at its first list of flows; others join only then, so that it holds the shared terms."""
        if call.operation == "ListChannelFlows" and once.acquire(blocking=False):
            for _ in range(heirs):
                dask.add_worker(key(organization, "HEIR"))
            if heirs:
                dask.wait()
            frozen.send_signal(SIGSTOP)
        return None

    organization.faults = [freeze]
    ended = chimeaudit(
        *("scan", "--accounts", ",".join(MEMBERS), "--cluster", dask.address, *ONE_RULE),
        home=tmp_path,
        variables={**organization.variables, **started_with(tmp_path / "hasty", HASTY)},
    )

    assert "Traceback" not in ended.stderr
    if heirs:
        assert ended.gaps == []
        assert ended.code == 1
    else:
        assert ended.code == 70
        assert "error: the cluster's workers are frozen: no word for 4 s from tcp://127.0.0.1:" in ended.stderr
        assert {gap["code"] for gap in ended.gaps} == {"Interrupted"}


def test_what_a_worker_without_credentials_could_not_read_another_reads(
    organization: FakeAws, dask: DaskCluster, tmp_path: Path
) -> None:
    organization.inventory = {"us-east-1": {"ours": [OPEN]}}
    dask.add_worker({name: value for name, value in organization.variables.items() if "KEY" not in name})
    dask.wait()
    dask.add_worker({**organization.variables, "AWS_ACCESS_KEY_ID": f"ASIA{MEMBERS[0]}", "AWS_SESSION_TOKEN": "t"})
    dask.add_worker(key(organization, "OURS"))
    dask.wait()

    for scope in (("--accounts", ",".join(MEMBERS)), ("--regions", "us-east-1")):
        ended = scan(organization, tmp_path, *scope, "--cluster", dask.address, *ONE_RULE)
        assert (ended.code, ended.gaps) == (1, [])


def test_a_scheduler_that_dies_is_one_line_and_resume_goes_on(
    organization: FakeAws, dask: DaskCluster, tmp_path: Path
) -> None:
    dask.add_worker(key(organization, "WORKER"))
    done, never = threading.Event(), threading.Event()
    first: list[tuple[str | None, str]] = []

    def kill(call: Call) -> Answer | None:
        """Kill the scheduler once the first target has been read; the only worker reads one at a time."""
        if call.operation == "ListChannelFlows" and (call.account, call.region) not in first[:1]:
            first.append((call.account, call.region))
        if call.operation == "ListChannelFlows" and (call.account, call.region) != first[0]:
            done.wait(60)
            dask.scheduler.kill()
            never.wait(60)
        return None

    organization.faults = [kill]
    options = ("--run-dir", "run", "-v", "--select", "last-processor-fails-open", "-o", "report.json")
    said = []
    with subprocess.Popen(
        [CHIMEAUDIT, "scan", "--accounts", ",".join(MEMBERS), "--cluster", dask.address, *options],
        env=environment(tmp_path, organization.variables),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as scanning:
        assert scanning.stderr
        for line in scanning.stderr:
            said.append(line)
            if "has been read" in line:
                done.set()
    never.set()
    organization.faults = []
    organization.calls.clear()
    resumed = scan(organization, tmp_path, "--resume", "--run-dir", "run", *ONE_RULE)

    assert scanning.returncode == 70
    (error,) = [line for line in said if line.startswith("error: ")]
    assert "the cluster's scheduler" in error
    assert "--resume --run-dir" in said[-1]
    assert "Traceback" not in "".join(said)
    assert (tmp_path / "report.json").exists()
    assert resumed.report["coverage"]["complete"]
    asked = {(call.account, call.region) for call in organization.asked("ListChannelFlows")}
    assert len(asked) == 5
    assert first[0] not in asked


def test_a_giant_target_is_shared_out(aws: FakeAws, dask: DaskCluster, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {f"tenant-{number:03}": [OPEN] for number in range(200)}}
    shares = "import scanner.cluster.coordinator as it\nit._SHARE = it.Share(app_instances=20, channel_flows=20_000)\n"
    for name in ("FIRST", "SECOND"):
        dask.add_worker(key(aws, name))
    dask.wait()

    ended = chimeaudit(
        *("scan", "--regions", "us-east-1", "--cluster", dask.address, *ONE_RULE),
        home=tmp_path,
        variables={**aws.variables, **started_with(tmp_path / "shares", shares)},
    )

    assert not ended.gaps
    assert ended.report["coverage"]["observed"]["app_instances"] == 200
    assert ended.report["summary"]["by_status"]["fail"] == 200
    assert len(aws.asked("ListChannelFlows")) == 200
    assert len(aws.asked("ListAppInstances")) == 4
    assert {call.access_key for call in aws.asked("ListChannelFlows")} == {"AKIAFIRST", "AKIASECOND"}


@pytest.mark.parametrize(("word", "code"), [(signal.SIGINT, 130), (SIGKILL, -SIGKILL)])
def test_workers_stop_reading_when_the_scan_is_stopped_or_killed(
    aws: FakeAws, dask: DaskCluster, tmp_path: Path, word: signal.Signals, code: int
) -> None:
    aws.inventory = {"us-east-1": {f"tenant-{number:03}": [OPEN] for number in range(400)}}
    dask.add_worker(aws.variables)
    once, ended = iter([word]), threading.Event()

    def wait(call: Call) -> Answer | None:
        """Stop the scan, and answer only when it has ended."""
        if call.operation == "ListChannelFlows":
            for given in once:
                scanning.send_signal(given)
            ended.wait(60)
        return None

    aws.faults = [wait]
    scanning = subprocess.Popen(
        [CHIMEAUDIT, "scan", "--regions", "us-east-1", "--cluster", dask.address, *ONE_RULE],
        env=environment(tmp_path, aws.variables),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    scanning.wait(60)
    ended.set()
    dask.until_idle()

    assert scanning.returncode == code
    assert 0 < len(aws.asked("ListChannelFlows")) < 100


def test_a_worker_is_not_profiled_where_that_may_hang_it(aws: FakeAws, dask: DaskCluster, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {"ours": [OPEN]}}
    dask.add_worker(aws.variables)
    dask.wait()
    before = dask.is_profiled

    ended = scan(aws, tmp_path, "--regions", "us-east-1", "--cluster", dask.address, *ONE_RULE)

    assert not ended.gaps
    assert (before, dask.is_profiled) == (True, sys.version_info >= (3, 11, 9))


def test_workers_of_another_account_read_nothing_under_this_ones_name(
    aws: FakeAws, dask: DaskCluster, tmp_path: Path
) -> None:
    aws.inventory = {"us-east-1": {"ours": [OPEN]}}
    aws.members = {MEMBERS[0]: {"us-east-1": {"theirs": [OPEN]}}}
    dask.add_worker({**aws.variables, "AWS_ACCESS_KEY_ID": f"ASIA{MEMBERS[0]}", "AWS_SESSION_TOKEN": "t"})

    ended = scan(aws, tmp_path, "--regions", "us-east-1", "--cluster", dask.address, *ONE_RULE)

    assert ended.code == 4
    assert [(gap["account_id"], gap["code"]) for gap in ended.gaps] == [(ACCOUNT, "OtherAccount")]
    assert not aws.asked("ListAppInstances")


def test_a_profile_that_workers_do_not_have_is_a_gap(aws: FakeAws, dask: DaskCluster, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {"ours": [OPEN]}}
    (tmp_path / "config").write_text("[profile team]\naws_access_key_id = AKIATEAM\naws_secret_access_key = s\n")
    dask.add_worker(aws.variables)

    ended = chimeaudit(
        *("scan", "--regions", "us-east-1", "--profile", "team", "--cluster", dask.address, *ONE_RULE),
        home=tmp_path,
        variables={**aws.variables, "AWS_CONFIG_FILE": str(tmp_path / "config")},
    )

    assert ended.code == 4
    (gap,) = ended.gaps
    assert (gap["account_id"], gap["code"]) == (ACCOUNT, "UnusableProfile")
    assert "team" in gap["reason"]


def test_a_worker_of_another_version_that_joins_later_ends_the_scan_with_a_report_so_far(
    organization: FakeAws, dask: DaskCluster, tmp_path: Path
) -> None:
    dask.add_worker(key(organization, "FIRST"))
    joined, is_over = threading.Lock(), threading.Event()

    def join(call: Call) -> Answer | None:
        with joined:
            if call.operation == "ListChannelFlows" and len(dask.workers) == 1:
                dask.add_worker({**key(organization, "LATE"), **started_with(tmp_path / "late", OTHER_VERSION)})
                dask.wait()
        if len(dask.workers) > 1:
            is_over.wait(30)  # the rest is left to the other worker
        return None

    organization.faults = [join]
    options = ("--run-dir", "run", "--select", "last-processor-fails-open", "-o", "report.json")
    ended = scan(organization, tmp_path, "--accounts", ",".join(MEMBERS), "--cluster", dask.address, *options)
    organization.faults = []
    is_over.set()
    resumed = scan(organization, tmp_path, "--resume", "--run-dir", "run", *ONE_RULE)

    assert ended.code == 70
    (error,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert "has chimeaudit 9.9.9" in error
    assert f"this is {__version__}" in error
    assert (tmp_path / "report.json").exists()
    assert resumed.report["coverage"]["complete"]


@pytest.mark.parametrize(("code", "found"), [(OTHER_VERSION, "chimeaudit 9.9.9"), (NO_CHIMEAUDIT, "no chimeaudit")])
def test_a_worker_of_another_version_is_refused_with_both(
    aws: FakeAws, dask: DaskCluster, tmp_path: Path, code: str, found: str
) -> None:
    dask.add_worker({**aws.variables, **started_with(tmp_path / "worker", code)})

    ended = scan(aws, tmp_path, "--cluster", dask.address, *ONE_RULE)

    assert ended.code == 2
    assert f"has {found}, and this is {__version__}" in ended.stderr
    assert not aws.asked("ListAppInstances")


def test_a_full_disk_of_a_worker_is_an_error_with_its_address_and_a_report_so_far(
    aws: FakeAws, dask: DaskCluster, tmp_path: Path
) -> None:
    aws.inventory = {"us-east-1": {"ours": [OPEN]}}
    full = "import scanner.store.target_file as it\ndef full(*_):\n    raise it.OutputError('it is full', hint='')\n"
    code = f"{full}it.TargetWriter.app_instance = full\n"
    dask.add_worker({**aws.variables, **started_with(tmp_path / "worker", code)})

    ended = scan(aws, tmp_path, "--regions", "us-east-1", "--cluster", dask.address, *ONE_RULE)

    assert ended.code == 70
    assert "of the cluster: it is full. Make room in" in ended.stderr
    assert [gap["code"] for gap in ended.gaps] == ["Interrupted"]


def test_max_runtime_is_kept_though_the_scheduler_hangs(aws: FakeAws, dask: DaskCluster, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {"ours": [OPEN]}}
    dask.add_worker(aws.variables)

    def hang(call: Call) -> Answer | None:
        if call.operation == "ListChannelFlows":
            dask.scheduler.send_signal(SIGSTOP)
        return None

    aws.faults = [hang]
    ended = scan(aws, tmp_path, "--regions", "us-east-1", "--cluster", dask.address, "--max-runtime", "5s", *ONE_RULE)

    assert ended.code == 3
    assert "Stopped by --max-runtime" in ended.stderr


def test_a_cluster_that_does_not_answer_is_an_error_with_a_report_of_gaps(aws: FakeAws, tmp_path: Path) -> None:
    """Whatever listens at the address is no scheduler."""
    hasty = "import scanner.cluster.coordinator as it\nit._CONNECT_SECONDS, it._JOIN_SECONDS = 2, 4\n"
    variables = {**aws.variables, **started_with(tmp_path / "hasty", hasty)}
    for address in (aws.url.replace("http", "tcp"), "tcp://127.0.0.1:1"):
        ended = chimeaudit("scan", "--cluster", address, *ONE_RULE, home=tmp_path, variables=variables)

        assert ended.code == 4
        assert {gap["code"] for gap in ended.gaps} == {"Interrupted"}
        error, hint = ended.stderr.splitlines()[-2:]
        assert error.startswith(f"error: --cluster: {address}: ")
        assert "--resume --run-dir" in hint


@pytest.mark.parametrize("address", ["", "nowhere", "gopher://127.0.0.1:1", "http://127.0.0.1:8787/status"])
def test_what_is_no_address_is_refused_before_anything_is_begun(aws: FakeAws, tmp_path: Path, address: str) -> None:
    ended = scan(aws, tmp_path, "--cluster", address, *ONE_RULE)

    assert ended.code == 2
    assert "is not the address of a scheduler" in ended.error
    assert not (tmp_path / "state").exists()


def test_without_dask_it_says_what_to_install(aws: FakeAws, tmp_path: Path) -> None:
    (tmp_path / "distributed.py").write_text("raise ModuleNotFoundError(name='distributed')\n")
    variables = {**aws.variables, "PYTHONPATH": str(tmp_path)}

    ended = chimeaudit("scan", "--cluster", "local", home=tmp_path, variables=variables)

    assert ended.code == 2
    assert ended.stderr.splitlines() == [
        "error: --cluster needs Dask",
        "hint: Install it: pip install 'chimeaudit[dask]'",
    ]
    assert not (tmp_path / "state").exists()


def test_a_local_cluster_needs_no_address(aws: FakeAws, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {"one": [OPEN]}}
    variables = {**aws.variables, "PYTHONWARNINGS": "ignore"}

    ended = chimeaudit("scan", "--cluster", "local", *ONE_RULE, home=tmp_path, variables=variables)

    assert ended.code == 1
    assert ended.report["summary"]["by_status"]["fail"] == 1
    assert "Traceback" not in ended.stderr
