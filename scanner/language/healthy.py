"""Builds a healthy channel flow, app instance or role around the facts that a test in a rule file gives.

It is in account 111122223333 and us-east-1. A flow has channels and one processor with the fallback action ABORT. Its
function is a pinned version in the same account and region, is healthy, and only its own app instance may invoke it.
Facts that depend on given ones are derived: a function's ARN from its parts and the parts from an ARN, is_first and
is_last from the execution orders, which count from 1. A function that does not exist has no other facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from msgspec import UNSET, Struct

from scanner.language.vocabulary import AppInstance, Resource, Root, attributes
from scanner.model.facts import (
    AppInstanceRef,
    CallbackPermission,
    ChannelFlow,
    Channels,
    Function,
    FunctionAccess,
    LambdaFunction,
    Processor,
    Role,
    in_execution_order,
    parts_of_function_arn,
)
from scanner.model.logic import Truth

Partial = Mapping[str, Any]
Made = TypeVar("Made", bound=Struct)

_APP_INSTANCE_ID = "11111111-2222-3333-4444-555555555555"
_FLOW_ID = "66666666-7777-8888-9999-{:012}"
_HOME: Final = {"account_id": "111122223333", "region": "us-east-1", "partition": "aws"}
_LONG_AGO: Final = datetime(2025, 12, 1, tzinfo=UTC)
_FUNCTION: Final = {
    "exists": True,
    "runtime": "python3.13",
    "state": "Active",
    "last_update_status": "Successful",
    "reserved_concurrency": None,
    "failure_destination": "arn:aws:sqs:us-east-1:111122223333:failed-messages",
    "dead_letter_queue": None,
    "maximum_retry_attempts": 2,
    "version": "1",
    "timeout_seconds": 3,
    "role_arn": "arn:aws:iam::111122223333:role/processor",
    "last_modified": _LONG_AGO,
}
_ACCESS: Final = {
    "chime_can_invoke": True,
    "chime_invoke_unconditioned": False,
    "public": False,
    "foreign_app_instances": (),
    "other_accounts": (),
}
_CALLBACK: Final = {"allowed": True, "excessive": ()}
_ROLE: Final = {
    "tags": {},
    "providers": ("cognito-identity.amazonaws.com",),
    "acts_as_anyone": False,
    "may_remove_flow": False,
    "may_change_flow": False,
    "may_open_channels": False,
}
_CHANNELS: Final = {
    "count": 3,
    "suspects": 0,
    "unprocessed": 0,
    "unprocessed_at_least": 0,
    "unprocessed_examples": (),
}


def app_instance(given: Partial) -> AppInstance:
    """A healthy app instance with one channel flow, except for the given facts."""
    home = _HOME | _chosen(given, _HOME)
    arn = _app_instance_arn(home)
    flows = given.get("flows", [{}])
    return _made(
        AppInstance,
        {"arn": arn, "id": _APP_INSTANCE_ID, "name": "support", "tags": {}}
        | {"failure_alert": True, "tamper_alert": True}
        | home
        | dict(given)
        | {
            "channels": _record(Channels, _CHANNELS | {"seen_as": f"{arn}/user/auditor"}, given.get("channels", {})),
            "flows": UNSET if flows is UNSET else tuple(_listed(flow, n, arn, home) for n, flow in enumerate(flows)),
        },
    )


def channel_flow(given: Partial) -> ChannelFlow:
    """A healthy channel flow with one processor, except for the given facts."""
    home = _HOME | _chosen(given, _HOME)
    arn = _app_instance_arn(home)
    processors = given.get("processors", [{}])
    return _made(
        ChannelFlow,
        {"arn": _flow_arn(arn, 0), "name": "moderation", "tags": {}, "has_channels": True}
        | {"created_at": _LONG_AGO, "updated_at": _LONG_AGO}
        | home
        | dict(given)
        | {
            "app_instance": _made(
                AppInstanceRef,
                {"arn": arn, "id": _APP_INSTANCE_ID, "name": "support"} | given.get("app_instance", {}),
            ),
            "processors": UNSET if processors is UNSET else _processors(processors, home),
        },
    )


def role(given: Partial) -> Role:
    """A role of signed-in users that lets them act as themselves alone, except for the given facts."""
    home = {name: value for name, value in _HOME.items() if name != "region"} | _chosen(given, _HOME)
    name = given.get("name", "chat-user")
    arn = f"arn:{home['partition']}:iam::{home['account_id']}:role/{'chat-user' if name is UNSET else name}"
    return _made(Role, {"arn": arn, "name": name, **_ROLE, **home, **given})


_MAKERS: Final[Mapping[type[Struct], Callable[[Partial], Resource]]] = {
    ChannelFlow: channel_flow,
    AppInstance: app_instance,
    Role: role,
}


def resource(root: Root, given: Partial) -> Resource:
    """A healthy resource of a type, except for the given facts."""
    return _MAKERS[root.type](given)


def _app_instance_arn(home: Mapping[str, str]) -> str:
    return f"arn:{home['partition']}:chime:{home['region']}:{home['account_id']}:app-instance/{_APP_INSTANCE_ID}"


def _flow_arn(app_instance_arn: str, number: int) -> str:
    return f"{app_instance_arn}/channel-flow/{_FLOW_ID.format(number)}"


def _listed(given: Partial, number: int, app_instance_arn: str, home: Mapping[str, str]) -> ChannelFlow:
    return channel_flow({"arn": _flow_arn(app_instance_arn, number), "name": f"flow-{number}", **home, **given})


def _processors(given: list[Partial], home: Mapping[str, str]) -> tuple[Processor, ...]:
    whole = [_processor(partial, index, home) for index, partial in enumerate(given, start=1)]
    if any(processor["execution_order"] is UNSET for processor in whole):
        placed: list[tuple[Partial, Truth, Truth]] = [(processor, UNSET, UNSET) for processor in whole]
    else:
        placed = in_execution_order(whole, lambda processor: int(processor["execution_order"]))
    return tuple(_made(Processor, {"is_first": first, "is_last": last, **each}) for each, first, last in placed)


def _processor(given: Partial, index: int, home: Mapping[str, str]) -> Partial:
    function = given.get("lambda", {})
    return {
        "name": f"processor-{index}",
        "execution_order": index,
        "fallback_action": "ABORT",
        "invocation_type": "ASYNC",
        **given,
        "lambda": UNSET if function is UNSET else _lambda(function, index, home),
    }


def _lambda(given: Partial, index: int, home: Mapping[str, str]) -> LambdaFunction:
    from_arn = parts_of_function_arn(given.get("arn", ""))
    named = from_arn or {**home, "name": f"function-{index}", "qualifier": "1"}
    parts: Partial = {**named, **given}
    qualifier = "" if parts["qualifier"] is None else f":{parts['qualifier']}"
    arn = "arn:{partition}:lambda:{region}:{account_id}:function:{name}".format_map(parts) + qualifier
    return _made(LambdaFunction, {"arn": arn, **parts, **_configured(given)})


def _configured(given: Partial) -> Partial:
    function = given.get("function", {})
    exists = function is UNSET or function.get("exists", True)
    return {
        "function": _record(Function, _FUNCTION if exists else dict.fromkeys(Function.__struct_fields__), function),
        "access": _record(FunctionAccess, _ACCESS if exists else None, given.get("access", {})),
        "callback": _record(CallbackPermission, _CALLBACK if exists else None, given.get("callback", {})),
    }


def _record(record: type[Made], sound: Partial | None, given: Any) -> Any:
    """A record of the `sound` facts, replaced by given ones. It may be given as a whole as unknown or absent."""
    if given is UNSET or given is None:
        return given
    if sound is None and not given:
        return None
    return _made(record, {**(sound or {}), **given})


def _chosen(given: Partial, names: Mapping[str, str]) -> dict[str, str]:
    return {name: given[name] for name in names if name in given}


def _made(record: type[Made], values: Partial) -> Made:
    return record(**{attributes(name)[0]: value for name, value in values.items()})
