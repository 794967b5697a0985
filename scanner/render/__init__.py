"""Formats of the report: one module each, a function of the report."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from scanner.finding import Report


class Format(StrEnum):
    """The formats, as ``-o FORMAT:PATH`` and a path's suffix name them."""

    HTML = "html"
    JSON = "json"


def render(report: Report, form: Format) -> Iterator[str]:
    """The report as text in one format, in pieces: those that can be read line by line never hold it as a whole."""
    match form:  # each is imported where it is needed: a JSON report should not wait for a template engine
        case Format.HTML:
            from scanner.render import html

            return iter((html.render(report),))
        case Format.JSON:
            from scanner.render import json

            return json.render(report)
