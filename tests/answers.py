"""The requests and answers of a fake AWS, as they are on the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PAGE_SIZE = 50

_PATHS = {
    "/app-instances": "ListAppInstances",
    "/channel-flows": "ListChannelFlows",
    "/channels": "ListChannelsAssociatedWithChannelFlow",
    "/tags": "ListTagsForResource",
    "/findings/import": "BatchImportFindings",
}
_FLOW = "/channel-flows/"
_CHANNEL = "/channels/"
_ADMINS = re.compile(r"/app-instances/(?P<app_instance>[^/]+)/admins")
_FUNCTION = re.compile(r"/[0-9-]+/functions/(?P<function>[^/]+)/(?P<what>[a-z-]+)")
_OF_A_FUNCTION = {
    "configuration": "GetFunctionConfiguration",
    "policy": "GetPolicy",
    "url": "GetFunctionUrlConfig",
    "concurrency": "GetFunctionConcurrency",
    "event-invoke-config": "GetFunctionEventInvokeConfig",
}


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, as the server understands it."""

    service: str
    operation: str
    region: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    access_key: str = ""

    @classmethod
    def read(cls, url: str, headers: Mapping[str, str], body: bytes) -> Call:
        """Parse a request in any protocol of AWS; its signature gives service, region and access key.

        The names of the headers are in lower case.
        """
        access_key, _, region, service, *_ = headers["authorization"].partition("Credential=")[2].split("/")
        operation, parameters = _asked(url, headers, body)
        return cls(service=service, operation=operation, region=region, parameters=parameters, access_key=access_key)

    @property
    def app_instance_arn(self) -> str | None:
        return self.parameters.get("app-instance-arn")

    @property
    def token(self) -> str | None:
        return self.parameters.get("next-token") or self.parameters.get("NextToken")

    @property
    def account(self) -> str | None:
        """The account whose role signed the request; None for a user's own key."""
        return self.access_key[4:16] if self.access_key.startswith("ASIA") else None


def _asked(url: str, headers: Mapping[str, str], body: bytes) -> tuple[str, dict[str, str]]:
    """The operation and its parameters."""
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2], {name: str(value) for name, value in json.loads(body).items()}
    parts = urlsplit(url)
    if parts.path == "/":
        parameters = _by_name(body.decode())
        return parameters["Action"], parameters
    parameters = {**_by_name(parts.query), **({"body": body.decode()} if body else {})}
    if bearer := headers.get("x-amz-chime-bearer"):
        parameters["bearer"] = bearer
    if parts.path == "/channels" and "scope" not in parameters:
        return "ListChannels", parameters
    if admins := _ADMINS.fullmatch(parts.path):
        return "ListAppInstanceAdmins", {**parameters, "app-instance-arn": unquote(admins["app_instance"])}
    if parts.path.startswith(_CHANNEL):
        return "DescribeChannel", {**parameters, "channel": unquote(parts.path.removeprefix(_CHANNEL))}
    if (operation := _PATHS.get(parts.path)) is not None:
        return operation, parameters
    if parts.path.startswith(_FLOW):
        return "DescribeChannelFlow", {**parameters, "flow": unquote(parts.path.removeprefix(_FLOW))}
    path = _FUNCTION.fullmatch(parts.path)
    assert path, url
    return _OF_A_FUNCTION[path["what"]], {**parameters, "function": unquote(path["function"])}


def _by_name(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer. With `cut`, only so many bytes of the announced body are sent.

    `drips` is the number of seconds between the bytes, from the first line on.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    drips: float = 0.0


def error(status: int, code: str, message: str = "no") -> Answer:
    body = {"__type": code, "Code": code, "Message": message}  # the JSON protocol has the code in the body
    return Answer(status=status, body=json.dumps(body).encode(), headers={"x-amzn-ErrorType": code})


def refusal(status: int, code: str, message: str = "no") -> Answer:
    """An error of STS or IAM, as XML."""
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return Answer(status=status, body=body.encode(), headers={"Content-Type": "text/xml"})


def truth(body: Any) -> Answer:
    return Answer(body=json.dumps(body).encode())


def xml(operation: str, result: str) -> Answer:
    """An answer of STS or IAM, as XML."""
    body = f"<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"
    return Answer(body=body.encode(), headers={"Content-Type": "text/xml"})


def page(member: str, items: Sequence[Any], token: str | None, size: int = PAGE_SIZE) -> dict[str, Any]:
    """The page of items that a token names, with the token of the next page, if there is one."""
    start = int(token or 0)
    end = start + size
    return {member: list(items[start:end]), **({"NextToken": str(end)} if end < len(items) else {})}


def client_variables(url: str, access_key: str = "AKIAEXAMPLE") -> dict[str, str]:
    """The environment variables of a client."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": "secret-example-key",
    }
