"""Makes botocore safe for audits: it reads answers strictly and sends only allowed operations.

Strict: a malformed answer is requested again, and then is an error. Only the event ``before-parse`` sees the bytes of
an answer, only ``needs-retry`` decides on a retry, and only ``after-call`` can raise an error to the caller. So the
complaint is passed along as an error code in the parsed answer. botocore's parser gets only what its paginator needs.

Fenced: an operation that is not in the table of operations is stopped before it is signed, even if botocore calls it.
"""

from __future__ import annotations

from collections.abc import Set
from functools import partial
from typing import Any

from botocore.session import Session

from scanner.aws import decoding, wire
from scanner.aws.failure import SPEAK_XML, MalformedAnswerError
from scanner.errors import ChimeauditError
from scanner.model.operations import FACETS, OBTAINING_CREDENTIALS, ORGANIZATION, Operation, needed

_MALFORMED = "MalformedAnswer"
_EMPTY_XML = b"<Response><%sResult/></Response>"
_OK = 200
_ERROR_HEADERS = ("x-amzn-error", "x-amz-error", "x-amzn-query-error")


def read_strictly(session: Session, attempts: int) -> None:
    """Make the session's clients read strictly. An answer of one of `wire.ANSWERS` has its struct as ``Decoded``."""

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
    service = model.service_model.service_name
    answer_type = wire.ANSWERS.get((service, model.name))
    if answer_type is None and service not in SPEAK_XML:
        return
    if response["status_code"] >= 300:
        response["body"] = response["body"] if answer_type is None else decoding.error_body(response["body"])
        return
    try:
        _check_head(response)
        if answer_type is None:
            decoding.check_xml(response["body"])
            return
        parsed["Decoded"] = answer = decoding.decode(response["body"], answer_type)
        response["body"] = decoding.token_body(answer)
    except ValueError as error:
        parsed["Error"] = {"Code": _MALFORMED, "Message": f"the answer is malformed: {error}"}
        response["body"] = b"{}" if answer_type else _EMPTY_XML % model.name.encode()


def _check_head(response: dict[str, Any]) -> None:
    """Check that an answer has status 200 and no header that names an error."""
    if response["status_code"] != _OK:
        raise ValueError(f"it has status {response['status_code']}")
    if any(name.lower().startswith(_ERROR_HEADERS) for name in response["headers"]):
        raise ValueError("its head names an error")


def _raise_malformed(**event: Any) -> None:
    complaint = _complaint(event["parsed"])
    if complaint:
        raise MalformedAnswerError(complaint)


def _complaint(parsed: dict[str, Any]) -> str | None:
    error = parsed.get("Error", {})
    return str(error["Message"]) if error.get("Code") == _MALFORMED else None


IDENTITY = "chime-sdk-identity"
MESSAGING = "chime-sdk-messaging"

ALLOWED = needed(FACETS) | ORGANIZATION | OBTAINING_CREDENTIALS


def fence(session: Session, allowed: Set[Operation] = ALLOWED) -> None:
    """Make the session's clients send only allowed operations; by default those that a scan needs."""
    session.register("before-call", partial(_refuse_the_rest, allowed))


def _refuse_the_rest(allowed: Set[Operation], **event: Any) -> None:
    model = event["model"]
    operation = Operation(model.service_model.service_name, model.name)
    if operation not in allowed:
        raise ChimeauditError(
            f"refused to call {operation.service}:{operation.name}, which is not on the list of what may be sent",
            hint="Nothing was sent. This is a fault of chimeaudit; please report it.",
        )
