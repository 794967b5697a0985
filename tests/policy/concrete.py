"""An IAM for single requests: slow, simple, and independent of the code with which it is compared.

It judges documents as plain JSON values, and requests of which everything is known. Where AWS does not document what
holds, the request's `lenient` decides, so that both ways can be tried.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cache
from typing import Any

from msgspec import Struct

Json = Any


class Request(Struct, frozen=True, kw_only=True):
    """A request. `principal` is (kind, value), or None if the documents are its own; keys are in lower case."""

    principal: tuple[str, str] | None = None
    action: str
    resource: str = ""
    keys: dict[str, str | None]
    lenient: bool = False


def allows(documents: list[Json], request: Request) -> bool:
    statements = [statement for document in documents for statement in _list(document["Statement"])]
    applying = {statement["Effect"] for statement in statements if _applies(statement, request)}
    return applying == {"Allow"}


def _applies(statement: Json, request: Request) -> bool:
    return (
        _principal(statement, request)
        and _named(statement, "Action", request.action.lower(), lower=True)
        and (request.principal is not None or _named(statement, "Resource", request.resource))
        and all(
            _condition(operator.lower(), request.keys.get(key.lower()), _texts(wanted), request.lenient)
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _principal(statement: Json, request: Request) -> bool:
    if request.principal is None:
        return True
    if "NotPrincipal" in statement:
        return not _is_one_of(statement["NotPrincipal"], request)
    return _is_one_of(statement["Principal"], request)


def _is_one_of(principals: Json, request: Request) -> bool:
    if principals == "*":
        return True
    for kind, names in principals.items():
        for name in _list(names):
            if (kind, name) in (("AWS", "*"), request.principal) or _is_its_account(kind, name, request):
                return True
            if kind == "Federated" and request.lenient and _account(request) == name.split(":")[4]:
                return True
            if "*" in name and request.lenient and kind == (request.principal or ("",))[0]:
                return True
            if name == "chime.amazonaws.com" and request.lenient and request.principal == ("Service", MESSAGING):
                return True
    return False


def _is_its_account(kind: str, name: str, request: Request) -> bool:
    account = _account(request)
    return kind == "AWS" and account is not None and name in (account, f"arn:aws:iam::{account}:root")


def _account(request: Request) -> str | None:
    return request.principal[1].split(":")[4] if request.principal and ":" in request.principal[1] else None


MESSAGING = "messaging.chime.amazonaws.com"


def _named(statement: Json, element: str, text: str, *, lower: bool = False) -> bool:
    negated = f"Not{element}" in statement
    patterns = _list(statement[f"Not{element}" if negated else element])
    return negated != any(like(pattern.lower() if lower else pattern, text) for pattern in patterns)


def _condition(operator: str, value: str | None, wanted: list[str], lenient: bool) -> bool:
    if operator == "null":
        return (wanted[0] == "true") == (value is None)
    quantifier, _, rest = operator.rpartition(":")
    name = rest.removesuffix("ifexists")
    if value is None:
        if quantifier:
            return quantifier == "forallvalues"
        return name != rest or "not" in name
    found = any(_test(name.replace("not", ""), each, value, lenient) for each in wanted)
    return found != ("not" in name)


def _test(name: str, wanted: str, value: str, lenient: bool) -> bool:
    match name:
        case "stringequals":
            return wanted == value
        case "stringequalsignorecase" | "bool":
            return wanted.lower() == value.lower()
        case "stringlike":
            return like(wanted, value)
        case "arnlike" | "arnequals":
            return _like_arn(wanted, value, lenient)
        case "ipaddress":
            return ipaddress.ip_address(value) in ipaddress.ip_network(wanted)
        case _:
            raise AssertionError(name)


def _like_arn(wanted: str, value: str, lenient: bool) -> bool:
    parts, values = wanted.split(":", 5), value.split(":", 5)
    if len(parts) < 6:
        return lenient and like(wanted, value)
    return len(values) == 6 and all(like(part, of) for part, of in zip(parts, values, strict=True))


@cache
def like(pattern: str, text: str) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _texts(value: Json) -> list[str]:
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in _list(value)]
