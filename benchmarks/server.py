"""A bare asyncio server that speaks as much of AWS as a scan asks for, of an organisation of a given shape.

moto proves that the collector is right; it answers a few hundred calls a second, and would be what is measured.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.connection import Connection
from typing import Any, cast
from urllib.parse import parse_qs, quote, unquote, urlsplit

import msgspec
from msgspec import Struct

from benchmarks.shape import PAGE, Shape

FIRST_ACCOUNT = 100_000_000_000
STATISTICS = "/statistics"
_KEY_PREFIX = "AKIA"


class Statistics(Struct, frozen=True):
    """The calls that were answered, by operation, besides those to STS; and how many were throttled."""

    calls: dict[str, int]
    throttled: int


def access_key(account_id: str) -> str:
    """The server knows an account by the access key that signs for it."""
    return f"{_KEY_PREFIX}{account_id}"


@contextmanager
def serving(shape: Shape) -> Iterator[str]:
    """A server in a process of its own; gives its URL."""
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


class _Call(Struct):
    """A request as the server understands it."""

    path: str
    parameters: dict[str, str]
    body: bytes
    account_id: str
    region: str
    service: str
    target: str

    @property
    def here(self) -> str:
        return f"{self.region}:{self.account_id}"


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
    """What there is, who asked for it, and how often each may."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._calls: Counter[str] = Counter()
        self._throttled = 0
        self._tokens: dict[tuple[str, str, str], tuple[float, float]] = {}

    def answer(self, url: str, headers: dict[str, str], body: bytes) -> bytes:
        """The whole answer to one request."""
        if url == STATISTICS:
            return _http(msgspec.json.encode(Statistics(dict(self._calls), self._throttled)))
        scope = headers["authorization"].partition("Credential=")[2].split("/")
        parts = urlsplit(url)
        query = parts.query or ("" if "x-amz-target" in headers else body.decode())
        call = _Call(
            path=parts.path,
            parameters={name: values[0] for name, values in parse_qs(query).items()},
            body=body,
            account_id=scope[0].removeprefix(_KEY_PREFIX),
            region=scope[2],
            service=scope[3],
            target=headers.get("x-amz-target", ""),
        )
        if not self._allows(call):
            self._throttled += 1
            return _http(
                b'{"Code":"ThrottledClientException"}', "429 Too Many\r\nx-amzn-ErrorType: ThrottledClientException"
            )
        operation, content = self._content(call)
        if call.service != "sts":
            self._calls[operation] += 1
        return _http(content)

    def _allows(self, call: _Call) -> bool:
        """A bucket that holds the calls of one second."""
        limit = self.shape.limit
        if limit is None or call.service == "sts":
            return True
        key, now = (call.account_id, call.region, call.service), time.monotonic()
        tokens, since = self._tokens.get(key, (limit, now))
        tokens = min(limit, tokens + (now - since) * limit)
        self._tokens[key] = (tokens - 1 if tokens >= 1 else tokens), now
        return tokens >= 1

    def _content(self, call: _Call) -> tuple[str, bytes]:
        match call.service:
            case "chime":
                return self._chime(call)
            case "lambda":
                return self._lambda(call)
            case "events":
                return self._events(call)
            case _:
                return self._query(call)

    def _chime(self, call: _Call) -> tuple[str, bytes]:
        start = int(call.parameters.get("next-token", 0))
        match call.path:
            case "/app-instances":
                listed = _app_instances(start, min(start + PAGE, self.shape.app_instances), self.shape.app_instances)
                return "ListAppInstances", listed.replace(b"@HERE@", call.here.encode())
            case "/channel-flows":
                arn = call.parameters["app-instance-arn"]
                flows = self.shape.flows_of(int(arn.rpartition("/")[2]))
                listed = _flows(self.shape, start, min(start + PAGE, flows), flows)
                return "ListChannelFlows", listed.replace(b"@APP@", arn.encode()).replace(b"@HERE@", call.here.encode())
            case "/tags":
                return "ListTagsForResource", b'{"Tags":[{"Key":"owner","Value":"chat"}]}'
            case "/channels":
                return "ListChannelsAssociatedWithChannelFlow", b'{"Channels":[{"Name":"general"}]}'
            case _:
                return "DescribeChannelFlow", b'{"ChannelFlow":{"CreatedTimestamp":1.7e9,"LastUpdatedTimestamp":1.7e9}}'

    def _lambda(self, call: _Call) -> tuple[str, bytes]:
        *_, arn, what = unquote(call.path).split("/")
        number = int(arn.split(":")[6])
        match what:
            case "configuration":
                return "GetFunctionConfiguration", _encoded(self._configuration(number, arn, call))
            case "policy":
                return "GetPolicy", _encoded({"Policy": json.dumps(_resource_policy(call.account_id))})
            case "concurrency":
                return "GetFunctionConcurrency", b"{}"
            case _:
                return (
                    "GetFunctionEventInvokeConfig",
                    b'{"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sqs"}}}',
                )

    def _configuration(self, number: int, arn: str, call: _Call) -> dict[str, Any]:
        queue = {"DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:{call.here}:failed"}}
        return {
            "FunctionArn": arn,
            "Runtime": "python3.13",
            "Role": f"arn:aws:iam::{call.account_id}:role/{number % self.shape.roles}",
            "Timeout": 10,
            "LastModified": "2026-01-01T00:00:00.000+0000",
            "State": "Active",
            "LastUpdateStatus": "Successful",
        } | (queue if self.shape.has_queue(number) else {})

    def _events(self, call: _Call) -> tuple[str, bytes]:
        if call.target.endswith("ListTargetsByRule"):
            return "ListTargetsByRule", b'{"Targets":[{"Id":"1","Arn":"arn:aws:sns:us-east-1:111122223333:alerts"}]}'
        start = int(json.loads(call.body).get("NextToken", 0))
        end = min(start + PAGE, self.shape.alerts)
        return "ListRules", _page(
            "Rules", [self._alert(call, index) for index in range(start, end)], end, self.shape.alerts
        )

    def _alert(self, call: _Call, index: int) -> dict[str, str]:
        source = "aws.chime" if self.shape.listens(index) else "aws.ec2"
        pattern = json.dumps({"source": [source], "detail": {"eventType": ["ProcessorInvocationFailure"]}})
        arn = f"arn:aws:events:{call.here}:rule/{index}"
        return {"Name": f"{index}", "Arn": arn, "State": "ENABLED", "EventPattern": pattern}

    def _query(self, call: _Call) -> tuple[str, bytes]:
        """STS and IAM, which speak XML."""
        action, account = call.parameters["Action"], call.account_id
        if action == "AssumeRole":
            account = call.parameters["RoleArn"].split(":")[4]
        role = call.parameters.get("RoleName", "0")
        arn = f"arn:aws:iam::{account}:policy"
        attached = "".join(
            f"<member><PolicyName>{each}</PolicyName><PolicyArn>{arn}/{each}</PolicyArn></member>"
            for each in self.shape.managed_of(int(role))
        )
        result = _QUERY[action].format(account=account, role=role, arn=arn, attached=attached, document=_CALLBACK)
        return action, f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>".encode()


