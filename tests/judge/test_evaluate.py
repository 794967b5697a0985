"""scanner.judge.evaluate: findings with parts, evidence, gaps and clear messages."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET, structs

from scanner.judge.evaluate import Evaluation, Judged
from scanner.language.examples import NOW
from scanner.language.rule import configured
from scanner.model.facts import Processor
from scanner.model.report import Evidence, GapReference, PipelineStep, Status, fingerprint
from tests.judge.facts import OTHER_ACCOUNT, app_instance, flow, function, gap
from tests.language.rule_files import loaded

ABORTS: dict[str, Any] = {"processors": {"each": {"fallback_action": "ABORT"}}}


def step(name: str = "p", action: Any = "CONTINUE", **facts: Any) -> Processor:
    return Processor(name=name, fallback_action=action, **{"lambda_": function(name), **facts})


def test_a_rule_that_holds_is_counted_and_says_nothing(tmp_path: Path) -> None:
    evaluation = Evaluation([loaded(tmp_path)], NOW)

    assert evaluation.judge(flow()) == Judged([], [])


def test_a_fail_says_what_to_do_about_this_very_processor(tmp_path: Path) -> None:
    require = {"processors": {"each": {"fallback_action": "ABORT"}}}
    rule = loaded(tmp_path, require=require, remediation="aws x PROCESSOR_NAME in REGION")
    steps = (step("a", "ABORT"), step("b", "CONTINUE"))

    (finding,) = Evaluation([rule], NOW).judge(flow(*steps)).findings

    assert finding.remediation == f"aws x b in {flow().region}"
    assert rule.info.remediation == "aws x PROCESSOR_NAME in REGION"


def test_evidence_shows_what_the_rule_names_besides_but_nothing_unknown(tmp_path: Path) -> None:
    rule = loaded(tmp_path, evidence=["app_instance.name", "has_channels", "region"])

    (finding,) = Evaluation([rule], NOW).judge(flow(name="x")).findings

    besides = "nothing: it is shown for information"
    assert finding.evidence[1:] == (
        Evidence(path="app_instance.name", observed="support", required=besides),
        Evidence(path="region", observed=flow().region, required=besides),
    )


def test_a_fail_carries_everything_a_reader_needs(tmp_path: Path) -> None:
    rule = loaded(tmp_path, frameworks={"soc2": ["CC6.1"]})

    (finding,) = Evaluation([rule], NOW).judge(flow(step(), name="x")).findings

    assert (finding.rule_id, finding.title, finding.severity, finding.status) == (
        "sound",
        "Something is wrong",
        "low",
        Status.FAIL,
    )
    assert finding.message == "the flow is called x"
    assert finding.evidence == (Evidence(path="name", observed="x", required="equals flow"),)
    assert finding.remediation == "Mend it."
    assert finding.references == ("https://docs.aws.amazon.com/chime-sdk/",)
    assert finding.frameworks == {"soc2": ("CC6.1",)}
    assert finding.fingerprint == fingerprint("sound", flow().arn)
    assert finding.resource.app_instance_name == "support"
    assert finding.resource.processors == (
        PipelineStep(name="p", execution_order=None, fallback_action="CONTINUE", lambda_arn=function("p").arn),
    )


def test_there_is_one_finding_for_each_processor_that_fails(tmp_path: Path) -> None:
    rule = loaded(tmp_path, require=ABORTS, message="processor {name} of {flow.name}", tests=_tests())
    resource = flow(step("b"), step("ok", "ABORT"), step("a"))

    findings = Evaluation([rule], NOW).judge(resource).findings

    assert [finding.message for finding in findings] == ["processor a of flow", "processor b of flow"]
    assert [finding.evidence[0].path for finding in findings] == [
        "processors[2].fallback_action",
        "processors[0].fallback_action",
    ]
    assert findings[0].fingerprint == fingerprint("sound", resource.arn, function("a").bare_arn)


def test_a_fingerprint_outlives_a_new_version_another_name_and_another_place(tmp_path: Path) -> None:
    rule = loaded(tmp_path, require=ABORTS, message="x", tests=_tests())

    (before,) = Evaluation([rule], NOW).judge(flow(step("a"))).findings
    (after,) = (
        Evaluation([rule], NOW)
        .judge(flow(step("ok", "ABORT"), step("b", lambda_=function("a", qualifier="2")), name="renamed"))
        .findings
    )

    assert before.fingerprint == after.fingerprint


def test_equal_fingerprints_merge(tmp_path: Path) -> None:
    rule = loaded(tmp_path, require=ABORTS, message="processor {name}", tests=_tests())

    (finding,) = (
        Evaluation([rule], NOW).judge(flow(step("a"), step("b", lambda_=function("a", qualifier="2")))).findings
    )

    assert finding.message == "processor a; processor b"
    assert [evidence.path for evidence in finding.evidence] == [
        "processors[0].fallback_action",
        "processors[1].fallback_action",
    ]


def test_processors_whose_functions_are_unknown_share_a_part(tmp_path: Path) -> None:
    rule = loaded(tmp_path, require=ABORTS, message="x", tests=_tests())

    (finding,) = Evaluation([rule], NOW).judge(flow(step("a", lambda_=UNSET), step("b", lambda_=UNSET))).findings

    assert finding.fingerprint == fingerprint("sound", flow().arn, "unknown-function")


def test_conditions_inside_and_outside_the_list_give_their_own_findings(tmp_path: Path) -> None:
    rule = loaded(tmp_path, require={"name": "other", **ABORTS}, message="{name}", tests=_tests())

    assert [finding.message for finding in Evaluation([rule], NOW).judge(flow(step("a"))).findings] == ["flow", "a"]


def test_alternatives_that_fail_are_one_finding(tmp_path: Path) -> None:
    rule = loaded(tmp_path, require={"any_of": [{"name": "other"}, ABORTS]}, message="{name}", tests=_tests())

    (finding,) = Evaluation([rule], NOW).judge(flow(step("a"), step("b"))).findings

    assert finding.message == "flow"
    assert finding.fingerprint == fingerprint("sound", flow().arn)
    assert len(finding.evidence) == 3


def test_one_processor_fails_while_another_is_unknown(tmp_path: Path) -> None:
    rule = loaded(tmp_path, require=ABORTS, message="{name}", tests=_tests())

    findings = Evaluation([rule], NOW).judge(flow(step("a"), step("b", UNSET))).findings

    assert [finding.status for finding in findings] == [Status.FAIL, Status.UNKNOWN]


def test_an_unknown_names_the_gap_behind_it(tmp_path: Path) -> None:
    cause = gap(reason="access was denied")
    resource = flow(step("a", UNSET), gaps={"processors[0].fallback_action": cause})

    (finding,) = (
        Evaluation([loaded(tmp_path, require=ABORTS, message="x", tests=_tests())], NOW).judge(resource).findings
    )

    assert finding.status is Status.UNKNOWN
    assert finding.message == '"Something is wrong" could not be judged: access was denied'
    assert finding.evidence == (
        Evidence(
            path="processors[0].fallback_action",
            observed=None,
            required="equals ABORT",
            gap=GapReference.to(cause),
        ),
    )


@pytest.mark.parametrize(
    "path", ["processors[0].lambda.account_id", "processors[0].lambda", "processors[0]", "processors"]
)
def test_the_gap_of_a_parent_stands_for_what_lies_in_it(tmp_path: Path, path: str) -> None:
    require = {"processors": {"each": {"lambda.account_id": {"equals": {"field": "flow.account_id"}}}}}
    rule = loaded(tmp_path, require=require, message="x", tests=_tests(given={"lambda": {"account_id": OTHER_ACCOUNT}}))
    wrong = gap("Other", "something else")
    resource = flow(step("a", lambda_=UNSET), gaps={path: gap(), "name": wrong, "processors[1]": wrong})

    (finding,) = Evaluation([rule], NOW).judge(resource).findings

    assert finding.evidence[0].gap == GapReference.to(gap())


def test_an_unknown_without_a_gap_names_the_fact(tmp_path: Path) -> None:
    (finding,) = Evaluation([loaded(tmp_path)], NOW).judge(flow(name=UNSET)).findings

    assert finding.message == '"Something is wrong" could not be judged: name is not known'
    assert finding.evidence[0].gap is UNSET
    assert finding.resource.name is None


def test_processors_that_were_not_observed_are_unknown_and_not_shown(tmp_path: Path) -> None:
    rule = loaded(tmp_path, require=ABORTS, message="x", tests=_tests())

    (finding,) = Evaluation([rule], NOW).judge(flow(known=False, gaps={"processors": gap()})).findings

    assert finding.status is Status.UNKNOWN
    assert finding.resource.processors == ()
    assert finding.fingerprint == fingerprint("sound", flow().arn)


@pytest.mark.parametrize(
    ("when", "require", "status", "applies"),
    [
        (False, True, None, False),
        (False, False, None, False),
        (False, None, None, False),
        (True, True, None, True),
        (True, False, Status.FAIL, True),
        (True, None, Status.UNKNOWN, True),
        (None, True, None, True),
        (None, False, Status.UNKNOWN, True),
        (None, None, Status.UNKNOWN, True),
    ],
)
def test_when_and_require_by_kleene(
    tmp_path: Path, when: bool | None, require: bool | None, status: Status | None, applies: bool
) -> None:
    orders = {True: 1, False: 2, None: UNSET}
    rule = loaded(
        tmp_path,
        when={"processors": {"each": {"execution_order": 1}}},
        require={"processors": {"each": {"is_last": True}}},
        message="x",
        tests=_tests(given={"is_last": False}),
    )
    evaluation = Evaluation([rule], NOW)

    facts = {"execution_order": orders[when], "is_last": UNSET if require is None else require}
    judged = evaluation.judge(flow(step("a", **facts)))

    assert [finding.status for finding in judged.findings] == ([] if status is None else [status])
    assert judged.not_applicable == ([] if applies else ["sound"])


def test_unknown_facts_in_a_message_are_called_unknown(tmp_path: Path) -> None:
    rule = loaded(
        tmp_path, require=ABORTS, message="{name} {lambda.qualifier} {is_last} {execution_order}", tests=_tests()
    )
    unqualified = function("a", qualifier=None)

    (finding,) = Evaluation([rule], NOW).judge(flow(step(lambda_=unqualified, is_last=True))).findings

    assert finding.message == "p (none) true (unknown)"


def test_a_list_that_lacks_elements_is_said_to(tmp_path: Path) -> None:
    require = {"processors": {"last": {"fallback_action": "ABORT"}}}
    rule = loaded(tmp_path, require=require, message="processor {name}", tests=_tests())

    (finding,) = Evaluation([rule], NOW).judge(flow()).findings

    assert finding.message == "Something is wrong: there are no processors"
    assert finding.evidence[0].observed == ()


def test_a_list_of_which_no_element_is_chosen_is_not_called_empty(tmp_path: Path) -> None:
    require = {"processors": {"where": {"name": "other"}, "some": {"fallback_action": "ABORT"}}}
    rule = loaded(tmp_path, require=require, message="nothing in {name}", tests=_tests())

    (finding,) = Evaluation([rule], NOW).judge(flow(step())).findings

    assert finding.message == f"nothing in {flow().name}"
    assert finding.evidence[0].required.startswith("at least one (where name equals other, some:")


def test_findings_are_sorted_by_rule_and_part(tmp_path: Path) -> None:
    rules = [
        loaded(tmp_path, id=name, require=ABORTS, message="{name}", tests=_tests()) for name in ("z-rule", "a-rule")
    ]

    findings = Evaluation(rules, NOW).judge(flow(step("b"), step("a"))).findings

    assert [(finding.rule_id, finding.message) for finding in findings] == [
        ("a-rule", "a"),
        ("a-rule", "b"),
        ("z-rule", "a"),
        ("z-rule", "b"),
    ]


def test_app_instances_are_judged_by_their_own_rules(tmp_path: Path) -> None:
    rules = [loaded(tmp_path, id="of-flows"), loaded(tmp_path, id="of-instances", resource="app_instance")]
    evaluation = Evaluation(rules, NOW)

    (finding,) = evaluation.judge(app_instance(name="support")).findings

    assert finding.rule_id == "of-instances"
    assert finding.resource.type == "app_instance"
    assert finding.resource.app_instance_arn == app_instance().arn


def test_an_organisation_can_set_parameters_and_severity(tmp_path: Path) -> None:
    params = {"accounts": {"type": "list", "default": [], "description": "Accounts"}}
    require = {"processors": {"each": {"lambda.account_id": {"in": {"param": "accounts"}}}}}
    rule = loaded(tmp_path, params=params, require=require, message="x", tests=_tests_of_params())

    assert Evaluation([rule], NOW).judge(flow(step())).findings
    assert (
        not Evaluation([configured(rule, settings={"accounts": (flow().account_id,)})], NOW)
        .judge(flow(step()))
        .findings
    )


@pytest.mark.parametrize(
    "path", ["processors[0].lambda.function.runtime", "processors[0].lambda.function", "processors[0].lambda"]
)
def test_a_facet_that_was_not_read_names_its_gap(tmp_path: Path, path: str) -> None:
    require = {"processors": {"each": {"lambda.function.runtime": {"not_equals": "go1.x"}}}}
    bad = {"lambda": {"function": {"runtime": "go1.x"}}}
    rule = loaded(tmp_path, require=require, message="x", tests=[*_tests(given=bad), AN_UNKNOWN])

    (finding,) = Evaluation([rule], NOW).judge(flow(step("a"), gaps={path: gap("GetFunctionConfiguration")})).findings

    assert finding.status is Status.UNKNOWN
    assert finding.evidence[0].path == "processors[0].lambda.function.runtime"
    assert finding.evidence[0].gap == GapReference.to(gap("GetFunctionConfiguration"))


def test_zero_is_a_value_with_which_a_rule_is_on(tmp_path: Path) -> None:
    most = {"type": "integer", "default": "", "description": "How many"}
    params = {"most": 0}
    tests = [
        {"name": "good", "given": {"processors": []}, "params": params, "expect": "pass"},
        {"name": "bad", "given": {}, "params": params, "expect": "fail"},
    ]
    rule = loaded(
        tmp_path,
        params={"most": most},
        off_unless="most",
        require={"processors": {"count": {"lte": {"param": "most"}}}},
        message="x",
        tests=tests,
    )

    assert rule.off
    assert not configured(rule, settings={"most": 0}).off


def test_a_rule_that_is_off_applies_to_nothing_until_its_parameter_is_given(tmp_path: Path) -> None:
    rule = loaded(
        tmp_path,
        params={"after": {"type": "duration", "default": "", "description": "An age"}},
        off_unless="after",
        require={"updated_at": {"newer_than": {"param": "after"}}},
        message="changed on {updated_at}",
        tests=[
            {"name": "good", "given": {"updated_at": "1d"}, "params": {"after": "2d"}, "expect": "pass"},
            {"name": "bad", "given": {"updated_at": "3d"}, "params": {"after": "2d"}, "expect": "fail"},
            AN_UNKNOWN,
        ],
    )
    old = structs.replace(flow(), updated_at=NOW - timedelta(days=3))
    set_ = configured(rule, settings={"after": "2d"})
    off, on = Evaluation([rule], NOW), Evaluation([set_], NOW)

    assert off.judge(old) == Judged([], ["sound"])
    assert [finding.message for finding in on.judge(old).findings] == ["changed on 2025-12-29T00:00:00Z"]
    assert (set(rule.facets), set(set_.facets)) == (set(), {"detail"})


def test_an_app_instance_is_judged_by_its_flows(tmp_path: Path) -> None:
    tests = [
        {"name": "good", "given": {"flows": [{}]}, "expect": "pass"},
        {"name": "bad", "given": {"flows": [{"name": "x"}, {"name": "x"}]}, "expect": "fail"},
    ]
    require = {"flows": {"unique": "name"}}
    rule = loaded(tmp_path, resource="app_instance", require=require, message="{name}", tests=tests)
    evaluation = Evaluation([rule], NOW)

    def verdicts(*names: Any) -> list[Status]:
        flows = tuple(structs.replace(flow(name=name), arn=f"f{index}") for index, name in enumerate(names))
        return [finding.status for finding in evaluation.judge(structs.replace(app_instance(), flows=flows)).findings]

    assert evaluation.reads_of_flows == {"arn", "name"}
    assert not Evaluation([loaded(tmp_path)], NOW).reads_of_flows
    assert verdicts("a", "b") == []
    assert verdicts("a", "a", UNSET) == [Status.FAIL]
    assert verdicts("a", UNSET) == [Status.UNKNOWN]
    assert [finding.status for finding in evaluation.judge(app_instance()).findings] == [Status.UNKNOWN]


def test_hostile_names_reach_the_message_as_they_are(tmp_path: Path) -> None:
    hostile = '<script>{0.__class__}\u202e\n"%s'

    (finding,) = Evaluation([loaded(tmp_path)], NOW).judge(flow(name=hostile)).findings

    assert finding.message == f"the flow is called {hostile}"


AN_UNKNOWN = {"name": "not observed", "given": {}, "expect": "unknown"}
"""A test that rules with a facet must have; its verdict does not matter here."""


def _tests(given: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    bad = given or {"fallback_action": "CONTINUE"}
    return [
        {"name": "good", "given": {"name": "other"}, "expect": "pass"},
        {"name": "bad", "given": {"processors": [bad]}, "expect": "fail"},
    ]


def _tests_of_params() -> list[dict[str, Any]]:
    accounts = {"accounts": ["111122223333"]}
    return [
        {"name": "good", "given": {}, "params": accounts, "expect": "pass"},
        {"name": "bad", "given": {}, "expect": "fail"},
    ]
