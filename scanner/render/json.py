"""The report as JSON, after ``reports/schema/report-1.1.json``."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from scanner.model.report import SCHEMA_VERSION, Report
from scanner.store.spool import Spool


def render(report: Report) -> Iterator[str]:
    """The report as JSON in pieces: each top-level member on a line of its own, then each finding, then each item of
    the inventory, if there is one. What was carried over is written like them, an entry on each line.
    """
    yield "{\n"
    for name in report.__struct_fields__:
        value = getattr(report, name)
        if name not in ("findings", "inventory") and value is not UNSET:
            yield f'"{name}": '
            yield from _lines(value) if name == "carried_over" else [_encoded(value, indent=2)]
            yield ",\n"
    yield '"findings": '
    yield from _lines(report.findings)
    if not isinstance(report.inventory, UnsetType):
        yield ',\n"inventory": '
        yield from _lines(report.inventory)
    yield "\n}\n"


def _lines(items: Iterable[object]) -> Iterator[str]:
    """A JSON array with each item on a line of its own."""
    separator = "[\n"
    for line in encoded(items):
        yield f"{separator}{line}"
        separator = ",\n"
    yield "[\n]" if separator == "[\n" else "\n]"


def encoded(items: Iterable[object]) -> Iterator[str]:
    """Each item as JSON, without a line end."""
    if isinstance(items, Spool):  # which need not be decoded for that
        return (line[:-1].decode() for line in items.encoded())
    return map(_encoded, items)


def _encoded(value: object, indent: int = 0) -> str:
    encoded = msgspec.json.encode(value)
    return (msgspec.json.format(encoded, indent=indent) if indent else encoded).decode()


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `render` writes, derived from the structs."""
    (reference,), definitions = msgspec.json.schema_components((Report,), ref_template="#/$defs/{name}")
    for definition in definitions.values():
        _require_what_is_always_written(definition)
        if "description" in definition:  # a docstring; Python 3.13 and later remove its indentation, older ones do not
            definition["description"] = inspect.cleandoc(definition["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:chimeaudit:schema:report:{SCHEMA_VERSION}",
        **reference,
        "$defs": definitions,
    }


def _require_what_is_always_written(definition: dict[str, Any]) -> None:
    """Mark members with a default as required: msgspec calls them optional, but they are always written."""
    required = set(definition.get("required", ()))
    for name, member in definition.get("properties", {}).items():
        if "default" in member:
            del member["default"]
            required.add(name)
    if required:
        definition["required"] = sorted(required)
