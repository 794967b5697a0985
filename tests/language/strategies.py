"""Hypothesis strategies for conditions of the rule language and for channel flows to judge by them."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st
from msgspec import UNSET, UnsetType, structs

from scanner.language.examples import NOW
from scanner.model.facts import ChannelFlow, FunctionAccess, LambdaFunction, Processor
from tests.judge.facts import flow

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


@st.composite
def some_of(draw: st.DrawFn, /, **optional: st.SearchStrategy[Any]) -> dict[str, Any]:
    """One or two of the keys: of more, one is nearly always false, and hides what the others come to."""
    keys = draw(st.lists(st.sampled_from(list(optional)), min_size=1, max_size=2, unique=True))
    return {key: draw(optional[key]) for key in keys}


@cache
def text_matchers(*references: str) -> st.SearchStrategy[Any]:
    word, several = st.sampled_from(WORDS), st.lists(st.sampled_from(WORDS), max_size=2)
    value = word | st.sampled_from(references).map(lambda path: {"field": path})
    partial = {"contains": value, "starts_with": word, "ends_with": value, "matches": word, "not_matches": word}
    pattern = st.sampled_from([*WORDS, "a*", "*b", "?"])
    partial |= {"like": pattern, "not_like": pattern}
    whole = {"equals": value, "not_equals": value, "in": several, "not_in": several, "exists": st.booleans()}
    return word | some_of(**partial, **whole)


def combined(leaves: st.SearchStrategy[Any], depth: int = 1) -> st.SearchStrategy[Any]:
    if depth == 0:
        return leaves
    inner = combined(leaves, depth - 1)
    parts = st.lists(inner, min_size=1, max_size=2)
    return leaves | leaves | some_of(all_of=parts, any_of=parts, **{"not": inner})


def texts_matchers() -> st.SearchStrategy[Any]:
    word = st.sampled_from(WORDS)
    element = word | some_of(equals=word, starts_with=word, not_in=st.lists(word, max_size=2), matches=word)
    return some_of(each=element, some=element, none=element, count=NUMBERS, contains=word)


def ages() -> st.SearchStrategy[Any]:
    duration = st.integers(1, 4).map(lambda days: f"{days}d")
    ahead = st.integers(-4, 4)
    return some_of(older_than=duration, newer_than=duration, more_days_ahead_than=ahead, exists=st.booleans())


@cache
def element_conditions() -> st.SearchStrategy[Any]:
    text = text_matchers("name", "lambda.qualifier", "flow.name", "lambda.name")
    fields = {
        "name": text,
        "execution_order": NUMBERS,
        "is_last": st.booleans(),
        "fallback_action": st.sampled_from(["CONTINUE", "ABORT"]),
        "lambda.account_id": text,
        "lambda.qualifier": text,
        "lambda": some_of(exists=st.booleans()),
        "lambda.access.public": st.booleans() | some_of(not_equals=st.booleans()),
        "flow.name": text_matchers("name"),
        "lambda.access.foreign_app_instances": texts_matchers(),
    }
    return combined(some_of(**fields))


def list_matchers() -> st.SearchStrategy[Any]:
    inside = element_conditions()
    applied = inside | inside.flatmap(lambda body: inside.map(lambda when: {"when": when, **body}))
    unique = st.sampled_from(["name", "lambda.qualifier", "execution_order"])
    filtered = some_of(
        each=applied, some=inside, none=inside, count=NUMBERS, unique=unique, contiguous=st.just("execution_order")
    )
    return (
        filtered.flatmap(lambda matchers: inside.map(lambda where: {"where": where, **matchers}))
        | some_of(each=applied, some=inside, none=inside, first=applied, last=applied)
        | some_of(count=NUMBERS, unique=unique, contiguous=st.just("execution_order"))
    )


def conditions() -> st.SearchStrategy[Any]:
    text = text_matchers("name", "app_instance.name", "tags.a")
    fields = {
        "name": text,
        "tags.a": text,
        "tags": some_of(has_keys=st.lists(st.sampled_from(WORDS), max_size=2), exists=st.booleans()),
        "updated_at": ages(),
        "has_channels": st.booleans(),
    }
    return combined(some_of(processors=list_matchers()) | some_of(**fields, processors=list_matchers()))


CONDITIONS = conditions()
