"""The operators that compare one value: the kinds of facts they apply to, their meaning, their words in evidence.

An absent fact (None) equals only another absent one; no other operator but `exists` holds for it. A duration as operand
is turned into the time that lies so far back, and a number of days into the time that lies so far ahead.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from scanner.language.vocabulary import Kind

OperandKind = Literal["scalar", "list", "pattern", "wildcards", "boolean", "duration", "days"]

_SCALAR: Final[frozenset[Kind]] = frozenset({"text", "integer", "boolean"})
_TEXT: Final[frozenset[Kind]] = frozenset({"text"})
_TEXTS: Final[frozenset[Kind]] = frozenset({"text", "texts"})
_INTEGER: Final[frozenset[Kind]] = frozenset({"integer"})
_TIME: Final[frozenset[Kind]] = frozenset({"time"})
_TAGS: Final[frozenset[Kind]] = frozenset({"tags"})
_ANY: Final[frozenset[Kind]] = frozenset({"text", "integer", "boolean", "time", "record", "list", "texts", "tags"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Operator:
    """An operator. `test` takes the value and the operand. `phrase`, or `inverse` if negated, is for evidence."""

    kinds: frozenset[Kind]
    operand: OperandKind
    phrase: str
    inverse: str
    test: Callable[[Any, Any], bool]
    description: str


def _present(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda value, operand: value is not None and operand is not None and test(value, operand)


OPERATORS: Final[Mapping[str, Operator]] = {
    "equals": Operator(
        kinds=_SCALAR,
        operand="scalar",
        phrase="equals",
        inverse="does not equal",
        test=operator.eq,
        description="The value is this one.",
    ),
    "in": Operator(
        kinds=_SCALAR,
        operand="list",
        phrase="in",
        inverse="not in",
        test=lambda value, operand: value in operand,
        description="The value is one of these.",
    ),
    "contains": Operator(
        kinds=_TEXTS,
        operand="scalar",
        phrase="contains",
        inverse="does not contain",
        test=_present(operator.contains),
        description="The text, or the list of texts, holds this text.",
    ),
    "starts_with": Operator(
        kinds=_TEXT,
        operand="scalar",
        phrase="starts with",
        inverse="does not start with",
        test=_present(str.startswith),
        description="The text begins with this text.",
    ),
    "ends_with": Operator(
        kinds=_TEXT,
        operand="scalar",
        phrase="ends with",
        inverse="does not end with",
        test=_present(str.endswith),
        description="The text ends with this text.",
    ),
    "matches": Operator(
        kinds=_TEXT,
        operand="pattern",
        phrase="matches",
        inverse="does not match",
        test=_present(lambda value, search: search(value)),
        description="The regular expression (RE2) matches somewhere in the text.",
    ),
    "like": Operator(
        kinds=_TEXT,
        operand="wildcards",
        phrase="is like",
        inverse="is not like",
        test=_present(lambda value, search: search(value)),
        description="The whole text fits this one, in which * stands for any text and ? for one character.",
    ),
    "exists": Operator(
        kinds=_ANY,
        operand="boolean",
        phrase="exists",
        inverse="does not exist",
        test=lambda value, _: value is not None,
        description="The value is there (true), or is known not to be (false).",
    ),
    "gt": Operator(
        kinds=_INTEGER,
        operand="scalar",
        phrase="is greater than",
        inverse="is not greater than",
        test=_present(operator.gt),
        description="The number is greater than this one.",
    ),
    "gte": Operator(
        kinds=_INTEGER,
        operand="scalar",
        phrase="is at least",
        inverse="is not at least",
        test=_present(operator.ge),
        description="The number is this one or greater.",
    ),
    "lt": Operator(
        kinds=_INTEGER,
        operand="scalar",
        phrase="is less than",
        inverse="is not less than",
        test=_present(operator.lt),
        description="The number is less than this one.",
    ),
    "lte": Operator(
        kinds=_INTEGER,
        operand="scalar",
        phrase="is at most",
        inverse="is not at most",
        test=_present(operator.le),
        description="The number is this one or less.",
    ),
    "older_than": Operator(
        kinds=_TIME,
        operand="duration",
        phrase="is older than",
        inverse="is not older than",
        test=_present(operator.lt),
        description="When the run started, the time lay more than this back: 90d or 12h.",
    ),
    "newer_than": Operator(
        kinds=_TIME,
        operand="duration",
        phrase="is newer than",
        inverse="is not newer than",
        test=_present(operator.gt),
        description="When the run started, the time lay less than this back: 90d or 12h.",
    ),
    "more_days_ahead_than": Operator(
        kinds=_TIME,
        operand="days",
        phrase="is more days ahead than",
        inverse="is not more days ahead than",
        test=_present(operator.gt),
        description="When the run started, the time lay more than this number of days ahead; 0 is the start itself.",
    ),
    "has_keys": Operator(
        kinds=_TAGS,
        operand="list",
        phrase="has the keys",
        inverse="lacks one of the keys",
        test=_present(lambda value, operand: value.keys() >= operand),
        description="There is a tag with each of these keys.",
    ),
}

NEGATIVES: Final[Mapping[str, str]] = {
    "not_equals": "equals",
    "not_in": "in",
    "not_matches": "matches",
    "not_like": "like",
}
"""Negative operators, each with the operator that it negates."""


def applicable(kind: Kind) -> dict[str, Operator]:
    """The operators that fit a kind of fact, by each name that a rule may use, negative ones included."""
    fitting = {name: each for name, each in OPERATORS.items() if kind in each.kinds}
    return fitting | {name: fitting[base] for name, base in NEGATIVES.items() if base in fitting}
