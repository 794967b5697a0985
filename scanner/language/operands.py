"""Reads single comparisons: an operator and what it compares with, checked against the type of the fact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from scanner.language import checks
from scanner.language.conditions import Comparison, Constant, Literals, Operand, Parameter, Reference
from scanner.language.operators import NEGATIVES, OPERATORS, applicable
from scanner.language.params import Param
from scanner.language.vocabulary import Fact, Root, lookup, paths
from scanner.model.phrases import nearest, one_of, quote, unknown
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table, found

COMBINATORS = ("all_of", "any_of", "not")
QUANTIFIERS = ("each", "some", "none", "first", "last")
TEXTS_MATCHERS = ("each", "some", "none", "count", "contains", "exists")
LIST_MATCHERS = ("where", *QUANTIFIERS, "count", "unique", "contiguous", "exists")


@dataclass(kw_only=True, slots=True)
class Context:
    """One rule being read; `facts` gathers the facts that it reads, `uses` what its parameters are compared with."""

    root: Root
    params: Mapping[str, Param]
    mistakes: Mistakes
    facts: list[Fact] = field(default_factory=list)
    uses: list[tuple[str, Fact]] = field(default_factory=list)

    def fact(self, node: Node, path: str, record: type[Struct]) -> Fact | None:
        """The fact that a path leads to from a record."""
        fact = lookup(record, path)
        if fact is None:
            self.mistakes.add(node, _no_field(self.root, path, record))
        else:
            self.facts.append(fact)
        return fact


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What is compared: the fact under `path`. A count has no record, and so nothing beside it to compare with."""

    path: str
    fact: Fact
    record: type[Struct] | None


def comparisons(context: Context, node: Node, subject: Subject) -> list[Comparison | None]:
    """The operators under a path, or `equals` where a bare value stands there; None for each mistake."""
    if not isinstance(node, Table):
        operand = _operand(context, "equals", node, subject)
        return [None if operand is None else Comparison(operator="equals", operand=operand)]
    table = checks.table(node, "an operator and a value", context.mistakes)
    entries = {} if table is None else table.entries
    return [comparison(context, node.keys[name], value, subject) for name, value in entries.items()] or [None]


def comparison(context: Context, key: Scalar, node: Node, subject: Subject) -> Comparison | None:
    """One operator and its value."""
    fitting = applicable(subject.fact.kind)
    if key.text not in fitting:
        context.mistakes.add(key, _no_operator(key.text, fitting, subject))
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
        context.mistakes.add(node, f"{found(node)} for a {subject.fact.kind}; expected {fitting}")
        return None
    if isinstance(node, Table):
        return _named(context, operator, node, subject)
    if kind == "list":
        return _choices(context, node, fact)
    return _constant(checks.literal(node, fact, context.mistakes))


def compared(operator: str, fact: Fact) -> Fact:
    """What an operand must be: some operators take a piece of the value, not one of those it can have."""
    match operator:
        case "matches":
            return Fact(kind="pattern")
        case "older_than" | "newer_than":
            return Fact(kind="duration")
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
    return "string" if kind in ("text", "pattern") else kind


def _reference(context: Context, operator: str, node: Node, subject: Subject) -> Operand | None:
    written = checks.text(node, context.mistakes, "the path of a field")
    if written is None:
        return None
    if subject.record is None or OPERATORS[operator].operand != "scalar":
        context.mistakes.add(node, "found a field; expected a value or a parameter")
        return None
    start, _, rest = written.partition(".")
    from_root = start == context.root.name and lookup(subject.record, written) is None
    path, record = (rest, context.root.type) if from_root else (written, subject.record)
    other = context.fact(node, path, record)
    if other is None:
        return None
    wanted = compared(operator, subject.fact).kind
    if other.kind != wanted:
        context.mistakes.add(node, f"found a field of type {other.kind}; expected one of type {wanted}")
        return None
    return Reference(path=path, root=from_root, written=written)


def _no_field(root: Root, path: str, record: type[Struct]) -> str:
    known = paths(record)
    start, _, rest = path.partition(".")
    if start in known and known[start].kind == "list":
        quantifiers = one_of(QUANTIFIERS)
        return f"found {quote(path)}, inside a list; expected {start}: with {quantifiers}, and {quote(rest)} in it"
    if start == root.name and lookup(root.type, rest):
        return f"found {quote(path)} as a condition; expected it as a value: {{field: {path}}}"
    return f"unknown field {quote(path)}; expected a field of {record.__name__}{nearest(path, [*known, *COMBINATORS])}"


def _no_operator(name: str, fitting: Mapping[str, object], subject: Subject) -> str:
    if name in OPERATORS or name in NEGATIVES or name in LIST_MATCHERS:
        what = f"{subject.path or 'an element'} ({subject.fact.kind})"
        return f"found {name}, which does not fit {what}; expected {one_of(fitting)}"
    return unknown("operator", name, fitting)
