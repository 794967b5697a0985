"""The HTML page with its style and its scripts in files beside it, for servers that forbid what is inline."""

from __future__ import annotations

from collections.abc import Iterator

from scanner.model.report import Report
from scanner.model.trend import Trend
from scanner.render.html import page, parts


def render(report: Report, trend: Trend | None = None) -> Iterator[str]:
    """The page itself; `file` gives what it loads."""
    return page.render(report, trend, beside=True)


def file(name: str) -> str:
    """The text of a file beside the page."""
    return parts.file(name)
