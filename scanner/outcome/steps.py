"""A text of a rule or finding as steps: paragraphs, and commands that a reader copies one at a time.

A command has one option a line. Above it stands what it changes, and beside it what the reader must fill in first.
Terminal, Markdown and the HTML page show the same steps; the page's script fills in and counts in the same way
(reports/html/script/remedy.js).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from msgspec import Struct

_READS = re.compile(r"(?:get|list|describe)-")
_CONTINUED = re.compile(r"\\\n[ \t]*")
_WORD = re.compile(r"""(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+""", re.DOTALL)
_OPEN = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|<([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)>""", re.DOTALL)
_MORE = re.compile(r"[;&|<>`$()]")
CHANGES_NOTHING = "Changes nothing: it only reads."
_CHANGES = {
    "chime-sdk-messaging": {
        "associate-channel-flow": "Changes the channel: from then on this channel flow processes its messages.",
        "create-channel-flow": "Creates a channel flow.",
        "delete-channel-flow": "Deletes the channel flow for good.",
        "disassociate-channel-flow": "Changes the channel: from then on no channel flow processes its messages.",
        "tag-resource": "Adds tags to the resource; a key that it has gets the new value.",
        "update-channel-flow": "Changes the channel flow: this name and these processors replace all that it has.",
    },
    "lambda": {
        "add-permission": "Adds a statement to the function's resource policy.",
        "delete-function-concurrency": "Changes the function: it no longer has a reserved concurrency.",
        "publish-version": "Publishes the function's code as a new version, which nothing uses yet.",
        "put-function-concurrency": "Changes the function's reserved concurrency.",
        "remove-permission": "Removes a statement from the function's resource policy.",
        "update-alias": "Changes the alias: whoever invokes it gets the other version.",
        "update-function-code": "Replaces the function's code.",
        "update-function-configuration": "Changes the function's configuration.",
        "update-function-event-invoke-config": "Changes what Lambda does when the function fails.",
    },
    "iam": {
        "put-role-policy": "Adds an inline policy to the role, or replaces the one of this name.",
    },
    "events": {
        "put-rule": "Adds a rule to the event bus, or replaces the one of this name.",
        "put-targets": "Adds targets to the rule of the event bus, or replaces those of the same id.",
    },
}


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A paragraph, or a command; `effect` is what a command changes, `open` is how many values are to be filled in."""

    kind: Literal["text", "code"]
    text: str
    effect: str = ""
    open: int = 0


@lru_cache(maxsize=512)
def steps(text: str) -> tuple[Step, ...]:
    r"""Split a text into paragraphs and commands: lines that start with ``aws `` or continue one after a ``\``."""
    found: list[Step] = []
    command = paragraph = ""
    for line in (*text.strip().splitlines(), ""):
        if command.endswith("\\"):
            command += f"\n{line.rstrip()}"
        elif line.lstrip().startswith("aws "):
            command = line.strip()
        elif line.strip():
            paragraph += f" {line.strip()}"
            continue
        if paragraph:
            found.append(Step(kind="text", text=paragraph.lstrip()))
            paragraph = ""
        if command and not command.endswith("\\"):
            found.append(_command(command))
            command = ""
    return tuple(found)


def pieces(command: str) -> Iterator[tuple[str, bool]]:
    """The command in pieces; true for a value that the reader must fill in: ``<NEW_NAME>`` outside quotes."""
    end = 0
    for match in _OPEN.finditer(command):
        if match[1]:
            yield command[end : match.start()], False
            yield match[0], True
            end = match.end()
    yield command[end:], False


def introduction(command: Step) -> str:
    """What a command changes, and how many values are to be filled in before it runs."""
    if not command.open:
        return command.effect
    return f"{command.effect} Fill in {'1 value' if command.open == 1 else f'{command.open} values'}."


def _command(text: str) -> Step:
    laid_out = _laid_out(text)
    missing = len({piece for piece, is_open in pieces(laid_out) if is_open})
    return Step(kind="code", text=laid_out, effect=_effect(laid_out), open=missing)


def _laid_out(command: str) -> str:
    """The command with one option a line; unchanged where its quotes do not end, or a comment would swallow a line."""
    flat = _CONTINUED.sub(" ", command)
    words = _WORD.findall(flat)
    if _WORD.sub("", flat).strip() or any(word.startswith("#") for word in words):
        return command
    lines = [""]
    for word in words:
        if word.startswith("--"):
            lines.append(f"  {word}")
        else:
            lines[-1] += f" {word}"
    return " \\\n".join(lines).lstrip()


def _effect(command: str) -> str:
    """What the command changes, in a sentence."""
    if _MORE.search(_OPEN.sub(lambda match: match[0] * match[0].startswith('"'), command)):
        return "Runs more than this call: read it before you run it."
    _, service, operation, *_ = (*command.split(maxsplit=3), "", "")
    if _READS.match(operation):
        return CHANGES_NOTHING
    return (
        _CHANGES.get(service, {}).get(operation)
        or f"May change something: it calls {f'{service} {operation}'.rstrip()}."
    )
