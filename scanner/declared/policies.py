"""Judges the policies of a template although the account, the region and new ids are not known before the deployment.

What is not known is tried out: as something that nothing in the policies names and as everything that they do name.
A verdict that is the same in every such world is certain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise, product
from typing import Any, TypeVar

from msgspec import UNSET, Struct, structs

from scanner import policy
from scanner.declared.holes import Hole, Pending, Text
from scanner.model.facts import CallbackPermission, FunctionAccess
from scanner.model.yamltree import Listing, Node, Table, plain

MOST_WORLDS = 64
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_REGION = re.compile(r"\b[a-z]{2}(?:-[a-z]+)+-\d\b")
_APP_INSTANCE = re.compile(r"arn:[a-z-]+:chime:[a-z0-9-]+:\d{12}:app-instance/[A-Za-z0-9-]+")
_NEW_ID = "00000000-0000-4000-8000-000000000000"
_STANDINS = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
_NOWHERE = {"AWS::AccountId": "000000000000", "AWS::Region": "xx-nowhere-1"}

Verdicts = TypeVar("Verdicts", bound=Struct)
World = Mapping[str, str]
"""What stands in for each hole, by its name."""

_access = lru_cache(maxsize=1024)(policy.access)


class _CannotBeFilledError(Exception):
    """A hole that may hold anything."""


def access(
    statements: Sequence[Any] | None, app_instance: Text, account_id: Text, url: policy.FunctionUrl
) -> FunctionAccess:
    """Who may invoke a function, by the statements of its resource policy (None: they are not known) and its URL."""
    if statements is None:
        return FunctionAccess()

    def judge(world: World) -> FunctionAccess:
        document = json.dumps(filled({"Version": "2012-10-17", "Statement": list(statements)}, world))
        return _access(
            document if statements else None,
            app_instance_arn=filled(app_instance, world),
            account_id=filled(account_id, world),
            url=url,
        )

    return _agreed(judge, [*statements, app_instance, account_id], app_instance, FunctionAccess())


def callback(identity: Sequence[Any], boundary: Any, app_instance: Text) -> CallbackPermission:
    """What a role may do in Chime, by its policies. One that cannot be read is UNSET; without a boundary it is None."""

    def judge(world: World) -> CallbackPermission:
        documents = tuple(None if each is UNSET else json.dumps(filled(each, world)) for each in identity)
        limit = json.dumps(filled(boundary, world)) if isinstance(boundary, dict) else boundary
        return policy.callback(documents, limit, app_instance_arn=filled(app_instance, world))

    return _agreed(judge, [*identity, boundary, app_instance], app_instance, CallbackPermission())


def value(node: Node) -> Any:
    """A document as plain data, in which texts with holes are tuples of pieces."""
    match node:
        case Pending():
            return node.text
        case Table():
            return {key: value(each) for key, each in node.entries.items()}
        case Listing():
            return [value(each) for each in node.items]
    return plain(node)


def about_chime(document: Any) -> Any:
    """The document without the statements that surely are about something else; what those say may not be known."""
    statements = document.get("Statement") if isinstance(document, dict) else None
    if not isinstance(statements, list):
        return document
    return {**document, "Statement": [each for each in statements if not _is_about_others(each)]}


def _is_about_others(statement: Any) -> bool:
    actions = statement.get("Action") if isinstance(statement, dict) else None
    listed = actions if isinstance(actions, list) else [actions]
    return all(isinstance(action, str) and _service(action) not in ("chime", None) for action in listed)


def _service(action: str) -> str | None:
    """The service of an action; None where a wildcard leaves it open."""
    service, colon, _ = action.partition(":")
    return service.lower() if colon and not set("*?") & set(service) else None


def filled(data: Any, world: World) -> Any:
    """The data with every hole filled.

    Raises:
        _CannotBeFilledError: nothing is known of one.
    """
    match data:
        case tuple():
            return "".join(piece if isinstance(piece, str) else _filling(piece, world) for piece in data)
        case dict():
            return {key: filled(each, world) for key, each in data.items()}
        case list():
            return [filled(each, world) for each in data]
    return data


def _filling(hole: Hole, world: World) -> str:
    if hole.name in world:
        return world[hole.name]
    if not hole.plain:
        raise _CannotBeFilledError
    return _stand_in(hole.name)


def _stand_in(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", name)


def _agreed(judge: Callable[[World], Verdicts], data: Sequence[Any], app_instance: Text, unknown: Verdicts) -> Verdicts:
    worlds = list(_worlds(data, app_instance))
    if len(worlds) > MOST_WORLDS:
        return unknown
    try:
        verdicts = [judge(world) for world in worlds]
    except _CannotBeFilledError:
        return unknown
    facts = {
        name: getattr(verdicts[0], name)
        for name in verdicts[0].__struct_fields__
        if len({getattr(verdict, name) for verdict in verdicts}) == 1
    }
    return structs.replace(unknown, **facts)


def _worlds(data: Sequence[Any], app_instance: Text) -> Iterator[World]:
    """Every choice of account, region and app instance that could make a difference."""
    pieces = list(_pieces(data))
    text = "\n".join(piece for piece in pieces if isinstance(piece, str))
    holes = {piece.name for piece in pieces if isinstance(piece, Hole)}
    choices: dict[str, list[str]] = {}
    if "AWS::AccountId" in holes:
        choices["AWS::AccountId"] = [_NOWHERE["AWS::AccountId"], *sorted(set(_ACCOUNT.findall(text)))]
    if "AWS::Region" in holes:
        choices["AWS::Region"] = [_NOWHERE["AWS::Region"], *sorted(set(_REGION.findall(text)))]
    for name in holes & _STANDINS.keys():
        choices[name] = [_STANDINS[name]]
    last = app_instance[-1]
    if isinstance(last, Hole) and len(app_instance) > 1:
        choices[last.name] = [_NEW_ID]
    elif isinstance(last, Hole):
        accounts = choices.get("AWS::AccountId", [_NOWHERE["AWS::AccountId"], *sorted(set(_ACCOUNT.findall(text)))])
        regions = choices.get("AWS::Region", [_NOWHERE["AWS::Region"], *sorted(set(_REGION.findall(text)))])
        new = [f"arn:aws:chime:{region}:{account}:app-instance/{_NEW_ID}" for region in regions for account in accounts]
        choices[last.name] = [*new, *sorted(set(_APP_INSTANCE.findall(text)))]
        choices |= {name: [_stand_in(name), _NEW_ID] for name in _new_app_instances(pieces)}
    for combination, _ in zip(product(*choices.values()), range(MOST_WORLDS + 1), strict=False):
        yield dict(zip(choices, combination, strict=True))


def _new_app_instances(pieces: Sequence[str | Hole]) -> set[str]:
    """The holes that are ids of app instances which the deployment makes."""
    following = pairwise(pieces)
    return {
        hole.name
        for before, hole in following
        if isinstance(before, str) and before.endswith("app-instance/") and isinstance(hole, Hole) and hole.plain
    }


def _pieces(data: Any) -> Iterator[str | Hole]:
    match data:
        case str() | Hole():
            yield data
        case dict():
            for key, each in data.items():
                yield key
                yield from _pieces(each)
        case list() | tuple():
            for each in data:
                yield from _pieces(each)
