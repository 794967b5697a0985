"""The keys of chimeaudit.yaml, and what each is for; the loader checks by them, and the JSON Schema says them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

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
}
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
"""Of a waiver in the metadata of the resource that it is for."""
INLINE_REQUIRED: Final = tuple(INLINE_KEYS)
RESOURCE_KEYS: Final[Mapping[str, str]] = {
    "arn": "The ARN of the resource; * and ? are wildcards.",
    "account": "The account that the resource is in; * and ? are wildcards.",
    "app_instance": "The ARN or id of the app instance; * and ? are wildcards.",
    "tags": "Tags of the resource itself, by key; * and ? are wildcards in the values. Reading tags costs calls.",
}
RESOURCE_TEXTS: Final = ("arn", "account", "app_instance")
DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
