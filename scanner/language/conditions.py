"""The tree of a condition: what a rule's `when` and `require` become once they are checked.

The tree has no `not`: `negate` moves it down to the leaves, so that evidence is about single values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from scanner.language.operators import OPERATORS

Literals = str | int | bool | tuple[str | int | bool, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The values with which a condition is compiled: the rule's parameters, and the time that ages refer to."""

    params: Mapping[str, Literals]
    now: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Constant:
    """A value written in the rule."""

    value: Literals


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """The value of one of the rule's parameters, by its name."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A value read from a path: from the resource if `root`, else from the record that the condition is about.

    `written` is the path as the rule spells it.
    """

    path: str
    root: bool
    written: str


Operand = Constant | Parameter | Reference


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """An operator and the operand that it compares with."""

    operator: str
    operand: Operand
    negated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """The value at a path must pass a test. The path is empty for the elements of a list of texts.

    The path leads from the resource if `root`, else from the record that the condition is about. `missing` is the
    verdict if the value is one of something that does not exist; None: as for any absent value.
    """

    path: str
    test: Comparison
    root: bool = False
    missing: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AllOf:
    """All parts must hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class AnyOf:
    """At least one part must hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Elements:
    """Each element, or some element, of a list must fulfil `body`. Only elements that fulfil `where` count.

    `on_empty` is the verdict if there are none, and `missing` that if there is nothing that could have the list.
    """

    path: str
    quantifier: Literal["each", "some"]
    where: Condition | None
    body: Condition
    on_empty: bool
    missing: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """The number of elements that fulfil `where` must pass a test; `missing` is as that of Elements."""

    path: str
    where: Condition | None
    test: Comparison
    missing: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """The values of a field must differ (`unique`) or be 1 to n in any order (`contiguous`).

    Only elements that fulfil `where` count.
    """

    path: str
    where: Condition | None
    shape: Literal["unique", "contiguous"]
    field: str
    negated: bool = False


Condition = Leaf | AllOf | AnyOf | Elements | Count | Series


def constants(condition: Condition) -> Iterator[Literals]:
    """The values written in a condition with which it compares."""
    parts: tuple[Condition | None, ...] = ()
    match condition:
        case AllOf() | AnyOf():
            parts = condition.parts
        case Elements():
            parts = (condition.where, condition.body)
        case Count() | Series():
            parts = (condition.where,)
    for part in parts:
        if part is not None:
            yield from constants(part)
    if isinstance(condition, Leaf | Count) and isinstance(condition.test.operand, Constant):
        yield condition.test.operand.value


_ATTEMPTS, _QUEUE = "lambda.function.maximum_retry_attempts", "lambda.function.dead_letter_queue"


def asks_retries(condition: Condition | None) -> bool:
    """Whether it hangs on how often Lambda tries again even for a function with a dead-letter queue."""
    match condition:
        case None:
            return False
        case AllOf() | AnyOf():
            return any(map(asks_retries, condition.parts))
        case Elements() | Count() | Series() if _without_queue(condition.where):
            return False
        case Elements():
            return asks_retries(condition.where) or asks_retries(condition.body)
        case Count():
            return asks_retries(condition.where)
        case Series():
            return asks_retries(condition.where) or condition.field == _ATTEMPTS
        case Leaf():
            operand = condition.test.operand
            return _ATTEMPTS in (condition.path, operand.path if isinstance(operand, Reference) else None)
    assert_never(condition)


def _without_queue(where: Condition | None) -> bool:
    """Whether a filter chooses nothing that has a dead-letter queue."""
    if isinstance(where, AllOf):
        return any(map(_without_queue, where.parts))
    return isinstance(where, Leaf) and where.path == _QUEUE and where.test.operator == "exists" and where.test.negated


def negate(condition: Condition) -> Condition:
    """The opposite of a condition: it is unknown where the condition is."""
    match condition:
        case Leaf() | Count():
            test = replace(condition.test, negated=not condition.test.negated)
            return replace(condition, test=test, missing=opposite(condition.missing))
        case Series():
            return replace(condition, negated=not condition.negated)
        case AllOf():
            return AnyOf(parts=tuple(map(negate, condition.parts)))
        case AnyOf():
            return AllOf(parts=tuple(map(negate, condition.parts)))
        case Elements():
            return replace(
                condition,
                quantifier="some" if condition.quantifier == "each" else "each",
                body=negate(condition.body),
                on_empty=not condition.on_empty,
                missing=opposite(condition.missing),
            )
    assert_never(condition)


def opposite(verdict: bool | None) -> bool | None:
    """The other verdict; None where there is none."""
    return None if verdict is None else not verdict


def value(operand: Constant | Parameter, settings: Settings) -> Literals:
    """The value of a constant or a parameter."""
    return operand.value if isinstance(operand, Constant) else settings.params[operand.name]


def phrase(test: Comparison, settings: Settings, observed: str | None = None) -> str:
    """What a test requires, in words. `observed` is the value of a reference, if it is known."""
    operator = OPERATORS[test.operator]
    words = operator.inverse if test.negated else operator.phrase
    if operator.operand == "boolean":
        return words
    if isinstance(test.operand, Reference):
        written = test.operand.written
        return f"{words} {written}" if observed is None else f"{words} {observed} ({written})"
    return f"{words} {show(value(test.operand, settings))}"


def show(shown: object) -> str:
    """A value as text for messages and evidence."""
    if isinstance(shown, bool):
        return "true" if shown else "false"
    if isinstance(shown, tuple):
        return ", ".join(map(show, shown)) or "(an empty list)"
    if isinstance(shown, datetime):
        return shown.isoformat().replace("+00:00", "Z")
    return "(none)" if shown is None else str(shown)


def describe(condition: Condition, settings: Settings) -> str:
    """A whole condition in words, for evidence that is not about a single value."""
    match condition:
        case Leaf():
            return f"{condition.path} {phrase(condition.test, settings)}".lstrip()
        case AllOf():
            return " and ".join(describe(part, settings) for part in condition.parts)
        case AnyOf():
            return " or ".join(describe(part, settings) for part in condition.parts)
        case Elements():
            return f"{_filtered(condition, settings)}{condition.quantifier}: {describe(condition.body, settings)}"
        case Count():
            return f"{_filtered(condition, settings)}count {phrase(condition.test, settings)}"
        case Series():
            return f"{_filtered(condition, settings)}{series_phrase(condition)}"
    assert_never(condition)


def series_phrase(series: Series) -> str:
    """What a series requires, in words."""
    rule = "does not repeat" if series.shape == "unique" else "runs from 1 without gaps or repeats"
    return f"not: {series.field} {rule}" if series.negated else f"{series.field} {rule}"


def _filtered(condition: Elements | Count | Series, settings: Settings) -> str:
    return "" if condition.where is None else f"where {describe(condition.where, settings)}, "
