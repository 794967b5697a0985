"""Tells by its text whether something calls what makes or unmakes channel flows: code, commands, state machines and SDK
calls of every kind. Permission to call is none, nor is to watch for a call, nor to hold the ARN of a flow.

https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_Operations_Amazon_Chime_SDK_Messaging.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scanner.declared.documents import parts
from scanner.declared.holes import Hole, Pending, Text
from scanner.model.yamltree import Listing, Node, Scalar, Table

_NOT_A_NAME = r"(?![-_]?\w*(?:arn|name|policy|queue|role|topic|url)s?\b)"
_FLOW_CALL = re.compile(
    rf"(?<!chime:)(?:create|update|delete|disassociate|(?<!dis)associate)[-_ ]?channel[-_ ]?flow{_NOT_A_NAME}",
    re.IGNORECASE,
)
_APP_INSTANCE_CALL = re.compile(
    rf"(?<!chime:)(?:create|delete)[-_]?app[-_]?instance(?![-_]?(?:user|bot|admin|stream)){_NOT_A_NAME}", re.IGNORECASE
)
_EVENT_NAME = re.compile(r"""["'][A-Z][A-Za-z]+["']""")
"""An operation in quotes, as events name it that tell of a call."""
_SERVICE = re.compile(r"chime-?sdk-?messaging|messaging-chime", re.IGNORECASE)
_OPEN = r"(?:\$\{|\{\{|\{%|<)"
_OPEN_CALL = re.compile(
    rf"""(?:aws-sdk:chimesdkmessaging:{_OPEN}|\b(?:action|api)\b[\\"']*\s*[:=]\s*[\\"']*{_OPEN})""", re.IGNORECASE
)
"""A call of which only the deployment settles what it is."""
_OPEN_SERVICE = re.compile(rf"aws-sdk:{_OPEN}")
_ENDPOINT, _PATH = re.compile(r"messaging-chime\b"), re.compile(r"\bchannel-flows?\b")
"""The address of a call: https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_CreateChannelFlow.html"""
_NATIVE = re.compile(r"AWS::Chime::(?:ChannelFlow|AppInstance)\b")
_BY_TYPE = re.compile(
    r"cloud-?control|DesiredState|TemplateBody|(?:create|update|delete)[-_]?(?:resource|stack|change[-_]?set)",
    re.IGNORECASE,
)
"""Calls that make what they are given the type of: https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/"""
_CODE = frozenset({"ZipFile", "InlineCode"})
_NO_CALL = re.compile(
    r"(?!TypeName)\w*Name|Comment|Description|EventPattern|FilterCriteria|FilterPolicy|InputTransformer|PathPart|RouteKey|Sid|Tags"
)
"""Keys under which nothing is run: what things are called, and which events are waited for."""


def call_in(node: Node) -> str | None:
    """The call by which something may make or unmake flows, or app instances, as it is written."""
    return call(said(node))


def call(lines: Iterable[str]) -> str | None:
    """The same of text."""
    text = "\n".join(lines)
    if (found := _FLOW_CALL.search(text)) is not None:
        return found[0]
    if (found := _APP_INSTANCE_CALL.search(text)) is not None and "chime" in text.lower():
        return found[0]
    if (native := _NATIVE.search(text)) is not None and _BY_TYPE.search(text):
        return f"what makes or unmakes an {native[0]}"
    if _OPEN_SERVICE.search(text):
        return "an API that is only settled when it is deployed"
    if _SERVICE.search(text) is None:
        return None
    if (found := _OPEN_CALL.search(text)) is not None:
        return "the Chime SDK messaging API"
    at = _ENDPOINT.search(text)
    return "/channel-flows" if at and _PATH.search(text, at.end()) else None


def said(node: Node, key: str = "") -> Iterator[str]:
    """What may be run of it, line by line; what functions give should be worked out before."""
    match node:
        case Table():
            for name, each in node.entries.items():
                if not _NO_CALL.fullmatch(name):
                    yield f"{name}:"
                    yield from said(each, name)
        case Listing():
            for each in node.items:
                yield from said(each, key)
        case Scalar() | Pending():
            text = _text(node.text if isinstance(node, Pending) else (node.text,))
            if key in _CODE and _SERVICE.search(text) is None:
                text = _EVENT_NAME.sub("", text)
            yield f"{key}: {text}"


def _text(text: Text) -> str:
    """The text, without the names of what it refers to."""
    return "".join(piece if isinstance(piece, str) else _hole(piece) for piece in text)


def _hole(hole: Hole) -> str:
    return f"${{{hole.name}}}" if " " in hole.name else "${}"


def speaks(node: Node, pattern: re.Pattern[str]) -> bool:
    """Whether a text or a key in there has something in it."""
    if isinstance(node, Scalar):
        return pattern.search(node.text) is not None
    keys = node.entries if isinstance(node, Table) else ()
    return any(map(pattern.search, keys)) or any(speaks(each, pattern) for each in parts(node))
