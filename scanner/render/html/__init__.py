"""The report as one self-contained HTML page, which loads nothing from elsewhere."""

from scanner.render.html.page import render

__all__ = ["render"]
