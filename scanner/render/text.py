"""Escapes characters in text from AWS that would be invisible or would reorder a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, groupby

_WORD = re.compile(r"\S+")
_PART = re.compile(r"[^:/]+[:/]*|[:/]+")
_PIECE = re.compile(r"[^-_.]+[-_.]*|[-_.]+")
# Letters and marks that draw nothing, yet str.isprintable() accepts: Unicode's default ignorable code points and
# the blank Braille pattern.
_BLANK = frozenset(
    chain(
        (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180F, 0x2800, 0x3164, 0xFFA0),
        range(0x180B, 0x180E),
        range(0xFE00, 0xFE10),
        range(0xE0100, 0xE01F0),
    )
)


def is_visible(char: str) -> bool:
    """Whether a character draws something and stays in its place. The plain space counts, other spaces do not."""
    return char.isprintable() and ord(char) not in _BLANK


def segments(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces: (piece, False) is unchanged, (escape, True) replaces one or more hidden characters."""
    if text.isascii() and text.isprintable():
        yield text, False
        return
    for shown, chars in groupby(text, is_visible):
        piece = "".join(chars)
        yield piece if shown else _escaped(piece), not shown


def visible(text: str) -> str:
    r"""The text with control, bidirectional and invisible characters as escapes: ``\u202e``, ``\U000e0041``.

    The result is one line of visible characters, safe to print on a terminal. A backslash stays as it is.
    """
    return "".join(piece for piece, _ in segments(text))


def visible_lines(text: str) -> str:
    """The text with hidden characters as escapes, as in `visible`, but with its line breaks."""
    return "\n".join(map(visible, text.split("\n")))


def unbroken(text: str, width: int) -> str:
    """Break words that are wider than `width` columns, such as ARNs, after a colon or slash.

    A part between those that is still too wide is broken after a hyphen, underscore or dot.
    """
    return _WORD.sub(lambda word: _parted(word[0], width), text)


def _parted(word: str, width: int) -> str:
    if len(word) <= width:
        return word
    lines = [""]
    for part in _PART.findall(word):
        for piece in (part,) if len(part) <= width else _PIECE.findall(part):
            if lines[-1] and len(lines[-1]) + len(piece) > width:
                lines.append("")
            lines[-1] += piece
    return "\n".join(lines)


def _escaped(hidden: str) -> str:
    return "".join(f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}" for code in map(ord, hidden))
