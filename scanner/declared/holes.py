"""Values that a template leaves for the deployment to settle: text with holes, such as an ARN without its account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import UNSET

from scanner.model.logic import Verdict
from scanner.model.yamltree import Node, Scalar

_REFERENCE, _END = "{{resolve:", "}}"
"""A dynamic reference: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hole:
    """What is not known; whatever has the same name is the same.

    A name, an account or a region is `plain`: it holds no colon, comma or slash. What is `new` is made up by the
    deployment, so that nothing that is written out equals it.
    """

    name: str
    plain: bool = field(default=False, compare=False)
    new: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return self.name if self.name.startswith(_REFERENCE) else f"${{{self.name}}}"


Text = tuple[str | Hole, ...]
"""Text in pieces."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending(Node):
    """A value that is known in part, or not at all; one that is `optional` may not be there."""

    text: Text
    optional: bool = False


def text_of(node: Node | None) -> Text | None:
    """The text that a value is; None where it is none."""
    match node:
        case Pending():
            return node.text
        case Scalar(value=None):
            return None
        case Scalar():
            return (node.text,)
    return None


def written(text: Text) -> str:
    """The text as a file would write it."""
    return "".join(map(str, text))


def known(text: Text) -> str | None:
    """The text, where nothing of it is missing."""
    return None if any(isinstance(piece, Hole) for piece in text) else written(text)


def joined(texts: Iterable[Text], delimiter: Text = ()) -> Text:
    """One after the other."""
    pieces: list[str | Hole] = []
    for index, text in enumerate(texts):
        pieces += (*(delimiter if index else ()), *text)
    return _merged(pieces)


def _merged(pieces: Iterable[str | Hole]) -> Text:
    """The same text in as few pieces as can be, so that equal texts are equal."""
    merged: list[str | Hole] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        elif piece != "":
            merged.append(piece)
    return tuple(merged)


def split(text: Text, delimiter: str, most: int = -1) -> list[Text]:
    """The fields between delimiters. What stands in a hole is taken for a part of one field."""
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


def same(one: Text, other: Text) -> Verdict:
    """Whether two texts will be the same; UNSET where the deployment decides."""
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
    """What is known of its start and of its end."""
    first, last = (piece if isinstance(piece, str) else "" for piece in (text[0], text[-1])) if text else ("", "")
    return first, last


def settled(place: Node, text: Text) -> Node:
    """The text as a value that stands at a place; what it refers to outside the template is a hole."""
    text = _referring(text)
    whole = known(text)
    if whole is None:
        return Pending(line=place.line, column=place.column, text=text)
    return Scalar(line=place.line, column=place.column, value=whole, text=whole, plain=False)


def _referring(text: Text) -> Text:
    """The text with a hole for each dynamic reference; one that does not end is none."""
    if not any(isinstance(piece, str) and _REFERENCE in piece for piece in text):
        return _merged(text)
    first, *others = split(text, _REFERENCE)
    pieces: list[str | Hole] = [*first]
    for other in others:
        reference, *rest = split(other, _END, 1)
        hole = Hole(name=f"{_REFERENCE}{written(reference)}{_END}")
        pieces += [hole, *rest[0]] if rest else [_REFERENCE, *reference]
    return _merged(pieces)
