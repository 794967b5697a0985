"""What ``pulumi preview --json`` prints, as a template: the resources that will be there afterwards.

https://www.pulumi.com/docs/iac/cli/commands/pulumi_preview/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from scanner.declared.plans import APP_INSTANCE, CHANNEL, CHANNEL_FLOW, Converted, Plan, reference
from scanner.declared.sourcecode import PREVIEW
from scanner.model.yamltree import Listing, Node, Scalar, Table

_TYPES = {
    "aws-native:chime:ChannelFlow": CHANNEL_FLOW,
    "aws-native:chime:AppInstance": APP_INSTANCE,
    "aws-native:chime:Channel": CHANNEL,
}
_INVOCATION = "aws:lambda/invocation:Invocation"
_UNKNOWN = frozenset(
    {
        *("04da6b54-80e4-46f7-96ec-b56ff0331ba9", "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7"),
        *("3eeb2bf0-c639-47a8-9e75-3b44932eb421", "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"),
        *("030794c1-ac77-496b-92df-f27374a8bd58", "e48ece36-62e2-4504-bad9-02848725956a"),
        *("dd056dcd-154b-4c76-9bd3-c8f88648b5ff", "output<string>"),
    }
)
"""What stands for values that are not known yet: a text, a boolean, a number, a list, files, a mapping.

https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go
"""
_GONE = re.compile("delete|discard|remove-pending|read")
_FLOW = re.compile("channel-?_?flow", re.IGNORECASE)


def converted(root: Table) -> Converted | None:
    """The preview as a template; None if the file is none."""
    steps = root.entries.get("steps")
    if not isinstance(steps, Listing) or not {"changeSummary", "config"} & root.entries.keys():
        return None
    plan = Plan(place=root)
    states = list(_states(steps))
    types = {urn.text: type_.text for urn, type_, _ in states}
    for urn, type_, state in states:
        inputs = _table(state, "inputs")
        settled = _settled(inputs, _table(state, "propertyDependencies"), types)
        if type_.text in _TYPES:
            plan.add(urn, _TYPES[type_.text], settled)
            plan.covers.add(PREVIEW)
        elif type_.text == _INVOCATION:
            plan.invocation(urn, settled.entries.get("input"), inputs)
        elif _FLOW.search(type_.text):
            plan.may_make(urn)
        else:
            plan.other(urn, inputs)
    return plan.converted()


def _states(steps: Listing) -> Iterator[tuple[Scalar, Scalar, Table]]:
    """The URN, the type and the state of each resource that will be there, and is not only read."""
    for step in steps.items:
        match step:
            case Table(entries={"op": Scalar(text=op), "newState": Table() as state}) if not _GONE.match(op):
                urn, type_ = state.entries.get("urn"), state.entries.get("type")
                if isinstance(urn, Scalar) and isinstance(type_, Scalar):
                    yield urn, type_, state


def _settled(inputs: Table, dependencies: Table, types: dict[str, str]) -> Table:
    """The inputs, with a reference for each part that is not known yet."""
    entries = {}
    for name, value in inputs.entries.items():
        needs = dependencies.entries.get(name)
        urns = [each.text for each in needs.items if isinstance(each, Scalar)] if isinstance(needs, Listing) else []
        refers = urns[0] if len(urns) == 1 else ""
        entries[name] = _filled(value, refers or name)
        if name == "appInstanceArn" and _is_unknown(value) and _TYPES.get(types.get(refers, "")) == APP_INSTANCE:
            entries[name] = reference(refers, value, "AppInstanceArn")
    return replace(inputs, entries=entries)


def _filled(value: Node, name: str) -> Node:
    match value:
        case Table():
            return replace(value, entries={key: _filled(each, name) for key, each in value.entries.items()})
        case Listing():
            return replace(value, items=tuple(_filled(each, name) for each in value.items))
    return reference(name, value) if _is_unknown(value) else value


def _is_unknown(value: Node) -> bool:
    return isinstance(value, Scalar) and value.value in _UNKNOWN


def _table(node: Table, name: str) -> Table:
    inner = node.entries.get(name)
    return inner if isinstance(inner, Table) else Table(line=node.line, column=node.column, entries={}, keys={})
