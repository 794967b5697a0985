"""Values that only the deployment settles: texts with holes, such as an ARN whose account is not known.

`Lookup` finds things by such texts without comparing all of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import chain
from typing import Generic, TypeVar

from msgspec import UNSET

from scanner.model.logic import Truth
from scanner.model.yamltree import Node, Scalar

REFERENCE, _END = "{{resolve:", "}}"
"""A dynamic reference: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hole:
    """An unknown part of a text; holes of the same name have the same value.

    `plain`: the value has no colon, comma or slash, as a name, an account or a region. `new`: the deployment makes up
    the value, so that it equals no text that is written out.
    """

    name: str
    plain: bool = field(default=False, compare=False)
    new: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return self.name if self.name.startswith(REFERENCE) else f"${{{self.name}}}"


Text = tuple[str | Hole, ...]
"""A text as a sequence of known pieces and holes."""


class Pending(Node, frozen=True, kw_only=True, gc=False):
    """A value that is known only in part or not at all; if it is `optional`, it may also be missing."""

    text: Text
    optional: bool = False


def text_of(node: Node | None) -> Text | None:
    """The text of a value; None if it is not a text."""
    match node:
        case Pending():
            return node.text
        case Scalar(value=None):
            return None
        case Scalar():
            return (node.text,)
    return None


def written(text: Text) -> str:
    """The text as a template would write it, with holes as ${Name}."""
    return "".join(map(str, text))


def known(text: Text) -> str | None:
    """The text as a string; None if it has holes."""
    pieces = [piece for piece in text if isinstance(piece, str)]
    return "".join(pieces) if len(pieces) == len(text) else None


def joined(texts: Iterable[Text], delimiter: Text = ()) -> Text:
    """The texts joined into one, with a delimiter between them."""
    pieces: list[str | Hole] = []
    for index, text in enumerate(texts):
        pieces += (*(delimiter if index else ()), *text)
    return _merged(pieces)


def _merged(pieces: Iterable[str | Hole]) -> Text:
    """The text with adjacent known pieces joined, so that equal texts compare equal."""
    merged: list[str | Hole] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        elif piece != "":
            merged.append(piece)
    return tuple(merged)


def split(text: Text, delimiter: str, most: int = -1) -> list[Text]:
    """Split a text at delimiters, at most `most` times (-1: always). A hole is taken to hold no delimiter."""
    fields: list[list[str | Hole]] = [[]]
    for piece in text:
        if isinstance(piece, Hole):
            fields[-1].append(piece)
            continue
        left = most - len(fields) + 1 if most >= 0 else -1
        first, *others = piece.split(delimiter, left) if left else [piece]
        fields[-1].append(first)
        fields += [[other] for other in others]
    return [tuple(piece for piece in field if piece != "") for field in fields]


def same(one: Text, other: Text) -> Truth:
    """Whether two texts will be equal; UNSET if the deployment decides it."""
    if one == other:
        return True
    holes = [piece for piece in (*one, *other) if isinstance(piece, Hole)]
    if not holes or (any(hole.new for hole in holes) and all(hole.plain for hole in holes)):
        return False
    (first, last), (other_first, other_last) = ends(one), ends(other)
    start_alike = first.startswith(other_first) or other_first.startswith(first)
    end_alike = last.endswith(other_last) or other_last.endswith(last)
    return UNSET if start_alike and end_alike else False


def ends(text: Text) -> tuple[str, str]:
    """The known start and end of a text; each is empty if the text has a hole there."""
    first, last = (piece if isinstance(piece, str) else "" for piece in (text[0], text[-1])) if text else ("", "")
    return first, last


def settled(place: Node, text: Text) -> Node:
    """The text as a value at a place. Dynamic references, which lead outside the template, become holes."""
    text = _referring(text)
    whole = known(text)
    if whole is None:
        return Pending(line=place.line, column=place.column, text=text)
    return Scalar(line=place.line, column=place.column, value=whole, text=whole, plain=False)


