"""The messages on words of a condition that mean nothing there, each with what was expected or may have been meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from scanner.language.operators import NEGATIVES, OPERATORS
from scanner.language.vocabulary import ROOTS, Fact, lookup, paths
from scanner.model.facts import Processor
from scanner.model.phrases import nearest, one_of, quote, unknown

COMBINATORS = ("all_of", "any_of", "not")
QUANTIFIERS = ("each", "some", "none", "first", "last")
POSITIONS: Final[Mapping[str, str]] = {"first": "is_first", "last": "is_last"}
"""The quantifiers that choose by a field of the elements, each with that field."""
TEXTS_MATCHERS = ("each", "some", "none", "count", "contains", "exists")
LIST_MATCHERS = ("where", *QUANTIFIERS, "count", "unique", "contiguous", "exists")

_ELSEWHERE: Final[Mapping[str, str]] = {
    name: own
    for own, names in {
        "equals": ("==", "=", "eq", "is"),
        "not_equals": ("!=", "ne", "neq", "is_not"),
        "gt": (">",),
        "gte": (">=", "ge"),
        "lt": ("<",),
        "lte": ("<=", "le"),
        "like": ("glob", "wildcard"),
        "matches": ("regex", "regexp", "pattern", "match"),
        "in": ("one_of", "oneof"),
        "not_in": ("nin",),
        "starts_with": ("prefix",),
        "ends_with": ("suffix",),
        "contains": ("includes",),
        "exists": ("present",),
        "any_of": ("or",),
        "all_of": ("and",),
        "some": ("any",),
        "each": ("all", "every"),
        "count": ("length", "size"),
    }.items()
    for name in names
}
"""What other languages call our operators and keys."""


def no_field(path: str, record: type[Struct]) -> str:
    """The message on a path that leads to no field of a record."""
    known = paths(record)
    start, _, rest = path.partition(".")
    if start in known and known[start].kind == "list":
        quantifiers = one_of(QUANTIFIERS)
        return f"found {quote(path)}, inside a list; expected {start}: with {quantifiers}, and {quote(rest)} in it"
    expected = f"unknown field {quote(path)}; expected a field of {record.__name__}"
    if path == "require":
        return "found require in a condition; expected what must hold itself, without require"
    if start == ROOTS["channel_flow"].name and record is Processor:
        return f"{expected}, or what is said of the flow in where beside each, some or none"
    hint = _meant(path) or nearest(path, [*known, *COMBINATORS])
    return f"{expected}{hint}"


def _meant(name: str) -> str:
    """`; did you mean "x"?` if it is what another language calls x, else empty."""
    own = _ELSEWHERE.get(name.lower())
    return "" if own is None else f'; did you mean "{own}"?'


def no_operator(name: str, fitting: Mapping[str, object], path: str, fact: Fact) -> str:
    """The message on a word that is no operator for the fact at a path; `fitting` has those that are."""
    if name in OPERATORS or name in NEGATIVES or name in LIST_MATCHERS:
        what = f"{path or 'an element'} ({fact.kind})"
        return f"found {name}, which does not fit {what}; expected {one_of(fitting)}"
    own = _ELSEWHERE.get(name.lower())
    hint = _inside(name, fitting, path, fact) or (_meant(name) if own in fitting else "")
    return f"unknown operator {quote(name)}{hint}" if hint else unknown("operator", name, fitting)


def _inside(name: str, fitting: Mapping[str, object], path: str, fact: Fact) -> str:
    """What may be meant by a word that is a field of the fact, or a negation; else empty."""
    is_field = fact.kind == "tags" or (fact.record is not None and lookup(fact.record, name) is not None)
    if is_field:
        return f"; did you mean {path}.{name} in place of {path}:?"
    positive = name.removeprefix("not").removeprefix("_")
    if not name.startswith("not") or positive not in (*fitting, ""):
        return ""
    return f"; did you mean not: {{{path or 'an element'}: {{{positive and f'{positive}: '}...}}}}?"


def no_matcher(name: str, element: type[Struct]) -> str:
    """The message on an unknown matcher. Often it is a condition that lacks a quantifier such as `each`."""
    if name in COMBINATORS or lookup(element, name):
        return f"found {quote(name)} beside a list's matchers; did you mean each: {{{name}: ...}}, some: or none:?"
    if name == "when":
        return "found when beside a list's matchers; expected it inside each, first or last, or where in its place"
    hint = _meant(name) if _ELSEWHERE.get(name.lower()) in LIST_MATCHERS else ""
    return (
        f"unknown matcher of a list {quote(name)}{hint}" if hint else unknown("matcher of a list", name, LIST_MATCHERS)
    )
