"""The documentation is built as a site, whose links lead somewhere and which fetches nothing from elsewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from scanner import DOCUMENTATION, resources
from scanner.language import rule

ROOT = Path(__file__).parent.parent
LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
NAMES_ONLY = {"canonical", "next", "prev"}
"""Relations of a page to others, which a browser does not fetch."""


class Fetched(HTMLParser):
    """The addresses that a page makes a browser fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in LOADING and values.get("rel") not in NAMES_ONLY:
            self.addresses.append(values.get(LOADING[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


def test_every_rule_has_a_page_where_reports_lead_to(site: Path) -> None:
    for each in rule.load([resources.rules()]):
        assert isinstance(each.info.help, str)
        page = site / each.info.help.removeprefix(DOCUMENTATION)
        assert f"<code>{each.info.id}</code>" in page.read_text()


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages = [*site.rglob("*.html")]
    fetched = {address for page in pages for address in Fetched(page.read_text()).addresses}
    styles = {url for style in site.rglob("*.css") for url in re.findall(r"url\(([^)]*)\)|@import", style.read_text())}

    assert len(pages) > 40
    assert [address for address in fetched if re.match(r"(?:[a-z]+:)?//", address)] == []
    assert [url for url in styles if re.match(r"[\"']?(?:https?:)?//", url)] == []


def test_the_search_knows_every_page(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text())
    found = {each["location"].partition("#")[0] for each in index["docs"]}

    pages = {path.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for path in ROOT.glob("docs/**/*.md")}
    assert pages | {"index.html", "CHANGELOG.html", "CONTRIBUTING.html", "SECURITY.html"} <= found | {"index.html"}


def test_what_is_found_names_its_page(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text())
    (title,) = (each["title"] for each in index["docs"] if each["location"] == "rules/missing-lambda.html#what-to-do")

    assert title == "Processor's function does not exist: What to do"


def test_the_package_names_the_address_that_reports_lead_to() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["urls"] == {"Documentation": DOCUMENTATION}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 90
