"""``chimeaudit doctor``: says without a scan whether one would work, and what it would lack."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from moto.iam.models import iam_backends

from scanner import cli
from scanner.aws.session import Aws
from scanner.collect.scope import Wanted
from scanner.collect.trial import Wish, try_out
from scanner.model.operations import FACETS, LISTS, OBTAINING_CREDENTIALS, ORGANIZATION, needed
from scanner.model.trial import Verdict
from scanner.simulator.organisation import (
    READ_ONLY,
    Account,
    AppInstance,
    ChannelFlow,
    Organisation,
    Processor,
    load,
)
from scanner.simulator.server import start
from scanner.simulator.surroundings import Function, document
from tests import healthy
from tests.answers import Call, error, page, refusal, truth
from tests.command import Ended, environment
from tests.fake_aws import FakeAws, Flow
from tests.healthy import ACCOUNT

ROOT = Path(__file__).parents[2]
MANAGEMENT, MEMBER = "999900001111", "999900002222"
NOT_FOUND = error(404, "ResourceNotFoundException")
Doctor = Callable[..., Ended]
READS = {each.name for each in needed(FACETS) | ORGANIZATION | OBTAINING_CREDENTIALS}


@pytest.fixture
def doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Run `chimeaudit doctor` in this process with these variables alone, and one attempt for each call."""

    def run(variables: dict[str, str], *arguments: str) -> Ended:
        for name, value in environment(tmp_path, {"AWS_MAX_ATTEMPTS": "1", **variables}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        code = cli.run(["doctor", *arguments])
        captured = capsys.readouterr()
        return Ended(code=code, stdout=captured.out, stderr=captured.err)

    return run


def calls(ended: Ended, verdict: str) -> set[str]:
    return {
        call["action"] for target in ended.report["targets"] for call in target["calls"] if call["verdict"] == verdict
    }


def organisation() -> Organisation:
    flow = ChannelFlow(name="moderation", processors=(Processor(lambda_="moderate:live"),))
    account = Account(
        id=MEMBER,
        name="member",
        app_instances={"us-east-1": (AppInstance(name="chat", channel_flows=(flow,)),)},
        functions={"us-east-1": {"moderate": Function()}},
    )
    return Organisation(management=Account(id=MANAGEMENT, name="management"), members=(account,))


def test_in_an_organisation_it_says_who_calls_what_is_allowed_denied_and_refused(doctor: Doctor) -> None:
    with start(organisation(), enforce_iam=True) as aws:
        every = ("--org", "--select", "profile:default,profile:channels,profile:chat-access", "--format", "json")
        good = doctor(aws.environment, *every)

        assert good.code == 0, good.stderr
        assert good.report["ready"] is True
        assert good.report["callers"] == {"": f"arn:aws:iam::{MANAGEMENT}:user/auditor"}
        assert good.report["scope"]["accounts"] == [MANAGEMENT, MEMBER]
        assert calls(good, "allowed") == {each.action for each in needed(set(FACETS) - {"tags", "detail"})}
        assert calls(good, "denied") == calls(good, "failed") == set()
        here = [each for each in good.report["targets"] if each["app_instances"]]
        assert [(each["account_id"], each["region"], each["channel_flows"]) for each in here] == [
            (MEMBER, "us-east-1", 1)
        ]

        wish = Wish(scope=Wanted(accounts=(MEMBER,)), rules=0, facets=frozenset(FACETS))
        tried = {call.action for _, call in try_out(wish, Aws).calls(Verdict.ALLOWED)}
        assert tried == {each.action for each in needed(FACETS)}

        less = {"Effect": "Deny", "Action": ["iam:GetRole", "chime:ListChannelFlows"], "Resource": "*"}
        iam_backends[MEMBER]["aws"].put_role_policy("chimeaudit", "audit", json.dumps(document([*READ_ONLY, less])))
        denied = doctor(aws.environment, "--accounts", MEMBER, "--format", "json")
        assert denied.code == 3
        assert denied.report["ready"] is False
        assert calls(denied, "denied") == {"iam:GetRole", "chime:ListChannelFlows"}

        refused = doctor(aws.environment, "--accounts", f"{MEMBER},{MANAGEMENT}", "--role", "no-such-role")
        assert refused.code == 3
        entry = f"AssumeRole of no-such-role: access denied; allow sts:AssumeRole ({MEMBER})"
        assert entry in " ".join(refused.stdout.split())
        assert "Entered  1 of 2 accounts" in refused.stdout
        assert "NOT ready" in refused.stdout

        nothing = doctor(aws.environment, "--accounts", MEMBER, "--role", "no-such-role")
        assert nothing.code == 4
        assert nothing.error.startswith("error: nothing could be scanned: access denied")


def test_the_world_that_denies_is_as_its_page_says(doctor: Doctor, tmp_path: Path) -> None:
    page = ROOT / "docs/simulator.md"
    file = tmp_path / "denied.yaml"
    file.write_text(page.read_text().partition("```yaml\n")[2].partition("```")[0])

    with start(load(file), enforce_iam=True) as aws:
        ended = doctor(aws.environment, "--org")

    said = " ".join(ended.stdout.split())  # whatever the width
    assert ended.code == 3
    assert "AssumeRole of chimeaudit: access denied; allow sts:AssumeRole (222233334444 (Chat platform))" in said
    assert "lambda:GetPolicy: access denied" in said


def test_it_only_reads_each_call_once_in_a_target(aws: FakeAws, doctor: Doctor) -> None:
    aws.inventory = {"us-east-1": {"chat": [Flow(), Flow()], "support": [Flow()]}}
    aws.faults = [lambda call: NOT_FOUND if call.operation == "GetFunctionUrlConfig" else None]

    ended = doctor(aws.variables, "--region", "us-east-1")

    assert ended.code == 0, ended.stdout + ended.stderr
    assert {call.operation for call in aws.calls} <= READS
    assert len(aws.asked("ListChannelFlows")) == 2  # the first app instances are a sample
    assert len(aws.asked("ListAppInstances")) == 1
    assert len(aws.asked("GetFunctionConfiguration")) == 1


def test_calls_that_the_chosen_rules_do_not_need_are_not_made(aws: FakeAws, doctor: Doctor) -> None:
    aws.inventory = {"us-east-1": {"chat": [Flow()]}}

    ended = doctor(aws.variables, "--region", "us-east-1", "--select", "last-processor-fails-open", "--format", "json")

    assert ended.code == 0
    assert calls(ended, "allowed") == {each.action for each in LISTS}
    assert {call.operation for call in aws.calls} == {each.name for each in LISTS} | {"GetCallerIdentity"}


def test_what_cannot_be_tried_without_a_resource_is_said_and_never_called_ready(aws: FakeAws, doctor: Doctor) -> None:
    aws.faults = [lambda call: NOT_FOUND if call.service == "lambda" else None]

    ended = doctor(aws.variables, "--region", "us-east-1")

    assert ended.code == 0
    assert "chime:ListChannelFlows: no app instance was seen here to try it on" in ended.stdout
    assert "ready, as far as it can be told" in ended.stdout
    assert not aws.asked("ListChannelFlows")


def test_a_denial_on_a_made_up_name_says_that_it_is_one(aws: FakeAws, doctor: Doctor) -> None:
    aws.faults = [lambda call: error(403, "AccessDeniedException") if call.operation == "GetPolicy" else None]

    ended = doctor(aws.variables, "--region", "us-east-1")

    assert ended.code == 3
    assert "allow lambda:GetPolicy; tried on a name that does not exist" in " ".join(ended.stdout.split())


def test_without_credentials_nothing_could_be_scanned(doctor: Doctor, aws: FakeAws) -> None:
    variables = {name: value for name, value in aws.variables.items() if "KEY" not in name and "TOKEN" not in name}

    ended = doctor(variables)

    assert ended.code == 4
    assert "Who    not known" in ended.stdout
    assert ended.error.startswith("error: nothing could be scanned: there are no complete AWS credentials")


def test_a_region_that_does_not_exist_is_a_usage_error_and_one_without_the_service_fails(
    doctor: Doctor, aws: FakeAws
) -> None:
    wrong = doctor(aws.variables, "--region", "us-est-1")
    assert wrong.code == 2
    assert "us-east-1" in wrong.stderr

    aws.faults = [lambda call: error(404, "UnknownEndpoint") if call.operation == "ListAppInstances" else None]
    without = doctor(aws.variables, "--region", "eu-west-1")
    assert without.code == 4
    assert not aws.asked("GetFunctionConfiguration")
    assert "nothing else was tried here" in " ".join(without.stdout.split())


def test_an_answer_of_another_account_is_a_failure(doctor: Doctor, aws: FakeAws) -> None:
    aws.inventory = {"us-east-1": {"chat": [Flow()]}}
    foreign = aws.app_instance_arn("us-east-1", "chat").replace(ACCOUNT, "999988887777")

    def elsewhere(call: Call) -> Any:
        listed = [{"AppInstanceArn": foreign, "Name": "chat"}]
        return truth(page("AppInstances", listed, None)) if call.operation == "ListAppInstances" else None

    aws.faults = [elsewhere]

    ended = doctor(aws.variables, "--region", "us-east-1")

    assert ended.code == 4
    assert "999988887777" in ended.stdout


def test_each_profile_is_tried_and_an_mfa_code_without_a_terminal_is_refused(
    doctor: Doctor, aws: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.aws.credentials._has_terminal", lambda: False)
    monkeypatch.setattr("scanner.aws.credentials._codes", {})
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(
        "[profile keys]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = x\n"
        f"[profile mfa]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/x\nsource_profile = keys\n"
        f"mfa_serial = arn:aws:iam::{ACCOUNT}:mfa/me\n"
    )
    variables = {"AWS_ENDPOINT_URL": aws.url}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    both = doctor(variables, "--profile", "keys,mfa", "--region", "us-east-1")

    assert both.code == 3
    assert "(profile keys)" in both.stdout
    assert "profile mfa" in both.stdout
    alone = doctor(variables, "--profile", "mfa")
    assert alone.code == 4
    assert "MFA code" in alone.stderr


def test_a_bearer_who_is_no_admin_is_named_before_a_scan_is_begun(doctor: Doctor) -> None:
    with start(organisation(), enforce_iam=True) as aws:
        options = ("--accounts", MEMBER, "--region", "us-east-1", "--select", "profile:channels", "--format", "json")

        ended = doctor(aws.environment, *options, "--channel-bearer", "nobody")

    assert ended.code == 3
    assert calls(ended, "denied") == {"chime:ListChannels"}
    assert ended.stderr.startswith("Exit 3    mend what it names")


def test_quiet_leaves_the_exit_code(doctor: Doctor, aws: FakeAws) -> None:
    aws.faults = [lambda call: error(403, "AccessDeniedException") if call.service == "lambda" else None]

    ended = doctor(aws.variables, "-q")

    assert (ended.code, ended.stdout, ended.stderr) == (3, "", "")


def test_options_that_contradict_each_other_are_refused_as_by_scan(doctor: Doctor, aws: FakeAws) -> None:
    assert doctor(aws.variables, "--org", "--accounts", ACCOUNT).code == 2
    assert doctor(aws.variables, "--external-id", "abc").code == 2
    assert doctor(aws.variables, "--select", "no-such-rule").code == 2
    assert not aws.calls


def test_an_account_whose_identity_cannot_be_asked_for_is_not_scanned(doctor: Doctor, aws: FakeAws) -> None:
    aws.faults = [lambda call: refusal(403, "AccessDenied") if call.operation == "GetCallerIdentity" else None]

    assert doctor(aws.variables).code == 4


def test_the_estimate_is_near_what_a_scan_takes(doctor: Doctor, aws: FakeAws) -> None:
    aws.inventory = {"us-east-1": {f"chat-{number:02}": [Flow()] * (12 if number == 0 else 2) for number in range(20)}}
    aws.faults = [lambda call: NOT_FOUND if call.operation == "GetFunctionUrlConfig" else None]
    scope = ("--region", "us-east-1")

    estimated = doctor(aws.variables, *scope, "--format", "json").report["estimate"]["calls"]
    tried = len(aws.calls)
    cli.run(["scan", *scope, "-q"])

    taken = len(aws.calls) - tried
    assert taken / 2 < estimated < taken * 2, (estimated, taken)


def test_lists_are_counted_to_their_end(doctor: Doctor, aws: FakeAws) -> None:
    aws.inventory = {"us-east-1": {f"chat-{number:02}": [Flow()] * 60 for number in range(60)}}
    chosen = ("--region", "us-east-1", "--select", "last-processor-fails-open", "--format", "json")

    ended = doctor(aws.variables, *chosen)

    assert ended.report["targets"][0]["app_instances"] == 60
    assert ended.report["estimate"]["at_least"] is False
    assert ended.report["estimate"]["calls"] == pytest.approx(2 + 2 * 60, abs=2)
    assert len(aws.calls) < 20


def test_functions_in_other_places_are_asked_for_where_they_are(doctor: Doctor, aws: FakeAws) -> None:
    elsewhere = [healthy.function_arn(account=MEMBER), healthy.function_arn(region="eu-central-1")]
    flows = [Flow(processors=[healthy.processor(Configuration=healthy.invoking(arn))]) for arn in elsewhere]
    aws.inventory = {"us-east-1": {"chat": flows}}
    aws.faults.append(lambda call: NOT_FOUND if call.operation == "GetFunctionUrlConfig" else None)
    scope = ("--region", "us-east-1")

    ended = doctor(aws.variables, *scope)

    assert ended.code == 3
    assert f"lambda:GetFunctionConfiguration: account {MEMBER} is not in scope" in ended.stdout
    assert [call.region for call in aws.asked("GetFunctionConfiguration")] == ["us-east-1", "eu-central-1"]


def test_what_a_waiver_accepts_stops_nobody(doctor: Doctor, aws: FakeAws, tmp_path: Path) -> None:
    (tmp_path / "chimeaudit.yaml").write_text(
        "waivers:\n"
        "  - gap: GetPolicy\n    resource: {account: '*'}\n"
        "    owner: chat\n    reason: known\n    expires: 2099-01-01\n"
        f"  - gap: AssumeRole\n    resource: {{account: '{MEMBER}'}}\n"
        "    owner: chat\n    reason: known\n    expires: 2099-01-01\n"
    )
    aws.members = {MEMBER: {}}

    def refused(call: Call) -> Any:
        if call.operation == "AssumeRole" and MEMBER in call.parameters["RoleArn"]:
            return refusal(403, "AccessDenied")
        return error(403, "AccessDeniedException") if call.operation == "GetPolicy" and call.service != "iam" else None

    aws.faults = [refused, lambda call: NOT_FOUND if call.service == "lambda" else None]

    ended = doctor(aws.variables, "--accounts", f"{ACCOUNT},{MEMBER}")

    assert ended.code == 0, ended.stdout
    waived = ended.stdout.partition("Waived\n")[2]
    assert "AssumeRole" in waived
    assert "lambda:GetPolicy" in waived
    assert doctor(aws.variables, "--accounts", MEMBER).code == 4


def test_the_options_on_channels_tell_how_long_listing_them_takes(doctor: Doctor, aws: FakeAws) -> None:
    aws.inventory = {"us-east-1": {"chat": [Flow()]}}

    ended = doctor(aws.variables, "--select", "profile:channels", "--channel-rate", "5", "--max-channels", "60000")

    assert "60,000 (--max-channels) at 5 a second (--channel-rate) 4 minutes" in " ".join(ended.stdout.split())


def test_a_narrow_terminal_gets_lines_instead_of_a_table(doctor: Doctor, aws: FakeAws) -> None:
    aws.inventory = {"us-east-1": {"chat": [Flow()]}}
    aws.faults = [lambda call: NOT_FOUND if call.operation == "GetFunctionUrlConfig" else None]

    ended = doctor({**aws.variables, "COLUMNS": "40"}, "--region", "us-east-1")

    assert f"{ACCOUNT}\n  us-east-1  16 of 16 calls allowed\n" in ended.stdout
    assert f"arn:aws:iam::{ACCOUNT}:user/auditor" in "".join(ended.stdout.split())


def test_of_many_accounts_those_are_shown_where_something_is_amiss(doctor: Doctor, aws: FakeAws) -> None:
    accounts = [f"2000000000{number:02}" for number in range(14)]
    aws.members = {each: {} for each in accounts}

    def refused(call: Call) -> Any:
        if call.operation == "AssumeRole" and accounts[3] in call.parameters["RoleArn"]:
            return refusal(403, "AccessDenied")
        is_denied = call.account == accounts[5] and call.operation == "ListAppInstances"
        return error(403, "AccessDeniedException") if is_denied else None

    aws.faults = [refused]
    scope = ("--accounts", ",".join(accounts), "--select", "last-processor-fails-open")

    short = doctor(aws.variables, *scope).stdout
    long = doctor(aws.variables, *scope, "-v").stdout

    assert "Entered  13 of 14 accounts" in short
    assert short.count(accounts[5]) > 1
    assert short.count(accounts[3]) == 1
    assert f"\n{accounts[0]}" not in short
    assert "26 targets more, which -v shows" in short
    assert f"\n{accounts[0]}" in long
