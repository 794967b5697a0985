"""Three nights for each kind of gap: a finding that the second night did not look for is not fixed, and not new later.

This holds in the diff, in the history and in Security Hub. On the first night everything fails. On the second night
everything is fixed and something is hidden. On the third night everything fails again and is observed. What each gap
hides was worked out by hand.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scanner import cli
from scanner.history import address
from tests.answers import Answer, Call, error, refusal, truth, xml
from tests.command import chimeaudit
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Flow, serve
from tests.healthy import ACCOUNT, function_arn, invoking, processor
from tests.history import nights

MEMBER, EMPTY = "444455556666", "333344445555"
US, EU = "us-east-1", "eu-central-1"
RULES = {
    "last-processor-fails-open": "fallback",
    "public-lambda-policy": "policy",
    "callback-not-allowed": "role",
    "unused-channel-flow": "channels",
    "no-failure-alert": "alert",
    "app-instance-without-flow": "empty",  # it never fails here; it reads the list of flows
}
FLOW_RULES = ("fallback", "policy", "role", "channels")
# app instance -> its account and region, and the function of its channel flow
PLACES = {
    "support": (ACCOUNT, US, function_arn("support:live")),
    "sales": (ACCOUNT, US, function_arn("sales:live")),
    "chat": (ACCOUNT, EU, function_arn("chat:live", EU)),
    "lent": (ACCOUNT, EU, function_arn("lent:live", EU, MEMBER)),
    "member": (MEMBER, US, function_arn("member:live", US, MEMBER)),
}
OPEN_TO_ALL = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": "*"}]}


def inventory(account: str, fallback: str) -> dict[str, dict[str, list[Flow]]]:
    regions: dict[str, dict[str, list[Flow]]] = {US: {}, EU: {}}
    for name, (owner, region, function) in PLACES.items():
        if owner == account:
            only = processor(FallbackAction=fallback, Configuration=invoking(function))
            regions[region][name] = [Flow(name, [only])]
    return regions


def everything_fails(call: Call) -> Answer | None:
    match call.operation:
        case "GetPolicy" if call.service == "lambda":
            return truth({"Policy": json.dumps(OPEN_TO_ALL)})
        case "ListRolePolicies":
            return xml("ListRolePolicies", "<PolicyNames></PolicyNames><IsTruncated>false</IsTruncated>")
        case "ListChannelsAssociatedWithChannelFlow":
            return truth({"Channels": []})
        case "ListRules":
            return truth({"Rules": []})
    return None


def everything_well(_: Call) -> None:
    return None


def night(aws: FakeAws, *, failing: bool) -> None:
    fallback = "CONTINUE" if failing else "ABORT"
    aws.inventory = inventory(ACCOUNT, fallback)
    aws.members = {MEMBER: inventory(MEMBER, fallback), EMPTY: {}}
    aws.organization = [{"Id": each, "Status": "ACTIVE"} for each in (ACCOUNT, EMPTY, MEMBER)]
    aws.faults = [everything_fails] if failing else []


def all_of(*names: str) -> set[str]:
    return {f"{name} {rule}" for name in names for rule in (*FLOW_RULES, "alert")}


def only(rule: str, *names: str) -> set[str]:
    return {f"{name} {rule}" for name in names or PLACES}


EVERYTHING = all_of(*PLACES)
OWN = tuple(name for name, (account, *_) in PLACES.items() if account == ACCOUNT)


def refusing(operation: str, answer: Answer | None = None, /, **where: str) -> Callable[[Call], Answer | None]:
    """A fault that refuses calls of an operation; `where` selects by parts of parameters, of region or account."""

    def refuse(call: Call) -> Answer | None:
        told = {**call.parameters, "region": call.region, "account": call.account or ACCOUNT}
        fits = call.operation == operation and all(text in told.get(name, "") for name, text in where.items())
        return (answer or error(403, "AccessDeniedException")) if fits else None

    return refuse


def broken_off(operation: str, items: str, **where: str) -> Callable[[Call], Answer | None]:
    """A fault that makes a list's first page empty and refuses its second."""
    first, second = truth({items: [], "NextToken": "1"}), error(403, "AccessDeniedException")

    def answer(call: Call) -> Answer | None:
        return refusing(operation, second if call.token else first, **where)(call)

    return answer


@dataclass(frozen=True)
class Case:
    fault: Callable[[Call], Answer | None]
    hidden: set[str]
    arguments: tuple[str, ...] = ()


