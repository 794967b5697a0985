"""Splits texts of rules and findings as the page shows them: paragraphs, commands, references, values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from scanner.model.report import Scalar
from scanner.render.text import is_visible


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A part of a text: a paragraph, or commands to be copied."""

    kind: Literal["text", "code"]
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A reference. One that is not safe to follow has no `href` and is shown as text."""

    text: str
    href: str | None


def blocks(text: str) -> tuple[Block, ...]:
    r"""Split a text into paragraphs and commands: lines that start with ``aws `` or continue one after a ``\``."""
    result: list[Block] = []
    continued = False
    for line in text.strip().splitlines():
        if continued or line.lstrip().startswith("aws "):
            _append(result, "code", line.rstrip() if continued else line.strip())
            continued = line.rstrip().endswith("\\")
        elif line.strip():
            _append(result, "text", line.strip())
        else:
            result.append(Block(kind="text", text=""))
    return tuple(block for block in result if block.text)


def link(reference: str) -> Link:
    """A reference as a link; only a plain https address can be followed."""
    return Link(text=reference, href=reference if _is_plain_https(reference) else None)


def value_text(value: Scalar | tuple[Scalar, ...]) -> str:
    """An observed value in the notation of rules: ``true``, ``none``, ``[a, b]``."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case tuple():
            return f"[{', '.join(map(value_text, value))}]"
        case _:
            return str(value)


def _append(result: list[Block], kind: Literal["text", "code"], line: str) -> None:
    if result and result[-1].kind == kind and result[-1].text:
        separator = "\n" if kind == "code" else " "
        result[-1] = Block(kind=kind, text=f"{result[-1].text}{separator}{line}")
    else:
        result.append(Block(kind=kind, text=line))


def _is_plain_https(reference: str) -> bool:
    if not all(map(is_visible, reference)) or any(char in " \"'<>\\`" for char in reference):
        return False
    try:
        parts = urlsplit(reference)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
