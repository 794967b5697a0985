"""The page's style and scripts: within the page, or in files beside it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup

from scanner import resources
from scanner.render import BESIDE

MODULES = (
    *("dom", "address", "remedy", "island", "query", "match", "remarks", "searchbox", "flow", "search", "others"),
    *("finding", "list", "facets", "inventory", "export", "page", "start"),
)
"""The files of the script, each after the files that it imports from."""
STYLE, EARLY, SCRIPT = BESIDE
_IMPORT = re.compile(r"^import .*\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=async function|function|class|const)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """A page's Content-Security-Policy, and the elements of its style and its scripts.

    `are_beside`: they stand in files beside the page.
    """

    policy: str
    style: Markup
    early: Markup
    script: Markup
    are_beside: bool


def within(*, trend: bool, scripts: bool = True) -> Parts:
    """Style and scripts in the page itself, which loads nothing. The policy names them by their hashes."""
    style, early, script = _style(trend=trend), _early(), bundled(*MODULES)
    allowed = " ".join(_digest(each) for each in (early, script))
    return Parts(
        policy=_policy(_digest(style), allowed if scripts else ""),
        style=Markup(f"<style>{style}</style>"),  # noqa: S704 - our own file
        early=Markup(f"<script>{early}</script>"),  # noqa: S704 - our own file
        script=Markup(f'<script type="module">{script}</script>'),  # noqa: S704 - our own file
        are_beside=False,
    )


def beside(*, scripts: bool = True) -> Parts:
    """Style and scripts in the files that `file` gives, for servers whose own policy forbids what is inline.

    ``file:`` is for browsers to which no other file is ``'self'`` in a page that was opened from a disk.
    """
    return Parts(
        policy=_policy("'self' file:", "'self' file:" if scripts else ""),
        style=Markup(f'<link rel="stylesheet" href="{STYLE}">'),  # noqa: S704 - a name of our own
        early=Markup(f'<script src="{EARLY}"></script>'),  # noqa: S704 - a name of our own
        script=Markup(f'<script src="{SCRIPT}" defer></script>'),  # noqa: S704 - a name of our own
        are_beside=True,
    )


def file(name: str) -> str:
    """The text of one of the files in `BESIDE`.

    The script is no module there, since browsers load none from a disk.
    """
    return {STYLE: _style(trend=True), EARLY: _early(), SCRIPT: _closed(bundled(*MODULES))}[name]


def bundled(*modules: str) -> str:
    """Modules of the script joined into one, since an inline script cannot import."""
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", asset(f"script/{name}.js"))).strip() for name in modules)


@cache
def asset(name: str) -> str:
    """The text of a file in reports/html."""
    return (resources.reports() / "html" / name).read_text(encoding="utf-8")


def _style(*, trend: bool) -> str:
    return asset("page.css") + (asset("trend.css") if trend else "") + asset("print.css")


@cache
def _early() -> str:
    """In braces, since what an inline script declares would be there for the other one."""
    return f"{{\n{asset('script/early.js').strip()}\n}}"


def _closed(script: str) -> str:
    """A script as strict as a module, and which declares nothing for others."""
    return f'(() => {{\n"use strict";\n{script}\n}})();\n'


def _policy(style: str, scripts: str) -> str:
    """A policy that allows this style and these scripts, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {style}",
            *([f"script-src {scripts}"] if scripts else []),
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _digest(block: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()}'"
