"""scanner.language.examples: tests name the facts that matter, the rest is healthy."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from msgspec import UNSET, Struct, structs

from scanner.language import examples as fixtures
from scanner.language import vocabulary
from scanner.language.examples import NOW
from scanner.language.vocabulary import ROOTS, Resource
from scanner.model.facts import AppInstance, CallbackPermission, ChannelFlow, Function, LambdaFunction, Processor
from scanner.model.yamltree import Mistakes, parse


def resource(written: dict[str, Any] | str, root: str = "channel_flow") -> Resource:
    mistakes = Mistakes("x.yaml")
    table = parse((written if isinstance(written, str) else json.dumps(written)).encode(), mistakes)
    assert table is not None
    found = fixtures.given_resource(table, ROOTS[root], mistakes)  # type: ignore[index]  # the names are known
    assert not mistakes.found, mistakes.found
    assert found is not None
    return found


def processors(written: dict[str, Any] | str) -> tuple[Processor, ...]:
    found = resource(written)
    assert isinstance(found, ChannelFlow)
    assert isinstance(found.processors, tuple)
    return found.processors


def test_omitted_facts_are_those_of_a_healthy_flow() -> None:
    (only,) = processors({"name": "x"})

    assert only.fallback_action == "ABORT"
    assert only.is_first
    assert only.is_last
    assert isinstance(only.lambda_, LambdaFunction)
    assert only.lambda_.arn == "arn:aws:lambda:us-east-1:111122223333:function:function-1:1"


@pytest.mark.parametrize("root", ROOTS)
def test_a_healthy_resource_has_every_fact(root: str) -> None:
    found: Any = resource({}, root)
    lists = {"channel_flow": "processors", "app_instance": "flows"}
    parts: list[Struct] = [found, *(getattr(found, lists[root]) if root in lists else ())]

    missing = [
        path
        for part in parts
        for path in vocabulary.paths(type(part))
        if vocabulary.read(part, vocabulary.attributes(path)) is UNSET
    ]
    assert not missing, "give these facts healthy values in scanner/language/healthy.py"


def test_account_and_region_of_the_flow_carry_over_to_functions_and_arns() -> None:
    found = resource({"account_id": "444455556666", "region": "eu-central-1"})

    assert isinstance(found, ChannelFlow)
    assert found.app_instance.arn.startswith("arn:aws:chime:eu-central-1:444455556666:app-instance/")
    assert found.arn.startswith(found.app_instance.arn)
    (only,) = processors({"account_id": "444455556666", "region": "eu-central-1"})
    assert isinstance(only.lambda_, LambdaFunction)
    assert (only.lambda_.account_id, only.lambda_.region) == ("444455556666", "eu-central-1")


def test_parts_of_a_function_follow_from_its_arn() -> None:
    arn = "arn:aws-us-gov:lambda:eu-central-1:444455556666:function:f:live"
    (only,) = processors({"processors": [{"lambda": {"arn": arn}}]})

    found = only.lambda_
    assert isinstance(found, LambdaFunction)
    assert (found.arn, found.partition, found.account_id) == (arn, "aws-us-gov", "444455556666")
    assert (found.region, found.name, found.qualifier) == ("eu-central-1", "f", "live")


def test_the_arn_of_a_function_follows_from_its_parts() -> None:
    (only,) = processors({"processors": [{"lambda": {"name": "f", "qualifier": None}}]})

    assert isinstance(only.lambda_, LambdaFunction)
    assert only.lambda_.arn == "arn:aws:lambda:us-east-1:111122223333:function:f"
    assert only.lambda_.qualifier is None


def test_processors_stand_in_execution_order() -> None:
    steps = [
        {"name": "b", "execution_order": 2},
        {"name": "a", "execution_order": 1},
        {"name": "c", "execution_order": 2},
    ]

    found = processors({"processors": steps})

    assert [(each.name, each.is_first, each.is_last) for each in found] == [
        ("a", True, False),
        ("b", False, True),
        ("c", False, True),
    ]


def test_an_unknown_order_leaves_the_places_unknown() -> None:
    found = processors("processors: [{execution_order: unknown}, {is_last: true}]")

    assert [each.is_first for each in found] == [UNSET, UNSET]
    assert [each.is_last for each in found] == [UNSET, True]


def test_the_plain_word_unknown_is_not_the_text_in_quotes() -> None:
    assert processors("processors: [{name: unknown}]")[0].name is UNSET
    assert processors('processors: [{name: "unknown"}]')[0].name == "unknown"


@pytest.mark.parametrize(("written", "attribute"), [("processors: unknown", "processors"), ("name: unknown", "name")])
def test_facts_of_the_flow_can_be_unknown(written: str, attribute: str) -> None:
    assert getattr(resource(written), attribute) is UNSET


def test_what_is_always_known_cannot_be_unknown() -> None:
    mistakes = Mistakes("x.yaml")
    table = parse(b"account_id: unknown", mistakes)
    assert table is not None

    fixtures.given_resource(table, ROOTS["channel_flow"], mistakes)

    assert [each.message for each in mistakes.found] == [
        "found unknown; expected a value, because account_id is always known"
    ]


@pytest.mark.parametrize("written", ["unqualified_arn: x", "gaps: {}"])
def test_derived_facts_and_unknown_fields_cannot_be_given(written: str) -> None:
    mistakes = Mistakes("x.yaml")
    table = parse(f"processors: [{{lambda: {{{written}}}}}]".encode(), mistakes)
    assert table is not None

    fixtures.given_resource(table, ROOTS["channel_flow"], mistakes)

    assert "unknown field of LambdaFunction" in mistakes.found[0].message


def test_a_time_is_given_by_its_age() -> None:
    found = resource({"updated_at": "36h", "created_at": "2d"})

    assert isinstance(found, ChannelFlow)
    assert (found.updated_at, found.created_at) == (NOW - timedelta(hours=36), NOW - timedelta(days=2))


def test_a_function_that_does_not_exist_has_no_other_facts() -> None:
    (only,) = processors({"processors": [{"lambda": {"function": {"exists": False}}}]})

    assert isinstance(only.lambda_, LambdaFunction)
    assert isinstance(only.lambda_.function, Function)
    assert set(structs.asdict(only.lambda_.function).values()) == {False, None}
    assert (only.lambda_.access, only.lambda_.callback) == (None, None)


def test_facts_of_a_function_can_be_unknown_one_by_one_or_together() -> None:
    (one,) = processors("processors: [{lambda: {function: {runtime: unknown}, access: unknown}}]")

    assert isinstance(one.lambda_, LambdaFunction)
    assert isinstance(one.lambda_.function, Function)
    assert (one.lambda_.function.runtime, one.lambda_.function.state) == (UNSET, "Active")
    assert one.lambda_.access is UNSET
    assert isinstance(one.lambda_.callback, CallbackPermission)


def test_flows_of_an_app_instance_have_arns_of_their_own() -> None:
    found = resource({"flows": [{"name": "a"}, {}]}, "app_instance")

    assert isinstance(found, vocabulary.AppInstance)
    assert isinstance(found.flows, tuple)
    assert [flow.name for flow in found.flows] == ["a", "flow-1"]
    assert len({flow.arn for flow in found.flows}) == 2


def test_an_app_instance_needs_nothing() -> None:
    found = resource("{name: unknown}", "app_instance")

    assert isinstance(found, AppInstance)
    assert found.name is UNSET
    assert found.arn.endswith(found.id)
