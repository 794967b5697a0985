"""A bare asyncio server that answers the AWS calls of a scan, for an organisation of a given shape.

moto is too slow for measurements: it answers a few hundred calls per second.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.connection import Connection
from typing import Any, cast

import msgspec
from msgspec import Struct

from benchmarks.shape import Shape
from tests import healthy
from tests.answers import Answer, Call, error, page, truth, xml

FIRST_ACCOUNT = 100_000_000_000
STATISTICS = "/statistics"


class Statistics(Struct, frozen=True):
    """How many calls were answered, by operation, without those to STS; and how many were throttled."""

    calls: dict[str, int]
    throttled: int


def access_key(account_id: str) -> str:
    """The access key by which the server knows an account, as that of a role that was assumed there."""
    return f"ASIA{account_id}"


@contextmanager
def serving(shape: Shape) -> Iterator[str]:
    """Run a server in another process; give its URL."""
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    process = processes.Process(target=_run, args=(shape, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.kill()
        process.join()


def _run(shape: Shape, started: Connection) -> None:
    async def forever() -> None:
        aws = _Aws(shape)
        server = await asyncio.get_running_loop().create_server(lambda: _Talk(aws), "127.0.0.1", 0, backlog=1024)
        started.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


class _Talk(asyncio.Protocol):
    """One connection."""

    def __init__(self, aws: _Aws) -> None:
        self._aws = aws
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
        if len(body) < int(headers.get("content-length", 0)):
            return
        self._received = b""
        answer = self._aws.answer(line.split(" ")[1], headers, body)
        if self._aws.shape.latency:
            asyncio.get_running_loop().call_later(self._aws.shape.latency, self._transport.write, answer)
        else:
            self._transport.write(answer)


class _Aws:
    """Answers calls, counts them, and limits their rate."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._calls: Counter[str] = Counter()
        self._throttled = 0
        self._tokens: dict[tuple[str, str, str], tuple[float, float]] = {}

    def answer(self, url: str, headers: dict[str, str], body: bytes) -> bytes:
        """The whole HTTP answer to a request."""
        if url == STATISTICS:
            return _http(Answer(body=msgspec.json.encode(Statistics(dict(self._calls), self._throttled))))
        call = Call.read(url, headers, body)
        account = str(call.account)
        if not self._allows(call, account):
            self._throttled += 1
            return _http(error(429, "ThrottledClientException"))
        if call.service != "sts":
            self._calls[call.operation] += 1
        return _http(self._truth(call, account))

    def _allows(self, call: Call, account: str) -> bool:
        """Whether the rate limit allows a call: a token bucket with the calls of one second."""
        limit = self.shape.limit
        if limit is None or call.service == "sts":
            return True
        key, now = (account, call.region, call.service), time.monotonic()
        tokens, since = self._tokens.get(key, (limit, now))
        tokens = min(limit, tokens + (now - since) * limit)
        self._tokens[key] = (tokens - 1 if tokens >= 1 else tokens), now
        return tokens >= 1

    def _truth(self, call: Call, account: str) -> Answer:
        here = f"{call.region}:{account}"
        match call.operation:
            case "ListAppInstances":
                listed = _app_instances(self.shape.app_instances, call.token)
                return Answer(body=listed.replace(b"@HERE@", here.encode()))
            case "ListChannelFlows":
                arn = str(call.app_instance_arn)
                listed = _flows(self.shape, self.shape.flows_of(int(arn.rpartition("/")[2])), call.token)
                return Answer(body=listed.replace(b"@APP@", arn.encode()).replace(b"@HERE@", here.encode()))
            case "ListChannels" | "DescribeChannel" | "ListChannelsAssociatedWithChannelFlow" if self.shape.channels:
                return truth(self._channels(call))
            case "GetFunctionConfiguration":
                return truth(self._configuration(call.parameters["function"], here, account))
            case "ListRules":
                alerts = page("Rules", range(self.shape.alerts), call.token)
                return truth({**alerts, "Rules": [self._alert(number, here) for number in alerts["Rules"]]})
            case "ListAttachedRolePolicies":
                return xml(call.operation, self._attached(int(call.parameters["RoleName"]), account))
            case _:
                return healthy.answer(call, account)

    def _channels(self, call: Call) -> dict[str, Any]:
        if channel := call.parameters.get("channel"):
            return {"Channel": {"ChannelArn": channel, "Name": "channel"}}
        app_instance, flow = call.app_instance_arn, call.parameters.get("channel-flow-arn")
        channels = range(self.shape.channels)
        if flow:
            app_instance, _, number = flow.partition("/channel-flow/")
            flows = self.shape.flows_of(int(app_instance.rpartition("/")[2]))
            channels = self.shape.channels_of(int(number), flows)
        listed = page("Channels", channels, call.token)
        items = [
            {"ChannelArn": f"{app_instance}/channel/{_id(each)}", "Name": f"channel {each}", "Metadata": ""}
            for each in listed["Channels"]
        ]
        return {**listed, "Channels": items}

    def _configuration(self, arn: str, here: str, account: str) -> dict[str, Any]:
        number = int(arn.split(":")[6])
        queue = {"DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:{here}:failed"}}
        role = f"arn:aws:iam::{account}:role/{number % self.shape.roles}"
        return {**healthy.configuration(arn), "Role": role, **(queue if self.shape.has_queue(number) else {})}

    def _alert(self, number: int, here: str) -> dict[str, str]:
        return healthy.alert(f"{number}", here, "aws.chime" if self.shape.listens(number) else "aws.ec2")

    def _attached(self, role: int, account: str) -> str:
        attached = "".join(
            f"<member><PolicyName>{each}</PolicyName><PolicyArn>arn:aws:iam::{account}:policy/{each}</PolicyArn></member>"
            for each in self.shape.managed_of(role)
        )
        return f"<AttachedPolicies>{attached}</AttachedPolicies><IsTruncated>false</IsTruncated>"


def _id(channel: int) -> str:
    """The id of a channel: as long as AWS's, and in no order."""
    return hashlib.sha256(f"{channel}".encode()).hexdigest()


def _http(answer: Answer) -> bytes:
    fields = {"Content-Type": "application/json", **answer.headers, "Content-Length": str(len(answer.body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {answer.status} \r\n{head}\r\n".encode() + answer.body


@cache
def _app_instances(total: int, token: str | None) -> bytes:
    """A page of app instances, with a placeholder for region and account."""
    listed = page("AppInstances", range(total), token)
    items = [
        {"AppInstanceArn": f"arn:aws:chime:@HERE@:app-instance/{index:08}", "Name": f"tenant {index}", "Metadata": ""}
        for index in listed["AppInstances"]
    ]
    return truth({**listed, "AppInstances": items}).body


@cache
def _flows(shape: Shape, total: int, token: str | None) -> bytes:
    """A page of flows, with placeholders for app instance, region and account. Every fifth flow fails open."""
    listed = page("ChannelFlows", range(total), token)
    return truth({**listed, "ChannelFlows": [_flow(shape, index) for index in listed["ChannelFlows"]]}).body


def _flow(shape: Shape, index: int) -> dict[str, Any]:
    number, version = shape.function_of(index)
    function = f"arn:aws:lambda:@HERE@:function:{number}:v{version}"
    fallback = "ABORT" if index % 5 else "CONTINUE"
    return {
        "ChannelFlowArn": f"@APP@/channel-flow/{index:08}",
        "Name": f"moderation {index}",
        "Processors": [healthy.processor(Configuration=healthy.invoking(function), FallbackAction=fallback)],
    }
