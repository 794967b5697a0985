from __future__ import annotations

import itertools

import pytest
from msgspec import UNSET, Struct

from scanner.aws import wire
from scanner.collect import facts
from scanner.language.vocabulary import attributes, paths, read
from scanner.model.facts import AppInstance, ChannelFlow, LambdaFunction, Processor

INSTANCE = "arn:aws:chime:us-east-1:111122223333:app-instance/support"
FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:moderate"


def owner() -> AppInstance:
    return facts.app_instance(wire.AppInstanceSummary(INSTANCE, "support"), "111122223333", "us-east-1")


def step(
    order: int | None = 1, *, arn: str | None = f"{FUNCTION}:live", fallback: str | None = "ABORT"
) -> wire.Processor:
    configuration = wire.ProcessorConfiguration(wire.LambdaConfiguration(arn, "ASYNC"))
    return wire.Processor(f"step {order}", configuration, order, fallback)


def flow(*steps: wire.Processor) -> ChannelFlow:
    return facts.channel_flow(wire.ChannelFlowSummary(f"{INSTANCE}/channel-flow/1", "moderation", steps), owner())


def processors(*steps: wire.Processor) -> tuple[Processor, ...]:
    found = flow(*steps).processors
    assert isinstance(found, tuple)
    return found


def test_a_whole_answer_leaves_only_facets_unknown() -> None:
    records: list[Struct] = [owner(), flow(step()), *processors(step())]

    missing = [
        name
        for record in records
        for name, fact in paths(type(record)).items()
        if fact.facet is None and read(record, attributes(name)) is UNSET
    ]
    assert not missing, "read these facts in scanner/collect/facts.py"


def test_the_arn_says_where_an_app_instance_lives() -> None:
    elsewhere = "arn:aws-cn:chime:cn-north-1:444455556666:app-instance/x"

    instance = facts.app_instance(wire.AppInstanceSummary(elsewhere), "111122223333", "us-east-1")

    assert (instance.partition, instance.region, instance.account_id) == ("aws-cn", "cn-north-1", "444455556666")
    assert (instance.id, instance.name) == ("x", UNSET)


def test_an_app_instance_with_an_invalid_arn_is_where_it_was_listed() -> None:
    instance = facts.app_instance(wire.AppInstanceSummary("?"), "111122223333", "us-east-1")

    assert (instance.account_id, instance.region, instance.id) == ("111122223333", "us-east-1", "?")


def test_processors_stand_in_execution_order_however_they_were_listed() -> None:
    for listed in itertools.permutations([step(1), step(2), step(3)]):
        found = processors(*listed)
        assert [processor.execution_order for processor in found] == [1, 2, 3]
        assert [(processor.is_first, processor.is_last) for processor in found] == [
            (True, False),
            (False, False),
            (False, True),
        ]


def test_two_processors_that_share_the_highest_order_are_both_last() -> None:
    assert [processor.is_last for processor in processors(step(1), step(2), step(2))] == [False, True, True]


def test_one_missing_order_leaves_first_and_last_unknown_for_all() -> None:
    found = flow(step(1), step(None))

    assert isinstance(found.processors, tuple)
    assert [processor.is_last for processor in found.processors] == [UNSET, UNSET]
    assert {"processors[0].is_last", "processors[1].is_last", "processors[1].execution_order"} <= set(found.gaps)


def test_a_lone_processor_is_first_and_last_whatever_its_order() -> None:
    for order in (None, 1, 3):
        (found,) = processors(step(order))
        assert (found.is_first, found.is_last) == (True, True)


@pytest.mark.parametrize(
    ("arn", "name", "qualifier"),
    [
        (FUNCTION, "moderate", None),
        (f"{FUNCTION}:live", "moderate", "live"),
        (f"{FUNCTION}:14", "moderate", "14"),
        (f"{FUNCTION}:$LATEST", "moderate", "$LATEST"),
    ],
)
def test_a_function_is_read_from_its_arn(arn: str, name: str, qualifier: str | None) -> None:
    (found,) = processors(step(arn=arn))

    assert isinstance(found.lambda_, LambdaFunction)
    assert (found.lambda_.name, found.lambda_.qualifier) == (name, qualifier)
    assert found.lambda_.unqualified_arn == FUNCTION


@pytest.mark.parametrize(
    "arn", ["moderate", f"{FUNCTION}:live:x", f"{FUNCTION}\n", "arn:aws:sns:us-east-1:1:topic", ""]
)
def test_an_arn_that_names_no_function_is_unknown_with_a_gap(arn: str) -> None:
    found = flow(step(arn=arn))

    assert isinstance(found.processors, tuple)
    assert found.processors[0].lambda_ is UNSET
    assert found.gaps["processors[0].lambda"].code == "UnknownValue"


def test_a_fallback_action_that_is_not_known_is_unknown_with_a_gap() -> None:
    found = flow(step(fallback="QUARANTINE" * 100))

    gap = found.gaps["processors[0].fallback_action"]
    assert "QUARANTINE" in gap.reason
    assert len(gap.reason) < 300
    assert (gap.resource_arn, gap.operation) == (found.arn, "ListChannelFlows")


def test_each_missing_value_is_unknown_with_a_gap() -> None:
    found = flow(wire.Processor())

    missing = {"name", "execution_order", "fallback_action", "invocation_type", "lambda"}
    assert {path.rpartition(".")[2] for path in found.gaps} == missing
    assert {gap.code for gap in found.gaps.values()} == {"MissingValue"}


def test_an_app_instance_without_a_name_leaves_its_gap_with_its_flows_too() -> None:
    nameless = facts.app_instance(wire.AppInstanceSummary(INSTANCE), "111122223333", "us-east-1")

    found = facts.channel_flow(wire.ChannelFlowSummary(f"{INSTANCE}/channel-flow/1", "moderation", ()), nameless)

    assert (found.app_instance.name, nameless.name) == (UNSET, UNSET)
    assert found.gaps == {"app_instance.name": nameless.gaps["name"]}


def test_a_flow_without_a_list_of_processors_is_not_one_without_processors() -> None:
    missing = facts.channel_flow(wire.ChannelFlowSummary("arn", "n", None), owner())

    assert missing.processors is UNSET
    assert "processors" in missing.gaps
    assert flow().processors == ()
    assert flow().gaps == {}
