"""A hook of mkdocs: brings into the site what lies outside docs/ and is linked from there, README as its first page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
PAGES = {"index.md": "README.md", **{name: name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")}}
FILES = ("LICENSE", "deploy/**/*", "reports/schema/*.json")


def on_files(files: Files, config: Any, **_: object) -> Files:
    """Add the pages of the top folder, whose links to docs/ lose that part, and the files that pages link."""
    for uri, name in PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")
        files.append(File.generated(config, uri, content=text))
    for pattern in FILES:
        for path in filter(Path.is_file, sorted(ROOT.glob(pattern))):
            files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Lead to what was brought in from the top folder."""
    return markdown.replace("](../README.md", "](index.md").replace("](../", "](")


def on_post_build(config: Any, **_: object) -> None:
    """Name the page in the search's results: every rule's page has the same sections."""
    file = Path(config["site_dir"]) / "search" / "search_index.json"
    index = json.loads(file.read_text(encoding="utf-8"))
    pages = {each["location"]: each["title"] for each in index["docs"] if "#" not in each["location"]}
    for each in index["docs"]:
        page = pages.get(each["location"].partition("#")[0], each["title"])
        if page != each["title"]:
            each["title"] = f"{page}: {each['title']}"
    file.write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")
