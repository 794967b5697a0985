"""A webhook on loopback that answers as a test decides, and keeps what was posted to it."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests import loopback

SECRET = "T000-B000-xxxxsecretxxxx"


@dataclass(frozen=True)
class Answer:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drips: bool = False
    """Whether it is sent byte by byte, for longer than any timeout."""


@dataclass
class Listener:
    """Gives `answers` one after the other, then repeats the last; with `hangs`, gives none until it is closed."""

    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    hangs: bool = False
    posted: list[dict[str, Any]] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def listening(*answers: Answer, hangs: bool = False, tls: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """Serve a webhook on a free port."""
    listener = Listener(answers=list(answers) or [Answer()], hangs=hangs)

    class Handler(loopback.Handler, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"  # a request a connection

        def do_POST(self) -> None:
            listener.posted.append(json.loads(self.read()))
            if listener.hangs:
                listener.closed.wait(60)
                return
            answer = listener.answer()
            if answer.drips:
                self.drip()
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def drip(self) -> None:
            with suppress(ConnectionError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not listener.closed.wait(0.1):
                    self.wfile.write(b"x")

    with loopback.serving(Handler, tls) as url:
        listener.url = f"{url}/services/{SECRET}"
        try:
            yield listener
        finally:
            listener.closed.set()
