"""The condition language, from YAML to verdicts: grammar, operands, compiler, lists and judgement together."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType, structs

from scanner.judge.compiler import compile_condition
from scanner.judge.judgement import Compiled, Judgement, Scope
from scanner.language.conditions import Settings, negate
from scanner.language.examples import NOW
from scanner.language.grammar import Context, condition
from scanner.language.vocabulary import ROOTS, attributes, fields
from scanner.model.facts import ChannelFlow, FunctionAccess, LambdaFunction, Processor
from scanner.model.yamltree import Mistakes, parse
from tests.judge import reference
from tests.judge.build import ACCOUNT, flow, function


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


@pytest.mark.parametrize(
    ("matcher", "verdict"),
    [
        ({"older_than": "3d"}, True),
        ({"older_than": "5d"}, False),
        ({"older_than": "96h"}, False),
        ({"newer_than": "5d"}, True),
        ({"newer_than": "96h"}, False),
        ({"exists": True}, True),
    ],
)
def test_ages_count_from_the_moment_the_run_started(matcher: object, verdict: bool) -> None:
    resource = structs.replace(flow(), updated_at=NOW - timedelta(days=4))

    assert judge({"updated_at": matcher}, resource).holds is verdict
    assert judge({"not": {"updated_at": matcher}}, resource).holds is not verdict
    assert judge({"updated_at": matcher}, flow()).holds is None


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
    assert judge({"tags.owner": {"exists": False}}, flow()).holds is None


def test_required_keys_of_tags() -> None:
    resource = structs.replace(flow(), tags={"owner": "x", "stage": "y"})

    assert judge({"tags": {"has_keys": ["owner", "stage"]}}, resource).holds is True
    assert evidence({"tags": {"has_keys": ["owner", "cost"]}}, resource) == [
        ("tags", ("owner", "stage"), "has the keys owner, cost")
    ]


def test_texts_in_a_list_fail_one_by_one_and_belong_to_what_holds_them() -> None:
    one = step(lambda_=structs.replace(function(), access=FunctionAccess(foreign_app_instances=("1", "2"))))
    written = {"processors": {"each": {"lambda.access.foreign_app_instances": {"none": {"starts_with": "2"}}}}}

    (note,) = judge(written, flow(one)).notes

    assert note.evidence.path == "processors[0].lambda.access.foreign_app_instances[1]"
    assert (note.evidence.observed, note.evidence.required) == ("2", "does not start with 2")
    assert (note.scope.thing, note.scope.part) == (one, function().unqualified_arn)


def test_a_list_of_texts_of_the_wrong_length_is_shown() -> None:
    one = step(lambda_=structs.replace(function(), access=FunctionAccess(foreign_app_instances=("1", "2"))))

    assert evidence({"processors": {"each": {"lambda.access.foreign_app_instances": {"count": 0}}}}, flow(one)) == [
        ("processors[0].lambda.access.foreign_app_instances", ("1", "2"), "count equals 0")
    ]


def test_of_a_field_that_must_not_repeat_only_what_repeats_is_shown() -> None:
    resource = flow(step(name="b"), step(name="a"), step(name="c"), step(name="a"), step(name="b"))

    assert evidence({"processors": {"unique": "name"}}, resource) == [
        ("processors", ("a", "b"), "name does not repeat")
    ]


# --- against the reference ------------------------------------------------------------------------------------------

WORDS = ["a", "b", "ab"]
UNKNOWN: st.SearchStrategy[UnsetType] = st.just(UNSET)


def accesses() -> st.SearchStrategy[FunctionAccess]:
    return st.builds(
        FunctionAccess,
        public=st.booleans() | UNKNOWN,
        foreign_app_instances=st.lists(st.sampled_from(WORDS), max_size=2).map(tuple) | UNKNOWN,
    )


def functions() -> st.SearchStrategy[LambdaFunction]:
    return st.builds(
        LambdaFunction,
        arn=st.sampled_from(WORDS),
        partition=st.just("aws"),
        account_id=st.sampled_from(WORDS),
        region=st.just("us-east-1"),
        name=st.sampled_from(WORDS),
        qualifier=st.none() | st.sampled_from(WORDS),
        access=st.none() | UNKNOWN | accesses(),
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


def flows() -> st.SearchStrategy[ChannelFlow]:
    return st.builds(
        lambda steps, name, **facets: structs.replace(
            flow(*(steps or ()), name=name, known=steps is not None), **facets
        ),
        st.none() | st.lists(processors(), max_size=3),
        st.sampled_from(WORDS) | UNKNOWN,
        tags=st.dictionaries(st.sampled_from(WORDS), st.sampled_from(WORDS)) | UNKNOWN,
        updated_at=st.integers(0, 4).map(lambda days: NOW - timedelta(days=days)) | UNKNOWN,
        has_channels=st.booleans() | UNKNOWN,
    )


FLOWS = flows()


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


def texts_matchers() -> st.SearchStrategy[Any]:
    word = st.sampled_from(WORDS)
    element = word | some_of(equals=word, starts_with=word, not_in=st.lists(word, max_size=2), matches=word)
    return some_of(each=element, some=element, none=element, count=NUMBERS, contains=word)


def ages() -> st.SearchStrategy[Any]:
    duration = st.integers(1, 4).map(lambda days: f"{days}d")
    return some_of(older_than=duration, newer_than=duration, exists=st.booleans())


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
        "lambda.access.public": st.booleans(),
        "lambda.access.foreign_app_instances": texts_matchers(),
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
    text = text_matchers("name", "app_instance.name", "tags.a")
    fields = {
        "name": text,
        "tags.a": text,
        "tags": some_of(has_keys=st.lists(st.sampled_from(WORDS), max_size=2), exists=st.booleans()),
        "updated_at": ages(),
        "has_channels": st.booleans(),
        "processors": list_matchers(),
    }
    return draw(combined(some_of(**fields)))


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


@settings(max_examples=100, deadline=None)
@given(CONDITIONS, FLOWS, st.randoms(use_true_random=False))
def test_the_order_of_processors_never_changes_a_verdict(
    written: dict[str, Any], resource: ChannelFlow, order: random.Random
) -> None:
    steps = list(resource.processors or ())
    order.shuffle(steps)
    other = (
        resource if isinstance(resource.processors, UnsetType) else structs.replace(resource, processors=tuple(steps))
    )

    assert judge(written, other).holds is judge(written, resource).holds


@settings(max_examples=200, deadline=None)
@given(CONDITIONS, FLOWS, st.randoms(use_true_random=False))
def test_to_know_less_leaves_the_verdict_or_makes_it_unknown(
    written: dict[str, Any], resource: ChannelFlow, chance: random.Random
) -> None:
    less = forgotten(resource, chance)

    verdict = judge(written, less).holds

    assert verdict in (judge(written, resource).holds, None)
    assert not surely(compiled(written), less) or verdict is True


def forgotten(thing: Any, chance: random.Random) -> Any:
    """The same with some facts unknown that were known."""
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
