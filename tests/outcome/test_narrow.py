"""scanner.outcome.narrow: a report on one framework alone."""

from __future__ import annotations

from typing import TypeVar

import pytest
from msgspec import UNSET, structs

from scanner.errors import UsageError
from scanner.model.report import BaselineRun, CarriedOver, Finding, Report, RuleInfo
from scanner.outcome import narrow
from tests.render import sample

Described = TypeVar("Described", Finding, RuleInfo)
CHOICE = sample.FAILS_OPEN.id


def mixed() -> Report:
    """A report of whose rules only the first, which is waived once, belongs to soc2."""
    whole = sample.rich()

    def moved(described: Described, id_: str) -> Described:
        return described if id_ == CHOICE else structs.replace(described, frameworks={"nist-800-53-r5": ("SC-24",)})

    return structs.replace(
        whole,
        rules=tuple(moved(rule, rule.id) for rule in whole.rules),
        findings=tuple(moved(finding, finding.rule_id) for finding in whole.findings),
    )


def test_rules_findings_and_controls_of_other_frameworks_are_left_out_and_the_counts_follow() -> None:
    whole = mixed()

    found = narrow.to_framework(whole, "soc2")

    assert [rule.id for rule in found.rules] == [CHOICE]
    assert {finding.rule_id for finding in found.findings} == {CHOICE}
    assert {finding.status for finding in found.findings} == {"fail", "waived"}
    named = [*(finding.frameworks for finding in found.findings), *(rule.frameworks for rule in found.rules)]
    assert named == [{"soc2": ("CC6.1",)}] * len(named)
    assert [control.framework for control in found.controls or ()] == ["soc2"]
    assert found.summary.by_severity["high"] == found.summary.by_status["fail"] == found.summary.by_rule[CHOICE]
    assert set(found.summary.rules or ()) == set(found.summary.by_rule) == {CHOICE}
    assert found.summary.by_status["pass"] == 163
    assert (found.coverage, found.scope) == (whole.coverage, whole.scope)
    assert found.run.options["framework"] == "soc2"


def test_what_is_carried_over_is_narrowed_too() -> None:
    whole = mixed()
    carried = tuple(
        CarriedOver(finding=finding, last_seen="2026-11-21T03:00:12Z", reason="denied") for finding in whole.findings
    )

    before = BaselineRun(id="last", started_at="2026-11-21T03:00:12Z", fixed=3)
    found = narrow.to_framework(structs.replace(whole, baseline=before, carried_over=carried), "soc2")

    assert {each.finding.rule_id for each in found.carried_over or ()} == {CHOICE}
    assert found.baseline == structs.replace(before, fixed=UNSET)


def test_what_a_report_of_an_older_version_lacks_is_absent() -> None:
    whole = mixed()
    old = structs.replace(whole, summary=structs.replace(whole.summary, rules=UNSET), controls=UNSET)

    found = narrow.to_framework(old, "soc2")

    assert found.controls is found.summary.rules is UNSET
    assert "pass" not in found.summary.by_status
    assert found.summary.by_status["fail"] > 0


def test_an_unknown_framework_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UsageError) as raised:
        narrow.to_framework(mixed(), "soc")

    assert raised.value.hint == 'There is acme, nist-800-53-r5 or soc2; did you mean "soc2"?'
    with pytest.raises(UsageError) as raised:
        narrow.to_framework(sample.report(rules=()), "soc2")
    assert raised.value.hint == "None of its rules names one."
