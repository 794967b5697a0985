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


def read_strictly(session: Session, attempts: int) -> None:
    """Teach the session's clients; an answer of one of `wire.ANSWERS` then carries what was decoded as ``Decoded``."""

    def retry_malformed(**event: Any) -> Any:
        answered = event["response"]
        if answered and _complaint(answered[1]) and event["attempts"] < attempts:
            return min(0.1 * 2 ** event["attempts"], 5.0)
        return None

    session.register("before-parse", _decode)
    session.register("needs-retry", retry_malformed)
    session.register("after-call", _raise_malformed)


def _decode(**event: Any) -> None:
    response, parsed = event["response_dict"], event["customized_response_dict"]
    model = event["operation_model"]
    answer_type = wire.ANSWERS.get((model.service_model.service_name, model.name))
    if answer_type is None:
        return
    if response["status_code"] >= 300:
        response["body"] = wire.error_body(response["body"])
        return
    try:
        parsed["Decoded"] = answer = wire.decode(response["body"], answer_type)
        response["body"] = wire.token_body(answer)
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
