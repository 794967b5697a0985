"""Reads conditions: turns a YAML tree into a condition tree and checks every path, operator and value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

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
    Literals,
    Operand,
    Parameter,
    Reference,
    Series,
    negate,
    opposite,
)
from scanner.language.hints import LIST_MATCHERS, TEXTS_MATCHERS, no_field, no_matcher, no_operator
from scanner.language.operators import NEGATIVES, OPERATORS, applicable
from scanner.language.params import Param
from scanner.language.vocabulary import Fact, Root, fields, lookup
from scanner.model.facts import ChannelFlow
from scanner.model.metadata import root_of
from scanner.model.phrases import one_of, quote, unknown
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table, found


@dataclass(kw_only=True, slots=True)
class Context:
    """A rule that is being read.

    `facts` collects the facts that it reads, `of_flows` those that it names of the flows of an app instance, and `uses`
    each parameter's name with a fact that it is compared with. `missing` is the verdict of comparisons with facts of
    something that does not exist: true where each element must fulfil them, false where elements are chosen by them.
    """

    root: Root
    params: Mapping[str, Param]
    mistakes: Mistakes
    facts: list[Fact] = field(default_factory=list)
    uses: list[tuple[str, Fact]] = field(default_factory=list)
    of_flows: set[str] = field(default_factory=set)
    missing: bool | None = None

    def fact(self, node: Node, path: str, record: type[Struct]) -> Fact | None:
        """The fact at a path of a record; a mistake and None if there is none."""
        fact = lookup(record, path)
        if fact is None:
            self.mistakes.add(node, no_field(path, record))
        else:
            self.read(fact, path, record)
        return fact

    def read(self, fact: Fact, path: str, record: type[Struct]) -> None:
        """Note that the rule reads a fact of a record."""
        self.facts.append(fact)
        if record is ChannelFlow and self.root.type is not ChannelFlow:
            self.of_flows.add(root_of(path))

    def where(self, *, missing: bool | None) -> Context:
        """The same rule, where facts of something that does not exist have another verdict."""
        return replace(self, missing=missing)


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """The fact that is compared. `record` holds the fields that it can be compared with; a count has no record."""

    path: str
    fact: Fact
    record: type[Struct] | None


def comparisons(context: Context, node: Node, subject: Subject) -> list[Comparison | None]:
    """The comparisons under a path: one for each operator, or `equals` for a bare value; None for each mistake."""
    if not isinstance(node, Table) or list(node.entries) in (["param"], ["field"]):
        if isinstance(node, Listing) and subject.fact.kind in OPERATORS["in"].kinds:
            context.mistakes.add(node, "found a list; expected one value, or {in: [...]} for one of several")
            return [None]
        operand = _operand(context, "equals", node, subject)
        return [None if operand is None else Comparison(operator="equals", operand=operand)]
    table = checks.table(node, "an operator and a value", context.mistakes)
    entries = {} if table is None else table.entries
    return [comparison(context, node.keys[name], value, subject) for name, value in entries.items()] or [None]


def comparison(context: Context, key: Scalar, node: Node, subject: Subject) -> Comparison | None:
    """The comparison of one operator and its value; None if there is a mistake."""
    fitting = applicable(subject.fact.kind)
    if key.text not in fitting:
        context.mistakes.add(key, no_operator(key.text, fitting, subject.path, subject.fact))
        return None
    name = NEGATIVES.get(key.text, key.text)
    operand = _operand(context, name, node, subject)
    if operand is None:
        return None
    absent = name == "exists" and operand == Constant(value=False)
    return Comparison(operator=name, operand=operand, negated=absent or name != key.text)


def _operand(context: Context, operator: str, node: Node, subject: Subject) -> Operand | None:
    kind, fact = OPERATORS[operator].operand, compared(operator, subject.fact)
    if kind == "boolean":
        return _constant(checks.literal(node, Fact(kind="boolean"), context.mistakes))
    if subject.fact.kind not in OPERATORS[operator].kinds:
        fitting = one_of(applicable(subject.fact.kind))
        record = subject.fact.record
        hint = f", or a field in it, such as {subject.path}.{next(iter(fields(record)))}" if record else ""
        context.mistakes.add(node, f"{found(node)} for a {subject.fact.kind}; expected {fitting}{hint}")
        return None
    if isinstance(node, Table):
        return _named(context, operator, node, subject)
    if kind == "list":
        return _choices(context, node, fact)
    return _constant(checks.literal(node, fact, context.mistakes))


def compared(operator: str, fact: Fact) -> Fact:
    """The type of an operator's operand: that of the fact or, for some operators, a pattern, a time or a text."""
    match operator:
        case "matches":
            return Fact(kind="pattern")
        case "older_than" | "newer_than":
            return Fact(kind="duration")
        case "more_days_ahead_than":
            return Fact(kind="integer")
        case "contains" | "starts_with" | "ends_with" | "like" | "has_keys":
            return Fact(kind="text")
    return fact


