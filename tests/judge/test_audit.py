"""scanner.judge.audit: the report of a journal, with its flows, gaps and waivers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import UNSET, structs

from scanner import resources
from scanner.judge.audit import audit
from scanner.language import healthy
from scanner.language.rule import Rule, configured, load
from scanner.language.selection import select
from scanner.model.facts import AppInstance, ChannelFlow, Gap, Processor
from scanner.model.report import Report, RuleCounts, Scope, Status, Waiver
from scanner.outcome.waivers import Entry, Pattern, Waivers
from scanner.store.journal import Journal, RunHeader, Target
from scanner.store.target_file import AppInstanceRead, RolesRead, TargetWriter
from tests.judge.facts import ACCOUNT, APP_INSTANCE, app_instance, flow, gap
from tests.language.rule_files import loaded

TARGET = Target(account_id=ACCOUNT, region="us-east-1")
STARTED = datetime(2026, 1, 1, tzinfo=UTC)
SEEN = AppInstance(**{field: getattr(app_instance(), field) for field in AppInstance.__struct_fields__})
DENIED = structs.replace(gap(), resource_arn=APP_INSTANCE)


def rules(*ids: str) -> tuple[Rule, ...]:
    return select(load([resources.rules()]), ids)


def journal(
    folder: Path, *flows: ChannelFlow, gaps: tuple[Gap, ...] = (), of_facts: dict[str, Gap] | None = None
) -> Journal:
    """The journal of a finished run of one app instance."""
    header = RunHeader(
        id="run",
        started_at=f"{STARTED:%Y-%m-%dT%H:%M:%SZ}",
        scope=Scope(accounts=(ACCOUNT,), regions=("us-east-1",), chosen_by="the test"),
        targets=(TARGET,),
        options={},
    )
    run = Journal.create(folder / "run", header)
    with TargetWriter(run.target_path(TARGET)) as writer:
        offset = writer.page(APP_INSTANCE, flows)
        seen = structs.replace(SEEN, gaps=of_facts or {})
        writer.app_instance(AppInstanceRead(app_instance=seen, pages=(offset,), gaps=gaps))
        writer.target(())
    return run


def named(name: Any, number: int, **facts: Any) -> ChannelFlow:
    return structs.replace(flow(name=name), arn=f"{APP_INSTANCE}/channel-flow/{number}", **facts)


def report(run: Journal, *ids: str, waivers: Waivers | None = None) -> Report:
    return audit(run, rules(*ids), "2026-01-02T00:00:00Z", waivers)


def waivers(**entry: Any) -> Waivers:
    waiver = Waiver(reason="so be it", owner="me", expires="2026-12-31")
    written = Entry(**{"resource": Pattern(arn="*"), "waiver": waiver, "place": "x:1", **entry})
    return Waivers([written], today=date(2026, 6, 1))


def test_roles_that_nobody_read_are_a_gap_for_rules_on_roles_alone(tmp_path: Path) -> None:
    run = journal(tmp_path, named("a", 1))

    asked, unasked = report(run, "profile:chat-access"), report(run, "multiple-processors")

    assert [(each.region, each.operation, each.code) for each in asked.coverage.gaps] == [
        ("global", "GetAccountAuthorizationDetails", "Interrupted")
    ]
    assert (asked.coverage.complete, asked.coverage.observed.roles) == (False, 0)
    assert (unasked.coverage.complete, unasked.coverage.observed.roles) == (True, UNSET)


def test_roles_and_their_gaps_concern_rules_on_roles_alone(tmp_path: Path) -> None:
    run = journal(tmp_path, named("a", 1))
    denied = structs.replace(gap("GetAccountAuthorizationDetails"), region="global", resource_arn=None)
    with TargetWriter(run.target_path(TARGET)) as writer:
        writer.roles(RolesRead(roles=(healthy.role({"acts_as_anyone": True}),), gaps=(denied,)))
        writer.target(())

    asked, unasked = report(run, "profile:chat-access"), report(run, "multiple-processors")

    assert [each.rule_id for each in asked.findings] == ["chat-role-acts-as-anyone"]
    assert asked.summary.by_account == {ACCOUNT: 1}
    assert [each.region for each in asked.coverage.gaps] == ["global"]
    assert (len(unasked.findings), unasked.coverage.gaps) == (0, ())


def test_rules_on_an_app_instance_see_its_flows(tmp_path: Path) -> None:
    run = journal(tmp_path, named("a", 2), named("b", 3), named("a", 1))

    (finding,) = report(run, "duplicate-flow-name", "app-instance-without-flow").findings

    assert (finding.rule_id, finding.resource.arn) == ("duplicate-flow-name", APP_INSTANCE)
    assert finding.evidence[0].observed == ("a",)


def test_flows_of_a_list_that_broke_off_are_unknown_with_the_gap_that_says_why(tmp_path: Path) -> None:
    run = journal(tmp_path, named("a", 1), gaps=(DENIED,))

    (finding,) = report(run, "app-instance-without-flow").findings

    assert finding.status is Status.UNKNOWN
    assert "access was denied" in finding.message


def test_the_name_of_a_flow_that_was_not_observed_has_its_gap(tmp_path: Path) -> None:
    nameless = named(UNSET, 1, gaps={"name": gap(reason="there was no name")})
    run = journal(tmp_path, named("b", 2), nameless)

    (finding,) = report(run, "duplicate-flow-name").findings

    assert (finding.status, finding.evidence[0].path) == (Status.UNKNOWN, "flows[0].name")
    assert "there was no name" in finding.message


def test_gaps_of_an_app_instances_own_facts_make_the_coverage_incomplete(tmp_path: Path) -> None:
    run = journal(tmp_path, named("a", 1), of_facts={"failure_alert": gap("ListRules")})

    assert [each.operation for each in report(run, "multiple-processors").coverage.gaps] == ["ListRules"]


def test_ages_count_from_the_start_of_the_run(tmp_path: Path) -> None:
    run = journal(tmp_path, named("a", 1, updated_at=STARTED - timedelta(days=9)))
    (rule,) = rules("stale-channel-flow")

    def found(limit: str) -> int:
        set_ = configured(rule, settings={"unchanged_for": limit})
        return len(audit(run, [set_], "2030-01-01T00:00:00Z").findings)

    assert (found("10d"), found("8d")) == (0, 1)


def test_a_waived_finding_stays_and_counts_as_waived(tmp_path: Path) -> None:
    run = journal(tmp_path, named("a", 1), named("a", 2))

    waived = report(run, "duplicate-flow-name", waivers=waivers(rules=("duplicate-flow-name",)))

    assert [finding.status for finding in waived.findings] == [Status.WAIVED]
    assert waived.summary.by_status["waived"] == 1
    assert waived.summary.by_status["fail"] == sum(waived.summary.by_severity.values()) == 0


def test_a_waiver_by_tag_asks_the_tags_of_the_resource_itself(tmp_path: Path) -> None:
    run = journal(tmp_path, named("a\u202e", 1, tags={"team": "a"}), named("a\u202e", 2, tags={"team": "b"}))

    by_tag = waivers(rules=("deceptive-name",), resource=Pattern(tags={"team": "a"}))
    found = report(run, "deceptive-name", waivers=by_tag).findings

    assert [finding.status for finding in found] == [Status.WAIVED, Status.FAIL]


def test_a_waived_gap_is_still_listed_and_no_longer_makes_the_coverage_incomplete(tmp_path: Path) -> None:
    run = journal(tmp_path, gaps=(DENIED,))

    open_, waived = report(run), report(run, waivers=waivers(gaps=("ListChannelFlows",)))

    assert not open_.coverage.complete
    assert waived.coverage.complete
    assert [each.waiver is not None for each in waived.coverage.gaps] == [True]


def test_each_rule_counts_resources_by_its_verdict_on_them_not_findings(tmp_path: Path) -> None:
    bad, unread = Processor(name="p", fallback_action="CONTINUE"), Processor(name="q", fallback_action=UNSET)
    flows = [
        named("fine", 1),
        named("bad twice", 2, processors=(bad, bad)),
        named("bad and not read", 3, processors=(bad, unread)),
        named("not read", 4, processors=(unread,)),
        named("waived and not read", 5, processors=(bad, unread), tags={"accepted": "yes"}),
        named("does not apply", 6),
    ]
    run = journal(tmp_path, *flows)
    rule = loaded(
        tmp_path,
        when={"name": {"not_equals": "does not apply"}},
        require={"processors": {"each": {"fallback_action": "ABORT"}}},
        message="x",
        tests=[
            {"name": "good", "given": {}, "expect": "pass"},
            {"name": "bad", "given": {"processors": [{"fallback_action": "CONTINUE"}]}, "expect": "fail"},
        ],
    )
    accepted = waivers(rules=(rule.info.id,), resource=Pattern(tags={"accepted": "yes"}))

    found = audit(run, [rule], "2026-01-02T00:00:00Z", accepted)

    assert found.summary.rules == {
        "sound": RuleCounts(passed=1, failed=2, unknown=1, waived=1, not_applicable=1),
    }
    assert (found.summary.by_status["pass"], found.summary.by_status["not_applicable"]) == (1, 1)
