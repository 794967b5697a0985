"""What a scan tells while it works, on standard error: lines for people, or JSON objects for machines, a line each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum

from msgspec import Struct

from scanner.commands.github import inert
from scanner.commands.showing import say
from scanner.commands.streams import encoded, told
from scanner.model.moments import stamp


class LogFormat(StrEnum):
    """How lines look."""

    TEXT = "text"
    JSON = "json"


class Log(Struct, frozen=True, kw_only=True):
    """Where lines go. `verbose` lets details through."""

    form: LogFormat = LogFormat.TEXT
    verbose: bool = False

    def tell(self, event: str, message: str, **fields: object) -> None:
        """One line; `event` and `fields` say to a machine what `message` says to a person."""
        if self.form is LogFormat.TEXT:
            say(message)
            return
        time = stamp(datetime.now(UTC))
        line = json.dumps({"time": time, "event": event, "message": message, **fields})
        told(encoded(f"{inert(line)}\n"))

    def detail(self, event: str, message: str, **fields: object) -> None:
        """A line that only those want who asked for more."""
        if self.verbose:
            self.tell(event, message, **fields)
