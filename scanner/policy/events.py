"""Whether an EventBridge pattern matches the events that somebody must hear of: failures, and tampering with flows.

https://docs.aws.amazon.com/chime-sdk/latest/dg/event-bridge-events.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import UNSET, UnsetType

from scanner.model.logic import Truth, all_of, any_of, negate
from scanner.policy.globs import MANY, ONE, matches_all
from scanner.policy.statements import read_json

_SOME = f"{ONE}{MANY}"  # any text that is not empty

Event = dict[str, "str | bool | Event | None"]
"""Field -> glob of the texts that it may hold, its truth value, or None if the event does not have it.

A field that is not listed is unknown: it is undocumented, or may be empty.
"""


def matches(pattern: str | None, event: Event) -> Truth:
    """Whether an event pattern matches an event, whatever its fields hold. A rule without one matches no event.

    A pattern may match if it selects some of the values of a field, uses an unknown operator, or reads a field that is
    not known. The answer is then unknown.
    """
    if pattern is None:
        return False
    read = read_json(pattern)
    if read is UNSET or _fields(read) is None:
        return UNSET
    return _object(read, event)


def failure_event(app_instance_arn: str, account_id: str, region: str) -> Event:
    """ProcessorInvocationFailure, for every processor and channel of an app instance."""
    detail: Event = {
        "eventType": "ProcessorInvocationFailure",
        "appInstanceArn": app_instance_arn,
        "channelArn": f"{app_instance_arn}/channel/{_SOME}",
        "messageId": _SOME,
        "processorResourceArn": _SOME,
        "failureReason": _SOME,
    }
    return _event("Chime ChannelFlow Processing Status", account_id, region, detail)


TAMPERING: Final = ("DisassociateChannelFlow", "UpdateChannelFlow", "DeleteChannelFlow")
"""The calls that take a flow away from messages or change what it does."""
_CALLERS = ("AssumedRole", "IAMUser")
"""https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html"""


def tamper_events(account_id: str, region: str) -> list[Event]:
    """CloudTrail's events of calls that tamper with flows, and that succeed: each call, by a role and by a user.

    How CloudTrail names the parameters of these calls is undocumented, so a pattern that reads them may match.
    https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-chime.html
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    details: list[Event] = [
        {
            "eventSource": "chime.amazonaws.com",
            "eventName": name,
            "eventType": "AwsApiCall",
            "eventCategory": "Management",
            "awsRegion": region,
            "recipientAccountId": account_id,
            "eventID": _SOME,
            "eventTime": _SOME,
            "errorCode": None,
            "errorMessage": None,
            "managementEvent": True,
            "readOnly": False,
            "userIdentity": {"type": caller, "accountId": account_id},
        }
        for name in TAMPERING
        for caller in _CALLERS
    ]
    return [_event("AWS API Call via CloudTrail", account_id, region, detail) for detail in details]


def _event(kind: str, account_id: str, region: str, detail: Event) -> Event:
    return {
        "version": "0",
        "id": _SOME,
        "detail-type": kind,
        "source": "aws.chime",
        "account": account_id,
        "time": _SOME,
        "region": region,
        "detail": detail,
    }


def _fields(pattern: Any, prefix: str = "") -> set[str] | None:
    """The field paths that a pattern names; None where $or repeats a field that the pattern also names outside of it.

    AWS does not document that case. Its own matcher keeps the alternative in $or and drops the other condition.
    """
    found: set[str] = set()
    for name, wanted in pattern.items() if isinstance(pattern, dict) else ():
        path = f"{prefix}{name}."
        match wanted:
            case list() if name == "$or":
                alternatives = [_fields(each, prefix) for each in wanted]
                spoken = set[str]().union(*(each for each in alternatives if each))
                repeated = None in alternatives
            case dict():
                inner = _fields(wanted, path)
                spoken, repeated = inner or set(), inner is None
            case _:
                spoken, repeated = {path}, False
        if repeated or found & spoken:
            return None
        found |= spoken
    return found


def _object(pattern: Any, event: Event) -> Truth:
    if not isinstance(pattern, dict) or not pattern:
        return UNSET
    return all_of(_field(name, wanted, event) for name, wanted in pattern.items())


def _field(name: str, wanted: Any, event: Event) -> Truth:
    """Match one field of a pattern: an object field by field, a list as alternatives, `$or` as alternative patterns."""
    value = event.get(name, UNSET)
    match wanted, value:
        case list(), UnsetType() if name == "$or":
            return any_of([_object(pattern, event) for pattern in wanted]) if wanted else UNSET
        case list(), None | bool() if wanted:
            return any_of(_fixed(element, value) for element in wanted)
        case list(), str() if wanted:
            return any_of(_element(element, value) for element in wanted)
        case dict(), dict():
            return _object(wanted, value)
        case dict(), str():
            return False
        case _:
            return UNSET


def _fixed(wanted: Any, value: bool | None) -> Truth:
    """Match one alternative for a field that holds a truth value or, if None, is not there."""
    match wanted:
        case {"exists": bool() as there, **rest} if not rest:
            return there is (value is not None)
        case dict():
            return False if value is None else UNSET
        case _:
            return value is not None and wanted is value


def _element(wanted: Any, value: str) -> Truth:
    """Match one alternative: a text, an operator, or a number, true or null, which no field of the event is."""
    match wanted:
        case str():
            return matches_all(wanted, value)
        case None | bool() | int() | float():
            return False
        case dict() if len(wanted) == 1:
            ((operator, operand),) = wanted.items()
            return _operator(operator, operand, value)
        case _:
            return UNSET


def _operator(operator: str, operand: Any, value: str) -> Truth:
    match operator, operand:
        case "exists", bool():
            return operand
        case "anything-but", dict() if len(operand) == 1:
            ((inner, values),) = operand.items()
            return negate(_any_element(values, lambda each: _operator(inner, each, value)))
        case "anything-but", str() | int() | float() | list():
            return negate(_any_element(operand, lambda each: _element(each, value)))
        case (("prefix" | "suffix"), {"equals-ignore-case": str() as text, **rest}) if not rest:
            return matches_all(_GLOBS[operator](text.lower()), value.lower())
        case (("prefix" | "suffix" | "wildcard"), str()):
            return matches_all(_GLOBS[operator](operand), value)
        case "equals-ignore-case", str():
            return matches_all(operand.lower(), value.lower())
        case "numeric", list():
            return False
        case _:
            # An address (cidr) may stand in an unknown field.
            return UNSET


def _any_element(values: Any, judge: Callable[[Any], Truth]) -> Truth:
    return any_of([judge(each) for each in (values if isinstance(values, list) else [values])]) if values else UNSET


def _wildcard_glob(text: str) -> str:
    r"""The glob of an EventBridge wildcard: `*` is the only wildcard, `\*` and `\\` escape `*` and `\`.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-wildcard-matching
    """
    parts, escaped = [], False
    for char in text:
        if char == "\\" and not escaped:
            escaped = True
            continue
        parts.append(MANY if char == "*" and not escaped else char)
        escaped = False
    return "".join(parts)


_GLOBS: dict[str, Callable[[str], str]] = {
    "prefix": lambda text: text + MANY,
    "suffix": lambda text: MANY + text,
    "wildcard": _wildcard_glob,
}
