"""An AWS on loopback whose successful answers are incomplete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import ClassVar

from tests import loopback


class IncompleteAws(loopback.Handler, BaseHTTPRequestHandler):
    """An S3 whose answers lack something that depends on the object's name; it counts the requests.

    SNS gets an empty answer.
    """

    asked: ClassVar[list[str]] = []

    def reply(self, status: int = 200, body: bytes = b"", announced: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if announced is None else announced))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = announced is not None

    def refuse(self, code: str = "AccessDenied") -> None:
        self.reply(403, f"<Error><Code>{code}</Code><Message>one\ntwo</Message></Error>".encode())

    def note(self) -> int:
        """Count a request; return how often it was made."""
        self.asked.append(f"{self.command} {self.path.partition('?')[0]}")
        return self.asked.count(self.asked[-1])

    def do_PUT(self) -> None:
        self.note()
        self.read()
        if self.headers["x-amz-expected-bucket-owner"]:
            self.refuse()
        elif self.path.endswith("well"):
            self.reply(ETag='"1"')
        else:
            self.reply()

    def do_POST(self) -> None:
        self.note()
        uploaded = b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
        published = b"<PublishResponse><PublishResult/></PublishResponse>"
        not_begun = published if self.path == "/" else b"<InitiateMultipartUploadResult/>"
        self.reply(body=uploaded if "part" in self.path else not_begun)

    def do_DELETE(self) -> None:
        self.note()
        self.reply(204)

    def do_HEAD(self) -> None:
        self.note()
        mine = self.path.startswith("/mine")
        self.send_response(
            403 if "secret" in self.path or (self.headers["x-amz-expected-bucket-owner"] and not mine) else 200
        )
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        times = self.note()
        if self.headers["x-amz-expected-bucket-owner"]:
            self.refuse()
        elif "never" in self.path or times < 3:
            self.reply(body=b"half", announced=8, ETag='"1"')
        else:
            self.reply(body=b"half all", ETag='"1"')


@contextmanager
def serving() -> Iterator[str]:
    """Serve on a free port; gives the URL."""
    IncompleteAws.asked.clear()
    with loopback.serving(IncompleteAws) as url:
        yield url
