"""Spells the members of a request as the API does. Whoever writes a custom resource may spell them as they please.

A function's ARN may also stand by itself in a processor, as `LambdaArn`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec.structs import replace

from scanner.declared.requests import REQUIRED
from scanner.model.yamltree import Listing, Node, Scalar, Table

_WORD = re.compile("[A-Z]?[a-z0-9]+|[A-Z]+")


@lru_cache(maxsize=1024)
def _words(key: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(key))


_NAMES = {
    _words(name): name
    for name in (
        *("AppInstanceArn", "ChannelFlowArn", "Name", "Processors", "Tags"),
        *(*REQUIRED, "Lambda", "ResourceArn", "InvocationType"),
    )
}
_FLAT = frozenset(map(_words, ("LambdaArn", "LambdaFunctionArn", "FunctionArn", "ResourceArn", "Lambda")))


def spelled(node: Table) -> Table:
    """The request with its members spelled as the API does, and each function's ARN in its place."""
    request = _renamed(node)
    processors = request.entries.get("Processors")
    return request if processors is None else _with(request, "Processors", _processors(processors))


def _processors(node: Node) -> Node:
    """A list of processors, also inside functions such as Fn::If."""
    match node:
        case Listing():
            return replace(node, items=tuple(map(_processors, node.items)))
        case Table() if _is_call(node):
            return replace(node, entries={key: _processors(each) for key, each in node.entries.items()})
        case Table():
            return _processor(_renamed(node))
    return node


def _processor(node: Table) -> Table:
    inner = node.entries.get("Configuration")
    configuration = _renamed(inner) if isinstance(inner, Table) else replace(node, entries={}, keys={})
    called = configuration.entries.get("Lambda")
    if (arn := _flat(node) or _flat(configuration)) is not None:
        type_ = node.entries.get("InvocationType") or configuration.entries.get("InvocationType")
        own = {"ResourceArn": arn} if type_ is None else {"ResourceArn": arn, "InvocationType": type_}
        called = Table(line=arn.line, column=arn.column, entries=own, keys={})
    if not isinstance(called, Table) or (inner is not None and _is_call(inner)):
        return node
    return _with(node, "Configuration", _with(configuration, "Lambda", _renamed(called)))


def _flat(node: Table) -> Node | None:
    """The ARN of a function that stands by itself."""
    found = (each for key, each in node.entries.items() if _words(key) in _FLAT)
    return next((each for each in found if isinstance(each, Scalar) or _is_call(each)), None)


def _is_call(node: Node) -> bool:
    return isinstance(node, Table) and any(key == "Ref" or key.startswith("Fn::") for key in node.entries)


def _with(node: Table, name: str, member: Node) -> Table:
    return replace(node, entries={**node.entries, name: member})


def _renamed(node: Table) -> Table:
    """The mapping with each key that names a member spelled as the API does; of two for a member the first counts."""
    entries: dict[str, Node] = {}
    keys: dict[str, Scalar] = {}
    for key, each in node.entries.items():
        name = _NAMES.get(_words(key), key)
        if name not in entries:
            entries[name] = each
            keys |= {name: node.keys[key]} if key in node.keys else {}
    return replace(node, entries=entries, keys=keys)
