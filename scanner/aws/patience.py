"""Limits the time of a whole answer: botocore's read timeout starts again with every byte that arrives.

It also limits the time that several calls together may lose to answers that do not come.
"""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.client import HTTPResponse
from time import monotonic
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.exceptions import BotoCoreError

ANSWER_SECONDS = 30.0
SILENT_SECONDS = 0.25
_own = threading.local()


class OutOfPatienceError(BotoCoreError):
    """The calls have lost all the time that they may lose to missing answers."""

    fmt = "no answer in time"


class Patience:
    """A budget of seconds that calls may lose to missing answers; calls and threads can share it."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self._silent_since: dict[int, float] = {}

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Make the calls of this thread use this budget within the block."""
        before = current()
        _own.patience = self
        try:
            yield
        finally:
            _own.patience = before

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Mark this thread as waiting for an answer within the block."""
        thread = threading.get_ident()
        self._silent_since[thread] = monotonic()
        try:
            yield
        finally:
            del self._silent_since[thread]

    @property
    def silent(self) -> int:
        """How many threads have been waiting for an answer for a while."""
        now = monotonic()
        return sum(now - since > SILENT_SECONDS for since in tuple(self._silent_since.values()))


def current() -> Patience | None:
    """The budget that the calls of this thread use, or None."""
    patience: Patience | None = getattr(_own, "patience", None)
    return patience


def _check(**_: Any) -> None:
    patience = current()
    if patience and patience.left <= 0:
        raise OutOfPatienceError


def bound(client: Any) -> None:
    """Make a client's answers time out as a whole, also over a proxy, and use the thread's budget."""
    client.meta.events.register("before-send", _check)
    classes = client._endpoint.http_session._pool_classes_by_scheme  # botocore has no public access to its connections
    classes |= {"http": _HttpPool, "https": _HttpsPool}


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        self.fp.close()
        self.fp = io.BufferedReader(_Bounded(sock))


class _Bounded(io.RawIOBase):
    """A stream of the bytes that a socket receives; it raises TimeoutError when the time is up."""

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
