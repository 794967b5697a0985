"""The resources of the tests inside rule files.

`given` names only what matters to the test; everything else is filled in with a channel flow in good order: in account
111122223333 and us-east-1, with one processor whose function is a pinned version in the same account and region and
whose fallback action is ABORT. Of each processor, too, only what matters is written: a function's ARN follows from its
parts and its parts from an ARN, execution orders count from 1, and is_first and is_last follow from the orders. The
plain word `unknown` says that a fact could not be observed (in quotes it is text), and null that it is known to be
absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from msgspec import UNSET, Struct

from scanner.engine import checks
from scanner.engine.facts import Fact, Resource, Root, attributes, fields
from scanner.engine.source import Listing, Mistakes, Node, Scalar, Table, found
from scanner.inventory import AppInstance, AppInstanceRef, ChannelFlow, LambdaFunction, Processor

UNKNOWN = "unknown"

_APP_INSTANCE_ID = "11111111-2222-3333-4444-555555555555"
_FLOW_ID = "66666666-7777-8888-9999-000000000000"
_PLACE: Final = {"account_id": "111122223333", "region": "us-east-1", "partition": "aws"}
_FUNCTION_ARN = re.compile(
    r"arn:(?P<partition>[^:]*):lambda:(?P<region>[^:]*):(?P<account_id>[^:]*):function:(?P<name>[^:]*)(:(?P<qualifier>.*))?"
)

Partial = dict[str, Any]
Made = TypeVar("Made", bound=Struct)


def resource(node: Node, root: Root, mistakes: Mistakes) -> Resource | None:
    """The resource that a test judges."""
    before = len(mistakes.found)
    partial = _record(node, root.type, mistakes)
    if len(mistakes.found) > before:
        return None
    return _channel_flow(partial) if root.type is ChannelFlow else _app_instance(partial)


def _record(node: Node, record: type[Struct], mistakes: Mistakes) -> Partial:
    if not isinstance(node, Table):
        mistakes.add(node, f"{found(node)}; expected a mapping with fields of {record.__name__}")
        return {}
    known = {name: fact for name, fact in fields(record).items() if not fact.derived}
    checks.keys(node, known, (), f"field of {record.__name__}", mistakes)
    return {name: _value(value, known[name], name, mistakes) for name, value in node.entries.items() if name in known}


def _value(node: Node, fact: Fact, name: str, mistakes: Mistakes) -> object:
    if isinstance(node, Scalar) and node.plain and node.text == UNKNOWN:
        if not fact.unknown:
            mistakes.add(node, f"found unknown; expected a value, because {name} is always known")
        return UNSET
    if isinstance(node, Scalar) and node.plain and node.value is None and fact.absent:
        return None
    if fact.kind == "record" and fact.record is not None:
        return _record(node, fact.record, mistakes)
    if fact.kind == "list" and fact.record is not None:
        return _elements(node, fact.record, mistakes)
    return checks.literal(node, fact, mistakes)


def _elements(node: Node, record: type[Struct], mistakes: Mistakes) -> list[Partial | None]:
    if not isinstance(node, Listing):
        mistakes.add(node, f"{found(node)}; expected a list")
        return []
    return [_record(item, record, mistakes) for item in node.items]


def _app_instance(given: Partial) -> AppInstance:
    place = _PLACE | _chosen(given, _PLACE)
    return _made(
        AppInstance, {"arn": _app_instance_arn(place), "id": _APP_INSTANCE_ID, "name": "support"} | place | given
    )


def _channel_flow(given: Partial) -> ChannelFlow:
    place = _PLACE | _chosen(given, _PLACE)
    arn = _app_instance_arn(place)
    app_instance = {"arn": arn, "id": _APP_INSTANCE_ID, "name": "support"} | given.get("app_instance", {})
    processors = given.get("processors", [{}])
    return _made(
        ChannelFlow,
        {"arn": f"{arn}/channel-flow/{_FLOW_ID}", "name": "moderation"}
        | place
        | given
        | {
            "app_instance": _made(AppInstanceRef, app_instance),
            "processors": UNSET if processors is UNSET else _processors(processors, place),
        },
    )


def _app_instance_arn(place: Mapping[str, str]) -> str:
    return f"arn:{place['partition']}:chime:{place['region']}:{place['account_id']}:app-instance/{_APP_INSTANCE_ID}"


def _processors(given: list[Partial], place: Mapping[str, str]) -> tuple[Processor, ...]:
    whole = [_processor(partial, index, place) for index, partial in enumerate(given, start=1)]
    orders = [processor["execution_order"] for processor in whole]
    if UNSET in orders:
        edges = [(UNSET, UNSET) for _ in orders]
    else:
        whole.sort(key=lambda processor: int(processor["execution_order"]))
        edges = [(order == min(orders), order == max(orders)) for order in sorted(orders)]
    return tuple(
        _made(Processor, {"is_first": first, "is_last": last} | processor)
        for processor, (first, last) in zip(whole, edges, strict=True)
    )


def _processor(given: Partial, index: int, place: Mapping[str, str]) -> Partial:
    function = given.get("lambda", {})
    return {
        "name": f"processor-{index}",
        "execution_order": index,
        "fallback_action": "ABORT",
        "invocation_type": "ASYNC",
        **given,
        "lambda": UNSET if function is UNSET else _function(function, index, place),
    }


def _function(given: Partial, index: int, place: Mapping[str, str]) -> LambdaFunction:
    from_arn = _FUNCTION_ARN.fullmatch(given.get("arn", ""))
    parts = from_arn.groupdict() if from_arn else {**place, "name": f"function-{index}", "qualifier": "1"}
    parts |= given
    qualifier = "" if parts["qualifier"] is None else f":{parts['qualifier']}"
    arn = "arn:{partition}:lambda:{region}:{account_id}:function:{name}".format_map(parts) + qualifier
    return _made(LambdaFunction, {"arn": arn} | parts)


def _chosen(given: Partial, names: Mapping[str, str]) -> dict[str, str]:
    return {name: given[name] for name in names if name in given}


def _made(record: type[Made], values: Partial) -> Made:
    return record(**{attributes(name)[0]: value for name, value in values.items()})
