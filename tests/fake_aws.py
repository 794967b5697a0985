"""An AWS that can misbehave: it speaks just enough of STS and Chime over HTTP, and a test decides what it answers.

The simulator is AWS on a good day; this one is for the others.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ACCOUNT = "111122223333"
PAGE_SIZE = 50


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, as the server understands it."""

    service: str
    operation: str
    region: str
    app_instance_arn: str | None = None
    token: str | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What goes back. `cut` announces the whole body and sends only so many bytes of it."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


Fault = Callable[[Call], Answer | None]
"""Given a call: what to answer in place of the truth, or None."""


def error(status: int, code: str, message: str = "no") -> Answer:
    return Answer(
        status=status, body=json.dumps({"Code": code, "Message": message}).encode(), headers={"x-amzn-ErrorType": code}
    )


def truth(body: Any) -> Answer:
    return Answer(body=json.dumps(body).encode())


def processor(**changes: Any) -> dict[str, Any]:
    """A healthy processor, as the wire spells it."""
    return {
        "Name": "moderate",
        "Configuration": {"Lambda": {"ResourceArn": function_arn(), "InvocationType": "ASYNC"}},
        "ExecutionOrder": 1,
        "FallbackAction": "ABORT",
        **changes,
    }


def function_arn(name: str = "moderate:live", region: str = "us-east-1", account: str = ACCOUNT) -> str:
    return f"arn:aws:lambda:{region}:{account}:function:{name}"


@dataclass(frozen=True)
class Flow:
    """A channel flow; `processors` are on the wire as they stand here."""

    name: str = "moderation"
    processors: Any = field(default_factory=lambda: [processor()])


@dataclass(kw_only=True)
class FakeAws:
    """App instances by region and name, each with its flows; `faults` are asked first, in order."""

    account: str = ACCOUNT
    inventory: dict[str, dict[str, list[Flow]]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    url: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a client."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret-example-key",
        }

    def app_instance_arn(self, region: str, name: str) -> str:
        return f"arn:aws:chime:{region}:{self.account}:app-instance/{name}"

    def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        for fault in self.faults:
            answer = fault(call)
            if answer is not None:
                return answer
        return self._truth(call)

    def _truth(self, call: Call) -> Answer:
        region = self.inventory.get(call.region, {})
        if call.operation == "GetCallerIdentity":
            return Answer(body=_IDENTITY.format(self.account).encode(), headers={"Content-Type": "text/xml"})
        if call.operation == "ListAppInstances":
            arns = [{"AppInstanceArn": self.app_instance_arn(call.region, name), "Name": name} for name in region]
            return truth(_page("AppInstances", arns, call.token))
        name = str(call.app_instance_arn).rpartition("/")[2]
        flows = [
            {
                "ChannelFlowArn": f"{call.app_instance_arn}/channel-flow/{index:04}",
                "Name": flow.name,
                "Processors": flow.processors,
            }
            for index, flow in enumerate(region[name])
        ]
        return truth(_page("ChannelFlows", flows, call.token))


def _page(key: str, items: list[Any], token: str | None) -> dict[str, Any]:
    start = int(token or 0)
    end = start + PAGE_SIZE
    return {key: items[start:end], **({"NextToken": str(end)} if end < len(items) else {})}


_IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{0}:user/auditor</Arn><UserId>AIDAEXAMPLE</UserId><Account>{0}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


@contextmanager
def serve(aws: FakeAws) -> Iterator[FakeAws]:
    """Answer on a free loopback port."""

    class Handler(_Handler):
        fake = aws

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    aws.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield aws
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeAws

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        operation = {"/app-instances": "ListAppInstances", "/channel-flows": "ListChannelFlows"}[url.path]
        self._reply(operation, query.get("app-instance-arn"), query.get("next-token"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._reply(parse_qs(body)["Action"][0])

    def _reply(self, operation: str, app_instance_arn: str | None = None, token: str | None = None) -> None:
        scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", self.headers["Authorization"])
        assert scope
        answer = self.fake.answer(
            Call(
                service=scope[2],
                operation=operation,
                region=scope[1],
                app_instance_arn=app_instance_arn,
                token=token,
            )
        )
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        with suppress(ConnectionError):  # a client that was stopped does not wait for its answer
            self.wfile.write(answer.body[: answer.cut])
        self.close_connection = answer.cut is not None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Tests look at calls, not at a log."""
