"""Finds calls that make or unmake channel flows in texts: code, commands, state machines and SDK calls of all kinds;
and functions whose roles may make them.

Permission to call is no call. Neither is an event pattern that waits for a call, nor the ARN of a flow.

https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_Operations_Amazon_Chime_SDK_Messaging.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property

from scanner.declared.documents import parts
from scanner.declared.holes import Hole, Pending, Text
from scanner.declared.template_resources import NOTHING, TemplateResource
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
    return call(runnable_lines(node))


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


def runnable_lines(node: Node, key: str = "") -> Iterator[str]:
    """The lines of a value that may be run. Intrinsic functions in it should be resolved before."""
    match node:
        case Table():
            for name, each in node.entries.items():
                if not _NO_CALL.fullmatch(name):
                    yield f"{name}:"
                    yield from runnable_lines(each, name)
        case Listing():
            for each in node.items:
                yield from runnable_lines(each, key)
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


_FUNCTIONS = ("AWS::Lambda::", "AWS::Serverless::Function")
_ROLE = "AWS::IAM::Role"
_POLICIES = frozenset({"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"})
_MAKING = tuple(f"chime:{verb}channelflow" for verb in ("create", "update", "delete", "associate", "disassociate"))
_IN_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)")


class Providers:
    """The functions of one template, and the policies around them."""

    def __init__(self, resources: Mapping[str, TemplateResource]) -> None:
        self._resources = resources

    def may_make_flows(self, provider: Node) -> bool:
        """Whether the function that a service token refers to may, or another to which it hands its events."""
        functions: set[str] = set()
        waiting = [provider]
        while waiting:
            for id_ in self._named(waiting.pop(), *_FUNCTIONS):
                if id_ not in functions:
                    functions.add(id_)
                    waiting.append(self._resources[id_].properties)
        return any(map(self._is_allowed, functions))

    def _is_allowed(self, function: str) -> bool:
        properties = self._resources[function].properties.entries
        roles = set(self._named(properties.get("Role", NOTHING), _ROLE))
        policies = [properties.get("Policies", NOTHING)]
        policies += (self._resources[role].properties for role in roles)
        policies += (self._resources[policy].properties for role in roles for policy in self._attached.get(role, ()))
        return any(map(_allows_flows, policies))

    @cached_property
    def _attached(self) -> Mapping[str, list[str]]:
        """The policies of each role, by logical ids: those that refer to the role, and those that it refers to."""
        attached: dict[str, list[str]] = {}
        for id_, resource in self._resources.items():
            if resource.type in _POLICIES:
                for role in self._named(resource.properties, _ROLE):
                    attached.setdefault(role, []).append(id_)
            elif resource.type == _ROLE:
                attached.setdefault(id_, []).extend(self._named(resource.properties, *_POLICIES))
        return attached

    def _named(self, node: Node, *types: str) -> Iterator[str]:
        named = (id_ for id_ in referred_to(node) if id_ in self._resources)
        return (id_ for id_ in named if self._resources[id_].type.startswith(types))


def referred_to(node: Node) -> Iterator[str]:
    """The logical ids that a value may refer to, at any depth."""
    if isinstance(node, Scalar):
        yield node.text.partition(".")[0]
        yield from _IN_PLACEHOLDER.findall(node.text)
    for each in parts(node):
        yield from referred_to(each)


def _allows_flows(node: Node) -> bool:
    """Whether a value holds a policy statement that allows actions of Chime that make or unmake flows."""
    if not isinstance(node, Table):
        return any(map(_allows_flows, parts(node)))
    effect, actions = node.entries.get("Effect"), node.entries.get("Action")
    if actions is None:
        return any(map(_allows_flows, parts(node)))
    listed = actions.items if isinstance(actions, Listing) else (actions,)
    patterns = [each.text.lower() for each in listed if isinstance(each, Scalar)]
    allows = not isinstance(effect, Scalar) or effect.text != "Deny"
    return allows and any(
        pattern.startswith("chime:") and fnmatchcase(action, pattern.replace("[", "[[]"))
        for pattern in patterns
        for action in _MAKING
    )
