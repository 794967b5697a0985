"""Print the part of CHANGELOG.md that a release is about, if version, tag and CHANGELOG.md agree.

    python -I .ci/release.py v1.2.3

Exit code 1 with a line for each disagreement; 2 for wrong arguments.
"""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: release.py TAG", file=sys.stderr)
        return 2
    (tag,) = arguments
    found = re.search(
        r'^__version__ = "(.+)"$', (ROOT / "scanner/__init__.py").read_text(encoding="utf-8"), re.MULTILINE
    )
    version = found[1] if found else "none"
    sections = _sections((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    wrong = [*_of_tag(tag, version), *_of_changelog(sections, version)]
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    if not wrong:
        print(next(text for heading, text in sections if heading != "Unreleased"))
    return 1 if wrong else 0


def _sections(changelog: str) -> list[tuple[str, str]]:
    """The heading and the text of each section, the newest first."""
    _, *parts = re.split(r"^## ", changelog, flags=re.MULTILINE)
    return [(heading.strip(), text.strip()) for heading, _, text in (part.partition("\n") for part in parts)]


def _of_tag(tag: str, version: str) -> list[str]:
    wrong = []
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version):  # as packages spell it: files, tag and image agree
        wrong.append(f"scanner/__init__.py says {version}: expected a version such as 1.2.3 or 1.2.3rc1")
    if tag != f"v{version}":
        wrong.append(f"the tag is {tag}, and scanner/__init__.py says {version}: expected v{version}")
    return wrong


def _of_changelog(sections: list[tuple[str, str]], version: str) -> list[str]:
    released = [(heading, text) for heading, text in sections if heading != "Unreleased"]
    wrong = [
        f"CHANGELOG.md still has entries under Unreleased: move them under {version}"
        for heading, text in sections
        if heading == "Unreleased" and text
    ]
    heading, text = released[0] if released else ("", "")
    parts = re.fullmatch(r"\[?([^\]\s]+)\]? - (\d{4}-\d{2}-\d{2})", heading)
    if parts is None or parts[1] != version or not _is_date(parts[2]):
        wrong.append(f"CHANGELOG.md begins with the release {heading or '(none)'}: expected {version} - YYYY-MM-DD")
    elif not text:
        wrong.append(f"CHANGELOG.md says nothing about {version}")
    return wrong


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
