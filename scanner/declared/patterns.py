"""Patterns of files, as ``--exclude`` and ``exclude`` in chimeaudit.yaml have them."""

from __future__ import annotations

import re
from functools import cache


def fits(pattern: str, path: str) -> bool:
    """Whether a pattern fits a path or a folder in it.

    ``*`` and ``?`` stand for anything but a slash, ``**`` for any folders. A pattern without a slash in it fits at any
    depth, any other from the top; one that ends with a slash fits folders only.
    """
    return _compiled(pattern).fullmatch(path) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    bare = pattern.removeprefix("./")
    parts = [part for part in bare.split("/") if part]
    anywhere = "" if "/" in bare.rstrip("/") else "(?:.*/)?"
    inside = "/.+" if bare.endswith("/") else "(?:/.*)?"
    if parts[-1:] == ["**"]:
        parts, inside = parts[:-1], "/.+" if parts[1:] else ".+"
    steps = "".join("(?:[^/]+/)*" if part == "**" else f"{_part(part)}/" for part in parts)
    return re.compile(f"{anywhere}{steps.removesuffix('/')}{inside}", re.DOTALL)


def _part(text: str) -> str:
    wild = {"*": "[^/]*", "?": "[^/]"}
    return "".join(wild.get(char, re.escape(char)) for char in text)
