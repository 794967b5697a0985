"""Parses the JSON text of a policy document into a Policy, or UNSET where the text is no valid policy.

A document that departs from the grammar is refused as a whole: a skipped statement could be the one that denies.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import UNSET, Struct, UnsetType

MAX_CHARACTERS = 32 * 1024
"""More than AWS allows for any policy: 20 KB for a function's, 6,144 characters without spaces for a managed one."""

_MAX_DEPTH = 32
_MAX_PATTERN = 1024
_MAX_WILDCARDS = 16
# Surrogates are not valid text, and globs use noncharacters as wildcards.
_FORBIDDEN = re.compile("[\ud800-\udfff\ufdd0-\ufdef]")
_VERSIONS = ("2012-10-17", "2008-10-17")
_PRINCIPALS = {"AWS", "Service", "Federated", "CanonicalUser"}
_ELEMENTS = {
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"),
}


class Choice(Struct, frozen=True, kw_only=True):
    """The patterns in an Action or Resource element; `negated` for NotAction and NotResource."""

    values: tuple[str, ...]
    negated: bool = False


class Principals(Struct, frozen=True, kw_only=True):
    """Whom a statement names, as (kind, value); plain `"*"` is stored as {"AWS": "*"}. `negated` for NotPrincipal.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """

    values: tuple[tuple[str, str], ...]
    negated: bool = False


class Clause(Struct, frozen=True, kw_only=True):
    """One operator and key of a condition, both in lower case since IAM ignores their case, and the values wanted."""

    operator: str
    key: str
    values: tuple[str, ...]


class Statement(Struct, frozen=True, kw_only=True):
    """A policy statement. `principals` is None in an identity policy: there the identity itself is the principal."""

    allows: bool
    principals: Principals | None
    actions: Choice
    resources: Choice | None
    conditions: tuple[Clause, ...]


class Policy(Struct, frozen=True, kw_only=True):
    """A policy document. `variables`: whether ${...} is a policy variable, as it is from version 2012-10-17 on.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """

    statements: tuple[Statement, ...]
    variables: bool = True


def clauses_of(policy: Policy, key: str) -> list[Clause]:
    """The conditions of all statements on one key, which is given in lower case."""
    clauses = (clause for statement in policy.statements for clause in statement.conditions)
    return [clause for clause in clauses if clause.key == key]


def values_of(policy: Policy, key: str) -> list[str]:
    """The values that all statements want of one key, sorted."""
    return sorted({value for clause in clauses_of(policy, key) for value in clause.values})


class _NotAPolicyError(ValueError):
    """The document is not a valid policy. It stays in this module: callers get UNSET."""


def read_json(text: str) -> Any:
    """The parsed JSON; UNSET where it is invalid, too long, too deep, or has duplicate keys."""
    if len(text) > MAX_CHARACTERS:
        return UNSET
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)
        _check(value)
    except (ValueError, RecursionError):
        return UNSET
    return value


def read_policy(text: str) -> Policy | UnsetType:
    """The policy in a JSON text; UNSET where it is invalid or of an unknown version."""
    document = read_json(text)
    try:
        return _policy(document)
    except _NotAPolicyError:
        return UNSET


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    _require(len(value) == len(pairs))
    return value


def _refuse(_: str) -> None:
    raise _NotAPolicyError


def _require(condition: bool) -> None:
    if not condition:
        raise _NotAPolicyError


def _check(document: Any) -> None:
    """Refuse forbidden characters and excessive depth. It does not recurse, since the document may be too deep."""
    level = [document]
    for _ in range(_MAX_DEPTH):
        _require(not any(isinstance(value, str) and _FORBIDDEN.search(value) for value in level))
        level = [part for value in level for part in _parts(value)]
    _require(not level)


def _parts(value: Any) -> list[Any]:
    match value:
        case dict():
            return [*value, *value.values()]
        case list():
            return value
        case _:
            return []


def _policy(document: Any) -> Policy:
    _require(isinstance(document, dict) and document.keys() <= {"Version", "Id", "Statement"})
    version = document.get("Version", "2008-10-17")
    _require(version in _VERSIONS and "Statement" in document)
    statements = document["Statement"]
    return Policy(
        statements=tuple(map(_statement, statements if isinstance(statements, list) else [statements])),
        variables=version == "2012-10-17",
    )


def _statement(statement: Any) -> Statement:
    _require(isinstance(statement, dict) and statement.keys() <= _ELEMENTS)
    _require(statement.get("Effect") in ("Allow", "Deny"))
    actions = _choice(statement, "Action")
    if actions is None:
        raise _NotAPolicyError
    return Statement(
        allows=statement["Effect"] == "Allow",
        principals=_principals(statement),
        actions=actions,
        resources=_choice(statement, "Resource"),
        conditions=_conditions(statement.get("Condition", {})),
    )


def _choice(statement: dict[str, Any], element: str) -> Choice | None:
    _require(not {element, f"Not{element}"} <= statement.keys())
    if f"Not{element}" in statement:
        return Choice(values=_patterns(statement[f"Not{element}"]), negated=True)
    return Choice(values=_patterns(statement[element])) if element in statement else None


def _principals(statement: dict[str, Any]) -> Principals | None:
    _require(not {"Principal", "NotPrincipal"} <= statement.keys())
    if "NotPrincipal" in statement:
        return Principals(values=_principal(statement["NotPrincipal"]), negated=True)
    return Principals(values=_principal(statement["Principal"])) if "Principal" in statement else None


def _principal(value: Any) -> tuple[tuple[str, str], ...]:
    named = {"AWS": "*"} if value == "*" else value
    _require(isinstance(named, dict) and named.keys() <= _PRINCIPALS and len(named) > 0)
    return tuple((kind, name) for kind, names in named.items() for name in _patterns(names))


def _conditions(value: Any) -> tuple[Clause, ...]:
    _require(isinstance(value, dict) and all(isinstance(keys, dict) for keys in value.values()))
    clauses = tuple(
        Clause(operator=operator.lower(), key=key.lower(), values=_patterns(values))
        for operator, keys in value.items()
        for key, values in keys.items()
    )
    # AWS does not say which of two spellings of a key counts
    _require(len({(clause.operator, clause.key) for clause in clauses}) == len(clauses))
    return clauses


def _patterns(value: Any) -> tuple[str, ...]:
    patterns = tuple(map(_pattern, value if isinstance(value, list) else [value]))
    _require(len(patterns) > 0)
    return patterns


def _pattern(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str() if len(value) <= _MAX_PATTERN and value.count("*") <= _MAX_WILDCARDS:
            return value
        case _:
            raise _NotAPolicyError
