"""Makes rule files from a valid one with changes, and gives the mistakes in them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from scanner.errors import InvalidRulesError, Mistake
from scanner.language import rule
from scanner.language.rule import Rule

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
    """Write a rule file: SOUND with changes (LEFT_OUT removes a key), or a given text. JSON is valid YAML."""
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


PARAM = {"wanted": {"type": "string", "default": "flow", "description": "The name"}}


def mutated(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content)
    words = [b"each", b"null", b"[", b"{", b"}", b": ", b"- ", b"unknown", b"\n", b"  ", b"'", b"\xff", b"0", b"where"]
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(data))
        data[start : start + chance.randint(0, 12)] = chance.choice([*words, data[: chance.randint(0, 80)]])
    return bytes(data)
