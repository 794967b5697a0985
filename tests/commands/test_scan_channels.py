"""`scan --select profile:channels`: what the report says of channels without a flow, and what it never says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.answers import Answer, Call
from tests.command import CHIMEAUDIT, Ended, environment
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Flow
from tests.posix import SIGKILL
from tests.tenant import SECRET, Tenant

CHANNELS = ("--select", "profile:channels", "--channel-rate", "100", "--regions", "us-east-1")


@pytest.fixture
def tenant(aws: FakeAws) -> Tenant:
    tenant = Tenant(channels={"safe": 0, "open": None})
    aws.inventory = {"us-east-1": {"tenant": [Flow()]}}
    aws.faults.append(tenant)
    return tenant


def statuses(ended: Ended) -> list[str]:
    return [finding["status"] for finding in ended.report["findings"]]


@pytest.mark.usefixtures("tenant")
def test_a_channel_without_a_flow_fails_and_the_report_says_which_and_as_whom(aws: FakeAws, quick_scan: Scan) -> None:
    ended = quick_scan(*CHANNELS, "-o", "json:-")

    app_instance = aws.app_instance_arn("us-east-1", "tenant")
    (finding,) = ended.report["findings"]
    assert ended.code == 1
    assert finding["evidence"][0] == {
        "path": "channels.unprocessed_at_least",
        "observed": 1,
        "required": "is at most 0",
    }
    assert f"{app_instance}/user/adam" in finding["message"]
    shown = {each["path"]: each["observed"] for each in finding["evidence"]}
    assert shown["channels.seen_as"] == f"{app_instance}/user/adam"
    assert shown["channels.unprocessed_examples"] == [f"{app_instance}/channel/open"]
    assert not any("profile:channels" in each for each in ended.report["coverage"]["not_examined"])


@pytest.mark.usefixtures("tenant")
def test_names_and_metadata_reach_neither_report_nor_log_nor_run_directory(quick_scan: Scan, tmp_path: Path) -> None:
    ended = quick_scan(*CHANNELS, "-v", "--log-format", "json", "-o", "r.json", "-o", "r.html", "--run-dir", "run")

    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert ended.code == 1
    assert len(written) > 3
    assert all(SECRET not in text for text in (*written, ended.stdout, ended.stderr))


def test_the_default_profile_makes_no_call_as_anybody(aws: FakeAws, quick_scan: Scan, tenant: Tenant) -> None:
    assert tenant.channels
    ended = quick_scan("--regions", "us-east-1", "-o", "json:-")

    assert {call.operation for call in aws.calls}.isdisjoint(
        {"ListAppInstanceAdmins", "ListChannels", "DescribeChannel"}
    )
    assert any("profile:channels" in each for each in ended.report["coverage"]["not_examined"])


@pytest.mark.usefixtures("tenant")
@pytest.mark.parametrize("given", ["an option", "the configuration"])
def test_the_admin_to_look_as_may_be_named(aws: FakeAws, quick_scan: Scan, tmp_path: Path, given: str) -> None:
    option = ("--channel-bearer", "zoe") if given == "an option" else ()
    if not option:
        (tmp_path / "chimeaudit.yaml").write_text("channels: {bearer: zoe}\n")

    ended = quick_scan(*CHANNELS, *option, "-o", "json:-")

    assert statuses(ended) == ["fail"]
    assert {call.parameters["bearer"].rpartition("/")[2] for call in aws.asked("ListChannels")} == {"zoe"}
    assert ended.report["run"]["options"]["channel_bearer"] == "zoe"


def test_so_many_channels_are_allowed_as_the_configuration_says(
    quick_scan: Scan, tenant: Tenant, tmp_path: Path
) -> None:
    tenant.channels = {f"{number}": None for number in range(3)}
    (tmp_path / "chimeaudit.yaml").write_text("overrides: {channel-without-flow: {params: {allowed: 3}}}\n")

    ended = quick_scan(*CHANNELS, "-o", "json:-")

    assert (ended.code, statuses(ended)) == (0, [])


def test_without_an_admin_the_rule_is_unknown_and_the_scan_is_not_complete(quick_scan: Scan, tenant: Tenant) -> None:
    tenant.admins = []

    ended = quick_scan(*CHANNELS, "-o", "json:-")

    assert (ended.code, statuses(ended)) == (3, ["unknown"])
    assert [gap["code"] for gap in ended.gaps] == ["NoBearer"]


@pytest.mark.parametrize("operation", ["ListChannels", "ListChannelsAssociatedWithChannelFlow", "DescribeChannel"])
def test_a_scan_that_is_killed_and_resumed_finds_the_same(
    aws: FakeAws, quick_scan: Scan, tenant: Tenant, tmp_path: Path, operation: str
) -> None:
    def kill(call: Call) -> Answer | None:
        if call.operation == operation:
            scanning.kill()
        return None

    assert tenant.channels
    aws.faults.insert(0, kill)
    scanning = subprocess.Popen(
        [CHIMEAUDIT, "scan", *CHANNELS, "--run-dir", "run"],
        env=environment(tmp_path, aws.variables),
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert scanning.wait(60) == -SIGKILL
    aws.faults.remove(kill)

    resumed = quick_scan(*CHANNELS, "--resume", "--run-dir", "run", "-o", "json:-")

    assert (resumed.code, statuses(resumed), resumed.gaps) == (1, ["fail"], [])


@pytest.mark.parametrize(
    "option", [("--channel-bearer", "two words"), ("--channel-rate", "0"), ("--max-channels", "0")], ids="=".join
)
def test_a_value_that_makes_no_sense_is_a_usage_error(quick_scan: Scan, option: tuple[str, str]) -> None:
    assert quick_scan(*CHANNELS, *option).code == 2
