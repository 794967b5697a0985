"""Reads comparisons: turns a YAML node beside a fact into a comparison and checks every path, operator and value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from msgspec import Struct

from scanner.language import checks
from scanner.language.conditions import (
    Comparison,
    Constant,
    Literals,
    Operand,
    Parameter,
    Reference,
)
from scanner.language.hints import no_field, no_operator
from scanner.language.operators import NEGATIVES, OPERATORS, applicable
from scanner.language.params import Param
from scanner.language.vocabulary import Fact, Root, fields, lookup
from scanner.model.facts import ChannelFlow
from scanner.model.metadata import root_of
from scanner.model.phrases import one_of
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
        case "like":
            return Fact(kind="wildcards")
        case "older_than" | "newer_than":
            return Fact(kind="duration")
        case "more_days_ahead_than":
            return Fact(kind="integer")
        case "contains" | "starts_with" | "ends_with" | "has_keys":
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
    return "string" if kind in ("text", "pattern", "wildcards") else kind


def _reference(context: Context, operator: str, node: Node, subject: Subject) -> Operand | None:
    written = checks.text(node, context.mistakes, "the path of a field")
    if written is None:
        return None
    if subject.record is None or OPERATORS[operator].operand != "scalar":
        context.mistakes.add(node, "found a field; expected a value or a parameter")
        return None
    path, record, from_root = place(context, written, subject.record)
    other = context.fact(node, path, record)
    if other is None:
        return None
    wanted = compared(operator, subject.fact).kind
    if other.kind != wanted:
        context.mistakes.add(node, f"found a field of type {other.kind}; expected one of type {wanted}")
        return None
    return Reference(path=path, root=from_root, written=written)


def place(context: Context, written: str, record: type[Struct]) -> tuple[str, type[Struct], bool]:
    """The path and the record that a path means, and whether it begins with the name of the resource."""
    start, _, rest = written.partition(".")
    from_root = bool(rest) and start == context.root.name and lookup(record, written) is None
    return (rest, context.root.type, record is not context.root.type) if from_root else (written, record, False)
