"""`chimeaudit check` of a run that is damaged, or did not observe everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scanner.model.facts import AppInstance, ChannelFlow, FallbackAction, Gap, LambdaFunction, Processor, Role
from scanner.model.report import Scope
from scanner.store.journal import Journal, RunHeader, Target
from scanner.store.target_file import AppInstanceRead, RolesRead, TargetWriter
from tests.command import Ended
from tests.declared.checking import FUNCTION, Check, checking, write

REGIONS = ("eu-central-1", "us-east-1")
ACCOUNT = "111122223333"
DENIED = Gap(account_id=ACCOUNT, region="us-east-1", operation="ListAppInstances", code="Denied", reason="denied")


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    return checking(tmp_path, monkeypatch, capsys)


def run(
    directory: Path, fallback: FallbackAction = "CONTINUE", gaps: tuple[Gap, ...] = (), *, ends: bool = True
) -> list[Path]:
    """Make a run with a flow in each of two regions; return the files of its targets."""
    targets = tuple(Target(account_id=ACCOUNT, region=region) for region in REGIONS)
    scope = Scope(accounts=(ACCOUNT,), regions=REGIONS, chosen_by="a test")
    header = RunHeader(id="run", started_at="2026-11-01T00:00:00Z", scope=scope, targets=targets, options={})
    journal = Journal.create(directory, header)
    for target in targets:
        where: Any = {"account_id": ACCOUNT, "region": target.region, "partition": "aws"}
        owner = AppInstance(arn=target.region, id="i", name="n", **where)
        flow = ChannelFlow(
            arn=f"{owner.arn}/flow", name="f", app_instance=owner.ref, processors=(step(fallback, target),), **where
        )
        with TargetWriter(journal.target_path(target)) as writer:
            pages = (writer.page(owner.arn, (flow,)),)
            writer.app_instance(AppInstanceRead(app_instance=owner, pages=pages))
            if ends:
                writer.target(gaps)
    return [journal.target_path(target) for target in targets]


def step(fallback: FallbackAction, target: Target) -> Processor:
    function = LambdaFunction.of(FUNCTION.replace("us-east-1", target.region))
    assert function
    return Processor(
        name="p",
        execution_order=1,
        is_first=True,
        is_last=True,
        fallback_action=fallback,
        invocation_type="ASYNC",
        lambda_=function,
    )


def open_flows(ended: Ended) -> list[str]:
    """The files with flows that fail open."""
    wanted = (each for each in ended.report["findings"] if each["rule_id"] == "last-processor-fails-open")
    return [each["location"]["file"] for each in wanted]


DAMAGE = {
    "no JSON": b'{"type":"flows",]',
    "no text": b'{"type":"fl\xffws"}',
    "nested too deeply": b'{"type":"flows","x":' + b"[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("ends", [True, False])
def test_a_damaged_target_is_one_line_and_the_others_are_judged(
    check: Check, tmp_path: Path, damage: bytes, ends: bool
) -> None:
    damaged, healthy = run(tmp_path / "run", ends=ends)
    _, *rest = damaged.read_bytes().splitlines()
    damaged.write_bytes(b"\n".join((damage, *rest, b"")))

    ended = check("run")

    name = f"run/targets/{damaged.name}"
    assert ended.code == 2
    assert [line for line in ended.stderr.splitlines() if "damaged" in line and name in line] == [
        line for line in ended.stderr.splitlines() if line.startswith(f"error: {name}: damaged at byte ")
    ]
    assert open_flows(ended) == [f"run/targets/{healthy.name}"]
    assert name not in ended.report["scope"]["files"]
    assert ended.report["coverage"]["in_scope"]["files"] == ended.report["coverage"]["observed"]["files"] + 1


@pytest.mark.parametrize("header", [b"[" * 100_000, b'{"journal_version": 1}'])
def test_a_damaged_header_is_one_line(check: Check, tmp_path: Path, header: bytes) -> None:
    run(tmp_path / "run")
    (tmp_path / "run" / "run.json").write_bytes(header)

    ended = check("run")

    assert ended.code == 2
    assert "error: run: run/run.json is damaged" in ended.stderr


@pytest.mark.parametrize(
    ("gaps", "ends", "code"), [((), True, 0), ((DENIED,), True, 3), ((), False, 3)], ids=["whole", "denied", "stopped"]
)
def test_a_run_that_did_not_observe_everything_is_3(
    check: Check, tmp_path: Path, gaps: tuple[Gap, ...], ends: bool, code: int
) -> None:
    run(tmp_path / "run", "ABORT", gaps, ends=ends)

    strict, lenient = check("run"), check("run", "--allow-gaps")

    assert (strict.code, lenient.code) == (code, 0), strict.stderr
    assert ("Coverage  NOT complete" in strict.stderr) is (code == 3)


def test_a_finding_and_a_bad_file_say_more_than_a_gap(check: Check, tmp_path: Path) -> None:
    run(tmp_path / "run", "CONTINUE", ends=False)

    assert check("run").code == 1
    assert check("run", "missing.json", "--fail-on", "none").code == 2


def test_a_waived_gap_does_not_gate(check: Check, tmp_path: Path) -> None:
    run(tmp_path / "run", "ABORT", (DENIED,))
    own = {"gap": "ListAppInstances", "resource": {"account": ACCOUNT}}
    waiver = {**own, "reason": "r", "owner": "o", "expires": "2999-01-01"}
    write(tmp_path / "chimeaudit.yaml", {"waivers": [waiver]})

    assert check("run").code == 0


USERS = Role(
    arn=f"arn:aws:iam::{ACCOUNT}:role/users",
    name="users",
    account_id=ACCOUNT,
    partition="aws",
    tags={},
    providers=("cognito-identity.amazonaws.com",),
    acts_as_anyone=True,
    may_remove_flow=False,
    may_change_flow=False,
    may_open_channels=False,
)


def test_roles_of_a_run_are_judged_and_its_gaps_told_if_a_rule_on_roles_is_selected(
    check: Check, tmp_path: Path
) -> None:
    gap = Gap(account_id=ACCOUNT, region="global", operation="GetAccountAuthorizationDetails", code="C", reason="cut")
    scope = Scope(accounts=(ACCOUNT,), regions=REGIONS, chosen_by="a test")
    target = Target(account_id=ACCOUNT, region="us-east-1")
    facets: Any = {"facets": ("chat_roles",)}
    header = RunHeader(
        id="run", started_at="2026-11-01T00:00:00Z", scope=scope, targets=(target,), options={}, **facets
    )
    journal = Journal.create(tmp_path / "run", header)
    with TargetWriter(journal.target_path(target)) as writer:
        writer.roles(RolesRead(roles=(USERS,), left_out=3, gaps=(gap,)))
        writer.target(())

    selected, default = check("run", "--select", "profile:chat-access"), check("run")

    (found,) = selected.report["findings"]
    assert (found["rule_id"], found["resource"]["arn"]) == ("chat-role-acts-as-anyone", USERS.arn)
    assert found["location"]["line"] == 1
    assert [each["reason"] for each in selected.report["coverage"]["gaps"]] == ["cut"]
    assert any(each.endswith(": 3.") for each in selected.report["coverage"]["not_examined"])
    assert (default.report["findings"], default.report["coverage"]["gaps"]) == ([], [])
