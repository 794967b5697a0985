"""AWS's answers as botocore's own service models and the examples of its documentation show them.

``python -m tests.shapes`` names what the installed botocore has and chimeaudit does not know: members and values of
answers that are not in `tests/shapes.txt`, and values that the code takes for unknown. It exits with 1 if there are
any.
``--write`` accepts what is there, once somebody has seen whether a fact hangs on it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Set
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args
from xml.sax.saxutils import escape

import botocore
from botocore.exceptions import UnknownServiceError
from botocore.loaders import DataNotFoundError
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StringShape, StructureShape

from scanner.aws.session import _loader
from scanner.collect.function import _STATES, _UPDATE_STATUSES
from scanner.model.facts import FallbackAction
from scanner.model.operations import FACETS, OBTAINING_CREDENTIALS, ORGANIZATION, Operation, needed
from scanner.policy.function_url import AUTH_TYPES

ACCEPTED = Path(__file__).with_name("shapes.txt")
_SERVICES = frozenset(_loader(None).list_available_services("service-2"))
CALLED = sorted(each for each in needed(FACETS) | ORGANIZATION | OBTAINING_CREDENTIALS if each.service in _SERVICES)
"""The operations that are called; the oldest botocore that is allowed does not know all of their services."""
KNOWN_VALUES: Mapping[str, Set[str]] = {
    "lambda:GetFunctionConfiguration State": _STATES,
    "lambda:GetFunctionConfiguration LastUpdateStatus": _UPDATE_STATUSES,
    "lambda:GetFunctionConfiguration PackageType": frozenset({"Zip", "Image"}),
    "lambda:GetFunctionUrlConfig AuthType": frozenset(AUTH_TYPES),
    "chime-sdk-messaging:ListChannelFlows ChannelFlows[].Processors[].FallbackAction": frozenset(
        get_args(FallbackAction)
    ),
    "chime-sdk-messaging:ListChannelFlows ChannelFlows[].Processors[].Configuration.Lambda.InvocationType": frozenset(
        {"ASYNC"}
    ),
    "events:ListRules Rules[].State": frozenset(
        {"ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}
    ),
    "organizations:ListAccounts Accounts[].State": frozenset(
        {"PENDING_ACTIVATION", "ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED"}
    ),
    "organizations:ListAccounts Accounts[].Status": frozenset({"ACTIVE", "SUSPENDED", "PENDING_CLOSURE"}),
}
"""The values by which the code decides, by where they are."""
_TEXTS = ("111122223333", "arn:aws:iam::111122223333:role/example", "ou-ab12-34567890", "text", "12", "a@example.com")
_DEEPEST = 12
_WHEN = 1_700_000_000.0


@cache
def model(operation: Operation) -> OperationModel:
    """The operation in the installed botocore."""
    description = _loader(None).load_service_model(operation.service, "service-2")
    found: OperationModel = ServiceModel(description, operation.service).operation_model(operation.name)
    return found


def answer(operation: Operation) -> bytes:
    """A body with every member of the operation's answer filled."""
    shape = model(operation).output_shape
    return _xml(operation, shape) if _speaks_xml(operation) else json.dumps(_value(shape, 0)).encode()


def examples(operation: Operation) -> Iterator[Any]:
    """The outputs in the examples of AWS's documentation, which botocore carries."""
    try:
        known = _loader(None).load_service_model(operation.service, "examples-1")
    except (DataNotFoundError, UnknownServiceError):
        return
    for each in known["examples"].get(operation.name, ()):
        if "output" in each:
            yield _timed(each["output"], model(operation).output_shape)


class _Map(dict[str, Any]):
    """A map, which XML writes in another way than a structure."""


def _speaks_xml(operation: Operation) -> bool:
    return bool(model(operation).service_model.metadata["protocol"] == "query")


