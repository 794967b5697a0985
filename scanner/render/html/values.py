"""References and values as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from scanner.model.report import Scalar
from scanner.render.text import is_visible


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A reference. One that is not safe to follow has no `href` and is shown as text."""

    text: str
    href: str | None


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


def _is_plain_https(reference: str) -> bool:
    if not all(map(is_visible, reference)) or any(char in " \"'<>\\`" for char in reference):
        return False
    try:
        parts = urlsplit(reference)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
