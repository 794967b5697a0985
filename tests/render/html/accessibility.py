"""What axe, the checker of accessibility, finds on a page in a browser."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

_ONLY_COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"], "resultTypes": ["violations"]}


def violations(page: Page, part: str | None = None) -> str:
    """What is wrong in a part of the page in light and in dark, where only colours are others; empty if nothing is."""
    page.emulate_media(color_scheme="light")
    found = [Axe().run(page, part)]
    page.emulate_media(color_scheme="dark")
    found.append(Axe().run(page, part, _ONLY_COLOURS))
    return "".join(each.generate_report() for each in found if each.violations_count)
