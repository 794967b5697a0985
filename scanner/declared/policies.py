"""Judges a template's policies, although account, region and new ids are not known before deployment.

Values are tried for what is unknown: one that the policies do not name, and each one that they name. Each combination
of values is a world. An answer that is the same in all worlds is certain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise, product
from typing import Any, TypeVar

from msgspec import UNSET, Struct, UnsetType, structs

from scanner import policy
from scanner.declared.holes import Hole, Pending, Text
from scanner.declared.user_policies import STANDINS, UserPolicies, as_written, of_users
from scanner.model.facts import CallbackPermission, FunctionAccess
from scanner.model.yamltree import Listing, Node, Table, plain
from scanner.policy import ChatRole, LeftOut

MOST_WORLDS = 64
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_REGION = re.compile(r"\b[a-z]{2}(?:-[a-z]+)+-\d\b")
_APP_INSTANCE = re.compile(r"arn:[a-z-]+:chime:[a-z0-9-]+:\d{12}:app-instance/[A-Za-z0-9-]+")
_APP_INSTANCE_ID = re.compile(r":app-instance/([A-Za-z0-9-]+)")
_NEW_ID = "00000000-0000-4000-8000-000000000000"
_NOWHERE = {"AWS::AccountId": "000000000000", "AWS::Region": "xx-nowhere-1"}

Verdicts = TypeVar("Verdicts", bound=Struct)
World = Mapping[str, str]
"""Name of a hole -> the value that is tried for it."""

_access = lru_cache(maxsize=1024)(policy.access)


class _CannotBeFilledError(Exception):
    """A hole may hold anything, so no value can be tried for it."""


def access(
    statements: Sequence[Any] | None, app_instance: Text, account_id: Text, url: policy.FunctionUrl
) -> FunctionAccess:
    """Who may invoke a function, according to the statements of its resource policy (None: not known) and its URL."""
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
    """What a role may do in Chime, according to its policies; UNSET is one that is not known.

    `boundary` is None if the role has no permissions boundary.
    """

    def judge(world: World) -> CallbackPermission:
        documents = tuple(None if each is UNSET else json.dumps(filled(each, world)) for each in identity)
        limit = json.dumps(filled(boundary, world)) if isinstance(boundary, dict) else boundary
        return policy.callback(documents, limit, app_instance_arn=filled(app_instance, world))

    return _agreed(judge, [*identity, boundary, app_instance], app_instance, CallbackPermission())


def chat_role(documents: UserPolicies, app_instance: Text, *, is_given: bool) -> ChatRole | LeftOut | None:
    """What a role lets signed-in users do; `is_given`: an identity pool hands it out, whatever its trust policy says.

    `app_instance` is the ARN of an app instance, for holes that stand for such ARNs.
    """
    identity = [of_users(about_chime(each), app_instance) for each in documents.identity]
    limit = documents.boundary
    limit = limit if limit is None else of_users(about_chime(limit), app_instance)
    trust = as_written(documents.trust)

    def judge(world: World) -> ChatRole | LeftOut | None:
        return policy.chat_role(
            policy.RoleDocuments(
                arn=filled(documents.arn, world),
                trust=_text(trust, {}),
                identity=tuple(_text(each, world) for each in identity),
                boundary=None if limit is None else _text(limit, world),
                is_given=is_given,
            )
        )

    worlds = list(_worlds_of_users([documents.arn, *identity, limit]))
    judged = [judge(world) for world in worlds[: MOST_WORLDS if len(worlds) <= MOST_WORLDS else 1]]
    roles = [each for each in judged if isinstance(each, ChatRole)]
    if len(roles) < len(judged):  # whose role it is does not hang on what is unknown
        return judged[0]
    if len(worlds) > MOST_WORLDS:
        return ChatRole(providers=roles[0].providers)
    return _common(roles, ChatRole(providers=roles[0].providers))


def _text(document: Any, world: World) -> str | UnsetType:
    try:
        return UNSET if document is UNSET else json.dumps(filled(document, world))
    except _CannotBeFilledError:
        return UNSET


def value(node: Node) -> Any:
    """A node as plain data, in which texts with holes are tuples of pieces."""
    match node:
        case Pending():
            return node.text
        case Table():
            return {key: value(each) for key, each in node.entries.items()}
        case Listing():
            return [value(each) for each in node.items]
    return plain(node)


def about_chime(document: Any) -> Any:
    """The document without statements that surely are not about Chime, since holes in these do not matter."""
    statements = document.get("Statement") if isinstance(document, dict) else None
    if not isinstance(statements, list):
        return document
    return {**document, "Statement": [each for each in statements if not _is_about_others(each)]}


def _is_about_others(statement: Any) -> bool:
    actions = statement.get("Action") if isinstance(statement, dict) else None
    listed = actions if isinstance(actions, list) else [actions]
    return all(isinstance(action, str) and _service(action) not in ("chime", None) for action in listed)


def _service(action: str) -> str | None:
    """The service of an action; None if a wildcard leaves it open."""
    service, colon, _ = action.partition(":")
    return service.lower() if colon and not set("*?") & set(service) else None


def filled(data: Any, world: World) -> Any:
    """The data with the world's values in place of holes.

    Raises:
        _CannotBeFilledError: a hole may hold anything.
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
        truths = [judge(world) for world in worlds]
    except _CannotBeFilledError:
        return unknown
    return _common(truths, unknown)


