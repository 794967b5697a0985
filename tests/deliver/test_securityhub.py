"""Imports into Security Hub use each account's own credentials, and archive nothing that was not looked for.

Neither AWS's model nor moto checks findings, so these tests check the documented limits on what was sent.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from scanner.deliver.securityhub import BATCH_BYTES, FINDING_BYTES, batches
from scanner.model.report import Report
from scanner.render import Format, asff, render
from tests.answers import Answer, Call, error, refusal, truth
from tests.command import Ended, chimeaudit
from tests.conftest import Scan
from tests.deliver.conftest import Cloud, Run, one_line
from tests.deliver.fake_webhook import listening
from tests.fake_aws import FakeAws, Flow
from tests.healthy import processor
from tests.render import sample
from tests.render.test_asff import strings

OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])
MENDED = Flow(name="left open")
OWN, MEMBER = "111122223333", "444455556666"
HUB = ("--securityhub", "--delivery-role", "audit-delivery")


def imported(aws: FakeAws) -> list[dict[str, Any]]:
    """All findings that were sent to Security Hub, in order."""
    calls = aws.asked("BatchImportFindings")
    return [finding for call in calls for finding in json.loads(call.parameters["body"])["Findings"]]


def archived(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [finding for finding in findings if finding["RecordState"] == "ARCHIVED"]


def save(path: Path, report: Report) -> None:
    path.write_text("".join(render(report, Format.JSON)))


@pytest.fixture
def deliver(aws: FakeAws, home: Path) -> Scan:
    """Run `chimeaudit report` against the fake AWS."""

    def run(*arguments: str, **variables: str) -> Ended:
        return chimeaudit("report", *arguments, home=home, variables={**aws.variables, **variables})

    return run


def test_each_accounts_findings_arrive_there_in_their_region(cloud: Cloud, run: Run) -> None:
    ended = run("report", "rich.json", *HUB)

    assert ended.code == 0, ended.stderr
    expected = list(asff.findings(sample.rich()))
    assert f"Security Hub took {len(expected)} findings, 0 of them archived" in ended.stderr
    for account, region in {(finding["AwsAccountId"], finding["Region"]) for finding in expected}:
        ids = {
            finding["Id"] for finding in expected if (finding["AwsAccountId"], finding["Region"]) == (account, region)
        }
        there = cloud.findings(account, region)
        assert {finding["Id"] for finding in there} == ids
        assert {finding["ProductArn"] for finding in there} == {
            f"arn:aws:securityhub:{region}:{account}:product/{account}/default"
        }


def test_the_role_is_assumed_once_for_each_account_and_not_in_the_own_one(aws: FakeAws, deliver: Scan) -> None:
    ended = deliver("rich.json", *HUB, "--delivery-external-id", "their-id")

    assumed = [call.parameters for call in aws.asked("AssumeRole")]
    assert ended.code == 0, ended.stderr
    assert {each["RoleArn"] for each in assumed} == {
        f"arn:aws:iam::{account}:role/audit-delivery" for account in (MEMBER, sample.LABS, "888899990000")
    }
    assert len(assumed) == 3
    assert {each["ExternalId"] for each in assumed} == {"their-id"}
    for call in aws.asked("BatchImportFindings"):
        assert {finding["AwsAccountId"] for finding in json.loads(call.parameters["body"])["Findings"]} == {
            call.account or OWN
        }


def test_without_a_role_other_accounts_are_errors_and_the_own_one_is_served(aws: FakeAws, deliver: Scan) -> None:
    ended = deliver("rich.json", "--securityhub")

    assert ended.code == 70
    one_line(ended, f"account {MEMBER}: ")
    one_line(ended, f"account {sample.LABS}: ")
    assert {finding["AwsAccountId"] for finding in imported(aws)} == {OWN}


@pytest.mark.parametrize(
    ("operation", "answer", "complaint"),
    [
        ("AssumeRole", refusal(403, "AccessDenied"), "the role audit-delivery could not be assumed: access denied"),
        ("BatchImportFindings", error(401, "InvalidAccessException"), "Security Hub is not enabled there "),
        ("BatchImportFindings", error(403, "AccessDeniedException"), "allow securityhub:BatchImportFindings"),
        ("BatchImportFindings", error(500, "InternalException"), "[InternalException]"),
        ("BatchImportFindings", Answer(body=b"{}"), "does not speak of every finding"),
        ("BatchImportFindings", truth({"SuccessCount": 1, "FailedCount": 1}), "does not speak of every finding"),
    ],
)
def test_70_and_a_line_for_an_account_that_refuses_and_the_others_go_on(
    aws: FakeAws, home: Path, deliver: Scan, *, operation: str, answer: Answer, complaint: str
) -> None:
    def refuse(call: Call) -> Answer | None:
        about = call.account or call.parameters.get("RoleArn", "")
        return answer if call.operation == operation and MEMBER in about else None

    aws.faults = [refuse]
    flows = [sample.flow(account=account) for account in (OWN, MEMBER, sample.LABS)]
    save(home / "three.json", sample.report(list(map(sample.fails_open, flows)), regions=("us-east-1",)))

    ended = deliver("three.json", *HUB)

    assert ended.code == 70
    one_line(ended, f"Security Hub: account {MEMBER}: 2 findings not imported in us-east-1: ")
    one_line(ended, complaint)
    assert {finding["AwsAccountId"] for finding in imported(aws)} >= {OWN, sample.LABS}
    assert "Security Hub took 4 findings" in ended.stderr


def test_70_for_findings_that_are_refused_alone(aws: FakeAws, deliver: Scan) -> None:
    def refuse_one(call: Call) -> Answer | None:
        if call.operation != "BatchImportFindings":
            return None
        findings = json.loads(call.parameters["body"])["Findings"]
        failed = {"Id": findings[0]["Id"], "ErrorCode": "InvalidInput", "ErrorMessage": "not\x1b so"}
        return truth({"SuccessCount": len(findings) - 1, "FailedCount": 1, "FailedFindings": [failed]})

    aws.faults = [refuse_one]

    ended = deliver("rich.json", *HUB)

    assert ended.code == 70
    assert "not\\u001b so [InvalidInput]" in ended.stderr
    assert f"took {len(imported(aws)) - len(aws.asked('BatchImportFindings'))} findings" in ended.stderr


@pytest.mark.parametrize(
    "answer",
    [
        {"SuccessCount": 1, "FailedCount": 1, "FailedFindings": [None]},
        {"SuccessCount": 1, "FailedCount": 1, "FailedFindings": [{}]},
        {"SuccessCount": 1, "FailedCount": 1, "FailedFindings": [{"Id": "another's"}]},
        {"SuccessCount": 0, "FailedCount": 2, "FailedFindings": [{"Id": None}, "text"]},
        {"SuccessCount": "many", "FailedCount": 0, "FailedFindings": []},
        {"SuccessCount": None, "FailedCount": None, "FailedFindings": None},
        {"FailedFindings": {}},
        [],
        None,
        "text",
    ],
    ids=json.dumps,
)
def test_an_answer_that_lacks_something_is_a_failed_delivery_and_the_others_go_on(
    aws: FakeAws, home: Path, deliver: Scan, answer: Any
) -> None:
    def lack(call: Call) -> Answer | None:
        return truth(answer) if call.operation == "BatchImportFindings" and call.account == MEMBER else None

    aws.faults = [lack]
    flows = [sample.flow(account=account) for account in (OWN, MEMBER, sample.LABS)]
    save(home / "three.json", sample.report(list(map(sample.fails_open, flows)), regions=("us-east-1",)))

    with listening() as slack:
        ended = deliver("three.json", *HUB, "--notify", slack.url)

    assert ended.code == 70
    one_line(ended, f"Security Hub: account {MEMBER}: 2 findings not imported in us-east-1: the answer is malformed")
    assert "Security Hub took 4 findings" in ended.stderr
    assert slack.posted


def test_what_the_service_says_is_one_line(aws: FakeAws, deliver: Scan) -> None:
    def refuse(call: Call) -> Answer | None:
        if call.operation != "BatchImportFindings":
            return None
        ids = [finding["Id"] for finding in json.loads(call.parameters["body"])["Findings"]]
        failed = [{"Id": each, "ErrorCode": "Bad\r\nCode", "ErrorMessage": "one\ntwo\u2028three\u202e"} for each in ids]
        return truth({"SuccessCount": 0, "FailedCount": len(ids), "FailedFindings": failed})

    aws.faults = [refuse]

    ended = deliver("rich.json", "--securityhub")

    assert ended.code == 70
    one_line(ended, "one two three\\u202e [Bad Code]")


def test_70_without_credentials_in_one_line(aws: FakeAws, deliver: Scan) -> None:
    ended = deliver("rich.json", *HUB, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")

    assert ended.code == 70
    one_line(ended, "Security Hub: nothing was imported: there are no complete AWS credentials")
    assert not aws.calls


@pytest.mark.parametrize(
    ("account", "region"),
    [(OWN, "evil.example/#"), (OWN, "us-east-99"), (OWN, "\u202e"), ("../../etc", "us-east-1"), ("", "us-east-1")],
)
def test_a_hostile_report_leads_nowhere(aws: FakeAws, home: Path, deliver: Scan, account: str, region: str) -> None:
    flow = sample.flow(account=account, region=region)
    save(home / "odd.json", sample.report([sample.fails_open(flow)], accounts=(), regions=("us-east-1",)))

    ended = deliver("odd.json", *HUB)

    assert ended.code == 70
    one_line(ended, "1 finding not imported in ")
    one_line(ended, "the report names an account or a region that AWS has not")
    assert {call.operation for call in aws.calls} == {"GetCallerIdentity"}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--delivery-role", "r"], "--delivery-role goes with --securityhub"),
        (["--securityhub", "--delivery-external-id", "an-id"], "goes with --delivery-role"),
        (["--securityhub", "--delivery-role", "a role"], "is not the name of a role"),
        (["--securityhub", "--demo"], "contradict each other"),
        (["--allow-no-baseline", "--securityhub"], "--allow-no-baseline goes with --baseline"),
    ],
)
def test_2_for_options_that_contradict_each_other(
    aws: FakeAws, scan: Scan, arguments: list[str], complaint: str
) -> None:
    ended = scan(*arguments)

    assert ended.code == 2
    assert complaint in ended.error
    assert not aws.calls


@pytest.fixture
def baseline(aws: FakeAws, scan: Scan) -> list[str]:
    """Scan two regions, each with a flow that fails open; return the options of the next night."""
    aws.inventory = {region: {"support": [OPEN]} for region in ("eu-central-1", "us-east-1")}
    assert scan("--select", "topic:fallback", "-o", "before.json").code == 1
    return ["--select", "topic:fallback", "--baseline", "before.json", "--securityhub"]


def test_what_is_fixed_is_archived(aws: FakeAws, scan: Scan, baseline: list[str]) -> None:
    aws.inventory = {"us-east-1": {"support": [MENDED]}, "eu-central-1": {"support": [OPEN]}}

    ended = scan(*baseline)

    (gone,) = archived(imported(aws))
    assert ended.code == 0, ended.stderr
    assert "1 of them archived" in ended.stderr
    assert (gone["Region"], gone["Compliance"]["Status"], gone["Workflow"]) == (
        "us-east-1",
        "PASSED",
        {"Status": "RESOLVED"},
    )
    assert gone["UpdatedAt"] >= gone["CreatedAt"]


def test_what_is_deleted_is_archived_too(aws: FakeAws, scan: Scan, baseline: list[str]) -> None:
    aws.inventory = {"us-east-1": {}, "eu-central-1": {"support": [OPEN]}}

    assert scan(*baseline).code == 0
    assert len(archived(imported(aws))) == 1


@pytest.mark.parametrize("denied", ["ListAppInstances", "ListChannelFlows"])
def test_what_is_no_longer_observed_is_not_archived(aws: FakeAws, scan: Scan, baseline: list[str], denied: str) -> None:
    aws.faults = [lambda call: error(403, "ForbiddenException") if call.operation == denied else None]

    scan(*baseline)

    assert imported(aws)
    assert not archived(imported(aws))


def test_what_is_out_of_scope_or_unjudged_is_not_archived(aws: FakeAws, scan: Scan, baseline: list[str]) -> None:
    aws.inventory = {}

    scan(*baseline, "--regions", "eu-central-1")
    scan(*(option.replace("topic:fallback", "topic:structure") for option in baseline))

    assert {finding["Region"] for finding in archived(imported(aws))} == {"eu-central-1"}
    assert len(archived(imported(aws))) == 1


def test_what_a_gap_left_unknown_is_archived_once_it_is_seen_to_be_right(aws: FakeAws, scan: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [Flow()]}}
    aws.faults = [lambda call: error(403, "AccessDeniedException") if call.operation == "GetPolicy" else None]
    scan("--select", "topic:access", "-o", "before.json")
    aws.faults = []

    ended = scan("--select", "topic:access", "--baseline", "before.json", "--securityhub")

    gone = archived(imported(aws))
    assert ended.code == 0, ended.stderr
    assert {finding["GeneratorId"] for finding in gone} >= {"chimeaudit/public-lambda-policy"}


@pytest.mark.parametrize(
    ("operation", "refused"),
    [
        ("BatchImportFindings", error(500, "InternalException")),
        ("BatchImportFindings", error(401, "InvalidAccessException")),
        ("BatchImportFindings", truth({"FailedFindings": [None]})),
        ("GetCallerIdentity", refusal(403, "AccessDenied")),
    ],
)
def test_what_security_hub_did_not_take_as_fixed_is_archived_by_the_next_night_or_by_the_hint(
    aws: FakeAws, quick_scan: Scan, tmp_path: Path, operation: str, refused: Answer
) -> None:
    night = ["--select", "last-processor-fails-open", "-o", "latest.json", "--baseline", "latest.json", "--securityhub"]
    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    assert quick_scan(*night, "--allow-no-baseline", "--run-dir", "first").code == 1
    aws.inventory = {"us-east-1": {"support": [MENDED]}}
    aws.calls = []

    def refuse(call: Call) -> Answer | None:
        return refused if call.operation == operation and aws.asked("ListChannelFlows") else None  # not the scan's own

    aws.faults = [refuse]

    ended = quick_scan(*night, "--run-dir", "second")

    assert ended.code == 70
    assert "Report    latest.json, the next baseline" in ended.stderr
    latest = json.loads((tmp_path / "latest.json").read_text())
    assert latest["findings"] == []
    assert [each["reason"] for each in latest["carried_over"]] == ["Security Hub did not take that it is fixed"]
    aws.faults, aws.calls = [], []
    hint = shlex.split(ended.stderr.splitlines()[-1].partition("chimeaudit scan ")[2])
    assert hint[:2] == ["--from", "second"]
    assert quick_scan(*hint).code == 0
    assert [gone["Compliance"]["Status"] for gone in archived(imported(aws))] == ["PASSED"]
    latest = json.loads((tmp_path / "latest.json").read_text())
    assert (latest["findings"], latest["carried_over"]) == ([], [])


def test_a_scan_that_is_cut_short_archives_nothing_and_keeps_the_baseline(
    aws: FakeAws, scan: Scan, baseline: list[str], tmp_path: Path
) -> None:
    before = (tmp_path / "before.json").read_bytes()
    throttled = error(429, "ThrottledClientException")
    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    aws.faults = [lambda call: throttled if (call.service, call.region) == ("chime", "us-east-1") else None]

    ended = scan(*baseline, "-o", "before.json", "--max-runtime", "1s", AWS_MAX_ATTEMPTS="8")

    assert not archived(imported(aws))
    assert "Stopped by --max-runtime" in ended.stderr
    assert "The baseline before.json stays as it was" in ended.stderr
    assert (tmp_path / "before.json").read_bytes() == before


def test_batches_keep_to_the_limits() -> None:
    one = next(asff.rule_findings(sample.many(1)))
    large = {**one, "ProductFields": {f"chimeaudit/{number}": "ü" * 2000 for number in range(50)}}

    sent = list(batches([one] * 250 + [large] * 60))

    assert sum(map(len, sent)) == 310
    assert max(map(len, sent)) == 100
    for batch in sent:
        assert len(json.dumps({"Findings": batch})) <= BATCH_BYTES + 20
        assert all(len(json.dumps(finding)) <= FINDING_BYTES for finding in batch)
    assert sent[-1][-1]["ProductFields"]["chimeaudit/0"], "what fits of the evidence is kept"


def test_a_report_in_any_order_is_imported_whole(aws: FakeAws, home: Path, deliver: Scan) -> None:
    report = json.loads((home / "rich.json").read_text())
    report["findings"].reverse()
    (home / "reversed.json").write_text(json.dumps(report))

    assert deliver("reversed.json", *HUB).code == 0
    assert {finding["Id"] for finding in imported(aws)} == {finding["Id"] for finding in asff.findings(sample.rich())}


def test_archived_findings_keep_to_the_format_too() -> None:
    was, now = sample.rich(), sample.clean()

    for finding in was.findings:
        gone = asff.build_archived(finding, was, now)
        before = asff.build_finding(finding, was)
        changed = {key for key in gone if gone[key] != before[key]}
        assert changed <= {"UpdatedAt", "Compliance", "Workflow", "RecordState"}
        assert all(text.strip() for text in strings(gone))
        assert gone["FindingProviderFields"]["Severity"] == gone["Severity"]
