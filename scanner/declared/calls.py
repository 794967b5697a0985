"""Finds calls that make or unmake channel flows in texts: code, commands, state machines and SDK calls of all kinds.

Permission to call is no call. Neither is an event pattern that waits for a call, nor the ARN of a flow.

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
"""An operation in quotes, as code compares it with the operation of an event."""
_SERVICE = re.compile(r"chime-?sdk-?messaging|messaging-chime", re.IGNORECASE)
_OPEN = r"(?:\$\{|\{\{|\{%|<)"
_OPEN_CALL = re.compile(
    rf"""(?:aws-sdk:chimesdkmessaging:{_OPEN}|\b(?:action|api)\b[\\"']*\s*[:=]\s*[\\"']*{_OPEN})""", re.IGNORECASE
)
"""A call whose operation only the deployment settles."""
_OPEN_SERVICE = re.compile(rf"aws-sdk:{_OPEN}")
_ENDPOINT, _PATH = re.compile(r"messaging-chime\b"), re.compile(r"\bchannel-flows?\b")
"""A call's address.

https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_CreateChannelFlow.html
"""
_NATIVE = re.compile(r"AWS::Chime::(?:ChannelFlow|AppInstance)\b")
_BY_TYPE = re.compile(
    r"cloud-?control|DesiredState|TemplateBody|(?:create|update|delete)[-_]?(?:resource|stack|change[-_]?set)",
    re.IGNORECASE,
)
"""Calls that make a resource of a given type: https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/"""
_CODE = frozenset({"ZipFile", "InlineCode"})
_NO_CALL = re.compile(
    r"(?!TypeName)\w*Name|Comment|Description|EventPattern|FilterCriteria|FilterPolicy|InputTransformer|PathPart|RouteKey|Sid|Tags"
)
"""Keys whose values are never run: names, and patterns of events."""


def call_in(node: Node) -> str | None:
    """The call in a value that may make or unmake flows or app instances, as it is written; None if there is none."""
    return call(said(node))


def call(lines: Iterable[str]) -> str | None:
    """The call in lines of text that may make or unmake flows or app instances; None if there is none."""
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
    """The lines of a value that may be run. Intrinsic functions in it should be resolved before."""
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
    """The text, with ${} for references, so that names of resources are not taken for calls."""
    return "".join(piece if isinstance(piece, str) else _hole(piece) for piece in text)


def _hole(hole: Hole) -> str:
    return f"${{{hole.name}}}" if " " in hole.name else "${}"


def speaks(node: Node, pattern: re.Pattern[str]) -> bool:
    """Whether a pattern is found in a text or key of a value, at any depth."""
    if isinstance(node, Scalar):
        return pattern.search(node.text) is not None
    keys = node.entries if isinstance(node, Table) else ()
    return any(map(pattern.search, keys)) or any(speaks(each, pattern) for each in parts(node))
