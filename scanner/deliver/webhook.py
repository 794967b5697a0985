"""A notice as a message of a webhook in Slack's format. The webhook's URL is in no message of ours.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import os
import re
import time
from typing import Any

import msgspec
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from msgspec import Struct

from scanner.deliver.notice import Notice
from scanner.deliver.places import Webhook
from scanner.errors import OutputError

_ATTEMPTS = 3
_LONGEST_WAIT = 30
_PATIENCE = 15
_SECONDS = re.compile(r"[0-9]{1,9}")
_TOO_MANY_REQUESTS = 429


def post(to: Webhook, notice: Notice, *, patience: int = _PATIENCE) -> None:
    """Post it; again where the other side is busy or ill. `patience` is how many seconds to wait for an answer.

    Raises:
        OutputError: it was not taken.
    """
    body = msgspec.json.encode(message(notice))
    for attempt in range(1, _ATTEMPTS + 1):
        answer = _send(to, body, patience)
        if 200 <= answer.status < 300:
            return
        wait = answer.wait(attempt)
        if wait is None or attempt == _ATTEMPTS:
            raise _unsent(to, answer.told)
        time.sleep(wait)


def message(notice: Notice) -> dict[str, Any]:
    """Slack's own: a line of text where blocks are not shown, and a block a line."""
    headline = _escaped(notice.headline)
    sections = (f"*{headline}*", *map(_escaped, notice.lines))
    return {
        "text": headline,
        "blocks": [{"type": "section", "text": _verbatim(section)} for section in sections],
    }


class _Answer(Struct, frozen=True):
    status: int
    retry_after: str | None

    def wait(self, attempt: int) -> float | None:
        """Seconds until it is worth another try; None where it is not."""
        if self.status != _TOO_MANY_REQUESTS and self.status < 500:
            return None
        if not _SECONDS.fullmatch(self.retry_after or ""):
            return float(2**attempt)
        wait = float(self.retry_after or 0)
        return wait if wait <= _LONGEST_WAIT else None

    @property
    def told(self) -> str:
        if 300 <= self.status < 400:
            return f"it answered with a redirect (status {self.status}), which is not followed"
        return f"it answered with status {self.status}"


def _send(to: Webhook, body: bytes, patience: int) -> _Answer:
    """As botocore sends: by the proxy and the certificates that the variables name, following no redirect."""
    session = URLLib3Session(
        verify=os.environ.get("AWS_CA_BUNDLE") or True,  # type: ignore[arg-type]  # the stubs forget the file
        proxies=get_environ_proxies(to.url),
        timeout=patience,
    )
    headers = {"Content-Type": "application/json; charset=utf-8"}
    try:
        answer = session.send(AWSRequest("POST", to.url, headers, body, stream_output=True).prepare())
        return _Answer(answer.status_code, answer.headers.get("Retry-After"))
    except (ConnectTimeoutError, ReadTimeoutError):
        raise _unsent(to, "there was no answer in time") from None
    except BotoCoreError as error:
        raise _unsent(to, f"it could not be reached [{type(error).__name__.removesuffix('Error')}]") from None
    finally:
        session.close()


def _escaped(text: str) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _verbatim(text: str) -> dict[str, Any]:
    """Nothing in it becomes a link or a mention."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _unsent(to: Webhook, reason: str) -> OutputError:
    return OutputError(f"the {to} was not notified: {reason}", hint="Mend that, then notify again.")
