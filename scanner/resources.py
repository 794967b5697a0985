"""Finds the data folders rules/ and reports/, inside the installed package or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from scanner.errors import BrokenInstallationError

_PACKAGE = Path(__file__).parent


def _find(name: str) -> Path | None:
    return next((path for path in (_PACKAGE / name, _PACKAGE.parent / name) if path.is_dir()), None)


def _folder(name: str) -> Path:
    found = _find(name)
    if found is None or not any(found.iterdir()):
        raise BrokenInstallationError(f"the folder {name} that comes with it is missing or empty")
    return found


def rules() -> Path:
    """The folder of the shipped rules, one YAML file each.

    Raises:
        BrokenInstallationError: the folder is missing.
    """
    return _folder("rules")


def is_shipped(rule: Path) -> bool:
    """Whether the file of a rule is one of the shipped ones."""
    shipped = _find("rules")
    return shipped is not None and shipped.resolve() in rule.resolve().parents


def reports() -> Path:
    """The folder of the reports' templates, styles and JSON Schemas, and of what they say of frameworks.

    Raises:
        BrokenInstallationError: the folder is missing.
    """
    return _folder("reports")
