"""Whether the function behind a custom resource may make or unmake channel flows, according to its role's policies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property

from scanner.declared.documents import parts
from scanner.declared.resources import NOTHING, TemplateResource
from scanner.model.yamltree import Listing, Node, Scalar, Table

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