def _referring(text: Text) -> Text:
    """The text with a hole for each dynamic reference, if the reference has an end."""
    if not any([isinstance(piece, str) and REFERENCE in piece for piece in text]):  # noqa: C419 - a list is faster
        return text if len(text) == 1 else _merged(text)
    first, *others = split(text, REFERENCE)
    pieces: list[str | Hole] = [*first]
    for other in others:
        reference, *rest = split(other, _END, 1)
        hole = Hole(name=f"{REFERENCE}{written(reference)}{_END}")
        pieces += [hole, *rest[0]] if rest else [REFERENCE, *reference]
    return _merged(pieces)


Item = TypeVar("Item")
_AFTER_ALL = "\U0010ffff"


class _Form(Enum):
    """The kind of holes in a text. It decides which texts may be equal to it (scanner.declared.holes.same)."""

    LITERAL = auto()
    """It has no holes."""
    NEW = auto()
    """Its holes are plain, and the deployment makes up some of them."""
    PLAIN = auto()
    """Its holes are plain and may have any value."""
    LOOSE = auto()
    """Some of its holes may hold anything."""


_MAY_EQUAL = {
    _Form.LITERAL: (_Form.PLAIN, _Form.LOOSE),
    _Form.NEW: (_Form.LOOSE,),
    _Form.PLAIN: (_Form.LITERAL, _Form.PLAIN, _Form.LOOSE),
    _Form.LOOSE: tuple(_Form),
}
"""Form -> the forms of texts that may be equal to a text of this form although they are written differently."""


class Lookup(Generic[Item]):
    """Things by names, which may have holes; a thing may have several names."""

    def __init__(self, named: Iterable[tuple[Text, Item]] = ()) -> None:
        self._items: list[Item] = []
        self._alike: dict[Text, list[int]] = {}
        by_form: dict[_Form, list[tuple[Text, int]]] = {form: [] for form in _Form}
        for number, (text, item) in enumerate(named):
            self._items.append(item)
            self._alike.setdefault(text, []).append(number)
            by_form[_form(text)].append((text, number))
        self._by_ends = {form: _ByEnds(texts) for form, texts in by_form.items()}

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def exactly(self, text: Text) -> Iterator[Item]:
        """The things with a name that is written like the text, in order."""
        return (self._items[number] for number in self._alike.get(text, ()))

    def maybe(self, text: Text) -> Iterator[Item]:
        """All things whose name may equal the text, in order; some others may be among them."""
        unlike = (self._by_ends[form].fitting(text) for form in _MAY_EQUAL[_form(text)])
        numbers = {*self._alike.get(text, ()), *chain.from_iterable(unlike)}
        return (self._items[number] for number in sorted(numbers))


class _ByEnds:
    """Texts by their known starts and ends."""

    def __init__(self, texts: Iterable[tuple[Text, int]]) -> None:
        known = [(ends(text), number) for text, number in texts]
        self._by_start = _ByStart((start, number) for (start, _), number in known)
        self._by_end = _ByStart((end[::-1], number) for (_, end), number in known)

    def fitting(self, text: Text) -> Iterator[int]:
        """The numbers of the texts with a matching start or, if these are fewer, with a matching end."""
        start, end = ends(text)
        by_start, by_end = self._by_start.span(start), self._by_end.span(end[::-1])
        if len(by_start) < len(by_end):
            return self._by_start.fitting(start, by_start)
        return self._by_end.fitting(end[::-1], by_end)


class _ByStart:
    def __init__(self, texts: Iterable[tuple[str, int]]) -> None:
        self._sorted = sorted(texts)
        self._exactly: dict[str, list[int]] = {}
        for text, number in self._sorted:
            self._exactly.setdefault(text, []).append(number)

    def span(self, start: str) -> range:
        """The positions of the texts with this start."""
        return range(*(bisect_left(self._sorted, (bound, -1)) for bound in (start, start + _AFTER_ALL)))

    def fitting(self, start: str, span: range) -> Iterator[int]:
        """The numbers of the texts in the span, which have this start, and of those that are a start of it."""
        for end in range(len(start)):
            yield from self._exactly.get(start[:end], ())
        yield from (number for _, number in self._sorted[span.start : span.stop])


def _form(text: Text) -> _Form:
    holes = [piece for piece in text if isinstance(piece, Hole)]
    if not holes:
        return _Form.LITERAL
    if not all(hole.plain for hole in holes):
        return _Form.LOOSE
    return _Form.NEW if any(hole.new for hole in holes) else _Form.PLAIN
