"""scanner.judge.controls: a control is satisfied only by what was seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import resources
from scanner.judge.controls import controls
from scanner.language.frameworks import natural, supports
from scanner.language.rule import load
from scanner.model.facts import READ_FILE, Gap
from scanner.model.operations import FACETS, LISTS, ORGANIZATION
from scanner.model.report import Control, RuleCounts, Waiver
from scanner.model.report import ReportedGap as Reported
from tests.language.rule_files import loaded

RULES = load([resources.rules()])
OF_FACTS = {operation.name for operations in FACETS.values() for operation in operations}
OF_ROLES = {operation.name for operation in FACETS["chat_roles"]}
HIDING = sorted(operation.name for operation in {*LISTS, *ORGANIZATION})
WAIVER = Waiver(reason="so be it", owner="me", expires="2026-12-31")
COUNTS = st.builds(RuleCounts, **dict.fromkeys(RuleCounts.__struct_fields__, st.integers(min_value=0, max_value=2)))


def gap(operation: str, *, waived: bool = False, code: str = "AccessDenied") -> Reported:
    waiver = WAIVER if waived else None
    return Reported(account_id="1", operation=operation, code=code, reason="denied", waiver=waiver)


def control(tmp_path: Path, counts: RuleCounts | None, *gaps: Gap, left_out: bool = False) -> Control:
    """The control that one rule on channel flows supports; without counts it did not run."""
    rule = loaded(tmp_path, frameworks={"soc2": ["CC6.1"]})
    ran = {"sound": counts} if counts else {}
    (only,) = controls([rule], ran, gaps, supports(), ["sound"] if left_out else [])
    return only


PASSED = RuleCounts(passed=3, not_applicable=1)


@pytest.mark.parametrize(
    ("counts", "status", "accepted"),
    [
        (PASSED, "satisfied", False),
        (RuleCounts(), "not-determined", False),
        (RuleCounts(not_applicable=4), "not-determined", False),
        (RuleCounts(passed=3, unknown=1), "not-determined", False),
        (RuleCounts(passed=3, failed=1), "not-satisfied", False),
        (RuleCounts(passed=3, failed=1, unknown=1, waived=1), "not-satisfied", False),
        (RuleCounts(passed=3, waived=1), "not-satisfied", True),
        (RuleCounts(unknown=1, waived=1), "not-satisfied", True),
        (None, "not-determined", False),
    ],
)
def test_the_status_follows_the_counts(tmp_path: Path, counts: RuleCounts | None, status: str, accepted: bool) -> None:
    found = control(tmp_path, counts)

    assert (found.status, found.accepted) == (status, accepted)
    assert (found.framework, found.control, found.rules) == ("soc2", "CC6.1", ("sound",))
    assert found.supports == supports()["soc2"]["CC6.1"]


@pytest.mark.parametrize("waived", [True, False])
@pytest.mark.parametrize("operation", [*HIDING, READ_FILE, "AssumeRole", "SomethingNew"])
def test_a_gap_that_hides_resources_leaves_a_control_open_even_if_it_is_waived(
    tmp_path: Path, operation: str, waived: bool
) -> None:
    assert control(tmp_path, PASSED, gap(operation, waived=waived)).status == "not-determined"
    assert control(tmp_path, RuleCounts(passed=1, failed=1), gap(operation)).status == "not-satisfied"


def test_a_gap_in_a_fact_leaves_open_only_what_it_made_unknown(tmp_path: Path) -> None:
    of_facts = [gap(operation) for operation in sorted(OF_FACTS - OF_ROLES)]
    valueless = gap("ListChannelFlows", code="MissingValue")

    assert control(tmp_path, PASSED, *of_facts, valueless, gap(*OF_ROLES)).status == "satisfied"


def test_a_list_of_roles_that_was_not_read_leaves_open_what_is_judged_by_roles() -> None:
    on_roles = [rule for rule in RULES if rule.info.resource == "role"]
    counts = {rule.info.id: PASSED for rule in RULES}

    by_name = {(each.framework, each.control): each for each in controls(RULES, counts, [gap(*OF_ROLES)], {})}

    touched = {(name, control) for rule in on_roles for name, own in rule.info.frameworks.items() for control in own}
    assert touched
    assert {name for name, each in by_name.items() if each.status == "not-determined"} == touched


def test_a_rule_that_was_not_applied_everywhere_leaves_its_control_open(tmp_path: Path) -> None:
    assert control(tmp_path, PASSED, left_out=True).status == "not-determined"


@given(
    ran=st.dictionaries(st.sampled_from([rule.info.id for rule in RULES]), COUNTS),
    gaps=st.lists(st.sampled_from([*HIDING, *sorted(OF_FACTS)]).map(gap), max_size=2),
    left_out=st.sets(st.sampled_from([rule.info.id for rule in RULES]), max_size=3),
)
def test_no_control_is_satisfied_with_a_failure_an_unknown_or_a_gap_over_it(
    ran: dict[str, RuleCounts], gaps: list[Reported], left_out: set[str]
) -> None:
    hidden = any(each.operation in HIDING for each in gaps)
    for each in controls(RULES, ran, gaps, supports(), left_out):
        own = [ran.get(id_) for id_ in each.rules]
        if each.status == "satisfied":
            assert each.passed > 0
            assert not hidden
            assert not left_out.intersection(each.rules)
            assert all(one and not (one.failed or one.waived or one.unknown) for one in own)
        if any(one and (one.failed or one.waived) for one in own):
            assert each.status == "not-satisfied"


def test_controls_stand_in_their_natural_order() -> None:
    ordered = ["A.5.9", "A.8.3", "A.8.11", "AC-2", "AC-10", "CM-8", "CM-8(4)", "x" + "9" * 5000]

    assert sorted(set(ordered), key=natural) == ordered
