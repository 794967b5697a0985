"""The formats of the report: one module for each, named like the format, with a function `render`."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from enum import StrEnum
from types import ModuleType

from scanner.model.report import Report
from scanner.model.trend import Trend


class Format(StrEnum):
    """The formats, with their names in ``-o FORMAT:PATH``."""

    HTML = "html"
    HTML_FOLDER = "html-folder"
    JSON = "json"
    JSONL = "jsonl"
    SARIF = "sarif"
    JUNIT = "junit"
    CSV = "csv"
    CONTROLS = "controls"
    MARKDOWN = "markdown"
    OCSF = "ocsf"
    ASFF = "asff"
    OSCAL = "oscal"
    GITHUB = "github"
    GITLAB = "gitlab"
    INVENTORY = "inventory"


SUFFIXES = {
    "html": Format.HTML,
    "json": Format.JSON,
    "jsonl": Format.JSONL,
    "sarif": Format.SARIF,
    "xml": Format.JUNIT,
    "csv": Format.CSV,
    "md": Format.MARKDOWN,
}
"""The formats that the suffix of a file's name tells."""
CONTENT_TYPES = {
    Format.HTML: "text/html; charset=utf-8",
    Format.HTML_FOLDER: "text/html; charset=utf-8",
    Format.JSON: "application/json",
    Format.JSONL: "application/x-ndjson",
    Format.SARIF: "application/sarif+json",
    Format.JUNIT: "application/xml",
    Format.CSV: "text/csv; charset=utf-8",
    Format.CONTROLS: "text/csv; charset=utf-8",
    Format.MARKDOWN: "text/markdown; charset=utf-8",
    Format.OCSF: "application/x-ndjson",
    Format.ASFF: "application/json",
    Format.OSCAL: "application/json",
    Format.GITHUB: "text/plain; charset=utf-8",
    Format.GITLAB: "application/json",
    Format.INVENTORY: "text/csv; charset=utf-8",
}
"""The media types of the formats."""
PAGES = (Format.HTML, Format.HTML_FOLDER)
"""The formats that people read in a browser."""
BESIDE = {
    "chimeaudit.css": "text/css; charset=utf-8",
    "chimeaudit-early.js": "text/javascript; charset=utf-8",
    "chimeaudit.js": "text/javascript; charset=utf-8",
}
"""The files beside the page in its folder, with their media types; `html_folder.file` gives their text."""
PAGE = "index.html"
"""The name of the page in its folder."""


def load(form: Format) -> ModuleType:
    """Import the module of a format. Formats are imported when used: JSON should not wait for a template engine."""
    return importlib.import_module(f"scanner.render.{form.value.replace('-', '_')}")


def render(report: Report, form: Format, trend: Trend | None = None) -> Iterator[str]:
    """The report as text in one format, in pieces, so that most formats need not hold the whole text.

    The HTML page shows the trend if one is given; other formats ignore it.
    """
    module = load(form)
    pieces: Iterator[str] = module.render(report, trend) if form in PAGES else module.render(report)
    yield from pieces
