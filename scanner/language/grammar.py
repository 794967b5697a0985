"""Reads conditions: from the YAML tree to the condition tree, with every path, operator and value checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Struct

from scanner.language import checks
from scanner.language.conditions import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Constant,
    Count,
    Elements,
    Leaf,
    Series,
    negate,
)
from scanner.language.operands import (
    COMBINATORS,
    LIST_MATCHERS,
    TEXTS_MATCHERS,
    Context,
    Subject,
    comparison,
    comparisons,
)
from scanner.language.vocabulary import Fact, lookup
from scanner.model.phrases import one_of, quote, unknown
from scanner.model.yamltree import Node, Scalar, Table

_BESIDE_WHERE = ("each", "some", "none", "count")
_COUNTED = Subject(path="count", fact=Fact(kind="integer"), record=None)
_ELEMENT = Subject(path="", fact=Fact(kind="text"), record=None)
_POSITIONS = {"first": "is_first", "last": "is_last"}


@dataclass(frozen=True, kw_only=True, slots=True)
class _List:
    """A list that a condition speaks of, and which of its elements."""

    path: str
    element: type[Struct]
    where: Condition | None


def condition(context: Context, node: Node, record: type[Struct]) -> Condition | None:
    """A mapping whose entries must all hold of a `record`; None where something in it is mistaken."""
    table = checks.table(node, "a condition such as {name: {equals: text}}", context.mistakes)
    if table is None:
        return None
    return _all_of([_entry(context, table.keys[key], value, record) for key, value in table.entries.items()])


def _entry(context: Context, key: Scalar, node: Node, record: type[Struct]) -> Condition | None:
    match key.text:
        case "all_of":
            return _all_of(_conditions(context, node, record))
        case "any_of":
            return _any_of(_conditions(context, node, record))
        case "not":
            inner = condition(context, node, record)
            return None if inner is None else negate(inner)
    fact = context.fact(key, key.text, record)
    if fact is None:
        return None
    match fact.kind:
        case "list":
            return _list(context, key.text, fact, node)
        case "texts":
            return _texts(context, key.text, fact, node)
    found = comparisons(context, node, Subject(path=key.text, fact=fact, record=record))
    return _all_of([None if test is None else Leaf(path=key.text, test=test) for test in found])


def _conditions(context: Context, node: Node, record: type[Struct]) -> list[Condition | None]:
    return [condition(context, item, record) for item in checks.items(node, "a list of conditions", context.mistakes)]


def _list(context: Context, path: str, fact: Fact, node: Node) -> Condition | None:
    table = checks.table(node, f"a mapping with {one_of(LIST_MATCHERS)}", context.mistakes)
    if table is None or fact.record is None:
        return None
    of = _List(path=path, element=fact.record, where=_where(context, table, fact.record))
    matchers = {name: value for name, value in table.entries.items() if name != "where"}
    return _all_of([_matcher(context, of, fact, table.keys[name], value) for name, value in matchers.items()])


def _texts(context: Context, path: str, fact: Fact, node: Node) -> Condition | None:
    """Conditions on a list of plain texts: each of them is compared as it is."""
    table = checks.table(node, f"a mapping with {one_of(TEXTS_MATCHERS)}", context.mistakes)
    if table is None:
        return None
    return _all_of([_text(context, path, fact, table.keys[name], value) for name, value in table.entries.items()])


def _text(context: Context, path: str, fact: Fact, key: Scalar, node: Node) -> Condition | None:
    match key.text:
        case "each" | "some" | "none":
            tests = comparisons(context, node, _ELEMENT)
            body = _all_of([None if test is None else Leaf(path=_ELEMENT.path, test=test) for test in tests])
            return None if body is None else _elements(path, key.text, None, body)
        case "count":
            return _count(context, path, None, node)
        case "contains" | "exists":
            test = comparison(context, key, node, Subject(path=path, fact=fact, record=None))
            return None if test is None else Leaf(path=path, test=test)
    context.mistakes.add(key, unknown("matcher of a list of texts", key.text, TEXTS_MATCHERS))
    return None


def _where(context: Context, table: Table, element: type[Struct]) -> Condition | None:
    if "where" not in table.entries:
        return None
    others = [name for name in table.entries if name != "where"]
    for name in others:
        if name in LIST_MATCHERS and name not in _BESIDE_WHERE:
            context.mistakes.add(table.keys[name], f"found {name} beside where; expected {one_of(_BESIDE_WHERE)}")
    if not others:
        context.mistakes.add(table.keys["where"], f"found where alone; expected {one_of(_BESIDE_WHERE)} beside it")
    return condition(context, table.entries["where"], element)


def _matcher(context: Context, of: _List, fact: Fact, key: Scalar, node: Node) -> Condition | None:
    match key.text:
        case "each" | "some" | "none" | "first" | "last":
            return _quantified(context, of, key, node)
        case "count":
            return _count(context, of.path, of.where, node)
        case "unique" | "contiguous":
            return _series(context, of, key, node)
        case "exists":
            test = comparison(context, key, node, Subject(path=of.path, fact=fact, record=None))
            return None if test is None else Leaf(path=of.path, test=test)
    context.mistakes.add(key, _no_matcher(key.text, of.element))
    return None


def _no_matcher(name: str, element: type[Struct]) -> str:
    """A condition on the elements stands under a quantifier, which says how many must fulfil it."""
    if name in COMBINATORS or lookup(element, name):
        return f"found {quote(name)} beside a list's matchers; did you mean each: {{{name}: ...}}, some: or none:?"
    return unknown("matcher of a list", name, LIST_MATCHERS)


def _quantified(context: Context, of: _List, key: Scalar, node: Node) -> Condition | None:
    body = condition(context, node, of.element)
    where = _position(context, of, key) if key.text in _POSITIONS else of.where
    return None if body is None else _elements(of.path, key.text, where, body)


def _elements(path: str, quantifier: str, where: Condition | None, body: Condition) -> Elements:
    return Elements(
        path=path,
        quantifier="some" if quantifier == "some" else "each",
        where=where,
        body=negate(body) if quantifier == "none" else body,
        on_empty=quantifier in ("each", "none"),
    )


def _count(context: Context, path: str, where: Condition | None, node: Node) -> Condition | None:
    tests = comparisons(context, node, _COUNTED)
    return _all_of([None if test is None else Count(path=path, where=where, test=test) for test in tests])


def _position(context: Context, of: _List, key: Scalar) -> Condition | None:
    """First and last are facts of the elements: where two share the place, both hold it."""
    path = _POSITIONS[key.text]
    context.fact(key, path, of.element)
    return Leaf(path=path, test=Comparison(operator="equals", operand=Constant(value=True)))


def _series(context: Context, of: _List, key: Scalar, node: Node) -> Condition | None:
    name = checks.text(node, context.mistakes, "a field of the elements")
    fact = None if name is None else context.fact(node, name, of.element)
    if name is None or fact is None:
        return None
    wanted = ("integer",) if key.text == "contiguous" else ("text", "integer")
    if fact.kind not in wanted:
        context.mistakes.add(node, f"found a field of type {fact.kind}; expected one of type {one_of(wanted)}")
        return None
    return Series(path=of.path, shape="contiguous" if key.text == "contiguous" else "unique", field=name)


def _all_of(parts: Sequence[Condition | None]) -> Condition | None:
    whole = tuple(part for part in parts if part is not None)
    if not whole or len(whole) < len(parts):
        return None
    return whole[0] if len(whole) == 1 else AllOf(parts=whole)


def _any_of(parts: Sequence[Condition | None]) -> Condition | None:
    whole = tuple(part for part in parts if part is not None)
    return AnyOf(parts=whole) if whole and len(whole) == len(parts) else None
