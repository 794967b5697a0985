"""Answers of another account than the one that was asked become gaps of the target, never facts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.answers import Answer, Call, error, truth, xml
from tests.command import Ended, chimeaudit
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Fault, Flow
from tests.healthy import ACCOUNT, assumed, credentials, function_arn, processor

OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])
FIRST, SECOND = "222222222222", "333333333333"
ONE_RULE = ("--select", "last-processor-fails-open", "-o", "json:-")
HERE = f"arn:aws:chime:us-east-1:{ACCOUNT}:app-instance"


@pytest.fixture
def two_accounts(aws: FakeAws) -> FakeAws:
    """Two accounts, each with an app instance whose flow fails open."""
    aws.members = {account: {"us-east-1": {"chat": [OPEN]}} for account in (ACCOUNT, FIRST, SECOND)}
    return aws


def where(ended: Ended) -> list[tuple[str, str, str | None]]:
    return [(gap["code"], gap["account_id"], gap["region"]) for gap in ended.gaps]


def owners(ended: Ended) -> set[str]:
    return {finding["resource"]["arn"].split(":")[4] for finding in ended.report["findings"]}


def keys_of(account: str) -> dict[str, str]:
    """The keys of an account; the fake AWS knows it by the access key."""
    return {"AWS_ACCESS_KEY_ID": f"ASIA{account}"}


def role_of(asked: str, answer: Answer) -> Fault:
    return lambda call: (
        answer if call.operation == "AssumeRole" and f":{asked}:" in call.parameters["RoleArn"] else None
    )


def listing(*arns: str) -> Answer:
    return truth({"AppInstances": [{"AppInstanceArn": arn, "Name": "chat"} for arn in arns]})


def test_a_role_that_gives_the_credentials_of_another_account_is_a_gap_of_the_one_asked(
    two_accounts: FakeAws, scan: Scan
) -> None:
    two_accounts.faults = [role_of(FIRST, xml("AssumeRole", assumed(f"arn:aws:iam::{SECOND}:role/chimeaudit")))]

    ended = scan("--accounts", f"{FIRST},{SECOND}", *ONE_RULE)

    assert where(ended) == [("OtherAccount", FIRST, None)]
    assert SECOND in ended.gaps[0]["reason"]
    assert owners(ended) == {SECOND}
    assert ended.report["coverage"]["observed"]["accounts"] == 1
    assert all(call.operation != "ListAppInstances" or call.account == SECOND for call in two_accounts.calls)


@pytest.mark.parametrize("chat", [{"chat": [OPEN]}, {}], ids=["with app instances", "without any"])
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_role_whose_credentials_are_another_accounts_is_noticed_by_its_lists(
    two_accounts: FakeAws, scan: Scan, chat: dict[str, list[Flow]], workers: str
) -> None:
    user, _, _ = assumed(f"arn:aws:iam::{FIRST}:role/chimeaudit").partition("<Credentials>")
    two_accounts.faults = [role_of(FIRST, xml("AssumeRole", user + credentials(SECOND)))]
    two_accounts.members[SECOND] = {"us-east-1": chat}

    ended = scan("--accounts", FIRST, "--workers", workers, *ONE_RULE)

    regions = ["eu-central-1", "us-east-1"] if not chat else ["us-east-1"]
    assert [place for place in where(ended) if place[2] in regions] == [
        ("OtherAccount", FIRST, region) for region in regions
    ]
    assert ended.report["findings"] == []
    assert ended.code in {3, 4}


def test_a_profile_that_gets_a_role_of_another_account_is_a_gap(two_accounts: FakeAws, tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    keys = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = s"
    role = f"role_arn = arn:aws:iam::{FIRST}:role/x\nsource_profile = keys"
    (tmp_path / ".aws" / "config").write_text(f"[profile keys]\n{keys}\n[profile it]\n{role}\n")
    two_accounts.faults = [role_of(FIRST, xml("AssumeRole", assumed(f"arn:aws:iam::{SECOND}:role/x")))]

    ended = chimeaudit(
        *("scan", "--profile", "it", *ONE_RULE), home=tmp_path, variables={"AWS_ENDPOINT_URL": two_accounts.url}
    )

    assert where(ended) == [("OtherAccount", "unknown", None)]
    assert ended.code == 4
    assert not two_accounts.asked("ListAppInstances")


def swap_file(path: Path, at: str) -> Fault:
    """A fault that replaces the credentials file on the first call of this operation."""

    def fault(call: Call) -> None:
        if call.operation == at:
            path.write_text(path.read_text().replace(FIRST, SECOND))

    return fault


@pytest.mark.parametrize("chat", [{"chat": [OPEN]}, {}], ids=["with app instances", "without any"])
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_credentials_file_that_is_replaced_in_mid_scan_is_noticed(
    two_accounts: FakeAws, tmp_path: Path, chat: dict[str, list[Flow]], workers: str
) -> None:
    file = tmp_path / ".aws" / "credentials"
    file.parent.mkdir()
    file.write_text(f"[default]\naws_access_key_id = ASIA{FIRST}\naws_secret_access_key = s\n")
    two_accounts.members[SECOND] = {"us-east-1": chat}
    two_accounts.faults = [swap_file(file, "GetCallerIdentity")]

    ended = chimeaudit(
        *("scan", "--workers", workers, "--regions", "us-east-1", *ONE_RULE),
        home=tmp_path,
        variables={"AWS_ENDPOINT_URL": two_accounts.url},
    )

    assert where(ended) == [("OtherAccount", FIRST, "us-east-1")]
    assert ended.code == 4
    assert f"account {SECOND}" in ended.stderr


@pytest.mark.parametrize(
    "arn",
    [
        pytest.param(f"arn:aws:chime:us-east-1:{SECOND}:app-instance/x", id="account"),
        pytest.param(f"arn:aws:chime:eu-central-1:{ACCOUNT}:app-instance/x", id="region"),
        pytest.param(f"arn:aws:chime:US-EAST-1:{ACCOUNT}:app-instance/x", id="region, in capitals"),
        pytest.param(f"arn:aws-cn:chime:us-east-1:{ACCOUNT}:app-instance/x", id="partition"),
        pytest.param("arn:aws:chime:us-east-1::app-instance/x", id="no account"),
        pytest.param("support", id="no ARN"),
        pytest.param("", id="empty"),
        pytest.param(f"arn:aws:chime:us-east-1:{ACCOUNT} <b>:app-instance/x", id="hostile"),
    ],
)
def test_an_app_instance_of_another_account_is_no_fact_and_its_neighbours_are(
    aws: FakeAws, quick_scan: Scan, arn: str
) -> None:
    aws.inventory = {"us-east-1": {"chat": [OPEN]}}
    aws.faults = [lambda call: listing(arn, f"{HERE}/chat") if call.operation == "ListAppInstances" else None]

    ended = quick_scan("--regions", "us-east-1", *ONE_RULE)

    assert where(ended) == [("OtherAccount", ACCOUNT, "us-east-1")]
    assert "<b>" not in ended.gaps[0]["reason"]
    assert [finding["resource"]["app_instance_arn"] for finding in ended.report["findings"]] == [f"{HERE}/chat"]
    assert {call.app_instance_arn for call in aws.asked("ListChannelFlows")} == {f"{HERE}/chat"}


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        pytest.param(
            f"arn:aws:chime:us-east-1:{SECOND}:app-instance/chat/channel-flow/1", "OtherAccount", id="account"
        ),
        pytest.param(
            f"arn:aws:chime:eu-central-1:{ACCOUNT}:app-instance/chat/channel-flow/1", "OtherAccount", id="region"
        ),
        pytest.param("1", "OtherAccount", id="no ARN"),
        pytest.param(f"{HERE}/other/channel-flow/1", "MalformedAnswer", id="another app instance"),
        pytest.param(f"{HERE}/chat", "MalformedAnswer", id="the app instance itself"),
    ],
)
def test_a_flow_of_another_account_is_a_gap_of_the_app_instance_and_its_neighbours_are_judged(
    aws: FakeAws, quick_scan: Scan, arn: str, code: str
) -> None:
    aws.inventory = {"us-east-1": {"chat": []}}
    flows = [
        {"ChannelFlowArn": each, "Name": "f", "Processors": OPEN.processors}
        for each in (f"{HERE}/chat/channel-flow/0", arn, f"{HERE}/chat/channel-flow/2")
    ]
    aws.faults = [lambda call: truth({"ChannelFlows": flows}) if call.operation == "ListChannelFlows" else None]

    ended = quick_scan("--regions", "us-east-1", *ONE_RULE)

    assert where(ended) == [(code, ACCOUNT, "us-east-1")]
    assert ended.gaps[0]["resource_arn"] == f"{HERE}/chat"
    assert [finding["resource"]["arn"][-1] for finding in ended.report["findings"]] == ["0", "2"]


@pytest.mark.parametrize(
    "answered",
    [
        pytest.param(function_arn(account=SECOND), id="account"),
        pytest.param(function_arn(region="eu-central-1"), id="region"),
        pytest.param(function_arn("other:live"), id="function"),
        pytest.param("moderate", id="no ARN"),
    ],
)
def test_a_function_of_another_account_leaves_its_facts_unknown(aws: FakeAws, quick_scan: Scan, answered: str) -> None:
    aws.inventory = {"us-east-1": {"chat": [Flow()]}}
    configuration = {"FunctionArn": answered, "Runtime": "python2.7", "State": "Failed"}
    aws.faults = [lambda call: truth(configuration) if call.operation == "GetFunctionConfiguration" else None]

    ended = quick_scan("--regions", "us-east-1", "--select", "unhealthy-lambda", "-o", "json:-")

    assert [finding["status"] for finding in ended.report["findings"]] == ["unknown"]
    assert {gap["operation"] for gap in ended.gaps} == {"GetFunctionConfiguration"}
    assert {gap["resource_arn"] for gap in ended.gaps} == {function_arn()}
    assert ended.code == 3


@pytest.mark.parametrize("answered", [function_arn("moderate"), function_arn("moderate:7")])
def test_the_qualifier_of_a_function_is_not_taken_for_an_account(aws: FakeAws, quick_scan: Scan, answered: str) -> None:
    aws.inventory = {"us-east-1": {"chat": [Flow()]}}
    configuration = {"FunctionArn": answered, "State": "Active", "LastUpdateStatus": "Successful", "Runtime": "x"}
    aws.faults = [lambda call: truth(configuration) if call.operation == "GetFunctionConfiguration" else None]

    ended = quick_scan("--regions", "us-east-1", "--select", "unhealthy-lambda", "-o", "json:-")

    assert [gap for gap in ended.gaps if gap["code"] == "OtherAccount"] == []
    assert ended.report["summary"]["by_status"]["pass"] == 1


def elsewhere(call: Call) -> Answer | None:
    """Answers about everything around channel flows, all of another account."""
    match call.operation:
        case "ListRules":
            arn = f"arn:aws:events:us-east-1:{SECOND}:rule/r"
            return truth({"Rules": [{"Arn": arn, "Name": "r", "State": "ENABLED", "EventPattern": "{}"}]})
        case "GetRole":
            role = f"<RoleName>processor</RoleName><Arn>arn:aws:iam::{SECOND}:role/processor</Arn>"
            return xml("GetRole", f"<Role>{role}</Role>")
        case "DescribeChannelFlow":
            arn = f"arn:aws:chime:us-east-1:{SECOND}:app-instance/chat/channel-flow/0000"
            return truth({"ChannelFlow": {"ChannelFlowArn": arn, "CreatedTimestamp": 1, "LastUpdatedTimestamp": 1}})
        case "ListChannelsAssociatedWithChannelFlow":
            arn = f"arn:aws:chime:us-east-1:{SECOND}:app-instance/chat/channel/1"
            return truth({"Channels": [{"ChannelArn": arn, "Name": "general"}]})
    return None


@pytest.mark.parametrize(
    ("rule", "operation"),
    [
        ("no-failure-alert", "ListRules"),
        ("callback-not-allowed", "GetRole"),
        ("unused-channel-flow", "ListChannelsAssociatedWithChannelFlow"),
    ],
)
def test_resources_around_a_flow_that_are_of_another_account_are_unknown(
    aws: FakeAws, quick_scan: Scan, rule: str, operation: str
) -> None:
    aws.inventory = {"us-east-1": {"chat": [Flow()]}}
    aws.faults = [elsewhere]

    ended = quick_scan("--regions", "us-east-1", "--select", rule, "-o", "json:-")

    assert [finding["status"] for finding in ended.report["findings"]] == ["unknown"]
    assert {(gap["operation"], gap["code"]) for gap in ended.gaps} == {(operation, "OtherAccount")}


def asked_whose(aws: FakeAws) -> list[str | None]:
    """The accounts whose credentials STS was asked about, without those with which the scan began."""
    return [call.account for call in aws.asked("GetCallerIdentity")[1:]]


def test_the_owner_of_an_empty_list_is_checked_once_for_each_account(two_accounts: FakeAws, scan: Scan) -> None:
    two_accounts.members = {FIRST: {}, SECOND: {"us-east-1": {"chat": [OPEN]}}}

    ended = scan("--accounts", f"{FIRST},{SECOND}", *ONE_RULE)

    assert ended.gaps == []
    assert ended.report["coverage"]["observed"] == {
        "files": 0,
        "accounts": 2,
        "targets": 4,
        "app_instances": 1,
        "channel_flows": 1,
        "processors": 1,
    }
    assert asked_whose(two_accounts) == [FIRST]
    assert len(two_accounts.asked("ListAppInstances")) == 4


def test_an_account_that_sts_does_not_confirm_is_asked_again_and_then_is_a_gap(
    two_accounts: FakeAws, quick_scan: Scan
) -> None:
    two_accounts.members = {FIRST: {}}

    def ill(call: Call) -> Answer | None:
        whose = call.operation == "GetCallerIdentity" and call.account
        return error(500, "InternalFailure") if whose else None

    two_accounts.faults = [ill]

    ended = quick_scan("--accounts", FIRST, *ONE_RULE)

    assert [(gap["operation"], gap["region"]) for gap in ended.gaps] == [
        ("GetCallerIdentity", "eu-central-1"),
        ("GetCallerIdentity", "us-east-1"),
    ]
    assert ended.code == 4
    assert len(asked_whose(two_accounts)) == 2

    two_accounts.calls.clear()
    two_accounts.faults = [lambda call: ill(call) if len(asked_whose(two_accounts)) == 1 else None]
    assert quick_scan("--accounts", FIRST, *ONE_RULE).code == 0


def test_a_resumed_run_checks_the_owner_of_empty_lists_that_were_read_before(
    two_accounts: FakeAws, quick_scan: Scan, tmp_path: Path
) -> None:
    two_accounts.members = {FIRST: {}}
    run = ("--run-dir", "run")
    quick_scan("--accounts", FIRST, *ONE_RULE, *run)
    targets = tmp_path / "run" / "targets"
    for file in targets.iterdir():
        file.write_bytes(b"")
    two_accounts.faults = [
        role_of(FIRST, xml("AssumeRole", credentials(SECOND))),  # without a role that tells whose they are
        lambda call: listing() if call.operation == "ListAppInstances" else None,
    ]

    ended = quick_scan("--resume", *run, *ONE_RULE)

    assert where(ended) == [("OtherAccount", FIRST, "eu-central-1"), ("OtherAccount", FIRST, "us-east-1")]
    assert ended.code == 4


def test_app_instances_that_vanish_with_the_credentials_are_not_deleted(aws: FakeAws, quick_scan: Scan) -> None:
    """The credentials are renewed during the scan, as those of another account without app instances."""
    aws.inventory = {"us-east-1": {"chat": [OPEN]}}
    identity = xml("GetCallerIdentity", f"<Arn>arn:aws:iam::{SECOND}:user/x</Arn><Account>{SECOND}</Account>")

    def renewed(call: Call) -> Answer | None:
        if not aws.asked("ListChannelFlows"):
            return None
        answers = {"ListChannelFlows": error(404, "NotFoundException"), "ListAppInstances": listing()}
        return answers.get(call.operation, identity)

    aws.faults = [renewed]

    ended = quick_scan("--regions", "us-east-1", *ONE_RULE)

    assert where(ended) == [("OtherAccount", ACCOUNT, "us-east-1")]
    assert ended.code in {3, 4}


def test_what_was_read_before_the_credentials_changed_stays_and_nothing_of_the_other_is_written(
    two_accounts: FakeAws, quick_scan: Scan, tmp_path: Path
) -> None:
    two_accounts.members[FIRST] = {"us-east-1": {f"room {number:02}": [OPEN] for number in range(60)}}
    foreign = f"arn:aws:chime:us-east-1:{SECOND}:app-instance/chat"
    two_accounts.faults = [
        lambda call: listing(foreign) if call.operation == "ListAppInstances" and call.token else None
    ]

    ended = quick_scan("--accounts", FIRST, "--regions", "us-east-1", "--run-dir", "run", *ONE_RULE)

    assert where(ended) == [("OtherAccount", FIRST, "us-east-1")]
    assert len(ended.report["findings"]) == 50
    assert owners(ended) == {FIRST}
    (journal,) = (tmp_path / "run" / "targets").iterdir()
    read = [json.loads(line) for line in journal.read_text().splitlines()]
    assert SECOND not in {line["app_instance"]["account_id"] for line in read if line["type"] == "app_instance"}