def _http(content: bytes, status: str = "200 OK") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        + content
    )


def _encoded(content: object) -> bytes:
    return json.dumps(content).encode()


def _page(member: str, items: list[Any], end: int, total: int) -> bytes:
    return _encoded({member: items} | ({"NextToken": str(end)} if end < total else {}))


@cache
def _app_instances(start: int, end: int, total: int) -> bytes:
    """A page; the placeholder stands for region and account."""
    items = [
        {
            "AppInstanceArn": f"arn:aws:chime:@HERE@:app-instance/{index:08}",
            "Name": f"tenant {index}",
            "Metadata": "",
        }
        for index in range(start, end)
    ]
    return _page("AppInstances", items, end, total)


@cache
def _flows(shape: Shape, start: int, end: int, total: int) -> bytes:
    """A page; the placeholders stand for the app instance, and for region and account. One flow in five fails open."""
    return _page("ChannelFlows", [_flow(shape, index) for index in range(start, end)], end, total)


def _flow(shape: Shape, index: int) -> dict[str, Any]:
    number, version = shape.function_of(index)
    function = {"ResourceArn": f"arn:aws:lambda:@HERE@:function:{number}:v{version}", "InvocationType": "ASYNC"}
    processor = {
        "Name": "moderate",
        "Configuration": {"Lambda": function},
        "ExecutionOrder": 1,
        "FallbackAction": "ABORT" if index % 5 else "CONTINUE",
    }
    arn = f"@APP@/channel-flow/{index:08}"
    return {"ChannelFlowArn": arn, "Name": f"moderation {index}", "Processors": [processor]}


def _resource_policy(account_id: str) -> object:
    source = {"StringEquals": {"aws:SourceAccount": account_id}}
    principal = {"Service": "messaging.chime.amazonaws.com"}
    allow = {"Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [{**allow, "Condition": source}]}


_CALLBACK = quote(
    json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "chime:ChannelFlowCallback",
                    "Resource": "arn:aws:chime:*:*:app-instance/*/channel/*",
                }
            ],
        }
    )
)
_QUERY = {
    "AssumeRole": "<AssumedRoleUser><Arn>arn:aws:sts::{account}:assumed-role/chimeaudit/run</Arn></AssumedRoleUser>"
    f"<Credentials><AccessKeyId>{_KEY_PREFIX}{{account}}</AccessKeyId>"
    "<SecretAccessKey>s</SecretAccessKey>"
    "<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>",
    "GetCallerIdentity": "<Arn>arn:aws:iam::{account}:user/auditor</Arn><UserId>A</UserId><Account>{account}</Account>",
    "GetRole": "<Role><Path>/</Path><RoleName>{role}</RoleName><RoleId>AROAEXAMPLEEXAMPLE</RoleId>"
    "<Arn>arn:aws:iam::{account}:role/{role}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></Role>",
    "ListRolePolicies": "<PolicyNames><member>callback</member></PolicyNames><IsTruncated>false</IsTruncated>",
    "GetRolePolicy": "<RoleName>{role}</RoleName><PolicyName>callback</PolicyName>"
    "<PolicyDocument>{document}</PolicyDocument>",
    "ListAttachedRolePolicies": "<AttachedPolicies>{attached}</AttachedPolicies><IsTruncated>false</IsTruncated>",
    "GetPolicy": "<Policy><PolicyName>managed</PolicyName><DefaultVersionId>v1</DefaultVersionId></Policy>",
    "GetPolicyVersion": "<PolicyVersion><VersionId>v1</VersionId><Document>{document}</Document></PolicyVersion>",
}
