"""Regular expressions of rules: RE2, whose time is linear in the text whatever the pattern."""

from __future__ import annotations

from collections.abc import Callable

import re2  # type: ignore[import-untyped]  # google-re2 ships no types

Search = Callable[[str], bool]


class PatternError(ValueError):
    """RE2 does not take the pattern."""


def search(pattern: str) -> Search:
    """Says whether `pattern` matches anywhere in a text. Raises PatternError."""
    options = re2.Options()
    options.log_errors = False  # RE2 would print to stderr
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise PatternError(_reason(error)) from None
    found: Search = lambda text: compiled.search(text) is not None  # noqa: E731 - one of two forms of the same function
    return _fast(pattern, options, found) or found


def _fast(pattern: str, options: re2.Options, slow: Search) -> Search | None:
    """The same by re2.Set, in half the time, or None where Set does not take the pattern.

    A Set that runs out of memory says that nothing matched: a second pattern, which matches everything, gives it away.
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
