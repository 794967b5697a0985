"""Formats of the report: one module each, a function of the report."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from scanner.finding import Report
from scanner.trend import Trend


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


def render(report: Report, form: Format, trend: Trend | None = None) -> Iterator[str]:
    """The report as text in one format, in pieces: those that can be read line by line never hold it as a whole.

    The HTML page shows the trend, where one is given.
    """
    match form:  # each is imported where it is needed: a JSON report should not wait for a template engine
        case Format.HTML:
            from scanner.render import html

            yield from html.render(report, trend)
        case Format.JSON:
            from scanner.render import json

            yield from json.render(report)
        case Format.JSONL:
            from scanner.render import jsonl

            yield from jsonl.render(report)
        case Format.SARIF:
            from scanner.render import sarif

            yield from sarif.render(report)
        case Format.JUNIT:
            from scanner.render import junit

            yield from junit.render(report)
        case Format.CSV:
            from scanner.render import csv

            yield from csv.render(report)
        case Format.MARKDOWN:
            from scanner.render import markdown

            yield from markdown.render(report)
        case Format.OCSF:
            from scanner.render import ocsf

            yield from ocsf.render(report)
        case Format.ASFF:
            from scanner.render import asff

            yield from asff.render(report)
