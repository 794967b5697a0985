"""The report as an HTML page of its own: it loads nothing, from nowhere."""

from scanner.render.html.page import render

__all__ = ["render"]
