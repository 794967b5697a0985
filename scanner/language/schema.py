"""The JSON Schema of a rule file, from the same tables that the loader checks by; editors complete the keys with it."""

from __future__ import annotations

import json
from typing import Final

from scanner.language import checks, condition_schema, examples, header, params
from scanner.language.condition_schema import Schema
from scanner.language.vocabulary import ROOTS
from scanner.model.report import Severity

_TEXT: Final[Schema] = {"type": "string", "pattern": r"\S"}


def rule_schema() -> Schema:
    """The schema; it admits every rule that the loader does, and turns down what a schema can."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:chimeaudit:schema:rule-1.0",
        "title": "Rule of chimeaudit",
        "description": "One rule, in a file that is called like its id, in the folder of its topic.",
        "type": "object",
        "required": list(header.REQUIRED),
        "additionalProperties": False,
        "properties": {key: {"description": text, **_key(key)} for key, text in header.KEYS.items()},
        "allOf": [_for_resource(resource) for resource in ROOTS],
        "$defs": condition_schema.definitions(),
    }


def render() -> str:
    """The schema as it is checked in."""
    return json.dumps(rule_schema(), indent=2) + "\n"


def _key(key: str) -> Schema:
    texts = {"type": "array", "minItems": 1, "items": _TEXT}
    special: dict[str, Schema] = {
        "id": {"type": "string", "pattern": f"^{checks.SLUG.pattern}$"},
        "severity": {"enum": checks.words(Severity)},
        "status": {"enum": list(header.STATUSES)},
        "profiles": {"type": "array", "minItems": 1, "items": {"enum": list(header.PROFILES)}},
        "resource": {"enum": list(header.RESOURCES)},
        "references": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^https://"}},
        "frameworks": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {name: {"description": text, **texts} for name, text in header.FRAMEWORKS.items()},
        },
        "params": {"type": "object", "minProperties": 1, "additionalProperties": _param()},
        "off_unless": {"type": "string", "pattern": f"^{checks.NAME.pattern}$"},
        "when": {"type": "object"},
        "require": {"type": "object"},
        "tests": {"type": "array", "minItems": 2, "items": _test()},
    }
    return special.get(key, _TEXT)


def _param() -> Schema:
    return {
        "type": "object",
        "required": list(params.KEYS),
        "additionalProperties": False,
        "properties": {
            "type": {"enum": list(params.TYPES)},
            "default": {"description": "The value where an organisation sets none."},
            "description": {"description": "What it is for.", **_TEXT},
        },
    }


def _test() -> Schema:
    kinds: dict[str, Schema] = {
        "name": _TEXT,
        "given": {"type": "object"},
        "params": {"type": "object"},
        "expect": {"enum": list(examples.VERDICTS)},
    }
    return {
        "type": "object",
        "required": ["name", "given", "expect"],
        "additionalProperties": False,
        "properties": {key: {"description": text, **kinds[key]} for key, text in examples.KEYS.items()},
    }


def _for_resource(resource: str) -> Schema:
    name = next(root.type.__name__ for kind, root in ROOTS.items() if kind == resource)
    condition = {"$ref": f"#/$defs/{name}Condition"}
    given = {"type": "array", "items": {"properties": {"given": {"$ref": f"#/$defs/{name}Given"}}}}
    return {
        "if": {"required": ["resource"], "properties": {"resource": {"const": resource}}},
        "then": {"properties": {"when": condition, "require": condition, "tests": given}},
    }
