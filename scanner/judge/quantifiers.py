"""Compiles conditions on a list: on each or some of its elements, on their number, on a series of a field's values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.judge.judgement import (
    HOLDS,
    Certain,
    Compiled,
    EvaluationContext,
    Judge,
    Judgement,
    conjunction,
    decided,
    disjunction,
    lacking,
    undecided,
)
from scanner.language.conditions import Count, Elements, Series
from scanner.language.operators import OPERATORS
from scanner.language.vocabulary import attributes, getter, is_gone, part, read
from scanner.model.logic import Truth, agreed


class Filter(Struct, frozen=True, kw_only=True):
    """A compiled `where`: the fast forms of it (`through`) and of its negation (`out`), and the full form."""

    through: Certain
    out: Certain
    judge: Judge


_EVERYTHING = Filter(through=lambda *_: True, out=lambda *_: False, judge=lambda _: HOLDS)


def elements(condition: Elements, body: Compiled, where: Filter | None, required: str) -> Compiled:
    """The condition that each, or some, of the elements that pass the filter fulfil the body."""
    names, path, judge_body, judge_where = attributes(condition.path), condition.path, body.judge, _judge(where)
    each, on_empty, missing = condition.quantifier == "each", condition.on_empty, condition.missing

    def judge(context: EvaluationContext) -> Judgement:
        found: Any = read(context.thing, names)
        if found is UNSET:
            return undecided(context, context.prefix + path, required)
        if found is None and missing is not None and is_gone(context.thing, names):
            return decided(missing, context, context.prefix + path, found, required)
        if not found:
            return HOLDS if on_empty else lacking(context, path, required, empty=True)
        inside = [_within(judge_where(one), judge_body, one, outside=each) for one in _contexts(context, path, found)]
        if each:
            return conjunction(inside) if isinstance(found[0], Struct) else _attributed(conjunction(inside), context)
        judgement = disjunction(inside, context)
        excluded = judgement.holds is False and not judgement.notes
        return lacking(context, path, required, empty=False) if excluded else judgement

    return Compiled(certain=_certain_elements(condition, body.certain, where), judge=judge)


def _attributed(judgement: Judgement, context: EvaluationContext) -> Judgement:
    """The judgement of a plain text, attributed to the record that holds it."""
    notes = tuple(structs.replace(note, context=context) for note in judgement.notes)
    return Judgement(holds=judgement.holds, notes=notes)


def _judge(where: Filter | None) -> Judge:
    return _EVERYTHING.judge if where is None else where.judge


def _contexts(context: EvaluationContext, path: str, found: Sequence[object]) -> list[EvaluationContext]:
    return [_inside(context, element, f"{context.prefix}{path}[{index}]") for index, element in enumerate(found)]


def _inside(context: EvaluationContext, element: object, path: str) -> EvaluationContext:
    if isinstance(element, Struct):
        own = f"{context.part} {part(element)}".lstrip()
        return EvaluationContext(root=context.root, thing=element, prefix=f"{path}.", part=own)
    return EvaluationContext(root=context.root, thing=element, prefix=path, part=context.part)


def _within(filtered: Judgement, body: Judge, context: EvaluationContext, *, outside: bool) -> Judgement:
    """The judgement of one element by filter and body; `outside` is the verdict if the filter excludes it."""
    if filtered.holds is False:
        return Judgement(holds=outside)
    judgement = body(context)
    if filtered.holds is True or judgement.holds is outside:
        return judgement
    doubts = tuple(note for note in filtered.notes + judgement.notes if note.holds is UNSET)
    return Judgement(holds=UNSET, notes=doubts)


def _certain_elements(condition: Elements, body: Certain, where: Filter | None) -> Certain:
    if condition.quantifier == "some":
        return _certain_some(condition, body, where or _EVERYTHING)
    get, on_empty = getter(condition.path), condition.on_empty
    if where is not None:
        return _certain_filtered(condition, body, where)

    def each(root: object, thing: object) -> bool:
        found = get(thing)
        for element in found:
            if not body(root, element):
                return False
        return on_empty or len(found) > 0

    return each


def _certain_filtered(condition: Elements, body: Certain, where: Filter) -> Certain:
    get, on_empty, out = getter(condition.path), condition.on_empty, where.out

    def each(root: object, thing: object) -> bool:
        found = get(thing)
        for element in found:
            if not (out(root, element) or body(root, element)):
                return False
        return on_empty or len(found) > 0

    return each


def _certain_some(condition: Elements, body: Certain, where: Filter) -> Certain:
    get, on_empty, through = getter(condition.path), condition.on_empty, where.through

    def some(root: object, thing: object) -> bool:
        found = get(thing)
        for element in found:
            if through(root, element) and body(root, element):
                return True
        return on_empty and len(found) == 0

    return some


def count(condition: Count, operand: Any, where: Filter | None, required: str) -> Compiled:
    """The condition on the number of elements that pass the filter; if it is unknown, all possible ones are tried."""
    names, path, judge_where = attributes(condition.path), condition.path, _judge(where)
    test, negated, missing = OPERATORS[condition.test.operator].test, condition.test.negated, condition.missing

    def judge(context: EvaluationContext) -> Judgement:
        found: Any = read(context.thing, names)
        if found is UNSET:
            return undecided(context, context.prefix + path, required)
        if found is None and missing is not None and is_gone(context.thing, names):
            return decided(missing, context, context.prefix + path, found, required)
        filtered = [judge_where(one) for one in _contexts(context, path, found or ())]
        fewest = sum(judgement.holds is True for judgement in filtered)
        doubts = [judgement for judgement in filtered if judgement.holds is UNSET]
        possible = range(fewest, fewest + len(doubts) + 1)
        truth = agreed(test(number, operand) is not negated for number in possible)
        if isinstance(truth, UnsetType):
            return disjunction(doubts, context)
        counted = fewest if not found or isinstance(found[0], Struct) else found
        return decided(truth, context, context.prefix + path, counted, required)

    return Compiled(certain=_certain_count(condition, operand, where), judge=judge)


def _certain_count(condition: Count, operand: Any, where: Filter | None) -> Certain:
    get, test, negated = getter(condition.path), OPERATORS[condition.test.operator].test, condition.test.negated
    if where is None:
        return lambda _, thing: test(len(get(thing)), operand) is not negated
    through, out = where.through, where.out

    def certain(root: object, thing: object) -> bool:
        found = get(thing)
        inside = sum(through(root, element) for element in found)
        outside = sum(out(root, element) for element in found)
        return inside + outside == len(found) and test(inside, operand) is not negated

    return certain


def series(condition: Series, where: Filter | None, required: str) -> Compiled:
    """The condition that a field's values in all elements that pass the filter are unique or contiguous."""
    names, field, path = attributes(condition.path), attributes(condition.field), condition.path
    holds, negated, judge_where = _SHAPES[condition.shape], condition.negated, _judge(where)

    def judge(context: EvaluationContext) -> Judgement:
        found: Any = read(context.thing, names)
        if found is UNSET:
            return undecided(context, context.prefix + path, required)
        filtered = [judge_where(one) for one in _contexts(context, path, found or ())]
        inside = [index for index, judgement in enumerate(filtered) if judgement.holds is True]
        values = tuple(read(found[index], field) for index in inside)
        doubts = [judgement for judgement in filtered if judgement.holds is UNSET]
        truth = holds(values)
        if doubts and not (truth is False and condition.shape == "unique"):
            return disjunction(doubts, context)
        if isinstance(truth, UnsetType):
            at = inside[values.index(UNSET)]
            return undecided(context, f"{context.prefix}{path}[{at}].{condition.field}", required)
        shown = _repeated(values) if condition.shape == "unique" else values
        return decided(truth is not negated, context, context.prefix + path, shown, required)

    return Compiled(certain=_certain_series(condition, where), judge=judge)