def _common(truths: Sequence[Verdicts], unknown: Verdicts) -> Verdicts:
    """What is the same in all verdicts; the rest is unknown."""
    facts = {
        name: getattr(truths[0], name)
        for name in truths[0].__struct_fields__
        if len({getattr(truth, name) for truth in truths}) == 1
    }
    return structs.replace(unknown, **facts)


def _worlds(data: Sequence[Any], app_instance: Text) -> Iterator[World]:
    """Every combination of accounts, regions and app instances that could make a difference, up to a limit."""
    pieces = _pieces(data)
    text = "\n".join(piece for piece in pieces if isinstance(piece, str))
    holes = {piece.name for piece in pieces if isinstance(piece, Hole)}
    choices: dict[str, list[str]] = {}
    if "AWS::AccountId" in holes:
        choices["AWS::AccountId"] = [_NOWHERE["AWS::AccountId"], *sorted(set(_ACCOUNT.findall(text)))]
    if "AWS::Region" in holes:
        choices["AWS::Region"] = [_NOWHERE["AWS::Region"], *sorted(set(_REGION.findall(text)))]
    for name in holes & STANDINS.keys():
        choices[name] = [STANDINS[name]]
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


def _worlds_of_users(data: Sequence[Any]) -> Iterator[World]:
    """As _worlds, for roles of users, who may use any app instance in a region where messaging is.

    Regions are alike where none is named, and an app instance is like any other where no other is named.
    """
    pieces = _pieces(data)
    text = "\n".join(piece for piece in pieces if isinstance(piece, str))
    choices = {name: [standin] for name, standin in STANDINS.items()}
    choices["AWS::AccountId"] = [_NOWHERE["AWS::AccountId"], *sorted(set(_ACCOUNT.findall(text)))]
    choices["AWS::Region"] = list(policy.MESSAGING_REGIONS[: None if _REGION.search(text) else 1])
    ids = sorted(_new_app_instances(pieces))
    named = sorted(set(_APP_INSTANCE_ID.findall(text)))
    choices |= {name: [_stand_in(name), *([_NEW_ID] if len(ids) > 1 else []), *named] for name in ids}
    held = {piece.name for piece in pieces if isinstance(piece, Hole)}
    choices = {name: choices[name] for name in sorted(choices) if name in held}
    for combination, _ in zip(product(*choices.values()), range(MOST_WORLDS + 1), strict=False):
        yield dict(zip(choices, combination, strict=True))


def _new_app_instances(pieces: Sequence[str | Hole]) -> set[str]:
    """The names of the holes that are ids of app instances which the deployment creates."""
    following = pairwise(pieces)
    return {
        hole.name
        for before, hole in following
        if isinstance(before, str) and before.endswith("app-instance/") and isinstance(hole, Hole) and hole.plain
    }


def _pieces(data: Any) -> list[str | Hole]:
    """All pieces of text in some data, in order."""
    pieces: list[str | Hole] = []
    _add(data, pieces)
    return pieces


def _add(data: Any, pieces: list[str | Hole]) -> None:
    match data:
        case str() | Hole():
            pieces.append(data)
        case dict():
            for key, each in data.items():
                pieces.append(key)
                _add(each, pieces)
        case list() | tuple():
            for each in data:
                _add(each, pieces)
