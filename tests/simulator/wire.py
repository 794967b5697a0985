"""Compares answers, as they came over the wire, with botocore's service models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, Shape, StructureShape


def call(client: Any, operation: str, **given: str) -> tuple[dict[str, Any], Any]:
    """botocore's parsed answer, and the JSON from which it was parsed."""
    bodies: list[bytes] = []

    def keep(response_dict: Mapping[str, Any], **_: object) -> None:
        bodies.append(response_dict["body"])

    client.meta.events.register("before-parse", keep)
    return client._make_api_call(operation, given), json.loads(bodies[-1])


def departures(shape: Shape, value: Any, path: str) -> list[str]:
    """The paths at which JSON differs from the model: missing, unknown or null members."""
    match shape:
        case StructureShape():
            missing = [f"{path}.{name} is missing" for name in shape.required_members if name not in value]
            unknown = [f"{path}.{name} is unknown" for name in value if name not in shape.members]
            known = [name for name in value if name in shape.members]
            within = [d for name in known for d in departures(shape.members[name], value[name], f"{path}.{name}")]
            return missing + unknown + within
        case ListShape():
            return [d for n, item in enumerate(value) for d in departures(shape.member, item, f"{path}[{n}]")]
        case _:
            kinds = {"string": str, "integer": int, "long": int, "timestamp": float}
            allowed = getattr(shape, "enum", [])
            wrong = not isinstance(value, kinds[shape.type_name]) or (allowed and value not in allowed)
            return [f"{path} is {value!r}"] if wrong else []
