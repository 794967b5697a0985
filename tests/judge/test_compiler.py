"""The condition language, from YAML to verdicts: grammar, operands, compiler and judgement together."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType, structs

from scanner.judge.judgement import Compiled, EvaluationContext
from scanner.language.examples import NOW
from scanner.language.vocabulary import attributes, fields
from scanner.model.facts import ChannelFlow, Function
from scanner.model.logic import Truth
from tests.judge import reference
from tests.judge.conditions import compiled, evidence, judge, step
from tests.judge.facts import ACCOUNT, flow, function
from tests.language.strategies import CONDITIONS, FLOWS


@pytest.mark.parametrize(
    ("matcher", "verdict"),
    [
        ("flow", True),
        ({"equals": "flow"}, True),
        ({"not_equals": "flow"}, False),
        ({"in": ["flow", "other"]}, True),
        ({"in": []}, False),
        ({"not_in": ["flow"]}, False),
        ({"contains": "lo"}, True),
        ({"starts_with": "fl", "ends_with": "ow"}, True),
        ({"starts_with": "fl", "ends_with": "x"}, False),
        ({"matches": "l.w"}, True),
        ({"matches": "^l"}, False),
        ({"not_matches": "^l"}, True),
        ({"like": "f?o*"}, True),
        ({"like": "lo"}, False),
        ({"like": "fl.w"}, False),
        ({"not_like": "*x*"}, True),
        ({"exists": True}, True),
        ({"exists": False}, False),
        ({"equals": {"field": "app_instance.name"}}, False),
        ({"field": "app_instance.name"}, False),
        ({"field": "name"}, True),
    ],
)
def test_operators_on_text(matcher: object, verdict: bool) -> None:
    resource = flow(name="flow")

    assert judge({"name": matcher}, resource).holds is verdict
    assert judge({"not": {"name": matcher}}, resource).holds is not verdict
    assert judge({"name": matcher}, flow(name=UNSET)).holds is UNSET


@pytest.mark.parametrize(
    ("matcher", "verdict"),
    [({"gt": 1}, True), ({"gt": 2}, False), ({"gte": 2}, True), ({"lt": 2}, False), ({"lte": 2}, True), (2, True)],
)
def test_operators_on_numbers(matcher: object, verdict: bool) -> None:
    written = {"processors": {"each": {"execution_order": matcher}}}

    assert judge(written, flow(step(execution_order=2))).holds is verdict
    assert judge(written, flow(step())).holds is UNSET


def test_what_is_known_to_be_absent_fulfils_only_negative_operators() -> None:
    resource = flow(step(lambda_=function(qualifier=None)))

    def verdict(matcher: object) -> Truth:
        return judge({"processors": {"each": {"lambda.qualifier": matcher}}}, resource).holds

    assert verdict({"exists": False}) is True
    assert verdict({"not_equals": "1"}) is True
    assert verdict({"not_in": ["1"]}) is True
    assert verdict({"not_matches": "1"}) is True
    assert verdict({"contains": ""}) is False
    assert verdict({"matches": ""}) is False


GONE = structs.replace(function(), function=Function(exists=False, runtime=None, timeout_seconds=None), access=None)
NOT_THERE = step(name="gone", lambda_=GONE)
"""A processor whose function does not exist."""


@pytest.mark.parametrize(
    "said",
    [
        {"lambda.function.timeout_seconds": {"gte": 10}},
        {"lambda.function.timeout_seconds": {"not_in": [10]}},
        {"not": {"lambda.function.timeout_seconds": {"gte": 10}}},
        {"lambda.function.runtime": {"matches": "python"}},
        {"lambda.function.runtime": {"not_like": "python*"}},
        {"lambda.function.runtime": "python3.13"},
        {"lambda.access.public": {"not_equals": True}},
        {"lambda.access.public": False},
        {"lambda.access.other_accounts": {"count": {"gte": 1}}},
        {"lambda.access.other_accounts": {"some": "x"}},
        {"lambda.access.other_accounts": {"none": "x"}},
        {"not": {"lambda.access.other_accounts": {"contains": "x"}}},
        {"name": {"equals": {"field": "lambda.function.runtime"}}},
        {"name": {"not_equals": {"field": "lambda.function.runtime"}}},
    ],
)
def test_what_is_said_of_a_function_that_does_not_exist_is_neither_broken_nor_fulfilled(said: dict[str, Any]) -> None:
    there_too = flow(NOT_THERE)

    for quantifier in ("each", "first", "last", "none"):
        assert judge({"processors": {quantifier: said}}, there_too).holds is True
    assert judge({"processors": {"some": said}}, there_too).holds is False
    assert judge({"processors": {"where": said, "count": 0}}, there_too).holds is True
    assert judge({"processors": {"where": said, "each": {"name": "other"}}}, there_too).holds is True
    assert judge({"processors": {"each": {"when": said, "name": "other"}}}, there_too).holds is True


def test_whether_a_function_exists_and_what_its_arn_lacks_are_facts_like_any_other() -> None:
    resource = flow(structs.replace(NOT_THERE, lambda_=structs.replace(GONE, qualifier=None)))

    assert judge({"processors": {"each": {"lambda.function.exists": True}}}, resource).holds is False
    assert judge({"processors": {"each": {"lambda.access": {"exists": True}}}}, resource).holds is False
    assert judge({"processors": {"each": {"lambda.qualifier": {"matches": "."}}}}, resource).holds is False


def test_when_in_a_list_leaves_out_elements_it_does_not_hold_for() -> None:
    written = {"processors": {"each": {"when": {"name": {"like": "mask*"}}, "fallback_action": "ABORT"}}}

    assert judge(written, flow(step(name="log", fallback_action="CONTINUE"))).holds is True
    assert judge(written, flow(step(name="masking", fallback_action="CONTINUE"))).holds is False
    assert judge(written, flow(step(name=UNSET, fallback_action="CONTINUE"))).holds is UNSET


def test_values_of_chosen_elements_alone_must_not_repeat() -> None:
    written = {"processors": {"where": {"fallback_action": "ABORT"}, "unique": "name"}}
    same = [step(name="a", fallback_action="ABORT"), step(name="a", fallback_action="CONTINUE")]

    assert judge(written, flow(*same)).holds is True
    assert judge(written, flow(*same, step(name="a", fallback_action="ABORT"))).holds is False
    assert judge(written, flow(same[0], step(name="a"))).holds is UNSET


def test_inside_a_list_the_resource_can_be_compared_too() -> None:
    written = {"processors": {"some": {"flow.region": {"like": "eu-*"}}}}

    assert judge(written, flow(step())).holds is False
    assert evidence(written, flow(step())) == [("region", "us-east-1", "is like eu-*")]
    assert judge(written, structs.replace(flow(step()), region="eu-central-1")).holds is True


def test_evidence_names_path_value_and_requirement_of_each_leaf_that_failed() -> None:
    resource = flow(step(lambda_=function(account="999999999999")))
    written = {
        "processors": {
            "each": {
                "any_of": [
                    {"lambda.account_id": {"equals": {"field": "flow.account_id"}}},
                    {"lambda.account_id": {"in": ["1", "2"]}},
                ]
            }
        }
    }

    assert evidence(written, resource) == [
        ("processors[0].lambda.account_id", "999999999999", f"equals {ACCOUNT} (flow.account_id)"),
        ("processors[0].lambda.account_id", "999999999999", "in 1, 2"),
    ]


def test_evidence_leaves_out_what_held() -> None:
    assert [path for path, _, _ in evidence({"region": "us-east-1", "name": "x"}, flow())] == ["name"]


def test_not_is_moved_to_the_leaves() -> None:
    written = {"not": {"processors": {"some": {"name": {"starts_with": "p"}}}}}

    assert evidence(written, flow(step())) == [("processors[0].name", "p", "does not start with p")]


def test_an_unknown_reference_is_what_is_missing() -> None:
    written = {"processors": {"each": {"name": {"equals": {"field": "flow.name"}}}}}

    (note,) = judge(written, flow(step(), name=UNSET)).notes

    assert note.fact == "name"
    assert note.evidence.required == "known, because processors[0].name equals flow.name"


def test_observed_of_a_series_is_its_values() -> None:
    resource = flow(step(execution_order=1), step(execution_order=3))

    assert evidence({"processors": {"contiguous": "execution_order"}}, resource) == [
        ("processors", (1, 3), "execution_order runs from 1 without gaps or repeats")
    ]


@pytest.mark.parametrize(
    ("matcher", "verdict"),
    [
        ({"older_than": "3d"}, True),
        ({"older_than": "5d"}, False),
        ({"older_than": "96h"}, False),
        ({"newer_than": "5d"}, True),
        ({"newer_than": "96h"}, False),
        ({"more_days_ahead_than": -5}, True),
        ({"more_days_ahead_than": -4}, False),
        ({"more_days_ahead_than": 0}, False),
        ({"more_days_ahead_than": -(10**9)}, True),
        ({"more_days_ahead_than": 10**9}, False),
        ({"exists": True}, True),
    ],
)
def test_ages_count_from_the_moment_the_run_started(matcher: object, verdict: bool) -> None:
    resource = structs.replace(flow(), updated_at=NOW - timedelta(days=4))

    assert judge({"updated_at": matcher}, resource).holds is verdict
    assert judge({"not": {"updated_at": matcher}}, resource).holds is not verdict
    assert judge({"updated_at": matcher}, flow()).holds is UNSET


@pytest.mark.parametrize(("days", "verdict"), [(0, True), (3, True), (4, False)])
def test_days_ahead_count_from_the_moment_the_run_started(days: int, verdict: bool) -> None:
    resource = structs.replace(flow(), updated_at=NOW + timedelta(days=4))

    assert judge({"updated_at": {"more_days_ahead_than": days}}, resource).holds is verdict


def test_evidence_of_an_age_is_the_time() -> None:
    resource = structs.replace(flow(), updated_at=NOW - timedelta(days=4))

    assert evidence({"updated_at": {"newer_than": "1d"}}, resource) == [
        ("updated_at", "2025-12-28T00:00:00Z", "is newer than 1d")
    ]


def test_a_single_tag_is_a_text_that_can_be_absent() -> None:
    resource = structs.replace(flow(), tags={"aws:stack.name": "x"})

    assert judge({"tags.aws:stack.name": {"starts_with": "x"}}, resource).holds is True
    assert judge({"tags.owner": {"exists": False}}, resource).holds is True
    assert evidence({"tags.owner": {"exists": True}}, resource) == [("tags.owner", None, "exists")]
    assert judge({"tags.owner": {"exists": False}}, flow()).holds is UNSET


def test_required_keys_of_tags() -> None:
    resource = structs.replace(flow(), tags={"owner": "x", "stage": "y"})

    assert judge({"tags": {"has_keys": ["owner", "stage"]}}, resource).holds is True
    assert evidence({"tags": {"has_keys": ["owner", "cost"]}}, resource) == [
        ("tags", ("owner", "stage"), "has the keys owner, cost")
    ]


# --- against the reference ------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(CONDITIONS, FLOWS, st.integers())
def test_conditions_and_their_negations_agree_with_the_reference_in_whatever_order_of_keys(
    written: dict[str, Any], resource: ChannelFlow, seed: int
) -> None:
    expected = reference.holds(written, resource, resource)
    both, negated = compiled(written), compiled(written, negated=True)

    judgement = both.judge(EvaluationContext(root=resource, thing=resource))
    opposite = negated.judge(EvaluationContext(root=resource, thing=resource))

    assert judgement.holds is expected
    assert any(note.holds is expected for note in judgement.notes) or expected is True
    assert not surely(both, resource) or expected is True
    assert opposite.holds is reference.no(expected)
    assert not surely(negated, resource) or opposite.holds is True
    assert judge(shuffled(written, random.Random(seed)), resource).holds is expected  # noqa: S311


@settings(max_examples=150, deadline=None)
@given(CONDITIONS, FLOWS, st.randoms(use_true_random=False))
def test_the_order_of_processors_never_changes_a_verdict_and_forgetting_facts_keeps_it_or_makes_it_unknown(
    written: dict[str, Any], resource: ChannelFlow, chance: random.Random
) -> None:
    steps = list(resource.processors or ())
    chance.shuffle(steps)
    other = (
        resource if isinstance(resource.processors, UnsetType) else structs.replace(resource, processors=tuple(steps))
    )
    less = forgotten(resource, chance)

    verdict, with_less = judge(written, resource).holds, judge(written, less).holds

    assert judge(written, other).holds is verdict
    assert with_less in (verdict, UNSET)
    assert not surely(compiled(written), less) or with_less is True


def forgotten(thing: Any, chance: random.Random) -> Any:
    """A copy in which some known facts are unknown."""
    if isinstance(thing, tuple):
        return tuple(forgotten(each, chance) for each in thing)
    if not isinstance(thing, Struct):
        return thing
    known = {name: fact for name, fact in fields(type(thing)).items() if not fact.derived}
    changes = {}
    for name, fact in known.items():
        attribute = attributes(name)[0]
        value = getattr(thing, attribute)
        changes[attribute] = UNSET if fact.unknown and chance.random() < 0.2 else forgotten(value, chance)
    return structs.replace(thing, **changes)


def surely(both: Compiled, resource: ChannelFlow) -> bool:
    try:
        return both.certain(resource, resource)
    except (AttributeError, TypeError):
        return False


def shuffled(written: Any, order: random.Random) -> Any:
    if isinstance(written, list):
        return [shuffled(item, order) for item in written]
    if not isinstance(written, dict):
        return written
    keys = list(written)
    order.shuffle(keys)
    return {key: shuffled(written[key], order) for key in keys}
