"""The JSON Schema of chimeaudit.yaml, from the tables that the loader checks by; editors complete the keys with it."""

from __future__ import annotations

import json
from typing import Any, Final

from scanner.config.keys import (
    DATE,
    KEYS,
    LEVELS,
    OVERRIDE_KEYS,
    RESOURCE_KEYS,
    WAIVER_KEYS,
    WAIVER_REQUIRED,
)
from scanner.language import checks
from scanner.model.report import Severity

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string", "pattern": r"\S"}
_TEXTS: Final[Schema] = {"type": "array", "minItems": 1, "items": _TEXT}
_ONE_OR_MORE: Final[Schema] = {"anyOf": [_TEXT, _TEXTS]}


def config_schema() -> Schema:
    """The schema; it admits every configuration that the loader does."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:chimeaudit:schema:config-1.0",
        "title": "Configuration of chimeaudit",
        **_table(
            KEYS,
            rules=_ONE_OR_MORE,
            select=_ONE_OR_MORE,
            fail_on={"enum": list(LEVELS)},
            overrides={"type": "object", "minProperties": 1, "additionalProperties": _override()},
            waivers={"type": "array", "minItems": 1, "items": _waiver()},
        ),
    }


def render() -> str:
    """The schema as it is checked in."""
    return json.dumps(config_schema(), indent=2) + "\n"


def _override() -> Schema:
    by_name = {"type": "object", "minProperties": 1}
    return _table(OVERRIDE_KEYS, severity={"enum": checks.words(Severity)}, params=by_name)


def _waiver() -> Schema:
    kinds = {
        "rule": _ONE_OR_MORE,
        "gap": _ONE_OR_MORE,
        "resource": {"anyOf": [_TEXT, _resource()]},
        "expires": {"type": "string", "pattern": f"^{DATE.pattern}$"},
    }
    return {
        **_table(WAIVER_KEYS, **kinds),
        "required": list(WAIVER_REQUIRED),
        "oneOf": [{"required": ["rule"]}, {"required": ["gap"]}],
    }


def _resource() -> Schema:
    return _table(RESOURCE_KEYS, tags={"type": "object", "minProperties": 1, "additionalProperties": _TEXT})


def _table(keys: Any, **kinds: Schema) -> Schema:
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {key: {"description": text, **kinds.get(key, _TEXT)} for key, text in keys.items()},
    }
