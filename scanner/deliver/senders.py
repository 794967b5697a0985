"""Sends a notice: to a webhook in Slack's format, or to an SNS topic. No error message holds a webhook's URL.

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

from scanner.aws.failure import FailedCallError, calling, containing
from scanner.deliver.destinations import Topic, Webhook
from scanner.deliver.notice import Notice
from scanner.deliver.session import client, connect, why
from scanner.errors import OutputError, UsageError

_ATTEMPTS = 3
_DEADLINE = 30
_SECONDS = re.compile(r"[0-9]{1,9}")
_TOO_MANY_REQUESTS = 429


def post(to: Webhook, notice: Notice, *, deadline: float = _DEADLINE) -> None:
    """Post a notice, again if the receiver is busy or fails, for at most `deadline` seconds in all.

    Raises:
        OutputError: the receiver did not accept the notice.
    """
    body = msgspec.json.encode(message(notice))
    until = time.monotonic() + deadline
    for attempt in range(1, _ATTEMPTS + 1):
        answer = _within(until, to, body)
        if 200 <= answer.status < 300:
            return
        wait = answer.wait(attempt)
        if wait is None or attempt == _ATTEMPTS or time.monotonic() + wait >= until:
            raise _unsent(to, answer.reason)
        time.sleep(wait)


def _within(until: float, to: Webhook, body: bytes) -> _Answer:
    """Send in another thread and wait for the answer: name lookups and slow answers have no timeout of their own."""
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
    """A Slack message: a block for each line, and the headline as text for clients that do not show blocks."""
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
        """Seconds to wait before the next attempt; None if another attempt is pointless."""
        if self.status != _TOO_MANY_REQUESTS and self.status < 500:
            return None
        if not _SECONDS.fullmatch(self.retry_after or ""):
            return float(2**attempt)
        return float(self.retry_after or 0)

    @property
    def reason(self) -> str:
        if 300 <= self.status < 400:
            return f"it answered with a redirect (status {self.status}), which is not followed"
        return f"it answered with status {self.status}"


def _send(to: Webhook, body: bytes, patience: float) -> _Answer:
    """Send once, as botocore does: proxies and certificates come from the variables, redirects are not followed."""
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
    """Escape a text for Slack: https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _verbatim(text: str) -> dict[str, Any]:
    """A text object in which Slack makes nothing a link or a mention."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _late(to: Webhook) -> OutputError:
    return _unsent(to, "there was no answer in time")


def publish(to: Topic, notice: Notice) -> None:
    """Publish a notice: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html

    Raises:
        OutputError: the notice could not be published.
    """
    try:
        topics = client(connect(), "sns", to.region)
        with containing("Publish"), calling("sns", "Publish"):
            topics.publish(TopicArn=to.arn, Subject=notice.subject, Message=notice.text)
    except UsageError as error:
        raise _unsent(to, error.message) from None
    except FailedCallError as error:
        raise _unsent(to, why(error)) from None


def _unsent(to: Webhook | Topic, reason: str) -> OutputError:
    return OutputError(f"the {to} was not notified: {reason}", hint="Mend that, then notify again.")
