"""An AWS that misbehaves as a test decides; it knows just enough of STS, Chime and Security Hub.

The simulator is a healthy AWS; this one is for faults.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests import healthy, loopback
from tests.answers import Answer, Call, client_variables, page, truth

Fault = Callable[[Call], Answer | None]
"""A function that takes a call and gives an answer in place of the healthy one, or None."""


@dataclass(frozen=True)
class Flow:
    """A channel flow; `processors` are sent as they are here."""

    name: str = "moderation"
    processors: Any = field(default_factory=lambda: [healthy.processor()])


Inventory = dict[str, dict[str, list[Flow]]]


@dataclass(kw_only=True)
class FakeAws:
    """A fake AWS. `inventory` has app instances by region and name, each with its flows.

    `faults` are asked first, in order. `members` has the inventories of other accounts, which are entered by their role
    `chimeaudit`; `organization` the accounts of ListAccounts, two on each page.
    """

    account: str = healthy.ACCOUNT
    inventory: Inventory = field(default_factory=dict)
    members: dict[str, Inventory] = field(default_factory=dict)
    organization: list[dict[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    url: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of a client."""
        return client_variables(self.url)

    def app_instance_arn(self, region: str, name: str, account: str | None = None) -> str:
        return f"arn:aws:chime:{region}:{account or self.account}:app-instance/{name}"

    def asked(self, operation: str) -> list[Call]:
        """The calls of an operation so far."""
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
            return truth(page("AppInstances", arns, call.token))
        if call.operation == "ListChannelFlows":
            return truth(page("ChannelFlows", self._flows(call, region), call.token))
        if call.operation == "BatchImportFindings":
            taken = len(json.loads(call.parameters["body"])["Findings"])
            return truth({"SuccessCount": taken, "FailedCount": 0, "FailedFindings": []})
        if call.operation == "ListAccounts":
            return truth(page("Accounts", self.organization, call.token, size=2))
        return healthy.answer(call, account)

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


@contextmanager
def serve(aws: FakeAws) -> Iterator[FakeAws]:
    """Serve on a free port of the loopback interface."""

    class Handler(_Handler):
        fake = aws

    with loopback.serving(Handler) as aws.url:
        yield aws


class _Handler(loopback.Handler, BaseHTTPRequestHandler):
    fake: FakeAws

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.fake.answer(Call.read(self.path, headers, self.read()))
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

    def do_POST(self) -> None:
        self.do_GET()

    def _drip(self, answer: Answer) -> None:
        lines = f"HTTP/1.1 {answer.status} OK\r\nContent-Length: {len(answer.body)}\r\n\r\n"
        with suppress(ConnectionError):
            for byte in lines.encode() + answer.body:
                self.wfile.write(bytes([byte]))
                time.sleep(answer.drips)
        self.close_connection = True
