"""Rules on an app instance that read its channel flows, with processors and functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import UNSET

from scanner.judge.evaluate import Evaluation
from scanner.judge.tally import Tally
from scanner.language import healthy
from scanner.language.examples import NOW
from scanner.language.rule import Rule
from scanner.language.vocabulary import narrowed
from scanner.model import facts
from scanner.model.facts import ChannelFlow
from scanner.model.report import Finding
from scanner.outcome.waivers import Waivers
from scanner.store.spool import Spool
from tests.judge.facts import app_instance, gap
from tests.language.rule_files import loaded

ENDS_IN_ABORT = {"flows": {"some": {"processors": {"last": {"fallback_action": "ABORT"}}}}}
OPEN: dict[str, Any] = {"processors": [{"fallback_action": "CONTINUE"}]}
TESTS = [
    {"name": "good", "given": {"flows": [OPEN, {}]}, "expect": "pass"},
    {"name": "bad", "given": {"flows": [OPEN]}, "expect": "fail"},
]


def rule(folder: Path, **changes: Any) -> Rule:
    own = {"resource": "app_instance", "require": ENDS_IN_ABORT, "tests": TESTS, "message": "{name}"}
    return loaded(folder, **own | changes)


def found(folder: Path, rule: Rule, *flows: ChannelFlow, broken: facts.Gap | None = None) -> list[Finding]:
    seen = facts.AppInstance(
        **{name: getattr(app_instance(), name) for name in ("arn", "id", "name", "account_id", "region", "partition")}
    )
    findings = Spool(folder, Finding)
    Tally(Evaluation([rule], NOW), Waivers(today=NOW.date()), findings).app_instance(seen, flows, broken)
    return list(findings)


def flow(number: int, **given: Any) -> ChannelFlow:
    return healthy.channel_flow({"arn": f"flow-{number}", "name": f"flow {number}", **given})


def test_one_flow_whose_last_processor_aborts_is_enough(tmp_path: Path) -> None:
    assert found(tmp_path, rule(tmp_path), flow(0, **OPEN), flow(1)) == []

    (failed,) = found(tmp_path, rule(tmp_path), flow(1, **OPEN), flow(0, **OPEN))
    assert [each.path for each in failed.evidence[:2]] == [
        f"flows[{index}].processors[0].fallback_action" for index in (0, 1)
    ]


def test_a_fact_that_one_flow_lacks_has_its_gap_and_a_list_that_broke_off_is_unknown(tmp_path: Path) -> None:
    hidden = healthy.channel_flow({"processors": UNSET})
    hidden.gaps["processors"] = gap(reason="it is malformed")

    (unknown,) = found(tmp_path, rule(tmp_path), flow(0, **OPEN), hidden)
    (unlisted,) = found(tmp_path, rule(tmp_path), flow(0), broken=gap())

    assert "it is malformed" in unknown.message
    assert "access was denied" in unlisted.message


def test_the_same_function_in_two_flows_is_two_findings(tmp_path: Path) -> None:
    require = {"flows": {"each": {"processors": {"each": {"fallback_action": "ABORT"}}}}}
    message = "{name} of {flow.name} of {app_instance.name}"

    failed = found(tmp_path, rule(tmp_path, require=require, message=message), flow(0, **OPEN), flow(1, **OPEN))

    assert len({each.fingerprint for each in failed}) == 2
    assert {each.message for each in failed} == {f"processor-1 of flow {index} of support" for index in (0, 1)}


def test_evidence_names_the_flows_that_its_paths_are_in(tmp_path: Path) -> None:
    (failed,) = found(tmp_path, rule(tmp_path), flow(1, **OPEN), flow(0, **OPEN))

    assert [(each.path, each.observed) for each in failed.evidence[2:]] == [
        ("flows[0].name", "flow 0"),
        ("flows[0].arn", "flow-0"),
        ("flows[1].name", "flow 1"),
        ("flows[1].arn", "flow-1"),
    ]


def test_only_what_a_rule_names_of_flows_is_kept(tmp_path: Path) -> None:
    names = rule(
        tmp_path,
        require={"flows": {"unique": "name"}},
        tests=[
            {"name": "good", "given": {}, "expect": "pass"},
            {"name": "bad", "given": {"flows": [{"name": "x"}, {"name": "x"}]}, "expect": "fail"},
        ],
    )
    whole = flow(0)

    assert names.reads_of_flows == {"arn", "name"}
    assert rule(tmp_path).reads_of_flows == {"arn", "name", "processors"}
    assert narrowed(whole, names.reads_of_flows, whole).processors is UNSET
    assert narrowed(flow(1), names.reads_of_flows, whole).app_instance is whole.app_instance


def test_flows_have_facets_and_no_order(tmp_path: Path) -> None:
    require = {"flows": {"each": {"processors": {"each": {"lambda.function.timeout_seconds": {"gte": 10}}}}}}
    tests = [
        {"name": "good", "given": {"flows": []}, "expect": "pass"},
        {"name": "bad", "given": {}, "expect": "fail"},
        {"name": "unknown", "given": {"flows": "unknown"}, "expect": "unknown"},
    ]
    tests[2]["given"] = {"flows": [{"processors": [{"lambda": {"function": {"timeout_seconds": 20}}}]}]}

    assert rule(tmp_path, require=require, tests=tests).facets == {"function"}


def test_a_message_says_the_values_of_parameters(tmp_path: Path) -> None:
    params = {"wanted": {"type": "list", "default": ["a", "b"], "description": "Names"}}
    named = loaded(
        tmp_path,
        params=params,
        require={"name": {"in": {"param": "wanted"}}},
        message="{name}: {param.wanted}",
        tests=[
            {"name": "x", "given": {"name": "a"}, "expect": "pass"},
            {"name": "y", "given": {"name": "c"}, "expect": "fail"},
        ],
    )

    (failed,) = Evaluation([named], NOW).judge(flow(0)).findings

    assert failed.message == "flow 0: a, b"
