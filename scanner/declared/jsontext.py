"""Parses JSON into a tree in which every value has its line and column.

A YAML parser reads most JSON, but not all: it does not know surrogate pairs, which other tools write for characters
above U+FFFF, nor a tab before the first brace.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from json.decoder import scanstring  # type: ignore[attr-defined]  # the stubs leave it out

from scanner.model.phrases import quote
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table, UnreadableError

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}
_WORD = re.compile("|".join(_WORDS))
COMMENTS = ("//", "/*", "#")
"""The beginnings of comments in dialects of JSON; JSON itself has no comments."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""A lone surrogate, which JSON can spell but which is not valid text."""
_NEWLINE = re.compile("\n")
_DIGITS = 18
"""The most digits of a number that is read as an integer."""


def parse(text: str, mistakes: Mistakes, max_depth: int) -> Node:
    """Parse a JSON text; a duplicate key is a mistake.

    Raises:
        UnreadableError: the text is not JSON, has something after it, or is nested too deeply.
    """
    return _Reader(text, mistakes, max_depth).document()


class _Reader:
    def __init__(self, text: str, mistakes: Mistakes, max_depth: int) -> None:
        self._text = text
        self._at = 0
        self._mistakes = mistakes
        self._max_depth = max_depth
        self._lines = [0, *(match.end() for match in _NEWLINE.finditer(text))]

    def document(self) -> Node:
        self._skip()
        root = self._value(0)
        self._skip()
        if self._at < len(self._text):
            found = "a comment" if self._is_comment() else "something"
            raise self._unreadable(f"{found} after the end of the document", "nothing")
        return root

    def _value(self, depth: int) -> Node:
        if depth > self._max_depth:
            raise UnreadableError(self._place(), f"found more than {self._max_depth} levels of nesting; expected fewer")
        match self._text[self._at : self._at + 1]:
            case "{":
                return self._table(depth)
            case "[":
                return self._listing(depth)
            case '"':
                return self._string()
        return self._plain()

    def _table(self, depth: int) -> Table:
        place = self._place()
        entries: dict[str, Node] = {}
        keys: dict[str, Scalar] = {}
        self._at += 1
        while self._another("}", first=not keys):
            if self._text[self._at : self._at + 1] != '"':
                raise self._unreadable(self._next(), "a key in double quotes")
            key = self._string()
            if (earlier := keys.get(key.text)) is not None:
                message = f"found {quote(key.text)} again, after line {earlier.line}; expected it once"
                self._mistakes.add(key, message)
            self._skip()
            self._expect(":")
            entries[key.text], keys[key.text] = self._value(depth + 1), key
        return Table(line=place.line, column=place.column, entries=entries, keys=keys)

    def _listing(self, depth: int) -> Listing:
        place = self._place()
        items: list[Node] = []
        self._at += 1
        while self._another("]", first=not items):
            items.append(self._value(depth + 1))
        return Listing(line=place.line, column=place.column, items=tuple(items))

    def _another(self, end: str, *, first: bool) -> bool:
        """Skip to the next member; False if the list or mapping ends."""
        self._skip()
        if self._text.startswith(end, self._at):
            self._at += 1
            return False
        if not first:
            self._expect(",", end)
        return True

    def _expect(self, mark: str, *others: str) -> None:
        if not self._text.startswith(mark, self._at):
            raise self._unreadable(self._next(), " or ".join((mark, *others)))
        self._at += 1
        self._skip()

    def _string(self) -> Scalar:
        place = self._place()
        try:
            text, self._at = scanstring(self._text, self._at + 1, True)
        except json.JSONDecodeError as error:
            self._at = min(error.pos, len(self._text))
            raise self._unreadable(
                "a text that does not end, or holds what it may not", "escapes and a closing quote"
            ) from None
        if not text.isascii():
            text = _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
        return Scalar(line=place.line, column=place.column, value=text, text=text, plain=False)

    def _plain(self) -> Scalar:
        place = self._place()
        match = _WORD.match(self._text, self._at) or _NUMBER.match(self._text, self._at)
        if match is None:
            raise self._unreadable(self._next(), "a value")
        self._at = match.end()
        text = match[0]
        value = _WORDS[text] if text in _WORDS else _number(text)
        return Scalar(line=place.line, column=place.column, value=value, text=text, plain=True)

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _next(self) -> str:
        if self._is_comment():
            return "a comment"
        rest = self._text[self._at : self._at + 1]
        return quote(rest) if rest else "the end of the file"

    def _is_comment(self) -> bool:
        return self._text.startswith(COMMENTS, self._at)

    def _place(self) -> Node:
        line = bisect_right(self._lines, self._at)
        return Node(line=line, column=self._at - self._lines[line - 1] + 1)

    def _unreadable(self, found: str, expected: str) -> UnreadableError:
        return UnreadableError(self._place(), f"found {found}; expected {expected}, as JSON has it")


def _number(text: str) -> int | float | str:
    digits = text.removeprefix("-")
    if digits.isdecimal():
        return int(text) if len(digits) <= _DIGITS else text
    return float(text)
