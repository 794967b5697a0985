"""The facet chat_roles: which roles are kept, by which calls, and what a broken answer makes unknown."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from msgspec import UNSET

from scanner import policy
from scanner.collect.task import Task, TaskResult, fast, slow
from scanner.collect.worker import Worker
from scanner.model.facts import GLOBAL, Gap
from scanner.policy import ChatRole
from scanner.store.journal import Target
from scanner.store.target_file import RolesRead, TargetReader
from tests import roles as iam
from tests.answers import Answer, error, refusal, xml
from tests.fake_aws import FakeAws, Fault
from tests.healthy import ACCOUNT
from tests.roles import ANYBODY, ONESELF, OPERATION, POOL, SERVICE, Policy, Role, Roles, allowing, trusting

TARGET = Target(account_id=ACCOUNT, region="us-east-1")
FACTS = set(ChatRole.__struct_fields__)
OKTA = f"arn:aws:iam::{ACCOUNT}:oidc-provider/okta.example.com"
FLOWS = allowing("chime:DisassociateChannelFlow")

Read = Callable[..., RolesRead]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def do(aws_in_environment: FakeAws, path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., TaskResult]:
    """Read the target, which has one app instance, with these roles and policies; by default as a last try."""
    aws_in_environment.inventory = {"us-east-1": {"tenant": []}}
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    def do(*things: Role | Policy | Roles, is_last_try: bool = True, faults: Sequence[Fault] = ()) -> TaskResult:
        given = [each for each in things if isinstance(each, Roles)]
        roles = given or [Roles(things=[each for each in things if not isinstance(each, Roles)])]
        aws_in_environment.faults = [*faults, *roles]
        pace = slow(fast(1), 1, 1) if is_last_try else fast(1)
        task = Task(target=TARGET, facets=frozenset({"chat_roles"}), path=path, pace=pace)
        return Worker(threading.Event(), [TARGET]).do(task)

    return do


@pytest.fixture
def read(do: Callable[..., TaskResult], path: Path) -> Read:
    """What the journal has of the roles after a last try."""

    def read(*things: Role | Policy | Roles) -> RolesRead:
        assert do(*things).complete
        found = TargetReader(path).roles
        assert found is not None
        assert TargetReader(path).gaps == ()
        return found

    return read


def gap(code: str) -> dict[str, str]:
    return {"account_id": ACCOUNT, "region": GLOBAL, "operation": OPERATION, "code": code}


def told(found: Gap) -> dict[str, str]:
    return {name: getattr(found, name) for name in ("account_id", "region", "operation", "code")}


def test_a_role_of_an_identity_pool_is_kept_with_its_verdicts_and_without_its_policies(
    read: Read, path: Path, aws_in_environment: FakeAws
) -> None:
    found = read(Role(name="chat", path="/apps/", inline=[ANYBODY], tags={"owner": "chat"}))

    (role,) = found.roles
    assert (role.arn, role.name) == (f"arn:aws:iam::{ACCOUNT}:role/apps/chat", "chat")
    assert (role.account_id, role.region, role.partition) == (ACCOUNT, GLOBAL, "aws")
    assert (role.providers, role.tags) == ((POOL,), {"owner": "chat"})
    assert (role.acts_as_anyone, role.may_change_flow) == (True, False)
    assert (role.gaps, found.gaps, found.left_out) == ({}, (), 0)
    assert b"SendChannelMessage" not in path.read_bytes()
    (call,) = aws_in_environment.asked(OPERATION)
    assert {value for name, value in call.parameters.items() if name.startswith("Filter")} == {
        "Role",
        "LocalManagedPolicy",
        "AWSManagedPolicy",
    }


def test_roles_that_no_user_is_given_are_dropped_and_those_not_judged_are_counted(read: Read) -> None:
    found = read(
        Role(name="processor", trust=SERVICE, inline=[FLOWS]),
        Role(name="admin", trust=trusting(OKTA), inline=[allowing("*")]),
        Role(name="sso", path="/aws-reserved/sso.amazonaws.com/", trust=trusting(OKTA), inline=[FLOWS]),
        Role(name="okta", trust=trusting(OKTA), inline=[FLOWS]),
    )

    assert [role.name for role in found.roles] == ["okta"]
    assert found.left_out == 2


@pytest.mark.parametrize("size", [1, 2, 100])
def test_policies_count_on_whatever_page_they_come(read: Read, aws_in_environment: FakeAws, size: int) -> None:
    reads = Policy(name="read", document=allowing("s3:Get*"), arn="arn:aws:iam::aws:policy/read")
    flows = Policy(name="flows", document=FLOWS, versions=3)
    things: list[Role | Policy] = [
        flows,
        Role(name="z", inline=[ONESELF]),
        Role(name="a", attached=["flows", "arn:aws:iam::aws:policy/read"]),
        reads,
        Role(name="bounded", inline=[FLOWS], boundary="arn:aws:iam::aws:policy/read"),
    ]
    found = read(Roles(things=things, size=size))

    assert [role.name for role in found.roles] == ["a", "bounded", "z"]
    assert [role.may_remove_flow for role in found.roles] == [True, False, False]
    assert [role.acts_as_anyone for role in found.roles] == [True, False, False]
    assert not any(role.gaps for role in found.roles)
    assert len(aws_in_environment.asked(OPERATION)) == -(-len(things) // size)


@pytest.mark.parametrize(
    "role",
    [
        pytest.param(Role(attached=["gone"]), id="an attached policy that is not in the answer"),
        pytest.param(Role(inline=[FLOWS], boundary="gone"), id="a boundary that is not in the answer"),
        pytest.param(Role(attached=["empty"]), id="a policy without versions"),
        pytest.param(Role(attached=["arn:aws:iam::444455556666:policy/flows"]), id="another account's policy"),
        pytest.param(Role(inline=None), id="no list of inline policies"),
        pytest.param(Role(attached=None), id="no list of attached policies"),
        pytest.param(Role(inline=["not json"]), id="a policy that is no JSON"),
        pytest.param(Role(inline=['{"Statement": [], "Statement": []}']), id="a policy that says a thing twice"),
        pytest.param(Role(inline=["%" * 3 + "[" * 20_000]), id="a policy nested without end"),
    ],
)
def test_what_a_role_may_is_unknown_where_a_policy_is(read: Read, role: Role) -> None:
    found = read(role, Policy(name="empty", document="", versions=0), Policy(name="flows", document=FLOWS))

    (kept,) = found.roles
    assert kept.providers == (POOL,)
    assert kept.may_remove_flow is UNSET
    assert kept.gaps.keys() == {name for name in FACTS if getattr(kept, name) is UNSET}
    assert all(each.resource_arn == kept.arn and each.region == GLOBAL for each in kept.gaps.values())
    assert {each.code for each in kept.gaps.values()} <= {"MissingValue", "Undecided"}
    assert all("its policies" in each.reason for each in kept.gaps.values())


@pytest.mark.parametrize("trust", [None, "not json", ""])
def test_a_role_whose_trust_policy_cannot_be_read_is_unknown(read: Read, trust: str | None) -> None:
    (role,) = read(Role(trust=trust, inline=[FLOWS])).roles

    assert role.providers is UNSET
    assert role.may_remove_flow is UNSET
    assert {"providers", "may_remove_flow"} <= role.gaps.keys()


def test_a_role_without_a_name_is_judged_and_its_name_is_a_gap(read: Read) -> None:
    nameless = iam.answer(
        f"<member><Arn>arn:aws:iam::{ACCOUNT}:role/x</Arn><RolePolicyList/><AttachedManagedPolicies/>"
        f"<AssumeRolePolicyDocument>{quote(json.dumps(trusting(POOL)))}</AssumeRolePolicyDocument></member>",
        "",
    )
    (role,) = read(Roles(things=[], before=lambda _: nameless)).roles

    assert (role.name, role.acts_as_anyone, role.tags) == (UNSET, False, {})
    assert {path: gap.code for path, gap in role.gaps.items()} == {"name": "MissingValue"}


def test_repeated_roles_and_policies_are_taken_once(read: Read) -> None:
    role, policy = Role(attached=["flows"]), Policy(name="flows", document=FLOWS)
    found = read(Roles(things=[role, policy, role, policy], size=2))

    assert [each.may_remove_flow for each in found.roles] == [True]
    assert found.gaps == ()


@pytest.mark.parametrize(
    "other", [Role(inline=[ONESELF]), Policy(name="flows", document=allowing("s3:Get*"))], ids=("role", "policy")
)
def test_an_answer_that_contradicts_itself_is_no_fact(read: Read, other: Role | Policy) -> None:
    found = read(Roles(things=[Role(inline=[FLOWS]), Policy(name="flows", document=FLOWS), other], size=1))

    assert found.roles == ()
    assert [told(each) for each in found.gaps] == [gap("MalformedAnswer")]


@pytest.mark.parametrize(
    ("stranger", "code"),
    [
        (Role(name="x", arn="arn:aws:iam::444455556666:role/x", inline=[FLOWS]), "OtherAccount"),
        (Role(name="x", arn=f"arn:aws-cn:iam::{ACCOUNT}:role/x", inline=[FLOWS]), "OtherAccount"),
        (Role(name="x", arn="x", inline=[FLOWS]), "OtherAccount"),
        (Role(name="x", arn=f"arn:aws:iam::{ACCOUNT}:user/x", inline=[FLOWS]), "MalformedAnswer"),
        (Policy(name="x", arn="arn:aws:iam::444455556666:policy/x", document=FLOWS), "OtherAccount"),
    ],
)
def test_what_belongs_to_others_is_a_gap_and_never_a_fact(read: Read, stranger: Role | Policy, code: str) -> None:
    found = read(stranger, Role(name="ours", inline=[ONESELF]))

    assert [role.name for role in found.roles] == ["ours"]
    assert [told(each) for each in found.gaps] == [gap(code)]


def test_whose_account_an_empty_answer_is_about_is_asked(read: Read, aws_in_environment: FakeAws) -> None:
    assert read().gaps == ()
    assert len(aws_in_environment.asked("GetCallerIdentity")) == 1


def test_an_empty_answer_of_another_account_is_a_gap(
    do: Callable[..., TaskResult], path: Path, aws_in_environment: FakeAws
) -> None:
    aws_in_environment.account = "444455556666"

    do()

    roles = TargetReader(path).roles
    assert roles is not None
    assert [(each.region, each.operation, each.code) for each in roles.gaps] == [
        (GLOBAL, "GetCallerIdentity", "OtherAccount")
    ]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(refusal(403, "AccessDenied"), "AccessDenied", id="denied"),
        pytest.param(refusal(400, "Throttling"), "Throttling", id="throttled"),
        pytest.param(xml(OPERATION, "<RoleDetailList/><Policies/>"), "MalformedAnswer", id="no word on more pages"),
        pytest.param(
            xml(OPERATION, "<RoleDetailList/><IsTruncated>false</IsTruncated>"), "MalformedAnswer", id="no policies"
        ),
        pytest.param(xml(OPERATION, "<Policies/><IsTruncated>false</IsTruncated>"), "MalformedAnswer", id="no roles"),
        pytest.param(
            xml(OPERATION, "<RoleDetailList/><Policies/><IsTruncated>true</IsTruncated>"),
            "MalformedAnswer",
            id="no marker",
        ),
        pytest.param(
            xml(
                OPERATION,
                "<RoleDetailList><member><RoleName>x</RoleName></member></RoleDetailList><Policies/>"
                "<IsTruncated>false</IsTruncated>",
            ),
            "MalformedAnswer",
            id="no ARN",
        ),
        pytest.param(
            iam.answer(f"<member><Arn>arn:aws:iam::{ACCOUNT}:role/x</Arn><Tags><member/></Tags></member>", ""),
            "MalformedAnswer",
            id="a tag without a key",
        ),
        pytest.param(Answer(body=b"<GetAccount" * 9), "MalformedAnswer", id="no XML"),
        pytest.param(replace(iam.answer("", ""), cut=60), "MalformedAnswer ConnectionClosed", id="cut off"),
        pytest.param(iam.answer("", "", marker="2"), "EndlessPages", id="pages that repeat"),
    ],
)
def test_a_list_that_cannot_be_read_to_its_end_is_one_gap_and_no_role(read: Read, answer: Answer, code: str) -> None:
    things: list[Role | Policy] = [Role(inline=[ANYBODY]), Role(name="b"), Role(name="c")]
    found = read(Roles(things=things, size=2, before=lambda call: answer if "Marker" in call.parameters else None))

    assert found.roles == ()
    (only,) = found.gaps
    assert told(only) in list(map(gap, code.split()))  # which one depends on the release of urllib3
    assert only.resource_arn is None


def test_pages_that_never_end_are_given_up(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.aws.calls._IAM_PAGES", 5)
    pages = iter(range(100))
    found = read(Roles(things=[], before=lambda _: iam.answer("", "", marker=f"m{next(pages)}")))

    assert [told(each) for each in found.gaps] == [gap("EndlessPages")]


def test_a_throttled_first_try_leaves_the_roles_open_and_the_second_asks_again(
    do: Callable[..., TaskResult], path: Path
) -> None:
    throttled = Roles(things=[], before=lambda _: refusal(400, "Throttling"))

    assert not do(throttled, is_last_try=False).complete
    assert TargetReader(path).roles is None
    assert do(Role(inline=[ONESELF])).complete
    roles = TargetReader(path).roles
    assert roles is not None
    assert [role.name for role in roles.roles] == ["chat"]


def test_roles_that_were_read_are_not_asked_for_again(
    do: Callable[..., TaskResult], aws_in_environment: FakeAws
) -> None:
    outage: list[Fault] = [lambda call: error(500, "ServiceFailure") if call.operation == "ListAppInstances" else None]

    assert not do(Role(), is_last_try=False, faults=outage).complete
    assert do(Role()).complete
    assert len(aws_in_environment.asked(OPERATION)) == 1


@pytest.mark.parametrize("code", ["AccessDenied", "Throttling"])
def test_neither_roles_nor_app_instances_hide_the_others(do: Callable[..., TaskResult], path: Path, code: str) -> None:
    denied: list[Fault] = [lambda call: error(403, code) if call.operation == "ListAppInstances" else None]

    assert do(Role(), faults=denied).complete
    read = TargetReader(path)
    assert [(each.region, each.operation) for each in read.gaps] == [(TARGET.region, "ListAppInstances")]
    assert read.roles is not None
    assert ([role.name for role in read.roles.roles], read.roles.gaps) == (["chat"], ())


def test_only_a_task_with_the_facet_asks_for_roles(aws_in_environment: FakeAws, path: Path) -> None:
    Worker(threading.Event(), [TARGET]).do(
        Task(target=TARGET, facets=frozenset({"tags", "alerts"}), path=path, pace=fast(1))
    )

    assert aws_in_environment.asked(OPERATION) == []
    assert TargetReader(path).roles is None


def test_a_fault_of_chimeaudit_costs_one_role(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = policy.chat_role

    def broken(documents: policy.RoleDocuments) -> object:
        if documents.arn.endswith("broken"):
            raise ZeroDivisionError
        return judge(documents)

    monkeypatch.setattr("scanner.policy.chat_role", broken)
    found = read(Role(name="broken"), Role(name="fine", inline=[ONESELF]))

    assert [(role.name, bool(role.gaps)) for role in found.roles] == [("broken", True), ("fine", False)]
    assert {each.code for each in found.roles[0].gaps.values()} == {"Fault"}
    assert found.roles[0].gaps.keys() == FACTS
