"""Compiles conditions to closures, each in two forms.

`certain` is fast and two-valued. True means that the condition surely holds. Anything else means "not sure": false, or
an AttributeError or TypeError because a fact is unknown or absent. `judge` uses Kleene's logic and gives evidence; it
is called only if `certain` is not sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

from msgspec import UNSET

from scanner.judge import quantifiers
from scanner.judge.judgement import (
    Certain,
    Compiled,
    EvaluationContext,
    Judge,
    Judgement,
    conjunction,
    decided,
    disjunction,
    undecided,
)
from scanner.language import checks
from scanner.language.conditions import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Count,
    Elements,
    Leaf,
    Reference,
    Series,
    Settings,
    describe,
    negate,
    phrase,
    show,
    value,
)
from scanner.language.operators import OPERATORS
from scanner.language.vocabulary import attributes, getter, is_gone, read, written
from scanner.model.moments import seconds


def compile_condition(condition: Condition, settings: Settings) -> Compiled:
    """Compile a condition to both forms, with the values of parameters built in."""
    match condition:
        case Leaf():
            return _leaf(condition, settings)
        case AllOf():
            return _all_of([compile_condition(part, settings) for part in condition.parts])
        case AnyOf():
            return _any_of([compile_condition(part, settings) for part in condition.parts])
        case Elements():
            body, where = compile_condition(condition.body, settings), _filter(condition.where, settings)
            return quantifiers.elements(condition, body, where, describe(condition, settings))
        case Count():
            where, operand = _filter(condition.where, settings), _operand(condition.test, settings)
            return quantifiers.count(condition, operand, where, describe(condition, settings))
        case Series():
            where = _filter(condition.where, settings)
            return quantifiers.series(condition, where, describe(condition, settings))
    assert_never(condition)


def _filter(where: Condition | None, settings: Settings) -> quantifiers.Filter | None:
    if where is None:
        return None
    through, out = compile_condition(where, settings), compile_condition(negate(where), settings)
    return quantifiers.Filter(through=through.certain, out=out.certain, judge=through.judge)


def _leaf(leaf: Leaf, settings: Settings) -> Compiled:
    if isinstance(leaf.test.operand, Reference):
        return Compiled(certain=_certain_reference(leaf, leaf.test.operand), judge=_judge_leaf(leaf, settings))
    certain = _certain_constant(leaf, _operand(leaf.test, settings))
    if leaf.root:
        return Compiled(certain=lambda root, _: certain(root, root), judge=_judge_leaf(leaf, settings))
    return Compiled(certain=certain, judge=_judge_leaf(leaf, settings))


def _operand(test: Comparison, settings: Settings) -> Any:
    if isinstance(test.operand, Reference):
        return UNSET
    operand = value(test.operand, settings)
    match OPERATORS[test.operator].operand:
        case "pattern":
            return checks.search(str(operand))
        case "wildcards":
            return checks.search(checks.pattern_of(str(operand)))
        case "duration":
            return settings.now - _parsed(str(operand))
        case "days":
            return _ahead(settings.now, int(str(operand)))
    return frozenset(operand) if isinstance(operand, tuple) else operand


def _parsed(duration: str) -> timedelta:
    parsed = seconds(duration)
    assert parsed is not None, duration  # noqa: S101 - the loader has checked it
    return timedelta(seconds=parsed)


def _ahead(now: datetime, days: int) -> datetime:
    """The time so many days ahead, or back if it is negative; the last or first time there is if that is beyond it."""
    try:
        return now + timedelta(days=days)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC) if days > 0 else datetime.min.replace(tzinfo=UTC)


def _certain_constant(leaf: Leaf, operand: Any) -> Certain:
    get, operator, negated = getter(leaf.path), leaf.test.operator, leaf.test.negated
    test = OPERATORS[operator].test
    if leaf.missing is False:
        return _certain_present(leaf, operand)
    if operator in ("matches", "like"):
        return lambda _, thing: operand(get(thing)) is not negated
    # UNSET equals nothing and is in nothing, so these two need not check for it.
    if operator == "equals" and not negated:
        return lambda _, thing: bool(get(thing) == operand)
    if operator == "in" and not negated:
        return lambda _, thing: get(thing) in operand

    def certain(_: object, thing: object) -> bool:
        found = get(thing)
        return found is not UNSET and test(found, operand) is not negated

    return certain


def _certain_present(leaf: Leaf, operand: Any) -> Certain:
    """The fast form where nothing holds for something that does not exist: of an absent value it is not sure."""
    get, test, negated = getter(leaf.path), OPERATORS[leaf.test.operator].test, leaf.test.negated

    def certain(_: object, thing: object) -> bool:
        found = get(thing)
        return found is not UNSET and found is not None and test(found, operand) is not negated

    return certain


def _certain_reference(leaf: Leaf, reference: Reference) -> Certain:
    get, other, from_root = getter(leaf.path), getter(reference.path), reference.root
    test, negated, own_root = OPERATORS[leaf.test.operator].test, leaf.test.negated, leaf.root
    unsure = leaf.missing is not None

    def certain(root: object, thing: object) -> bool:
        found, operand = get(root if own_root else thing), other(root if from_root else thing)
        if unsure and (found is None or operand is None):
            return False
        return found is not UNSET and operand is not UNSET and test(found, operand) is not negated

    return certain


def _judge_leaf(leaf: Leaf, settings: Settings) -> Judge:
    path, names, required = leaf.path, attributes(leaf.path), phrase(leaf.test, settings)
    test, negated, constant = OPERATORS[leaf.test.operator].test, leaf.test.negated, _operand(leaf.test, settings)
    reference = leaf.test.operand if isinstance(leaf.test.operand, Reference) else None

    def judge(context: EvaluationContext) -> Judgement:
        thing, whole = (context.root, path) if leaf.root else (context.thing, context.prefix + path)
        found = read(thing, names)
        if found is UNSET:
            same = (
                reference is not None and leaf.test.operator == "equals" and _written_alike(context, whole, reference)
            )
            return decided(not negated, context, whole, None, required) if same else undecided(context, whole, required)
        if found is None and leaf.missing is not None and is_gone(thing, names):
            return decided(leaf.missing, context, whole, found, required)
        if reference is None:
            return decided(test(found, constant) is not negated, context, whole, found, required)
        other, others = context.root if reference.root else context.thing, attributes(reference.path)
        operand = read(other, others)
        if operand is UNSET:
            fact = reference.path if reference.root else context.prefix + reference.path
            return undecided(context, fact, f"known, because {whole} {required}")
        spelled = phrase(leaf.test, settings, show(operand))
        if operand is None and leaf.missing is not None and is_gone(other, others):
            return decided(leaf.missing, context, whole, found, spelled)
        return decided(test(found, operand) is not negated, context, whole, found, spelled)

    return judge


def _written_alike(context: EvaluationContext, whole: str, reference: Reference) -> bool:
    """Whether a file has the same text for both facts, so that they will be equal after any deployment."""
    text = written(context.root, whole)
    other = reference.path if reference.root else context.prefix + reference.path
    return text is not None and text == written(context.root, other)


def _all_of(parts: Sequence[Compiled]) -> Compiled:
    certains, judges = [part.certain for part in parts], [part.judge for part in parts]

    def certain(root: object, thing: object) -> bool:
        for part in certains:  # noqa: SIM110 - a generator costs half the speed
            if not part(root, thing):
                return False
        return True

    return Compiled(certain=certain, judge=lambda context: conjunction([judge(context) for judge in judges]))


def _any_of(parts: Sequence[Compiled]) -> Compiled:
    certains, judges = [part.certain for part in parts], [part.judge for part in parts]

    def certain(root: object, thing: object) -> bool:
        for part in certains:  # noqa: SIM110 - a generator costs half the speed
            if part(root, thing):
                return True
        return False

    return Compiled(certain=certain, judge=lambda context: disjunction([judge(context) for judge in judges], context))
