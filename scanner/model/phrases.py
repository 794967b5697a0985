"""How a mistake is worded: what was found; what was expected; did you mean the nearest name?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 60
"""Characters of somebody's text that a message repeats."""

_LISTED = 20
"""Names that a message lists although it says which is the nearest."""


def quote(text: str) -> str:
    """`text` in quotes, shortened, with whatever cannot be printed spelled out."""
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown) + '"'


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` where a known word is near enough, and nothing otherwise.

    Neither case nor the sign that joins words counts; a part of the one word that has it will do.
    """
    names = list(known)
    folded = {_folded(name): name for name in reversed(names)}
    wanted = _folded(word[:_SHOWN])
    near = get_close_matches(wanted, folded, n=1, cutoff=0.6) or [name for name in folded if _is_part(wanted, name)]
    return f'; did you mean "{folded[near[0]]}"?' if len(near) == 1 else ""


def _folded(name: str) -> str:
    return name.casefold().replace("_", "-").replace(" ", "-")


def _is_part(word: str, name: str) -> bool:
    return len(word) > 2 and f"-{word}-" in f"-{name}-"


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """`word` is none of the `known` ones."""
    names = list(known)
    near = nearest(word, names)
    expected = "" if near and len(names) > _LISTED else f"; expected {one_of(names)}"
    return f"unknown {what} {quote(word)}{expected}{near}"


def one_of(names: Iterable[str]) -> str:
    """The names as a sentence has them: `a, b or c`."""
    listed = list(names)
    return " or ".join(filter(None, (", ".join(listed[:-1]), listed[-1]))) if listed else "nothing"
