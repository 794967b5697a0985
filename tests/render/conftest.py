"""A real browser for tests of the HTML page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Error,
    Page,
    Request,
    sync_playwright,
)

from scanner.model.report import Report
from scanner.model.trend import Trend
from scanner.render.html.page import render
from scanner.store import saved
from tests.demo import Demo

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

    @property
    def listeners(self) -> dict[str, Callable[..., None]]:
        """What is called on events of the page."""
        return {
            "console": self._message,
            "pageerror": self._error,
            "dialog": self._dismiss,
            "request": self._request,
        }

    def _message(self, message: ConsoleMessage) -> None:
        self.complaints.append(message.text)

    def _error(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _dismiss(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)


class Viewer:
    """Opens reports one after another in a window of a browser; `close` leaves the window as it was.

    A test that looks at two pages at once, or asks for a script `before`, has a window of its own for it.
    """

    def __init__(self, windows: Windows, folder: Path) -> None:
        self._windows = windows
        self._folder = folder
        self._opened: list[Opened] = []
        self._own: list[BrowserContext] = []

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
        beside: bool = False,
        edit: Callable[[str], str] = str,
        opens: bool = True,
    ) -> Opened:
        """Open the page of a report; return once its list of findings shows, unless it never opens.

        `edit` changes the file before, `before` is a script that runs before the page's own, and `beside` leaves the
        page alone that is open already.
        """
        number = len(self._opened) or ""  # of one file only the fragment would change
        file = self._folder / f"report{number}.html"
        file.write_text(edit("".join(render(report, trend))), encoding="utf-8")
        page = self._new(before, scripts=scripts) if before or beside else self._windows.window(scripts=scripts)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, media="null")
        page.mouse.move(-1, -1)
        opened = Opened(page=page)
        for event, listener in opened.listeners.items():
            page.on(event, listener)  # type: ignore[call-overload]  # each of its names is an overload
        self._opened.append(opened)
        page.goto(file.as_uri() + fragment)
        if scripts and opens and report.findings:
            page.locator("#explorer:visible, #opening:has-text('could not')").wait_for()
        return opened

    def _new(self, before: str, *, scripts: bool) -> Page:
        page = self._windows.new(scripts=scripts)
        self._own.append(page.context)
        page.add_init_script(before)
        return page

    def close(self) -> None:
        for opened in self._opened:
            for event, listener in opened.listeners.items():
                opened.page.remove_listener(event, listener)
        for context in self._own:
            context.close()
        self._windows.lock()


@dataclass
class Windows:
    """Windows of one browser: one with and one without scripts, which stay open, since opening one takes a second."""

    browser: Browser
    _kept: dict[bool, Page] = field(default_factory=dict)

    def window(self, *, scripts: bool) -> Page:
        if scripts not in self._kept:
            self._kept[scripts] = self.new(scripts=scripts)
        return self._kept[scripts]

    def new(self, *, scripts: bool) -> Page:
        context = self.browser.new_context(java_script_enabled=scripts)
        context.set_default_timeout(10_000)
        return context.new_page()

    def lock(self) -> None:
        """Take back what tests allowed their pages."""
        for page in self._kept.values():
            page.context.clear_permissions()


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


@pytest.fixture(scope="session")
def demo(demo_run: Demo) -> Report:
    """What ``scan --demo`` reports."""
    return saved.decode((demo_run.home / "out/report.json").read_bytes(), "demo.json")


@pytest.fixture(scope="session")
def windows(browser: Browser) -> Windows:
    return Windows(browser)


@pytest.fixture
def viewer(windows: Windows, tmp_path: Path) -> Iterator[Viewer]:
    viewer = Viewer(windows, tmp_path)
    yield viewer
    viewer.close()
