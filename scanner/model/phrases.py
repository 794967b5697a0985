"""Phrases for mistakes: what was found, what was expected, and the nearest name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

_SHOWN = 60
"""How many characters of a text a message repeats."""

_LISTED = 20
"""How many known names a message lists in full."""


def quote(text: str) -> str:
    """The text in quotes, shortened, with unprintable characters escaped."""
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown) + '"'


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` if a known word is near enough, else empty."""
    name = nearest_name(word, known)
    return "" if name is None else f'; did you mean "{name}"?'


def nearest_name(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody may have meant, if one is near enough.

    Case, and the sign that joins words, are ignored. A part of a word is enough if only one known word has it.
    """
    names = list(known)
    folded = {_folded(name): name for name in reversed(names)}
    wanted = _folded(word[:_SHOWN])
    near = close(wanted, folded)
    found = [near] if near else [name for name in folded if _is_part(wanted, name)]
    return folded[found[0]] if len(found) == 1 else None


def close(word: str, known: Iterable[str]) -> str | None:
    """The known word that is spelled most like another, if one is near enough."""
    return next(iter(get_close_matches(word, list(known), n=1)), None)


def _folded(name: str) -> str:
    return name.casefold().replace("_", "-").replace(" ", "-")


def _is_part(word: str, name: str) -> bool:
    return len(word) > 2 and f"-{word}-" in f"-{name}-"


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """The message on an unknown word: the known words, or the nearest one; `what` is the noun."""
    names = list(known)
    near = nearest(word, names)
    expected = "" if near and len(names) > _LISTED else f"; expected {one_of(names)}" if names else "; there is none"
    return f"unknown {what} {quote(word)}{expected}{near}"


def one_of(names: Iterable[str]) -> str:
    """The names in a sentence: `a, b or c`."""
    listed = list(names)
    return " or ".join(filter(None, (", ".join(listed[:-1]), listed[-1]))) if listed else "nothing"


def first_of(names: Sequence[str], most: int, separator: str = ", ") -> str:
    """The first names, at `most` so many, and how many more there are: `a, b and 3 more`."""
    more = len(names) - most
    return separator.join(names[:most]) + (f" and {more} more" if more > 0 else "")


_MOST_NAME = 64
"""The length at which an account's name is cut; AWS allows 50 characters."""


def named_account(account_id: str, name: str | None, also: str = "") -> str:
    """An account by its id and, where it is known, its name: ``111122223333 (Payments)``. Nothing is escaped.

    `also` stands with the name, or alone: ``111122223333 (Payments, 12)``.
    """
    shown = name and (name if len(name) <= _MOST_NAME else f"{name[: _MOST_NAME - 1]}…")
    beside = ", ".join(filter(None, (shown, also)))
    return f"{account_id} ({beside})" if beside else account_id