ROLE_REFUSED = refusal(403, "AccessDenied")
CASES = {
    "a role is refused": Case(
        refusing("AssumeRole", ROLE_REFUSED, RoleArn=MEMBER),
        all_of("member") | only("policy", "lent") | only("role", "lent"),
    ),
    "STS is ill": Case(
        refusing("AssumeRole", refusal(500, "InternalFailure")),
        all_of("member") | only("policy", "lent") | only("role", "lent"),
    ),
    "STS answers with nonsense": Case(
        refusing("AssumeRole", Answer(body=b"<x/>", headers={"Content-Type": "text/xml"}), RoleArn=MEMBER),
        all_of("member") | only("policy", "lent") | only("role", "lent"),
    ),
    "credentials do not tell their account": Case(refusing("GetCallerIdentity", ROLE_REFUSED), EVERYTHING),
    "the organisation cannot be listed": Case(refusing("ListAccounts"), EVERYTHING),
    "the list of accounts breaks off": Case(
        lambda call: error(403, "AccessDeniedException") if call.operation == "ListAccounts" and call.token else None,
        all_of("member") | only("policy", "lent") | only("role", "lent"),
    ),
    "a region is refused": Case(refusing("ListAppInstances", region=EU, account=ACCOUNT), all_of("chat", "lent")),
    "a region is throttled": Case(
        refusing("ListAppInstances", error(429, "ThrottledClientException"), region=US, account=MEMBER),
        all_of("member"),
    ),
    "the list of app instances breaks off": Case(
        broken_off("ListAppInstances", "AppInstances", region=US, account=ACCOUNT), all_of("support", "sales")
    ),
    "an app instance is refused": Case(
        refusing("ListChannelFlows", None, **{"app-instance-arn": "support"}), all_of("support") - {"support alert"}
    ),
    "the list of channel flows breaks off": Case(
        broken_off("ListChannelFlows", "ChannelFlows", **{"app-instance-arn": "support"}),
        all_of("support") - {"support alert"},
    ),
    "the policy of every function": Case(refusing("GetPolicy"), only("policy")),
    "a function": Case(
        refusing("GetFunctionConfiguration", function="support"), only("policy", "support") | only("role", "support")
    ),
    "a role of functions": Case(refusing("GetRole", ROLE_REFUSED), only("role")),
    "the channels of a flow": Case(refusing("ListChannelsAssociatedWithChannelFlow"), only("channels")),
    "the alerts of app instances": Case(refusing("ListRules"), only("alert")),
    "a fault of ours in a facet": Case(refusing("ListRules", truth({"Rules": [{"Name": 1}]})), only("alert")),
    "a rule did not run": Case(
        everything_well,
        EVERYTHING - only("fallback"),
        ("--select", "last-processor-fails-open"),
    ),
    "an account was left out": Case(
        everything_well,
        all_of("member") | only("policy", "lent") | only("role", "lent"),
        ("--exclude", MEMBER),
    ),
    "a region was left out": Case(everything_well, all_of("chat", "lent"), ("--regions", US)),
}
SELECT = ("--select", ",".join(RULES))
HISTORY = ("--history", "sqlite:///history.db")


def named(finding: dict[str, Any]) -> str:
    return f"{finding['resource']['name']} {RULES[finding['rule_id']]}"


@pytest.fixture
def home(first: Path, tmp_path: Path) -> Path:
    """The folder in which the command runs, after the first night."""
    shutil.copytree(first, tmp_path, dirs_exist_ok=True)
    shutil.copy(tmp_path / "first.json", tmp_path / "latest.json")
    return tmp_path


@pytest.fixture
def diff(capsys: pytest.CaptureFixture[str]) -> Callable[[str, str], dict[str, set[str]]]:
    def groups(old: str, new: str) -> dict[str, set[str]]:
        cli.run(["diff", old, new, "--format", "json"])
        told = json.loads(capsys.readouterr().out)
        found = {group: {named(each) for each in told[group]} for group in ("new", "fixed", "still_open")}
        return {**found, "unseen": {named(each["finding"]) for each in told["no_longer_observed"]}}

    return groups


