"""Prepares the policies of signed-in users' roles in a template: no hole is left that may hold anything.

Such a hole becomes a policy variable of unknown value, unless its place in a resource's ARN tells what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import UNSET, Struct

from scanner.declared.holes import Hole, Text, joined

STANDINS = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
_ANYTHING = "${chimeaudit:unknown}"  # a variable that no policy has
_WITH_VARIABLES, _OLD = "2012-10-17", "2008-10-17"
_SETTLED = ("Effect", "Action", "NotAction")


class UserPolicies(Struct, frozen=True, kw_only=True):
    """The documents of a role as plain data with holes, UNSET where not known; `boundary` is None if it has none."""

    arn: Text
    trust: Any
    identity: Sequence[Any]
    boundary: Any


def of_users(document: Any, app_instance: Text) -> Any:
    """A policy of a role whose holes are plain; UNSET if it may be any policy.

    `app_instance` is the ARN of an app instance that ends in a hole; other holes that stand for such ARNs get its form.
    """
    statements = _statements(document)
    if statements is None:
        return UNSET
    arns = {text[0] for text in _resources(statements) if _begins_with_arn(text)}
    if document.get("Version") != _WITH_VARIABLES and any(map(_is_open, statements)):
        return UNSET
    return {
        "Version": document.get("Version", _OLD),
        "Statement": [_prepared(each, arns, app_instance) for each in statements],
    }


def as_written(document: Any) -> Any:
    """A trust policy with its holes as a template writes them; UNSET if it may be any policy."""
    return UNSET if _statements(document) is None else _written(document)


def _statements(document: Any) -> list[dict[str, Any]] | None:
    """The statements, if what they allow or deny is written out."""
    found = document.get("Statement") if isinstance(document, dict) else None
    listed: list[Any] = found if isinstance(found, list) else [found]
    known = all(isinstance(each, dict) and not _holes([each.get(name) for name in _SETTLED]) for each in listed)
    return listed if known else None


def _holes(data: Any) -> list[Hole]:
    match data:
        case Hole():
            return [data]
        case dict():
            return _holes(list(data.values()))
        case list() | tuple():
            return [hole for each in data for hole in _holes(each)]
    return []


def _is_open(statement: dict[str, Any]) -> bool:
    return any(not hole.plain for hole in _holes(statement))


def _resources(statements: Sequence[dict[str, Any]]) -> Iterator[Text]:
    for statement in statements:
        for name in ("Resource", "NotResource"):
            named = statement.get(name)
            yield from (each for each in (named if isinstance(named, list) else [named]) if isinstance(each, tuple))


def _begins_with_arn(text: Text) -> bool:
    """Whether a text begins with a hole that stands for an ARN, since parts of an app instance follow."""
    first, *others = text
    follows = others[0] if others else ""
    return isinstance(first, Hole) and not first.plain and isinstance(follows, str) and follows[:1] in ("/", "*")


def _prepared(statement: dict[str, Any], arns: set[str | Hole], app_instance: Text) -> dict[str, Any]:
    def resource(text: Any) -> Any:
        return _resource(text, arns, app_instance) if isinstance(text, tuple) else text

    changed = {
        name: [resource(each) for each in named] if isinstance(named, list) else resource(named)
        for name in ("Resource", "NotResource")
        if (named := statement.get(name)) is not None
    }
    if "Condition" in statement:
        changed["Condition"] = _conditions(statement["Condition"])
    return {name: each for name, each in statement.items() if name != "Sid"} | changed


def _resource(text: Text, arns: set[str | Hole], app_instance: Text) -> Text:
    pieces: list[Text] = []
    for at, piece in enumerate(text):
        before, after = (text[at - 1] if at else ""), (text[at + 1] if at + 1 < len(text) else "")
        if isinstance(piece, str) or piece.plain:
            pieces.append((piece,))
        elif not at and piece in arns:
            pieces.append((*app_instance[:-1], Hole(name=piece.name, plain=True)))
        elif str(before).endswith("app-instance/"):
            pieces.append((Hole(name=piece.name, plain=True),))
        elif str(before).endswith(":chime:") and str(after).startswith(":"):
            pieces.append((Hole(name="AWS::Region", plain=True),))
        else:
            pieces.append((_ANYTHING,))
    return joined(pieces)


def _conditions(data: Any) -> Any:
    match data:
        case dict():
            return {key: _conditions(each) for key, each in data.items()}
        case list():
            return [_conditions(each) for each in data]
        case tuple():
            return joined([(piece,) if isinstance(piece, str) or piece.plain else (_ANYTHING,) for piece in data])
    return data


def _written(data: Any) -> Any:
    match data:
        case tuple():
            return "".join(STANDINS.get(each.name, str(each)) if isinstance(each, Hole) else each for each in data)
        case dict():
            return {key: _written(each) for key, each in data.items()}
        case list():
            return [_written(each) for each in data]
    return data
