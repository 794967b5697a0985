"""The condition language, from YAML to verdicts: grammar, operands, compiler, lists and judgement together."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from scanner.engine.compiler import compile_condition
from scanner.engine.conditions import Settings, negate
from scanner.engine.facts import ROOTS
from scanner.engine.given import NOW
from scanner.engine.grammar import condition
from scanner.engine.judgement import Compiled, Judgement, Scope
from scanner.engine.operands import Context
from scanner.engine.source import Mistakes, parse
from scanner.inventory import ChannelFlow, LambdaFunction, Processor
from tests.engine import reference
from tests.engine.build import ACCOUNT, flow, function


def compiled(written: dict[str, Any], *, negated: bool = False) -> Compiled:
    mistakes = Mistakes("x.yaml")
    root = ROOTS["channel_flow"]
    table = parse(json.dumps(written).encode(), mistakes)
    assert table is not None
    tree = condition(Context(root=root, params={}, mistakes=mistakes), table, root.type)
    assert not mistakes.found
    assert tree is not None
    return compile_condition(negate(tree) if negated else tree, Settings(params={}, now=NOW))


def judge(written: dict[str, Any], resource: ChannelFlow) -> Judgement:
    return compiled(written).judge(Scope(root=resource, thing=resource))


def evidence(written: dict[str, Any], resource: ChannelFlow) -> list[tuple[str, object, str]]:
    found = [note.evidence for note in judge(written, resource).notes]
    return [(each.path, each.observed, each.required) for each in found]


def step(**facts: Any) -> Processor:
    return Processor(**{"name": "p", "is_first": True, "is_last": True, **facts})


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
        ({"exists": True}, True),
        ({"exists": False}, False),
        ({"equals": {"field": "app_instance.name"}}, False),
    ],
)
def test_operators_on_text(matcher: object, verdict: bool) -> None:
    resource = flow(name="flow")

    assert judge({"name": matcher}, resource).holds is verdict
    assert judge({"not": {"name": matcher}}, resource).holds is not verdict
    assert judge({"name": matcher}, flow(name=UNSET)).holds is None


@pytest.mark.parametrize(
    ("matcher", "verdict"),
    [({"gt": 1}, True), ({"gt": 2}, False), ({"gte": 2}, True), ({"lt": 2}, False), ({"lte": 2}, True), (2, True)],
)
def test_operators_on_numbers(matcher: object, verdict: bool) -> None:
    written = {"processors": {"each": {"execution_order": matcher}}}

    assert judge(written, flow(step(execution_order=2))).holds is verdict
    assert judge(written, flow(step())).holds is None


def test_what_is_known_to_be_absent_fulfils_only_negative_operators() -> None:
    resource = flow(step(lambda_=function(qualifier=None)))

    def verdict(matcher: object) -> bool | None:
        return judge({"processors": {"each": {"lambda.qualifier": matcher}}}, resource).holds

    assert verdict({"exists": False}) is True
    assert verdict({"not_equals": "1"}) is True
    assert verdict({"not_in": ["1"]}) is True
    assert verdict({"not_matches": "1"}) is True
    assert verdict({"contains": ""}) is False
    assert verdict({"matches": ""}) is False


@pytest.mark.parametrize(
    ("quantifier", "empty"), [("each", True), ("none", True), ("some", False), ("first", False), ("last", False)]
)
def test_quantifiers_over_an_empty_list(quantifier: str, empty: bool) -> None:
    written = {"processors": {quantifier: {"name": "p"}}}

    judgement = judge(written, flow())

    assert judgement.holds is empty
    assert [(note.evidence.path, note.evidence.observed, note.empty) for note in judgement.notes] == (
        [] if empty else [("processors", (), "processors")]
    )


def test_a_list_that_is_unknown_is_unknown_under_every_matcher() -> None:
    for matcher in ({"each": {"name": "p"}}, {"some": {"name": "p"}}, {"count": 1}, {"unique": "name"}):
        assert judge({"processors": matcher}, flow(known=False)).holds is None


def test_last_is_every_processor_that_shares_the_last_place() -> None:
    resource = flow(step(fallback_action="ABORT"), step(fallback_action="CONTINUE"))

    assert evidence({"processors": {"last": {"fallback_action": "ABORT"}}}, resource) == [
        ("processors[1].fallback_action", "CONTINUE", "equals ABORT")
    ]


def test_last_is_decided_without_knowing_which_one_it_is_where_all_agree() -> None:
    unplaced = {"is_last": UNSET, "fallback_action": "ABORT"}

    assert judge({"processors": {"last": {"fallback_action": "ABORT"}}}, flow(step(**unplaced))).holds is True
    assert judge({"processors": {"last": {"fallback_action": "CONTINUE"}}}, flow(step(**unplaced))).holds is None


def test_where_narrows_each_some_none_and_count() -> None:
    resource = flow(step(name="a", is_last=False), step(name="b"))

    def verdict(matcher: dict[str, Any]) -> bool | None:
        return judge({"processors": {"where": {"is_last": False}, **matcher}}, resource).holds

    assert verdict({"each": {"name": "a"}}) is True
    assert verdict({"some": {"name": "b"}}) is False
    assert verdict({"none": {"name": "b"}}) is True
    assert verdict({"count": 1}) is True


def test_count_in_doubt_is_decided_where_every_number_agrees() -> None:
    resource = flow(step(name="a"), step(name=UNSET))

    def verdict(count: object) -> bool | None:
        return judge({"processors": {"where": {"name": "a"}, "count": count}}, resource).holds

    assert verdict({"gte": 1}) is True
    assert verdict({"gt": 1}) is None
    assert verdict({"gt": 2}) is False


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


def test_not_is_carried_to_the_leaves() -> None:
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


# --- against the reference ------------------------------------------------------------------------------------------

WORDS = ["a", "b", "ab"]
UNKNOWN: st.SearchStrategy[UnsetType] = st.just(UNSET)


def functions() -> st.SearchStrategy[LambdaFunction]:
    return st.builds(
        LambdaFunction,
        arn=st.sampled_from(WORDS),
        partition=st.just("aws"),
        account_id=st.sampled_from(WORDS),
        region=st.just("us-east-1"),
        name=st.sampled_from(WORDS),
        qualifier=st.none() | st.sampled_from(WORDS),
    )


def processors() -> st.SearchStrategy[Processor]:
    return st.builds(
        Processor,
        name=st.sampled_from(WORDS) | UNKNOWN,
        execution_order=st.integers(0, 3) | UNKNOWN,
        is_first=st.booleans() | UNKNOWN,
        is_last=st.booleans() | UNKNOWN,
        fallback_action=st.sampled_from(["CONTINUE", "ABORT"]) | UNKNOWN,
        lambda_=functions() | UNKNOWN,
    )


FLOWS = st.builds(
    lambda steps, name: flow(*(steps or ()), name=name, known=steps is not None),
    st.none() | st.lists(processors(), max_size=3),
    st.sampled_from(WORDS) | UNKNOWN,
)


NUMBERS: st.SearchStrategy[Any] = st.integers(0, 3) | st.dictionaries(
    st.sampled_from(["equals", "gt", "gte", "lt", "lte", "not_equals"]), st.integers(0, 3), min_size=1, max_size=2
)


def some_of(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=optional).filter(bool)


@st.composite
def text_matchers(draw: st.DrawFn, *references: str) -> Any:
    word, several = st.sampled_from(WORDS), st.lists(st.sampled_from(WORDS), max_size=2)
    value = word | st.sampled_from(references).map(lambda path: {"field": path})
    partial = {"contains": value, "starts_with": word, "ends_with": value, "matches": word, "not_matches": word}
    whole = {"equals": value, "not_equals": value, "in": several, "not_in": several, "exists": st.booleans()}
    return draw(word | some_of(**partial, **whole))


@st.composite
def combined(draw: st.DrawFn, leaves: st.SearchStrategy[Any], depth: int = 2) -> Any:
    if depth == 0 or draw(st.booleans()):
        return draw(leaves)
    inner = combined(leaves, depth - 1)
    parts = st.lists(inner, min_size=1, max_size=3)
    return draw(some_of(all_of=parts, any_of=parts, **{"not": inner}))


@st.composite
def element_conditions(draw: st.DrawFn) -> Any:
    text = text_matchers("name", "lambda.qualifier", "flow.name", "lambda.name")
    fields = {
        "name": text,
        "execution_order": NUMBERS,
        "is_last": st.booleans(),
        "fallback_action": st.sampled_from(["CONTINUE", "ABORT"]),
        "lambda.account_id": text,
        "lambda.qualifier": text,
        "lambda": some_of(exists=st.booleans()),
    }
    return draw(combined(some_of(**fields)))


@st.composite
def list_matchers(draw: st.DrawFn) -> Any:
    inside = element_conditions()
    filtered = some_of(each=inside, some=inside, none=inside, count=NUMBERS)
    return draw(
        filtered.flatmap(lambda matchers: inside.map(lambda where: {"where": where, **matchers}))
        | some_of(each=inside, some=inside, none=inside, first=inside, last=inside)
        | some_of(
            count=NUMBERS,
            unique=st.sampled_from(["name", "lambda.qualifier", "execution_order"]),
            contiguous=st.just("execution_order"),
        )
    )


@st.composite
def conditions(draw: st.DrawFn) -> Any:
    return draw(combined(some_of(name=text_matchers("name", "app_instance.name"), processors=list_matchers())))


CONDITIONS = conditions()


@settings(max_examples=250, deadline=None)
@given(CONDITIONS, FLOWS)
def test_conditions_agree_with_the_reference(written: dict[str, Any], resource: ChannelFlow) -> None:
    expected = reference.holds(written, resource, resource)
    both = compiled(written)

    judgement = both.judge(Scope(root=resource, thing=resource))

    assert judgement.holds is expected
    assert any(note.holds is expected for note in judgement.notes) or expected is True
    assert not surely(both, resource) or expected is True


@settings(max_examples=60, deadline=None)
@given(CONDITIONS, FLOWS)
def test_the_negation_holds_exactly_where_the_condition_does_not(
    written: dict[str, Any], resource: ChannelFlow
) -> None:
    expected = reference.no(reference.holds(written, resource, resource))
    both = compiled(written, negated=True)

    assert both.judge(Scope(root=resource, thing=resource)).holds is expected
    assert not surely(both, resource) or expected is True


@settings(max_examples=60, deadline=None)
@given(CONDITIONS, FLOWS, st.integers())
def test_the_order_of_keys_never_changes_a_verdict(written: dict[str, Any], resource: ChannelFlow, seed: int) -> None:
    assert judge(shuffled(written, random.Random(seed)), resource).holds is judge(written, resource).holds  # noqa: S311


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
