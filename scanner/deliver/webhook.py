"""A notice as a message of a webhook in Slack's format. The webhook's URL is in no message of ours.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import os
import re
import threading
import time
from math import ceil
from queue import Empty, Queue
from typing import Any

import msgspec
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from msgspec import Struct

from scanner.aws.failure import FailedCallError, containing
from scanner.deliver.destinations import Webhook
from scanner.deliver.notice import Notice
from scanner.deliver.session import why
from scanner.errors import OutputError

_ATTEMPTS = 3
_DEADLINE = 30
_SECONDS = re.compile(r"[0-9]{1,9}")
_TOO_MANY_REQUESTS = 429


def post(to: Webhook, notice: Notice, *, deadline: float = _DEADLINE) -> None:
    """Post it; again where the other side is busy or ill. All of it takes no longer than so many seconds.

    Raises:
        OutputError: it was not taken.
    """
    body = msgspec.json.encode(message(notice))
    until = time.monotonic() + deadline
    for attempt in range(1, _ATTEMPTS + 1):
        answer = _within(until, to, body)
        if 200 <= answer.status < 300:
            return
        wait = answer.wait(attempt)
        if wait is None or attempt == _ATTEMPTS or time.monotonic() + wait >= until:
            raise _unsent(to, answer.told)
        time.sleep(wait)


def _within(until: float, to: Webhook, body: bytes) -> _Answer:
    """What the webhook answers, in a thread of its own: names and answers that drip in know no deadline."""
    ended: Queue[_Answer | OutputError] = Queue()

    def send() -> None:
        try:
            with containing("Post"):
                ended.put(_send(to, body, until - time.monotonic()))
        except OutputError as error:
            ended.put(error)
        except FailedCallError as fault:
            ended.put(_unsent(to, why(fault)))

    threading.Thread(target=send, daemon=True).start()
    try:
        answer = ended.get(timeout=max(0.0, until - time.monotonic()))
    except Empty:
        raise _late(to) from None
    if isinstance(answer, OutputError):
        raise answer
    return answer


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
        return float(self.retry_after or 0)

    @property
    def told(self) -> str:
        if 300 <= self.status < 400:
            return f"it answered with a redirect (status {self.status}), which is not followed"
        return f"it answered with status {self.status}"


def _send(to: Webhook, body: bytes, patience: float) -> _Answer:
    """As botocore sends: by the proxy and the certificates that the variables name, following no redirect."""
    session = URLLib3Session(
        verify=os.environ.get("AWS_CA_BUNDLE") or True,  # type: ignore[arg-type]  # the stubs forget the file
        proxies=get_environ_proxies(to.url),
        timeout=max(1, ceil(patience)),
    )
    headers = {"Content-Type": "application/json; charset=utf-8"}
    try:
        answer = session.send(AWSRequest("POST", to.url, headers, body, stream_output=True).prepare())
        return _Answer(answer.status_code, answer.headers.get("Retry-After"))
    except (ConnectTimeoutError, ReadTimeoutError):
        raise _late(to) from None
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


def _late(to: Webhook) -> OutputError:
    return _unsent(to, "there was no answer in time")


def _unsent(to: Webhook, reason: str) -> OutputError:
    return OutputError(f"the {to} was not notified: {reason}", hint="Mend that, then notify again.")
