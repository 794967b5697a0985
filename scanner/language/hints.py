"""The messages on words of a condition that mean nothing there, each with what was expected or may have been meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from scanner.language.operators import NEGATIVES, OPERATORS
from scanner.language.vocabulary import Fact, lookup, paths
from scanner.model.phrases import nearest, one_of, quote, unknown

COMBINATORS = ("all_of", "any_of", "not")
QUANTIFIERS = ("each", "some", "none", "first", "last")
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
    if path == "require":
        return "found require in a condition; expected what must hold itself, without require"
    hint = _meant(path) or nearest(path, [*known, *COMBINATORS])
    return f"unknown field {quote(path)}; expected a field of {record.__name__}{hint}"


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
    hint = _meant(name) if own in fitting else ""
    return f"unknown operator {quote(name)}{hint}" if hint else unknown("operator", name, fitting)


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
