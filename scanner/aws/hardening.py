"""Makes botocore safe to audit with: it reads answers strictly, sends only what may be sent, and waits only so long.

Strict: a malformed answer is asked for again, and then is an error. The bytes of an answer are seen only by
``before-parse``, a retry is decided only by ``needs-retry``, and an error is raised to the caller only by
``after-call``; so the verdict travels as an error code in the parsed answer. botocore's own parser gets no more than
its paginator needs.

Fenced: an operation that is not in the table of operations is stopped before it is signed, whoever asked for it.

Patient within bounds: botocore's read timeout begins anew with every byte that drips in, so the time of a whole answer
is bounded too, and so is the time lost over several calls to answers that do not come.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator, Set
from contextlib import contextmanager, nullcontext
from functools import partial
from http.client import HTTPResponse
from time import monotonic
from typing import Any

from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool, AWSHTTPSConnection, AWSHTTPSConnectionPool
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from scanner.aws import wire
from scanner.aws.failure import SPEAK_XML, MalformedAnswerError
from scanner.errors import ChimeauditError
from scanner.model.operations import FACETS, OBTAINING_CREDENTIALS, ORGANIZATION, Operation, needed

_MALFORMED = "MalformedAnswer"
_EMPTY_XML = b"<Response><%sResult/></Response>"
_OK = 200
_ERROR_HEADERS = ("x-amzn-error", "x-amz-error", "x-amzn-query-error")


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
    service = model.service_model.service_name
    answer_type = wire.ANSWERS.get((service, model.name))
    if answer_type is None and service not in SPEAK_XML:
        return
    if response["status_code"] >= 300:
        response["body"] = response["body"] if answer_type is None else wire.error_body(response["body"])
        return
    try:
        _check_head(response)
        if answer_type is None:
            wire.check_xml(response["body"])
            return
        parsed["Decoded"] = answer = wire.decode(response["body"], answer_type)
        response["body"] = wire.token_body(answer)
    except ValueError as error:
        parsed["Error"] = {"Code": _MALFORMED, "Message": f"the answer is malformed: {error}"}
        response["body"] = b"{}" if answer_type else _EMPTY_XML % model.name.encode()


def _check_head(response: dict[str, Any]) -> None:
    """An answer that these operations promise has status 200, and names no error."""
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
    """Let the clients of this session send only what is allowed; by default, what a scan needs."""
    session.register("before-call", partial(_refuse_the_rest, allowed))


def _refuse_the_rest(allowed: Set[Operation], **event: Any) -> None:
    model = event["model"]
    operation = Operation(model.service_model.service_name, model.name)
    if operation not in allowed:
        raise ChimeauditError(
            f"refused to call {operation.service}:{operation.name}, which is not on the list of what may be sent",
            hint="Nothing was sent. This is a fault of chimeaudit; please report it.",
        )


ANSWER_SECONDS = 30.0
SILENT_SECONDS = 0.25
_own = threading.local()


class OutOfPatienceError(BotoCoreError):
    """So much was lost to answers that do not come that none is waited for any more."""

    fmt = "no answer in time"


class Patience:
    """The seconds that may be lost to answers that do not come, whatever calls and threads share them."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self._silent_since: dict[int, float] = {}

    @contextmanager
    def spent(self) -> Iterator[None]:
        """The calls of this thread share it in the meantime."""
        before = current()
        _own.patience = self
        try:
            yield
        finally:
            _own.patience = before

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Nothing is heard in the meantime."""
        thread = threading.get_ident()
        self._silent_since[thread] = monotonic()
        try:
            yield
        finally:
            del self._silent_since[thread]

    @property
    def silent(self) -> int:
        """How many threads have heard nothing for a while."""
        now = monotonic()
        return sum(now - since > SILENT_SECONDS for since in tuple(self._silent_since.values()))


def current() -> Patience | None:
    """That of this thread."""
    patience: Patience | None = getattr(_own, "patience", None)
    return patience


def _check(**_: Any) -> None:
    patience = current()
    if patience and patience.left <= 0:
        raise OutOfPatienceError


def bound(client: Any) -> None:
    """Let the answers to this client time out as a whole, over a proxy, too, and heed the thread's patience."""
    client.meta.events.register("before-send", _check)
    classes = client._endpoint.http_session._pool_classes_by_scheme  # botocore has no public way to its connections
    classes |= {"http": _HttpPool, "https": _HttpsPool}


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        self.fp.close()
        self.fp = io.BufferedReader(_Bounded(sock))


class _Bounded(io.RawIOBase):
    """What a socket receives, until the time is up."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._timeout = sock.gettimeout()
        self._received = sock.makefile("rb", buffering=0)
        self._patience = current()
        self._began = monotonic()
        self._until = self._began + min(ANSWER_SECONDS, self._patience.left if self._patience else ANSWER_SECONDS)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        try:
            with self._patience.silence() if self._patience else nullcontext():
                return self._readinto(buffer)
        except TimeoutError:
            if self._patience:
                self._patience.left -= monotonic() - self._began
            raise

    def _readinto(self, buffer: Any) -> int | None:
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left if self._timeout is None else min(left, self._timeout))
        return self._received.readinto(buffer)

    def close(self) -> None:
        self._received.close()
        super().close()


@contextmanager
def _connecting() -> Iterator[None]:
    patience = current()
    began = monotonic()
    try:
        with patience.silence() if patience else nullcontext():
            yield
    except Exception:
        if patience:
            patience.left -= monotonic() - began
        raise


class _HttpConnection(AWSHTTPConnection):
    response_class = _Answer  # type: ignore[assignment]  # http.client asks for no more than this

    def connect(self) -> None:
        with _connecting():
            super().connect()


class _HttpsConnection(AWSHTTPSConnection):
    response_class = _Answer  # type: ignore[assignment]  # http.client asks for no more than this

    def connect(self) -> None:
        with _connecting():
            super().connect()


class _HttpPool(AWSHTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(AWSHTTPSConnectionPool):
    ConnectionCls = _HttpsConnection
