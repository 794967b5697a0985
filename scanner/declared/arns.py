"""Compares names and ARNs that may have holes: names of functions, and whether two ARNs will be equal."""

from __future__ import annotations

import re

from msgspec import UNSET, Struct

from scanner.declared.holes import Hole, Text, known, same, split
from scanner.model.logic import Truth, all_of

_FUNCTION: Text = ("function",)
_ARN: Text = ("arn",)
_KIND, FIELDS = 5, 6
_ATTRIBUTE = re.compile(r"[^\s:{]+\.[^\s:{]+")
"""The name of a hole that is an attribute of a resource in the same file."""


class FunctionName(Struct, frozen=True, kw_only=True):
    """The parts of a function's name or ARN; a missing part is None.

    `hides`: a hole may hold more than the part in which it stands.
    """

    name: Text
    qualifier: Text | None = None
    account_id: Text | None = None
    region: Text | None = None
    partition: Text | None = None
    hides: bool = False


def function_name(text: Text) -> FunctionName | None:
    """Split a function's name, partial ARN or ARN into its parts; None if the text is none of these.

    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
    """
    fields = split(text, ":")
    at = fields.index(_FUNCTION) if _FUNCTION in fields[:-1] else -1
    before, named = fields[: max(at, 0)], fields[at + 1 :]
    if len(named) > 2 or (fields[0] == _ARN and at != _KIND) or () in named:
        return None
    partition = fields[1] if at == _KIND else None
    account_id, region = (before[-each] if len(before) >= each else None for each in (1, 2))
    return FunctionName(
        name=named[0],
        qualifier=named[1] if len(named) > 1 else None,
        account_id=account_id,
        region=region,
        partition=partition,
        hides=_is_open(text if at < 0 else named[0][-1:] if len(named) == 1 else ()),
    )


def same_function(named: FunctionName, declared: FunctionName) -> Truth:
    """Whether a name refers to the declared function, in any version; missing parts count as equal."""
    name = same(named.name, declared.name)
    return all_of((UNSET if named.hides and name is False else name, _same_place(named, declared)))


def may_be_same_function(one: Text, other: Text) -> bool:
    """Whether two ARNs, of which one at least has holes, may turn out to be of the same function, in any version.

    Attributes of different resources are taken to be different functions.
    """
    stems = [_stem(one), _stem(other)]
    if all(len(stem) == 1 and isinstance(stem[0], Hole) and _ATTRIBUTE.fullmatch(stem[0].name) for stem in stems):
        return stems[0] == stems[1]
    first, second = map(named_by_arn, stems)
    return any(truth is not False for truth in (same_function(first, second), same_function(second, first)))


def named_by_arn(arn: Text) -> FunctionName:
    """The parts of an ARN; if it has a hole that may hold several of them, the whole is its name."""
    named = function_name(arn)
    return FunctionName(name=arn, hides=True) if named is None or named.partition is None else named


def _stem(arn: Text) -> Text:
    """The ARN without what follows a hole that holds all before it, such as a version."""
    first, *rest = arn
    return (first,) if isinstance(first, Hole) and rest and str(rest[0]).startswith(":") else arn


def same_version(named: FunctionName, declared: FunctionName, qualifier: Text | None) -> Truth:
    """Whether a name refers to this version or alias (None: without qualifier) of the declared function."""
    if named.hides and named.name != declared.name:
        return UNSET
    if named.qualifier is None or qualifier is None:
        return named.qualifier is qualifier
    return same(named.qualifier, qualifier)


def same_arn(one: Text, other: Text) -> Truth:
    """Whether two ARNs will be equal. An unknown partition counts as equal, since region and account decide it."""
    if one == other:
        return True
    fields, others = split(one, ":", FIELDS - 1), split(other, ":", FIELDS - 1)
    if len(fields) != len(others) or len(fields) < FIELDS:
        return same(one, other)
    return all_of((_same_partition(fields[1], others[1]), *map(same, fields[2:], others[2:])))


def _same_place(one: FunctionName, other: FunctionName) -> Truth:
    pairs = ((one.region, other.region), (one.account_id, other.account_id))
    truths = [same(mine, theirs) for mine, theirs in pairs if mine is not None and theirs is not None]
    if one.partition is not None and other.partition is not None:
        truths.append(_same_partition(one.partition, other.partition))
    return all_of(truths)


def _same_partition(one: Text, other: Text) -> Truth:
    return known(one) is None or known(other) is None or one == other


def _is_open(text: Text) -> bool:
    return any(isinstance(piece, Hole) and not piece.plain for piece in text)
