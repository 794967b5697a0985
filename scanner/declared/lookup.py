"""An index of things by names with holes, which finds possible matches without comparing all names."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from itertools import chain
from typing import Generic, TypeVar

from scanner.declared.holes import Hole, Text, ends

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
