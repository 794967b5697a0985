"""Checks that all loaders use: keys of mappings, kinds of nodes, regular expressions, values of the type of a fact."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from enum import Enum

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

from scanner.language.vocabulary import Fact
from scanner.model.moments import seconds
from scanner.model.phrases import nearest, one_of, quote, unknown
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table, found

Search = Callable[[str], bool]


class PatternError(ValueError):
    """RE2 rejects the pattern."""


def search(pattern: str) -> Search:
    """Compile a regular expression to a function that says whether it matches anywhere in a text.

    Raises:
        PatternError: RE2 rejects the pattern.
    """
    options = re2.Options()
    options.log_errors = False  # RE2 would print to stderr
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise PatternError(_reason(error)) from None
    found: Search = lambda text: compiled.search(text) is not None  # noqa: E731 - one of two forms of the same function
    return _fast(pattern, options, found) or found


def pattern_of(wildcards: str) -> str:
    """The regular expression of a text in which * stands for any text and ? for one character."""
    stands_for = {"*": ".*", "?": "."}
    return rf"(?s)\A{''.join(stands_for.get(each, re2.escape(each)) for each in wildcards)}\z"


def _fast(pattern: str, options: re2.Options, slow: Search) -> Search | None:
    """A search with re2.Set, which takes half the time; None if Set rejects the pattern.

    A Set that runs out of memory reports no match. So a second pattern, which always matches, is in the Set as well: if
    it is missing from the matches, `slow` decides.
    """
    patterns = re2.Set.SearchSet(options)
    try:
        mine, everything = patterns.Add(pattern), patterns.Add("")
        patterns.Compile()
    except re2.error:
        return None
    match = patterns.Match

    def found(text: str) -> bool:
        hits = match(text) or ()
        return mine in hits or (everything not in hits and slow(text))

    return found


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else "it is damaged"
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
NAME = re.compile(r"[a-z][a-z0-9_]*")

_EXPECTED = {
    "text": "text",
    "pattern": "a regular expression",
    "wildcards": "text",
    "integer": "an integer",
    "boolean": "true or false",
    "duration": "a duration such as 90d or 12h",
}


def keys(table: Table, known: Collection[str], required: Sequence[str], what: str, mistakes: Mistakes) -> None:
    """Add a mistake for each unknown key and each missing required key; `what` is the noun in the message."""
    for name, key in table.keys.items():
        if name not in known:
            mistakes.add(key, unknown(what, name, known))
    for name in required:
        if name not in table.entries:
            mistakes.add(table, f"found no {name}; expected it in every {what.removesuffix(' key')}")


def table(node: Node, what: str, mistakes: Mistakes) -> Table | None:
    """The node if it is a mapping with entries; else add a mistake, which expected `what`, and return None."""
    if isinstance(node, Table) and node.entries:
        return node
    empty = "found an empty mapping" if isinstance(node, Table) else found(node)
    mistakes.add(node, f"{empty}; expected {what}")
    return None


def items(node: Node, what: str, mistakes: Mistakes) -> tuple[Node, ...]:
    """The items of a list that is not empty; else add a mistake, which expected `what`, and return ()."""
    if isinstance(node, Listing) and node.items:
        return node.items
    empty = "found an empty list" if isinstance(node, Listing) else found(node)
    mistakes.add(node, f"{empty}; expected {what}")
    return ()


def text(node: Node, mistakes: Mistakes, what: str = "text") -> str | None:
    """The node's text, stripped, if it is text and not blank; else add a mistake and return None."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        if stripped := node.value.strip():
            return stripped
        mistakes.add(node, f"found blank text; expected {what}")
        return None
    mistakes.add(node, f"{found(node)}; expected {what}{_in_quotes(node)}")
    return None


def word(node: Node, known: Collection[str], what: str, mistakes: Mistakes) -> str | None:
    """The node's text if it is one of the known words; else add a mistake and return None."""
    written = text(node, mistakes, what)
    if written is not None and written not in known:
        mistakes.add(node, unknown(what, written, known))
        return None
    return written


def words(enumeration: type[Enum]) -> list[str]:
    """The values of an enumeration, as texts."""
    return [str(member.value) for member in enumeration]


def literal(node: Node, fact: Fact, mistakes: Mistakes) -> str | int | bool | None:
    """The node's value if a fact of this type can have it; else add a mistake and return None."""
    if not isinstance(node, Scalar):
        mistakes.add(node, f"{found(node)}; expected {_expected(fact)}")
        return None
    if (complaint := misfit(node.value, fact)) is not None:
        mistakes.add(node, f"{found(node)}; expected {complaint}{_hint(node, fact)}")
        return None
    return node.value if isinstance(node.value, str | int) else None


def misfit(value: object, fact: Fact) -> str | None:
    """What is expected instead of a value that a fact of this type cannot have; None if it can."""
    fits = {
        "text": isinstance(value, str) and (not fact.choices or value in fact.choices),
        "pattern": isinstance(value, str),
        "wildcards": isinstance(value, str),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "duration": isinstance(value, str) and seconds(value) is not None,
    }
    if not fits.get(fact.kind, False):
        return _expected(fact) + (nearest(value, fact.choices) if isinstance(value, str) else "")
    match fact.kind:
        case "pattern":
            return _fault(str(value))
        case "wildcards":
            return "a shorter text" if _fault(pattern_of(str(value))) else None
    return None


def _fault(pattern: str) -> str | None:
    try:
        search(pattern)
    except PatternError as error:
        return f"a regular expression that RE2 takes ({error})"
    return None


def _expected(fact: Fact) -> str:
    return one_of(fact.choices) if fact.choices else _EXPECTED.get(fact.kind, f"no value for a {fact.kind}")


def _hint(node: Scalar, fact: Fact) -> str:
    if node.value is None and node.plain:
        return " (what is known to be absent is {exists: false})"
    return _in_quotes(node) if fact.kind in ("text", "pattern", "wildcards") else ""


def _in_quotes(node: Node) -> str:
    """A hint on how to write a text that YAML has read as a number or boolean; else empty."""
    written = isinstance(node, Scalar) and node.plain and isinstance(node.value, int | float)
    return f" in quotes: {quote(node.text)}" if written and isinstance(node, Scalar) else ""
