"""Flows and rule files for the tests of the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET, UnsetType

from scanner.errors import InvalidRulesError, Mistake
from scanner.language import rule
from scanner.language.rule import Rule
from scanner.language.vocabulary import AppInstance
from scanner.model.facts import AppInstanceRef, ChannelFlow, Gap, LambdaFunction, Processor

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
APP_INSTANCE = f"arn:aws:chime:us-east-1:{ACCOUNT}:app-instance/a"


def function(name: str = "moderation", account: str = ACCOUNT, qualifier: str | None = "1") -> LambdaFunction:
    arn = f"arn:aws:lambda:us-east-1:{account}:function:{name}{f':{qualifier}' if qualifier else ''}"
    return LambdaFunction(
        arn=arn, partition="aws", account_id=account, region="us-east-1", name=name, qualifier=qualifier
    )


def flow(
    *processors: Processor, name: str | UnsetType = "flow", gaps: dict[str, Gap] | None = None, known: bool = True
) -> ChannelFlow:
    return ChannelFlow(
        arn=f"{APP_INSTANCE}/channel-flow/f",
        name=name,
        account_id=ACCOUNT,
        region="us-east-1",
        partition="aws",
        app_instance=AppInstanceRef(arn=APP_INSTANCE, id="a", name="support"),
        processors=processors if known else UNSET,
        gaps=gaps or {},
    )


def app_instance(name: str | UnsetType = "support") -> AppInstance:
    return AppInstance(arn=APP_INSTANCE, id="a", name=name, account_id=ACCOUNT, region="us-east-1", partition="aws")


def gap(operation: str = "ListChannelFlows", reason: str = "access was denied") -> Gap:
    return Gap(account_id=ACCOUNT, region="us-east-1", operation=operation, code="AccessDenied", reason=reason)


SOUND: dict[str, Any] = {
    "id": "sound",
    "title": "Something is wrong",
    "severity": "low",
    "status": "stable",
    "resource": "channel_flow",
    "rationale": "It matters.",
    "remediation": "Mend it.",
    "references": ["https://docs.aws.amazon.com/chime-sdk/"],
    "require": {"name": "flow"},
    "message": "the flow is called {name}",
    "tests": [
        {"name": "good", "given": {"name": "flow"}, "expect": "pass"},
        {"name": "bad", "given": {"name": "other"}, "expect": "fail"},
    ],
}
"""A rule without mistakes, as plain data."""

LEFT_OUT = object()


def rule_file(folder: Path, text: str | bytes | None = None, **changes: Any) -> Path:
    """A rule file of SOUND with changes (LEFT_OUT takes a key away), or of other text. JSON is YAML."""
    data = {key: value for key, value in {**SOUND, **changes}.items() if value is not LEFT_OUT}
    path = folder / "topic" / f"{changes.get('id', 'sound')}.yaml"
    path.parent.mkdir(exist_ok=True)
    content = json.dumps(data, indent=1) if text is None else text
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def loaded(folder: Path, **changes: Any) -> Rule:
    (only,) = rule.load([rule_file(folder, **changes)])
    return only


def mistakes(*paths: Path) -> list[Mistake]:
    with pytest.raises(InvalidRulesError) as raised:
        rule.load(paths)
    return list(raised.value.mistakes)


def messages(folder: Path, **changes: Any) -> list[str]:
    return [mistake.message for mistake in mistakes(rule_file(folder, **changes))]
