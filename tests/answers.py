"""What the fake AWS is asked, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, as the server understands it."""

    service: str
    operation: str
    region: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    access_key: str = ""

    @property
    def app_instance_arn(self) -> str | None:
        return self.parameters.get("app-instance-arn")

    @property
    def token(self) -> str | None:
        return self.parameters.get("next-token") or self.parameters.get("NextToken")

    @property
    def account(self) -> str | None:
        """The account whose role was assumed for it; None with a user's own key."""
        return self.access_key[4:16] if self.access_key.startswith("ASIA") else None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes back. `cut` announces the whole body and sends only so many bytes of it.

    `drips` is how many seconds lie between the bytes, from the first line on.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    drips: float = 0.0


def error(status: int, code: str, message: str = "no") -> Answer:
    body = {"__type": code, "Code": code, "Message": message}  # who speaks JSON by POST names the code in the body
    return Answer(status=status, body=json.dumps(body).encode(), headers={"x-amzn-ErrorType": code})


def refusal(status: int, code: str, message: str = "no") -> Answer:
    """As `error`, of STS or IAM."""
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return Answer(status=status, body=body.encode(), headers={"Content-Type": "text/xml"})


def truth(body: Any) -> Answer:
    return Answer(body=json.dumps(body).encode())


def xml(operation: str, result: str) -> Answer:
    """An answer of STS or IAM."""
    body = f"<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"
    return Answer(body=body.encode(), headers={"Content-Type": "text/xml"})
