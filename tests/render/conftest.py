"""A real browser for tests of the HTML page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright

from scanner.model.report import Report
from scanner.model.trend import Trend
from scanner.render.html.page import render

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(kw_only=True)
class Opened:
    """An open page, with all its error messages and all its requests."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._dismiss)
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _dismiss(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()


class Viewer:
    """Opens reports in windows of one browser; `close` closes them all."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder
        self._contexts: list[BrowserContext] = []

    def open(
        self,
        report: Report,
        *,
        trend: Trend | None = None,
        width: int = 1280,
        height: int = 900,
        scheme: Literal["light", "dark"] = "light",
        scripts: bool = True,
        fragment: str = "",
        before: str = "",
        edit: Callable[[str], str] = str,
        opens: bool = True,
    ) -> Opened:
        """Open the page of a report; return once its list of findings shows, unless it never opens.

        `edit` changes the file before, `before` is a script that runs before the page's own.
        """
        file = self._folder / "report.html"
        file.write_text(edit("".join(render(report, trend))), encoding="utf-8")
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, java_script_enabled=scripts
        )
        self._contexts.append(context)
        context.set_default_timeout(10_000)
        opened = Opened(page=context.new_page())
        opened.listen()
        opened.page.add_init_script(before)
        opened.page.goto(file.as_uri() + fragment)
        if scripts and opens and report.findings:
            opened.page.locator("#explorer:visible, #opening:has-text('could not')").wait_for()
        return opened

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def program(name: str, *commands: str) -> str:
    """The path of a program of the system; skips the test if there is none."""
    path = next(filter(None, map(shutil.which, commands)), None)
    if path is None:
        pytest.skip(f"{name} is not installed, and this test of the HTML page needs it")
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    path = program("Chromium", "chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def viewer(browser: Browser, tmp_path: Path) -> Iterator[Viewer]:
    viewer = Viewer(browser, tmp_path)
    yield viewer
    viewer.close()
