"""Makes botocore read list pages strictly: a malformed answer is asked for again, and then is an error.

The bytes of an answer are seen only by ``before-parse``, a retry is decided only by ``needs-retry``, and an error is
raised to the caller only by ``after-call``; so the verdict travels as an error code in the parsed answer. botocore's
own parser gets no more than its paginator needs.
"""

from __future__ import annotations

from typing import Any

from botocore.session import Session

from scanner.collect import wire
from scanner.collect.failure import MalformedAnswerError

_MALFORMED = "MalformedAnswer"


def read_strictly(session: Session, service: str, attempts: int) -> None:
    """Teach the session's clients of a service; each answer of a listing then carries its ``Page``."""

    def retry_malformed(**event: Any) -> Any:
        answered = event["response"]
        if answered and _complaint(answered[1]) and event["attempts"] < attempts:
            return min(0.1 * 2 ** event["attempts"], 5.0)
        return None

    session.register(f"before-parse.{service}", _decode)
    session.register(f"needs-retry.{service}", retry_malformed)
    session.register(f"after-call.{service}", _raise_malformed)


def _decode(**event: Any) -> None:
    response, parsed = event["response_dict"], event["customized_response_dict"]
    page_type = wire.PAGES.get(event["operation_model"].name)
    if response["status_code"] >= 300:
        response["body"] = wire.error_body(response["body"])
    elif page_type is not None:
        try:
            parsed["Page"] = page = wire.decode(response["body"], page_type)
            response["body"] = wire.token_body(page)
        except ValueError as error:
            parsed["Error"] = {"Code": _MALFORMED, "Message": f"the answer is malformed: {error}"}
            response["body"] = b"{}"


def _raise_malformed(**event: Any) -> None:
    complaint = _complaint(event["parsed"])
    if complaint:
        raise MalformedAnswerError(complaint)


def _complaint(parsed: dict[str, Any]) -> str | None:
    error = parsed.get("Error", {})
    return str(error["Message"]) if error.get("Code") == _MALFORMED else None
