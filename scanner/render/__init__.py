"""Formats of the report: one module each, of the format's name, with a function of the report."""

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
    """The module of a format; it is imported where it is needed: JSON should not wait for a template engine."""
    return importlib.import_module(f"scanner.render.{form.value}")


def render(report: Report, form: Format, trend: Trend | None = None) -> Iterator[str]:
    """The report as text in one format, in pieces: those that can be read line by line never hold it as a whole.

    The HTML page shows the trend, where one is given.
    """
    module = load(form)
    pieces: Iterator[str] = module.render(report, trend) if form is Format.HTML else module.render(report)
    yield from pieces
