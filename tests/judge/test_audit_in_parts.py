"""scanner.judge.audit: the report does not depend on who judged which part of a run."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from random import Random

import pytest
from msgspec import UNSET, UnsetType, structs

from scanner import resources
from scanner.judge import audit as module
from scanner.judge.audit import Audit
from scanner.language import healthy
from scanner.language.rule import Rule, load
from scanner.language.selection import select
from scanner.model.facts import AppInstance, ChannelFlow
from scanner.model.report import InventoryItem, Report, RuleCounts, Scope, Waiver
from scanner.model.verdicts import Part
from scanner.outcome.waivers import Entry, Pattern, Waivers
from scanner.store.journal import Journal, RunHeader, Target
from scanner.store.target_file import AppInstanceRead, RolesRead, TargetWriter
from tests.judge.facts import ACCOUNT, app_instance, flow, gap

TARGETS = tuple(Target(account_id=ACCOUNT, region=region) for region in ("eu-central-1", "us-east-1"))
SEEN = AppInstance(**{name: getattr(app_instance(), name) for name in AppInstance.__struct_fields__})
ARNS = tuple(f"arn:aws:chime:us-east-1:{ACCOUNT}:app-instance/{number}" for number in range(12))
AT = "2026-01-02T00:00:00Z"


def rules() -> tuple[Rule, ...]:
    ids = ("deceptive-name", "duplicate-flow-name", "app-instance-without-flow", "profile:chat-access")
    return select(load([resources.rules()]), ids)


def waivers() -> Waivers:
    waiver = Waiver(reason="so be it", owner="me", expires="2026-12-31")
    entries = [
        Entry(rules=("deceptive-name",), resource=Pattern(arn=f"{arn}/*"), waiver=waiver, place=f"x:{number}")
        for number, arn in enumerate((ARNS[4], "arn:of:nothing", ARNS[7]), start=1)
    ]
    return Waivers(entries, today=date(2026, 6, 1))


def flows(arn: str, number: int) -> list[ChannelFlow]:
    """The flows of an app instance; every third one has findings of its own, and another third has no flows."""
    names = [["fine"], ["e\u202evil", "twice", "twice"], []][number % 3]
    return [structs.replace(flow(name=name), arn=f"{arn}/channel-flow/{at}") for at, name in enumerate(names)]


def roles() -> RolesRead:
    """One role that is fine, one with findings, and one of which something is unknown."""
    denied = gap("GetAccountAuthorizationDetails")
    return RolesRead(
        roles=(
            healthy.role({"name": "fine"}),
            healthy.role({"name": "wide", "acts_as_anyone": True, "may_change_flow": True}),
            structs.replace(healthy.role({"name": "why", "may_open_channels": UNSET}), gaps={"": denied}),
        ),
        gaps=(structs.replace(denied, region="global", resource_arn=None),),
    )


def write(path: Path, numbers: Sequence[int], *, complete: bool = True, with_roles: bool = False) -> Path:
    with TargetWriter(path) as writer:
        if with_roles:
            writer.roles(roles())
        for number in numbers:
            arn = ARNS[number]
            pages = (writer.page(arn, tuple(flows(arn, number))),)
            gaps = (gap(),) if number == 5 else ()
            seen = structs.replace(SEEN, arn=arn, id=str(number))
            writer.app_instance(AppInstanceRead(app_instance=seen, pages=pages, gaps=gaps))
        if complete:
            writer.target(())
    return path


def run(directory: Path, order: Sequence[int], *, complete: bool = True) -> Journal:
    header = RunHeader(
        id="run",
        started_at="2026-01-01T00:00:00Z",
        scope=Scope(accounts=(ACCOUNT,), regions=("eu-central-1", "us-east-1"), chosen_by="the test"),
        targets=TARGETS,
        options={},
    )
    journal = Journal.create(directory, header)
    write(journal.target_path(TARGETS[0]), [0, 1])
    write(journal.target_path(TARGETS[1]), order, complete=complete, with_roles=True)
    return journal


def same(one: Report, other: Report) -> None:
    assert list(one.findings) == list(other.findings)
    assert inventory(one) == inventory(other)
    assert structs.replace(one, findings=(), inventory=UNSET) == structs.replace(other, findings=(), inventory=UNSET)


def inventory(report: Report) -> list[InventoryItem]:
    assert not isinstance(report.inventory, UnsetType)
    assert len(report.inventory) == len(list(report.inventory))
    return list(report.inventory)


@pytest.mark.parametrize("most", [1, 5_000, 8 << 20])
@pytest.mark.parametrize("seed", range(20))
def test_the_report_does_not_depend_on_who_judges_which_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, most: int
) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", most)
    random = Random(seed)  # noqa: S311 - nothing is secret
    order = random.sample(range(12), 12)
    journal = run(tmp_path / "run", order, complete=random.random() < 0.5)
    alone, together = waivers(), waivers()
    whole = Audit(journal, rules(), alone, inventory=True).report(AT)

    judging = Audit(journal, rules(), together, inventory=True)
    part_judge = pickle.loads(pickle.dumps(judging.part_judge))  # noqa: S301 - our own
    for number in range(3):
        has_roles = number == seed % 4  # a fourth is left to the audit itself
        path = write(tmp_path / f"{number}.jsonl", order[number::4], with_roles=has_roles)
        judging.take(TARGETS[1], part_judge(path))

    same(judging.report(AT), whole)
    assert whole.coverage.observed.roles == 3
    on_roles = [each for each in whole.findings if each.resource.type == "role"]
    first = list(whole.findings).index(on_roles[0])
    before = [each.resource.arn or "" for each in list(whole.findings)[:first]]
    assert before, "they stand after the findings in eu-central-1"
    assert all(f"{arn}/".startswith(f"{ARNS[1]}/") for arn in before), "and before those in us-east-1"
    assert [(each.resource.name, each.rule_id, each.resource.region) for each in on_roles] == [
        ("why", "chat-role-may-open-channels", "global"),
        ("wide", "chat-role-acts-as-anyone", "global"),
        ("wide", "chat-role-may-change-flow", "global"),
    ]
    assert whole.summary.by_status["fail"] > whole.summary.by_status["waived"] > 0
    assert together.warnings(whole) == alone.warnings(whole)
    assert ["x:2" in warning for warning in together.warnings(whole)] == [True]


def test_the_inventory_has_every_resource_in_order_with_the_verdicts_that_are_counted(tmp_path: Path) -> None:
    journal = run(tmp_path / "run", range(11, -1, -1))

    report = Audit(journal, rules(), waivers(), inventory=True).report(AT)

    items = inventory(report)
    arns = [item.arn or "" for item in items if item.type != "role"]
    assert arns[:2] == [ARNS[0], f"{ARNS[0]}/channel-flow/0"], "of the first region"
    assert arns[6:] == sorted(arns[6:]), "an app instance comes before its flows"
    assert [item.type for item in items].count("role") == 3
    seen, counted = report.coverage.observed, report.summary.rules
    assert len(items) == seen.app_instances + seen.channel_flows + 3
    assert not isinstance(counted, UnsetType)
    for rule in rules():
        verdicts = Counter(item.verdicts[rule.info.id] for item in items if rule.info.resource == item.type)
        assert RuleCounts(**{str(verdict): number for verdict, number in verdicts.items()}) == counted[rule.info.id], (
            rule.info.id
        )
        assert not any(rule.info.id in item.verdicts for item in items if rule.info.resource != item.type)
    assert {verdict for item in items for verdict in item.verdicts.values()} == {
        "passed",
        "failed",
        "unknown",
        "waived",
    }


def test_a_report_has_an_inventory_only_if_it_is_asked_for(tmp_path: Path) -> None:
    assert Audit(run(tmp_path / "run", [3]), rules()).report(AT).inventory is UNSET


def test_a_run_of_which_nothing_was_read_has_no_verdicts(tmp_path: Path) -> None:
    journal = run(tmp_path / "run", [])

    verdicts = Audit(journal, rules()).part_judge(tmp_path / "none.jsonl")

    assert (verdicts.app_instances, verdicts.gaps) == (frozenset(), frozenset())
    assert verdicts.findings == verdicts.inventory == Part(number=0, lines=b"", sizes=())
    assert verdicts.counts.statuses.total() == 0
