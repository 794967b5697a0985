"""The report as JSON, after ``reports/schema/report-1.0.json``."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import msgspec

from scanner.model.report import SCHEMA_VERSION, Report


def render(report: Report) -> Iterator[str]:
    """The report, a member a line at the top and a finding a line below, however many there are."""
    members = [name for name in report.__struct_fields__ if name != "findings"]
    yield "{\n"
    for name in members:
        yield f'"{name}": {_encoded(getattr(report, name), indent=2)},\n'
    yield '"findings": ['
    separator = "\n"
    for finding in report.findings:
        yield f"{separator}{_encoded(finding)}"
        separator = ",\n"
    yield "\n]\n}\n"


def _encoded(value: object, indent: int = 0) -> str:
    encoded = msgspec.json.encode(value)
    return (msgspec.json.format(encoded, indent=indent) if indent else encoded).decode()


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what `render` writes, from the types."""
    (reference,), definitions = msgspec.json.schema_components((Report,), ref_template="#/$defs/{name}")
    for definition in definitions.values():
        _require_what_is_always_written(definition)
        if "description" in definition:  # a docstring, which Python strips of its indentation from 3.13 on
            definition["description"] = inspect.cleandoc(definition["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:chimeaudit:schema:report:{SCHEMA_VERSION}",
        **reference,
        "$defs": definitions,
    }


def _require_what_is_always_written(definition: dict[str, Any]) -> None:
    """msgspec takes a member with a default for one that a reader may leave out; we always write it."""
    required = set(definition.get("required", ()))
    for name, member in definition.get("properties", {}).items():
        if "default" in member:
            del member["default"]
            required.add(name)
    if required:
        definition["required"] = sorted(required)