def _value(shape: Shape | None, depth: int) -> Any:
    if depth > _DEEPEST:
        return None
    match shape:
        case StructureShape():
            return {name: _value(member, depth + 1) for name, member in _members(shape).items()}
        case ListShape():
            return [_value(shape.member, depth + 1)]
        case MapShape():
            return _Map(dict.fromkeys(("one", "two"), _value(shape.value, depth + 1)))
        case StringShape():
            return shape.enum[0] if shape.enum else _text(shape.metadata.get("pattern"))
        case None:
            return {}
    return {"timestamp": _WHEN, "boolean": False, "blob": "AA=="}.get(shape.type_name, 1)


def _text(pattern: str | None) -> str:
    """A text that AWS's pattern allows; patterns that Python does not read, or nothing here fits, allow any."""
    try:
        return next((text for text in _TEXTS if not pattern or re.fullmatch(pattern, text)), _TEXTS[0])
    except re.error:
        return _TEXTS[0]


def _members(shape: StructureShape) -> dict[str, Shape]:
    """The members in the body, by the names that they have there."""
    return {
        member.serialization.get("name", name): member
        for name, member in shape.members.items()
        if "location" not in member.serialization
    }


def _xml(operation: Operation, shape: Shape | None) -> bytes:
    name = operation.name
    return f"<{name}Response><{name}Result>{_elements(_value(shape, 0))}</{name}Result></{name}Response>".encode()


def _elements(value: Any) -> str:
    match value:
        case _Map():
            pairs = ((name, _elements(each)) for name, each in value.items())
            return "".join(f"<entry><key>{name}</key><value>{each}</value></entry>" for name, each in pairs)
        case dict():
            return "".join(f"<{name}>{_elements(each)}</{name}>" for name, each in value.items())
        case list():
            return "".join(f"<member>{_elements(each)}</member>" for each in value)
        case bool():
            return str(value).lower()
        case float():
            return "2023-11-14T22:13:20Z"
    return escape(str(value))


def _timed(value: Any, shape: Shape | None) -> Any:
    """The value of an example with its times as they are sent: the examples write all of them as text."""
    match shape:
        case StructureShape() if isinstance(value, dict):
            return {name: _timed(each, shape.members.get(name)) for name, each in value.items()}
        case ListShape() if isinstance(value, list):
            return [_timed(each, shape.member) for each in value]
    if shape is not None and shape.type_name == "timestamp" and isinstance(value, str):
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError:
            return _WHEN
    return value


def members(shape: Shape | None, path: str = "", depth: int = 0) -> Iterator[str]:
    """The path of each member of an answer, and ``path=VALUE`` for each value that it may have."""
    if depth > _DEEPEST:
        return
    match shape:
        case StructureShape():
            for name, member in _members(shape).items():
                inner = f"{path}.{name}" if path else name
                yield inner
                yield from members(member, inner, depth + 1)
        case ListShape():
            yield from members(shape.member, f"{path}[]", depth + 1)
        case MapShape():
            yield from members(shape.value, f"{path}{{}}", depth + 1)
        case StringShape():
            yield from (f"{path}={value}" for value in shape.enum)


def found() -> list[str]:
    """All members and values of all answers in the installed botocore, a line each."""
    return sorted(
        {f"{each.service}:{each.name} {line}" for each in CALLED for line in members(model(each).output_shape)}
    )


def strange(accepted: Set[str], known: Mapping[str, Set[str]] = KNOWN_VALUES) -> Iterator[str]:
    """A line for each member or value that is new, or that the code takes for unknown."""
    for line in found():
        place, _, value = line.partition("=")
        if value and place in known and value not in known[place]:
            yield f"{line}: the code takes this value for unknown"
        if line not in accepted:
            yield f"{line}: new in botocore {botocore.__version__}"


def accepted() -> frozenset[str]:
    """The members and values that were looked at."""
    return frozenset(ACCEPTED.read_text(encoding="utf-8").splitlines())


def main(arguments: list[str]) -> int:
    """Print what is strange, or with ``--write`` accept it."""
    if arguments == ["--write"]:
        ACCEPTED.write_text("".join(f"{line}\n" for line in sorted({*found(), *accepted()})), encoding="utf-8")
        return 0
    lines = list(strange(accepted()))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.write(f"{len(lines)} unknown in the answers of {len(CALLED)} operations\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
