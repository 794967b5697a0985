"""Reads JSON that a template holds as text, with intrinsic functions for what is not known yet.

Fn::Join or Fn::Sub put the text together. In the tree that comes of it, a function stands where its value will be.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TypeVar

from msgspec.structs import replace

from scanner.declared import jsontext
from scanner.declared.documents import MAX_DEPTH
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table, UnreadableError

Placed = TypeVar("Placed", bound=Node)
_OPEN, _CLOSE = "\ue000", "\ue001"
"""Characters for private use. They enclose the number of a function in the text; a text that has them is not read."""
_HOLE = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_ESCAPE = re.compile(r"\\.", re.DOTALL)
_PLACEHOLDER = re.compile(r"(\$\{[^!}][^}]*\})")
_LITERAL = re.compile(r"\$\{!([^}]*)\}")


def value(node: Node) -> Node | None:
    """The value whose JSON text a value is; None if it is none. A mapping stands for itself.

    What stands in a text is at the place of the text or of its part.
    """
    match node:
        case Table(entries={"Fn::Join": Listing(items=(Scalar(text=delimiter), Listing(items=parts)))}):
            return _parsed([each for part in parts for each in (_text(delimiter, node), part)][1:])
        case Table(entries={"Fn::Sub": Scalar() as text}):
            return _parsed(list(_pieces(text, None)))
        case Table(entries={"Fn::Sub": Listing(items=(Scalar() as text, own))}):
            return _parsed(list(_pieces(text, own)))
        case Table(entries={"Fn::If": Listing(items=(condition, *branches)) as chosen}):
            either = tuple(each if (read := value(each)) is None else read for each in branches)
            return _call("Fn::If", replace(chosen, items=(condition, *either)))
        case Table(entries={"Fn::ToJsonString": written}):
            return written
        case Table():
            return node
        case Scalar(value=str()):
            return _parsed([node])
    return None


def _pieces(text: Scalar, own: Node | None) -> Iterator[Node]:
    """The parts of the text of Fn::Sub: what is written out, and a call for each placeholder."""
    for number, piece in enumerate(_PLACEHOLDER.split(text.text)):
        part = _text(piece, text)
        if not number % 2:
            yield replace(part, value=(literal := _LITERAL.sub(r"${\1}", piece)), text=literal)
            continue
        argument = part if own is None else Listing(line=text.line, column=text.column, items=(part, own))
        yield _call("Fn::Sub", argument)


def _parsed(parts: Sequence[Node]) -> Node | None:
    """The value of a text in parts; each part that is no text is a hole in it."""
    text, starts, inside = "", [], False
    for number, part in enumerate(parts):
        starts.append(len(text))
        if isinstance(part, Scalar):
            text += part.text
            inside ^= _ESCAPE.sub("", part.text).count('"') % 2 == 1
        else:
            hole = f"{_OPEN}{number}{_CLOSE}"
            text += hole if inside else f'"{hole}"'
    functions = sum(not isinstance(part, Scalar) for part in parts)
    if not text.lstrip().startswith("{") or text.count(_OPEN) != functions:
        return None
    mistakes = Mistakes("")
    try:
        root = jsontext.parse(text, mistakes, MAX_DEPTH)
    except UnreadableError:
        return None
    return None if mistakes.found else _Filling(text, parts, starts).filled(root)


class _Filling:
    """Puts the functions back into what was parsed, and every value at the place of its part."""

    def __init__(self, text: str, parts: Sequence[Node], starts: Sequence[int]) -> None:
        self._parts = parts
        self._starts = starts
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def filled(self, node: Node) -> Node:
        match node:
            case Table():
                entries = {key: self.filled(each) for key, each in node.entries.items()}
                node = replace(node, entries=entries, keys={key: self._at(each) for key, each in node.keys.items()})
            case Listing():
                node = replace(node, items=tuple(map(self.filled, node.items)))
            case Scalar(value=str()) if _HOLE.search(node.text):
                return self._joined(node)
        return self._at(node)

    def _joined(self, node: Scalar) -> Node:
        """A text with functions in it: the function alone, or Fn::Join."""
        place = self._at(node)
        pieces = [
            self._parts[int(piece)] if number % 2 else _text(piece, place)
            for number, piece in enumerate(_HOLE.split(node.text))
        ]
        whole = [each for each in pieces if not isinstance(each, Scalar) or each.text]
        if len(whole) == 1:
            return whole[0]
        items = Listing(line=place.line, column=place.column, items=tuple(whole))
        return _call("Fn::Join", Listing(line=place.line, column=place.column, items=(_text("", place), items)))

    def _at(self, node: Placed) -> Placed:
        offset = self._lines[node.line - 1] + node.column - 1
        part = self._parts[bisect_right(self._starts, offset) - 1]
        return replace(node, line=part.line, column=part.column)


def _text(text: str, place: Node) -> Scalar:
    return Scalar(line=place.line, column=place.column, value=text, text=text, plain=False)


def _call(name: str, argument: Node) -> Table:
    key = _text(name, argument)
    return Table(line=argument.line, column=argument.column, entries={name: argument}, keys={name: key})
