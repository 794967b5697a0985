"""The keys of chimeaudit.yaml with their descriptions, and the JSON Schema. The loader uses the same tables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from scanner.language import checks, frameworks
from scanner.model.report import Severity

FILE = "chimeaudit.yaml"
NAMES: Final = (FILE, "chimeaudit.yml")
SHIPPED = "default"
LEVELS: Final = (*(severity.value for severity in Severity), "none")

KEYS: Final[Mapping[str, str]] = {
    "rules": f"Rule files and folders, from this file's own folder; {SHIPPED} names the rules that ship.",
    "select": "The rules to apply: ids and profile:NAME, the profiles narrowed by topic:, severity: and framework:.",
    "fail_on": "The mildest severity that gives exit code 1.",
    "overrides": "Severities and parameters of one's own, by the id of the rule.",
    "waivers": "Findings and gaps that somebody decided to live with for a while.",
    "frameworks": "Controls of one's own, by framework and control: which rules support them, and what of each.",
    "parameters": (
        "Values of the parameters of templates, by pattern of their names in reports; * and ? are wildcards, and the "
        "first pattern that fits counts. A file from this file's own folder, names with values, or a list of these: "
        "templates are judged with each of them."
    ),
    "exclude": (
        "Files and folders that check leaves out, by pattern of their names in reports; * and ? are wildcards, ** "
        "stands for any folders, and a pattern without a slash fits at any depth."
    ),
    "channels": "How the rules of the profile channels list channels.",
}
CONTROL_KEYS: Final[Mapping[str, str]] = {
    "supports": "What of the control these rules support, in one or two sentences.",
    "rules": "The rule, or a list of rules, by id. Rule files of one's own may name the control themselves.",
}
CHANNEL_KEYS: Final[Mapping[str, str]] = {
    "bearer": "The id of an app instance admin made for the audit, as whom channels are listed: USER_ID or bot/BOT_ID.",
}
BEARER: Final = r"((user|bot)/)?[A-Za-z0-9]([A-Za-z0-9:_.@-]{0,62}[A-Za-z0-9])?"
"""https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_identity-chime_CreateAppInstanceUser.html"""
OVERRIDE_KEYS: Final[Mapping[str, str]] = {
    "severity": "How bad it is here.",
    "params": "Values of the rule's parameters.",
}
WAIVER_KEYS: Final[Mapping[str, str]] = {
    "rule": "The rule, or a list of rules, whose findings are waived.",
    "gap": "Instead of a rule: the operation, or a list of operations, that need not succeed, such as GetPolicy.",
    "resource": "Which resources it is for: an ARN with * and ? as wildcards, or what must fit of these.",
    "reason": "Why that is acceptable.",
    "owner": "Whose decision it is.",
    "expires": "The last day on which it waives, in UTC: YYYY-MM-DD.",
}
WAIVER_REQUIRED: Final = ("resource", "reason", "owner", "expires")
INLINE_KEYS: Final[Mapping[str, str]] = {
    key: text for key, text in WAIVER_KEYS.items() if key not in ("gap", "resource")
}
"""The keys of a waiver in the metadata of a resource."""
INLINE_REQUIRED: Final = tuple(INLINE_KEYS)
RESOURCE_KEYS: Final[Mapping[str, str]] = {
    "arn": "The ARN of the resource; * and ? are wildcards.",
    "account": "The account that the resource is in; * and ? are wildcards.",
    "app_instance": "The ARN or id of the app instance; * and ? are wildcards.",
    "tags": "Tags of the resource itself, by key; * and ? are wildcards in the values. Reading tags costs calls.",
}
RESOURCE_TEXTS: Final = ("arn", "account", "app_instance")
DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string", "pattern": r"\S"}
_TEXTS: Final[Schema] = {"type": "array", "minItems": 1, "items": _TEXT}
_ONE_OR_MORE: Final[Schema] = {"anyOf": [_TEXT, _TEXTS]}


def config_schema() -> Schema:
    """The JSON Schema of chimeaudit.yaml; it accepts every configuration that the loader accepts."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:chimeaudit:schema:config-1.1",
        "title": "Configuration of chimeaudit",
        **_table(
            KEYS,
            rules=_ONE_OR_MORE,
            select=_ONE_OR_MORE,
            exclude=_ONE_OR_MORE,
            fail_on={"enum": list(LEVELS)},
            overrides={"type": "object", "minProperties": 1, "additionalProperties": _override()},
            waivers={"type": "array", "minItems": 1, "items": _waiver()},
            frameworks={
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": f"^{frameworks.NAME.pattern}$"},
                "additionalProperties": {
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": {"pattern": r"\S"},
                    "additionalProperties": _table(CONTROL_KEYS, rules=_ONE_OR_MORE),
                },
            },
            parameters={"type": "object", "minProperties": 1, "additionalProperties": _sets()},
            channels=_table(CHANNEL_KEYS, bearer={"type": "string", "pattern": f"^{BEARER}$"}),
        ),
    }


def render() -> str:
    """The text of the schema file in the repository."""
    return json.dumps(config_schema(), indent=2) + "\n"


def _sets() -> Schema:
    value = {"type": ["string", "number", "boolean"]}
    by_name = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {"anyOf": [value, {"type": "array", "items": value}]},
    }
    return {"anyOf": [_TEXT, by_name, {"type": "array", "minItems": 1, "items": {"anyOf": [_TEXT, by_name]}}]}


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
