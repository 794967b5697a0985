"""Finds the data folders, rules/ and reports/: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def _folder(name: str) -> Path:
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def rules() -> Path:
    """The shipped rules, one YAML file each."""
    return _folder("rules")


def reports() -> Path:
    """Templates, styles and JSON Schemas of the reports."""
    return _folder("reports")