def _constant(value: Literals | None) -> Constant | None:
    return None if value is None else Constant(value=value)


def _choices(context: Context, node: Node, fact: Fact) -> Operand | None:
    if not isinstance(node, Listing):
        context.mistakes.add(node, f"{found(node)}; expected a list of values")
        return None
    values = [checks.literal(item, fact, context.mistakes) for item in node.items]
    return Constant(value=tuple(value for value in values if value is not None))


def _named(context: Context, operator: str, table: Table, subject: Subject) -> Operand | None:
    match list(table.entries.items()):
        case [("param", node)]:
            return _param(context, operator, node, subject)
        case [("field", node)]:
            return _reference(context, operator, node, subject)
    context.mistakes.add(table, f"{found(table)}; expected a value, {{param: name}} or {{field: path}}")
    return None


def _param(context: Context, operator: str, node: Node, subject: Subject) -> Operand | None:
    name = checks.word(node, context.params, "parameter", context.mistakes)
    if name is None:
        return None
    wanted, declared = _param_type(operator, subject.fact), context.params[name]
    if wanted != declared.type and not declared.faulty:
        context.mistakes.add(node, f"found a parameter of type {declared.type}; expected one of type {wanted}")
        return None
    context.uses.append((name, compared(operator, subject.fact)))
    return Parameter(name=name)


def _param_type(operator: str, fact: Fact) -> str:
    if OPERATORS[operator].operand == "list":
        return "list"
    kind = compared(operator, fact).kind
    return "string" if kind in ("text", "pattern") else kind


def _reference(context: Context, operator: str, node: Node, subject: Subject) -> Operand | None:
    written = checks.text(node, context.mistakes, "the path of a field")
    if written is None:
        return None
    if subject.record is None or OPERATORS[operator].operand != "scalar":
        context.mistakes.add(node, "found a field; expected a value or a parameter")
        return None
    path, record, from_root = _place(context, written, subject.record)
    other = context.fact(node, path, record)
    if other is None:
        return None
    wanted = compared(operator, subject.fact).kind
    if other.kind != wanted:
        context.mistakes.add(node, f"found a field of type {other.kind}; expected one of type {wanted}")
        return None
    return Reference(path=path, root=from_root, written=written)


def _place(context: Context, written: str, record: type[Struct]) -> tuple[str, type[Struct], bool]:
    """The path and the record that a path means, and whether it begins with the name of the resource."""
    start, _, rest = written.partition(".")
    from_root = start == context.root.name and lookup(record, written) is None
    return (rest, context.root.type, record is not context.root.type) if from_root else (written, record, False)


_UNORDERED = ("each", "some", "none")
_BESIDE_WHERE = (*_UNORDERED, "count", "unique", "contiguous")
_COUNTED = Subject(path="count", fact=Fact(kind="integer"), record=None)
_ELEMENT = Subject(path="", fact=Fact(kind="text"), record=None)
_POSITIONS = {"first": "is_first", "last": "is_last"}


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
    path, owner, from_root = _place(context, key.text, record)
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
            context.mistakes.add(table.keys[name], f"found {name} beside where; expected {one_of(_BESIDE_WHERE)}")
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
    place = _position(context, of, key) if key.text in _POSITIONS else of.where
    wheres = [] if place is None else [place]
    if isinstance(node, Table) and "when" in node.entries:
        chosen = _when(context, of, key, node)
        if chosen is None:
            return None
        wheres.append(chosen)
        node = replace(node, entries={name: value for name, value in node.entries.items() if name != "when"})
    body = condition(context.where(missing=key.text in ("each", *_POSITIONS)), node, of.element)
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
    path = _POSITIONS[key.text]
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
