"""Parses JSON into a tree in which every value has its line and column.

A YAML parser reads most JSON, but not all: it does not know surrogate pairs, which other tools write for characters
above U+FFFF, nor a tab before the first brace.
"""

from __future__ import annotations

import gc
import json
import re
from bisect import bisect_right
from json.decoder import scanstring  # type: ignore[attr-defined]  # the stubs leave it out

from scanner.model.phrases import quote
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table, UnreadableError

_LARGE = 1 << 20
"""How long a text is, in characters, whose tree takes long to look through."""
_SPACE = re.compile(r"[ \t\n\r]*")
_COLON = re.compile(f"{_SPACE.pattern}:{_SPACE.pattern}")
_AFTER = re.compile(f"{_SPACE.pattern}([,}}\\]]){_SPACE.pattern}")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}
_WORD = re.compile("|".join(_WORDS))
LISTS = frozenset({"resources", "child_modules", "resource_changes", "resource_drift", "relevant_attributes"})
"""The lists of a plan of Terraform that grow with what it is about."""
COMMENTS = ("//", "/*", "#")
"""The beginnings of comments in dialects of JSON; JSON itself has no comments."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""A lone surrogate, which JSON can spell but which is not valid text."""
_NEWLINE = re.compile("\n")
_LITERAL = re.compile(f"{_WORD.pattern}|{_NUMBER.pattern}")
_whole_value = json.JSONDecoder().raw_decode
_DIGITS = 18
"""The most digits of a number that is read as an integer."""


def parse(text: str, mistakes: Mistakes, max_depth: int, wanted: re.Pattern[str] | None = None) -> Node:
    """Parse a JSON text; a duplicate key is a mistake.

    `wanted`: of the lists with the names in LISTS, a mapping in whose text this is not found is left empty. That saves
    most of the time.

    Raises:
        UnreadableError: the text is not JSON, has something after it, or is nested too deeply.
    """
    try:
        return _FastReader(text, max_depth, wanted).document()
    except (_NotPlainError, IndexError):
        return _Reader(text, mistakes, max_depth).document()


def is_valid(data: bytes) -> bool:
    """Whether a file holds JSON, and nothing else."""
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


class _NotPlainError(Exception):
    """The text is not JSON, or there is something to tell about it."""


class _FastReader:
    """Reads what is valid in the quickest way; `_Reader` says what is wrong with the rest."""

    def __init__(self, text: str, max_depth: int, wanted: re.Pattern[str] | None) -> None:
        self._text = text
        self._wanted = wanted
        self._max_depth = max_depth
        self._lines = [0, *(match.end() for match in _NEWLINE.finditer(text)), len(text) + 1]
        self._line = 1
        self._is_ascii = text.isascii()
        self._name = ""

    def document(self) -> Node:
        is_collecting, is_large = gc.isenabled(), len(self._text) > _LARGE
        if is_large:
            gc.unfreeze()
            gc.collect()
        gc.disable()  # a tree has no cycles, and is looked through again and again while it grows
        try:
            root, end = self._value(_end_of_space(self._text, 0), 0)
        finally:
            if is_collecting:
                gc.enable()
        if is_large:
            gc.freeze()  # nor is it looked through later; it is freed all the same
        if _end_of_space(self._text, end) < len(self._text):
            raise _NotPlainError
        return root

    def _value(self, at: int, depth: int) -> tuple[Node, int]:
        """The value that begins here, and where it ends."""
        match self._text[at]:
            case '"':
                return self._string(at)
            case "{" if depth <= self._max_depth:
                return self._table(at, depth)
            case "[" if depth <= self._max_depth:
                return self._listing(at, depth)
        found = _LITERAL.match(self._text, at)
        if found is None or depth > self._max_depth:
            raise _NotPlainError
        text = found[0]
        return self._scalar(at, _WORDS[text] if text in _WORDS else _number(text), text, plain=True), found.end()

    def _table(self, at: int, depth: int) -> tuple[Table, int]:
        text = self._text
        line, column = self._place(at)
        entries: dict[str, Node] = {}
        keys: dict[str, Scalar] = {}
        at = _end_of_space(text, at + 1)
        if text[at] == "}":
            return Table(line=line, column=column, entries=entries, keys=keys), at + 1
        while True:
            if text[at] != '"':
                raise _NotPlainError
            key, at = self._string(at)
            name = key.text
            colon = _COLON.match(text, at)
            if colon is None or name in keys:
                raise _NotPlainError
            keys[name] = key
            self._name = name
            entries[name], at = self._value(colon.end(), depth + 1)
            ends, at = self._after(at, "}")
            if ends:
                return Table(line=line, column=column, entries=entries, keys=keys), at

    def _listing(self, at: int, depth: int) -> tuple[Listing, int]:
        text = self._text
        line, column = self._place(at)
        items: list[Node] = []
        is_sifted = self._wanted is not None and self._name in LISTS
        at = _end_of_space(text, at + 1)
        if text[at] == "]":
            return Listing(line=line, column=column, items=()), at + 1
        while True:
            end = self._end_of_unwanted(at) if is_sifted else None
            item, at = self._value(at, depth + 1) if end is None else (self._empty(at), end)
            items.append(item)
            ends, at = self._after(at, "]")
            if ends:
                return Listing(line=line, column=column, items=tuple(items)), at

    def _after(self, at: int, end: str) -> tuple[bool, int]:
        """Whether a mapping or list ends after a member of it, and where the next thing begins."""
        found = _AFTER.match(self._text, at)
        if found is None or found[1] not in (",", end):
            raise _NotPlainError
        return found[1] == end, found.end()

    def _end_of_unwanted(self, at: int) -> int | None:
        """Where a mapping ends in which nothing is found that is wanted; None for anything else."""
        if self._wanted is None or self._text[at] != "{":
            return None
        try:
            _, end = _whole_value(self._text, at)
        except (ValueError, RecursionError):
            raise _NotPlainError from None
        return None if self._wanted.search(self._text, at, end) else end

    def _empty(self, at: int) -> Table:
        line, column = self._place(at)
        return Table(line=line, column=column, entries={}, keys={})

    def _string(self, at: int) -> tuple[Scalar, int]:
        try:
            text, end = scanstring(self._text, at + 1, True)
        except json.JSONDecodeError:
            raise _NotPlainError from None
        if not self._is_ascii or not text.isascii():
            text = _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
        return self._scalar(at, text, text, plain=False), end

    def _scalar(self, at: int, value: str | int | float | bool | None, text: str, *, plain: bool) -> Scalar:
        line, column = self._place(at)
        return Scalar(line=line, column=column, value=value, text=text, plain=plain)

    def _place(self, at: int) -> tuple[int, int]:
        """The line and column of a place that follows all that was asked for before."""
        while at >= self._lines[self._line]:
            self._line += 1
        return self._line, at - self._lines[self._line - 1] + 1


def _end_of_space(text: str, at: int) -> int:
    """Where the next character stands that is no space."""
    if text[at : at + 1] > " ":
        return at
    match = _SPACE.match(text, at)
    return match.end() if match else at


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
