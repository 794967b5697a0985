"""Bounds how long an answer may take in all: botocore's read timeout begins anew with every byte that drips in."""

from __future__ import annotations

import io
import socket
from http.client import HTTPResponse
from time import monotonic
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)

ANSWER_SECONDS = 30.0


def bound(client: Any) -> None:
    """Let the answers to this client time out as a whole, over a proxy, too."""
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
        self._until = monotonic() + ANSWER_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left if self._timeout is None else min(left, self._timeout))
        return self._received.readinto(buffer)

    def close(self) -> None:
        self._received.close()
        super().close()


class _HttpConnection(AWSHTTPConnection):
    response_class = _Answer  # type: ignore[assignment]  # http.client asks for no more than this


class _HttpsConnection(AWSHTTPSConnection):
    response_class = _Answer  # type: ignore[assignment]  # http.client asks for no more than this


class _HttpPool(AWSHTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(AWSHTTPSConnectionPool):
    ConnectionCls = _HttpsConnection