def imported(aws: FakeAws) -> dict[str, str]:
    """The state of each finding in Security Hub, without those on the coverage of accounts."""
    told = {}
    for call in aws.asked("BatchImportFindings"):
        for each in json.loads(call.parameters["body"])["Findings"]:
            if (rule := each["GeneratorId"].removeprefix("chimeaudit/")) != "coverage":
                name = f"{each['Resources'][0]['Details']['Other']['Name']} {RULES[rule]}"
                told[name] = f"{each['RecordState']} {each['Compliance']['Status']}"
    return told


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the first night: journal, report and history."""
    home = tmp_path_factory.mktemp("first")
    aws = FakeAws()
    night(aws, failing=True)
    with serve(aws):
        arguments = ("--org", *SELECT, *HISTORY, "--run-dir", "first-run", "-o", "first.json")
        ended = chimeaudit("scan", *arguments, home=home, variables=aws.variables)
    assert ended.code == 1, ended.stderr
    return home


@pytest.mark.parametrize("kind", CASES)
def test_a_hidden_finding_is_neither_fixed_nor_new_when_it_is_seen_again(
    aws: FakeAws, quick_scan: Scan, diff: Callable[[str, str], dict[str, set[str]]], home: Path, kind: str
) -> None:
    case, history = CASES[kind], address.parse(f"sqlite:///{home}/history.db")
    seen = EVERYTHING - case.hidden
    select = () if "--select" in case.arguments else SELECT
    night(aws, failing=False)
    aws.faults = [case.fault]
    quick_scan("--org", *select, *case.arguments, *HISTORY, "--run-dir", "second-run", "-o", "second.json")

    expected = {"new": set[str](), "fixed": seen, "still_open": set[str](), "unseen": case.hidden}
    assert diff("first.json", "second.json") == expected
    states = {f"{name} {RULES[rule]}": state for (name, rule), state in nights.states(history).items()}
    assert states == {each: "open" if each in case.hidden else "fixed" for each in EVERYTHING}

    again = ("--from", "second-run", "--select", *(select or case.arguments)[1:], "--baseline", "latest.json")
    quick_scan(*again, "-o", "latest.json", "--securityhub", "--delivery-role", "hub")
    in_the_hub = imported(aws)
    assert {name for name, state in in_the_hub.items() if state == "ARCHIVED PASSED"} == seen
    assert {in_the_hub.get(name, "untouched") for name in case.hidden} <= {"untouched", "ACTIVE NOT_AVAILABLE"}

    ended = quick_scan("--from", "first-run", *SELECT, "--baseline", "latest.json", "-o", "third.json")
    findings = json.loads(Path("third.json").read_text())["findings"]
    assert {named(each) for each in findings if each["change"] == "new"} == seen
    assert ended.code == (1 if seen else 0), ended.stderr


DENIED = {
    "a role is refused": 3,
    "the organisation cannot be listed": 4,
    "credentials do not tell their account": 4,
    "a region is refused": 3,
    "the policy of every function": 3,
    "an account was left out": 3,
}


@pytest.mark.parametrize("kind", DENIED)
def test_after_good_good_denied_good_nothing_is_new(aws: FakeAws, quick_scan: Scan, home: Path, kind: str) -> None:
    case = CASES[kind]
    compared = ("--baseline", "latest.json", *SELECT, *HISTORY)

    def scanned(*options: str) -> tuple[int, dict[str, Any]]:
        ended = quick_scan("--org", *compared, *options, "-o", "night.json", "-o", "latest.json")
        return ended.code, json.loads(Path("night.json").read_text())

    night(aws, failing=True)
    code, seen = scanned()
    assert code == 0
    aws.faults = [case.fault, everything_fails]
    code, denied = scanned(*case.arguments)
    aws.faults = [everything_fails]
    last_code, last = scanned()

    assert (code, last_code) == (DENIED[kind], 0)
    for report in (seen, denied, last):
        assert not [each for each in report["findings"] if each["status"] == "fail" and each["change"] == "new"]
    carried = denied["carried_over"]
    assert {named(each["finding"]) for each in carried} == case.hidden
    assert {each["last_seen"] for each in carried} == {seen["run"]["started_at"]}
    assert bool(case.arguments) == any("not_looked_for" in each for each in carried)
    assert denied["summary"]["by_status"]["fail"] == len(EVERYTHING - case.hidden)
    assert {named(each) for each in last["findings"] if each["status"] == "fail"} == EVERYTHING
    assert last["carried_over"] == []
    states = nights.states(address.parse(f"sqlite:///{home}/history.db"))
    assert set(states.values()) == {"open"}
