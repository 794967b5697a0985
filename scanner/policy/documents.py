"""Policy documents: JSON text -> Policy, or UNSET where it is not one.

The grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
What departs from it anywhere is not read in part: a statement left out could be the one that denies.
"""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import UNSET, Struct, UnsetType

MAX_CHARACTERS = 32 * 1024
"""More than any policy may have: a function's 20 KB, a managed policy's 6,144 characters without white space."""

_MAX_DEPTH = 32
_MAX_PATTERN = 1024
_MAX_WILDCARDS = 16
# Surrogates are no text, and noncharacters mean something in globs.
_FORBIDDEN = re.compile("[\ud800-\udfff\ufdd0-\ufdef]")
_VERSIONS = ("2012-10-17", "2008-10-17")
_PRINCIPALS = {"AWS", "Service", "Federated", "CanonicalUser"}
_ELEMENTS = {
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"),
}


class Choice(Struct, frozen=True, kw_only=True):
    """What a statement names: Action or NotAction, Resource or NotResource."""

    values: tuple[str, ...]
    negated: bool = False


class Principals(Struct, frozen=True, kw_only=True):
    """Whom a statement names, as (kind, value); `"*"` is what {"AWS": "*"} is.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """

    values: tuple[tuple[str, str], ...]
    negated: bool = False


class Clause(Struct, frozen=True, kw_only=True):
    """One key of one condition operator: operator and key in lower case, since neither heeds it."""

    operator: str
    key: str
    values: tuple[str, ...]


class Statement(Struct, frozen=True, kw_only=True):
    """A policy statement. `principals` is None in the policy of an identity, which is the principal."""

    allows: bool
    principals: Principals | None
    actions: Choice
    resources: Choice | None
    conditions: tuple[Clause, ...]


class Policy(Struct, frozen=True, kw_only=True):
    """`variables` tells whether ${...} stands for a value of the request; before 2012-10-17 it is itself.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """

    statements: tuple[Statement, ...]
    variables: bool = True


def clauses_of(policy: Policy, key: str) -> list[Clause]:
    """What all statements ask of a key."""
    clauses = (clause for statement in policy.statements for clause in statement.conditions)
    return [clause for clause in clauses if clause.key == key]


def values_of(policy: Policy, key: str) -> list[str]:
    return sorted({value for clause in clauses_of(policy, key) for value in clause.values})


class _NotAPolicyError(ValueError):
    """Kept in this module: to callers such a document is UNSET."""


def read_json(text: str) -> Any:
    """JSON of a sane size and depth, without duplicate keys; UNSET otherwise."""
    if len(text) > MAX_CHARACTERS:
        return UNSET
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse)
        _check(value)
    except (ValueError, RecursionError):
        return UNSET
    return value


def read_policy(text: str) -> Policy | UnsetType:
    """The policy in a JSON text; UNSET where that is not one, or one in a language that is not known here."""
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
    """Walks without recursion, since depth is what it looks for."""
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
    # the same key in two spellings: which of them counts is not said
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
