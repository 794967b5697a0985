"""Values that a template leaves for the deployment to settle: text with holes, such as an ARN without its account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scanner.source import Node, Scalar


@dataclass(frozen=True, kw_only=True, slots=True)
class Hole:
    """What is not known. A name, an account or a region is `plain`: it holds no colon, comma or slash."""

    name: str
    plain: bool = False

    def __str__(self) -> str:
        return f"${{{self.name}}}"


Text = tuple[str | Hole, ...]
"""Text in pieces."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending(Node):
    """A value that is known in part, or not at all."""

    text: Text


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


def settled(place: Node, text: Text) -> Node:
    """The text as a value that stands at a place."""
    whole = known(text)
    if whole is None:
        return Pending(line=place.line, column=place.column, text=text)
    return Scalar(line=place.line, column=place.column, value=whole, text=whole, plain=False)