def _certain_series(condition: Series, where: Filter | None) -> Certain:
    get, item = getter(condition.path), getter(condition.field)
    holds, wanted = _SHAPES[condition.shape], not condition.negated
    if where is None:
        return lambda _, thing: holds([item(element) for element in get(thing)]) is wanted
    through, out = where.through, where.out

    def certain(root: object, thing: object) -> bool:
        inside = [element for element in get(thing) if not out(root, element)]
        return all(through(root, each) for each in inside) and holds([item(each) for each in inside]) is wanted

    return certain


def _unique(values: Sequence[Any]) -> Truth:
    if len(values) < 2:
        return True
    known = [one for one in values if one is not UNSET and one is not None]
    if len(set(known)) < len(known):
        return False
    return UNSET if UNSET in values else True


def _repeated(values: Sequence[Any]) -> tuple[Any, ...]:
    """The values that occur more than once; the others explain nothing."""
    counted = Counter(value for value in values if value is not UNSET and value is not None)
    return tuple(sorted(value for value, times in counted.items() if times > 1))


def _contiguous(values: Sequence[Any]) -> Truth:
    known = [one for one in values if one is not UNSET]
    possible = set(range(1, len(values) + 1))
    if len(set(known)) < len(known) or not possible.issuperset(known):
        return False
    return True if len(known) == len(values) else UNSET


_SHAPES = {"unique": _unique, "contiguous": _contiguous}
