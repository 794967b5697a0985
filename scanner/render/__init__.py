"""The formats of the report: one module for each, named like the format, with a function `render`."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from enum import StrEnum
from types import ModuleType

from scanner.model.report import Report
from scanner.model.trend import Trend


class Format(StrEnum):
    """The formats, as ``-o FORMAT:PATH`` names them."""

    HTML = "html"
    JSON = "json"
    JSONL = "jsonl"
    SARIF = "sarif"
    JUNIT = "junit"
    CSV = "csv"
    MARKDOWN = "markdown"
    OCSF = "ocsf"
    ASFF = "asff"
    GITHUB = "github"
    GITLAB = "gitlab"


def load(form: Format) -> ModuleType:
    """Import the module of a format. Formats are imported when used: JSON should not wait for a template engine."""
    return importlib.import_module(f"scanner.render.{form.value}")


def render(report: Report, form: Format, trend: Trend | None = None) -> Iterator[str]:
    """The report as text in one format, in pieces, so that most formats need not hold the whole text.

    The HTML page shows the trend if one is given; other formats ignore it.
    """
    module = load(form)
    pieces: Iterator[str] = module.render(report, trend) if form is Format.HTML else module.render(report)
    yield from pieces
