"""An AWS that can misbehave: it speaks just enough of STS, Chime and Security Hub, and a test decides how.

The simulator is AWS on a good day; this one is for the others.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests import healthy
from tests.answers import Answer, Call, truth, xml

ACCOUNT = healthy.ACCOUNT
PAGE_SIZE = 50


Fault = Callable[[Call], Answer | None]
"""Given a call: what to answer in place of the truth, or None."""


def processor(**changes: Any) -> dict[str, Any]:
    """A healthy processor, as the wire spells it."""
    return {
        "Name": "moderate",
        "Configuration": invoking(function_arn()),
        "ExecutionOrder": 1,
        "FallbackAction": "ABORT",
        **changes,
    }


def invoking(arn: str) -> dict[str, Any]:
    """The configuration of a processor that invokes this function."""
    return {"Lambda": {"ResourceArn": arn, "InvocationType": "ASYNC"}}


def function_arn(name: str = "moderate:live", region: str = "us-east-1", account: str = ACCOUNT) -> str:
    return f"arn:aws:lambda:{region}:{account}:function:{name}"


@dataclass(frozen=True)
class Flow:
    """A channel flow; `processors` are on the wire as they stand here."""

    name: str = "moderation"
    processors: Any = field(default_factory=lambda: [processor()])


Inventory = dict[str, dict[str, list[Flow]]]


@dataclass(kw_only=True)
class FakeAws:
    """App instances by region and name, each with its flows; `faults` are asked first, in order.

    `members` holds those of other accounts, which are entered by their role `chimeaudit`, and `organization` what
    ListAccounts says, two a page.
    """

    account: str = ACCOUNT
    inventory: Inventory = field(default_factory=dict)
    members: dict[str, Inventory] = field(default_factory=dict)
    organization: list[dict[str, str]] = field(default_factory=list)
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

    def app_instance_arn(self, region: str, name: str, account: str | None = None) -> str:
        return f"arn:aws:chime:{region}:{account or self.account}:app-instance/{name}"

    def asked(self, operation: str) -> list[Call]:
        """The calls of one operation."""
        return [call for call in self.calls if call.operation == operation]

    def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        for fault in self.faults:
            answer = fault(call)
            if answer is not None:
                return answer
        return self._truth(call)

    def _truth(self, call: Call) -> Answer:
        account = call.account or self.account
        region = self.members.get(account, self.inventory).get(call.region, {})
        if call.operation == "ListAppInstances":
            arns = [
                {"AppInstanceArn": self.app_instance_arn(call.region, name, account), "Name": name} for name in region
            ]
            return truth(_page("AppInstances", arns, call.token))
        if call.operation == "ListChannelFlows":
            return truth(_page("ChannelFlows", self._flows(call, region), call.token))
        if call.operation == "AssumeRole":
            return xml("AssumeRole", assumed(call.parameters["RoleArn"]))
        if call.operation == "GetCallerIdentity":
            return xml("GetCallerIdentity", _IDENTITY.format(account))
        if call.operation == "BatchImportFindings":
            taken = len(json.loads(call.parameters["body"])["Findings"])
            return truth({"SuccessCount": taken, "FailedCount": 0, "FailedFindings": []})
        if call.operation == "ListAccounts":
            return truth(_page("Accounts", self.organization, call.token, size=2))
        return healthy.answer(call)

    def _flows(self, call: Call, region: dict[str, list[Flow]]) -> list[Any]:
        name = str(call.app_instance_arn).rpartition("/")[2]
        return [
            {
                "ChannelFlowArn": f"{call.app_instance_arn}/channel-flow/{index:04}",
                "Name": flow.name,
                "Processors": flow.processors,
            }
            for index, flow in enumerate(region[name])
        ]


def _page(key: str, items: list[Any], token: str | None, size: int = PAGE_SIZE) -> dict[str, Any]:
    start = int(token or 0)
    end = start + size
    return {key: items[start:end], **({"NextToken": str(end)} if end < len(items) else {})}


_IDENTITY = "<Arn>arn:aws:iam::{0}:user/auditor</Arn><UserId>AIDAEXAMPLE</UserId><Account>{0}</Account>"


def credentials(account: str, suffix: str = "", expiration: str = "2099-01-01T00:00:00Z") -> str:
    """What AssumeRole gives; the access key tells the account, and by `suffix` one session from another."""
    return (
        f"<Credentials><AccessKeyId>ASIA{account}{suffix}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
        f"<SessionToken>t</SessionToken><Expiration>{expiration}</Expiration></Credentials>"
    )


def assumed(role_arn: str) -> str:
    """What AssumeRole answers where all is well."""
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    arn = f"arn:aws:sts::{account}:assumed-role/{name}/chimeaudit"
    return f"<AssumedRoleUser><Arn>{arn}</Arn><AssumedRoleId>A:chimeaudit</AssumedRoleId></AssumedRoleUser>" + (
        credentials(account)
    )


_PATHS = (
    ("/app-instances", "ListAppInstances"),
    ("/channel-flows", "ListChannelFlows"),
    ("/channel-flows/(?P<flow>.+)", "DescribeChannelFlow"),
    ("/channels", "ListChannelsAssociatedWithChannelFlow"),
    ("/tags", "ListTagsForResource"),
    ("/2015-03-31/functions/(?P<function>[^/]+)/configuration", "GetFunctionConfiguration"),
    ("/2015-03-31/functions/(?P<function>[^/]+)/policy", "GetPolicy"),
    ("/2021-10-31/functions/(?P<function>[^/]+)/url", "GetFunctionUrlConfig"),
    ("/2019-09-30/functions/(?P<function>[^/]+)/concurrency", "GetFunctionConcurrency"),
    ("/2019-09-25/functions/(?P<function>[^/]+)/event-invoke-config", "GetFunctionEventInvokeConfig"),
)


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

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was stopped leaves its connections; a fault of a test's own is told all the same."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a body behind its head would wait 40 ms for somebody's acknowledgement
    fake: FakeAws

    def handle(self) -> None:
        with suppress(ConnectionError):  # a client that was killed
            super().handle()

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        operation, in_path = next(
            (name, match.groupdict()) for pattern, name in _PATHS if (match := re.fullmatch(pattern, url.path))
        )
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self._reply(operation, query | {name: unquote(value) for name, value in in_path.items()})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        target = self.headers["X-Amz-Target"]
        if self.path == "/findings/import":
            self._reply("BatchImportFindings", {"body": body})
        elif target:
            parameters = {name: str(value) for name, value in json.loads(body).items()}
            self._reply(target.rpartition(".")[2], parameters)
        else:
            parameters = {name: values[0] for name, values in parse_qs(body).items()}
            self._reply(parameters["Action"], parameters)

    def _reply(self, operation: str, parameters: Mapping[str, str]) -> None:
        scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", self.headers["Authorization"])
        assert scope
        answer = self.fake.answer(
            Call(
                service=scope[3],
                operation=operation,
                region=scope[2],
                parameters=parameters,
                access_key=scope[1],
            )
        )
        if answer.drips:
            self._drip(answer)
            return
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        with suppress(ConnectionError):  # a client that was stopped does not wait for its answer
            self.wfile.write(answer.body[: answer.cut])
        self.close_connection = answer.cut is not None

    def _drip(self, answer: Answer) -> None:
        lines = f"HTTP/1.1 {answer.status} OK\r\nContent-Length: {len(answer.body)}\r\n\r\n"
        with suppress(ConnectionError):
            for byte in lines.encode() + answer.body:
                self.wfile.write(bytes([byte]))
                time.sleep(answer.drips)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Tests look at calls, not at a log."""
