"""Reads conditions: turns a YAML tree into a condition tree and checks every path, operator and value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from msgspec import Struct, structs

from scanner.language import checks
from scanner.language.comparing import Context, Subject, comparison, comparisons, place
from scanner.language.conditions import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Constant,
    Count,
    Elements,
    Leaf,
    Reference,
    Series,
    negate,
    opposite,
)
from scanner.language.hints import LIST_MATCHERS, POSITIONS, TEXTS_MATCHERS, no_matcher
from scanner.language.vocabulary import Fact, lookup
from scanner.model.phrases import one_of, quote, unknown
from scanner.model.yamltree import Node, Scalar, Table

_UNORDERED = ("each", "some", "none")
_BESIDE_WHERE = (*_UNORDERED, "count", "unique", "contiguous")
_COUNTED = Subject(path="count", fact=Fact(kind="integer"), record=None)
_ELEMENT = Subject(path="", fact=Fact(kind="text"), record=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class _List:
    """A list in a condition; `where` selects its elements."""

    path: str
    element: type[Struct]
    where: Condition | None


def condition(context: Context, node: Node, record: type[Struct]) -> Condition | None:
    """The condition in a mapping, whose entries must all hold for a `record`; None if there is a mistake."""
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
            inner = condition(context.where(missing=opposite(context.missing)), node, record)
            return None if inner is None else negate(inner)
        case "when":
            context.mistakes.add(key, "found when; expected it beside require, or in each, first or last of a list")
            return None
    path, owner, from_root = place(context, key.text, record)
    fact = context.fact(key, path, owner)
    if fact is None:
        return None
    if fact.kind in ("list", "texts"):
        if from_root:
            message = f"found {quote(key.text)}, a list of the resource, inside a list; expected it outside, as {path}:"
            context.mistakes.add(key, message)
            return None
        return _list(context, path, fact, node) if fact.kind == "list" else _texts(context, path, fact, node)
    found = comparisons(context, node, Subject(path=key.text, fact=fact, record=record))
    leaf = partial(Leaf, path=path, root=from_root)
    return _all_of([None if test is None else leaf(test=test, missing=_if_gone(context, fact, test)) for test in found])


def _if_gone(context: Context, fact: Fact, test: Comparison) -> bool | None:
    """The verdict if what the test is about does not exist; None if it asks for that itself, or if that cannot be."""
    may_be_absent = fact.absent or isinstance(test.operand, Reference)
    return context.missing if may_be_absent and test.operator != "exists" else None


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
    """The condition on a list of plain texts, which are compared themselves instead of their fields."""
    table = checks.table(node, f"a mapping with {one_of(TEXTS_MATCHERS)}", context.mistakes)
    if table is None:
        return None
    return _all_of([_text(context, path, fact, table.keys[name], value) for name, value in table.entries.items()])


def _text(context: Context, path: str, fact: Fact, key: Scalar, node: Node) -> Condition | None:
    match key.text:
        case "each" | "some" | "none":
            tests = comparisons(context, node, _ELEMENT)
            body = _all_of([None if test is None else Leaf(path=_ELEMENT.path, test=test) for test in tests])
            return None if body is None else _elements(path, key.text, None, body, context.missing)
        case "count":
            return _count(context, path, None, node)
        case "contains" | "exists":
            test = comparison(context, key, node, Subject(path=path, fact=fact, record=None))
            return None if test is None else Leaf(path=path, test=test, missing=_if_gone(context, fact, test))
    context.mistakes.add(key, unknown("matcher of a list of texts", key.text, TEXTS_MATCHERS))
    return None


def _where(context: Context, table: Table, element: type[Struct]) -> Condition | None:
    if "where" not in table.entries:
        return None
    others = [name for name in table.entries if name != "where"]
    for name in others:
        if name in LIST_MATCHERS and name not in _BESIDE_WHERE:
            other = f"when in {name}, or " if name in POSITIONS else ""
            message = f"found {name} beside where; expected {other}{one_of(_BESIDE_WHERE)}"
            context.mistakes.add(table.keys[name], message)
    if not others:
        context.mistakes.add(table.keys["where"], f"found where alone; expected {one_of(_BESIDE_WHERE)} beside it")
    return condition(context.where(missing=False), table.entries["where"], element)


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
    context.mistakes.add(key, no_matcher(key.text, of.element))
    return None


def _quantified(context: Context, of: _List, key: Scalar, node: Node) -> Condition | None:
    """The condition on each of some elements; with `when` among its entries, on those for which that holds."""
    place = _position(context, of, key) if key.text in POSITIONS else of.where
    wheres = [] if place is None else [place]
    if isinstance(node, Table) and "when" in node.entries:
        chosen = _when(context, of, key, node)
        if chosen is None:
            return None
        wheres.append(chosen)
        node = structs.replace(node, entries={name: value for name, value in node.entries.items() if name != "when"})
    body = condition(context.where(missing=key.text in ("each", *POSITIONS)), node, of.element)
    return None if body is None else _elements(of.path, key.text, _all_of(wheres), body)


def _when(context: Context, of: _List, key: Scalar, table: Table) -> Condition | None:
    if key.text in ("some", "none"):
        message = f"found when inside {key.text}; expected where beside it, or when in each, first or last"
        context.mistakes.add(table.keys["when"], message)
        return None
    if len(table.entries) == 1:
        context.mistakes.add(table.keys["when"], f"found when alone; expected what {key.text} must fulfil beside it")
        return None
    return condition(context.where(missing=False), table.entries["when"], of.element)


def _elements(
    path: str, quantifier: str, where: Condition | None, body: Condition, missing: bool | None = None
) -> Elements:
    return Elements(
        path=path,
        quantifier="some" if quantifier == "some" else "each",
        where=where,
        body=negate(body) if quantifier == "none" else body,
        on_empty=quantifier in ("each", "none"),
        missing=missing,
    )


def _count(context: Context, path: str, where: Condition | None, node: Node) -> Condition | None:
    tests = comparisons(context, node, _COUNTED)
    missing = context.missing if where is None else None
    count = partial(Count, path=path, where=where, missing=missing)
    return _all_of([None if test is None else count(test=test) for test in tests])


def _position(context: Context, of: _List, key: Scalar) -> Condition | None:
    """The condition that selects the first or last elements; several elements may share that place."""
    path = POSITIONS[key.text]
    if lookup(of.element, path) is None:
        context.mistakes.add(key, f"found {key.text}, but {of.path} are in no order; expected {one_of(_UNORDERED)}")
        return None
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
    shape: Literal["contiguous", "unique"] = "contiguous" if key.text == "contiguous" else "unique"
    return Series(path=of.path, where=of.where, shape=shape, field=name)


def _all_of(parts: Sequence[Condition | None]) -> Condition | None:
    whole = tuple(part for part in parts if part is not None)
    if not whole or len(whole) < len(parts):
        return None
    return whole[0] if len(whole) == 1 else AllOf(parts=whole)


def _any_of(parts: Sequence[Condition | None]) -> Condition | None:
    whole = tuple(part for part in parts if part is not None)
    return AnyOf(parts=whole) if whole and len(whole) == len(parts) else None
