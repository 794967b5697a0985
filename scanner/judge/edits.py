"""Finds the edits of a file by which a finding goes away, and tries them out on the facts before they are offered.

Edited are fallback actions, and execution orders that have gaps but no repeats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import get_args

from msgspec import Struct, UnsetType, structs

from scanner.judge.evaluate import Evaluation
from scanner.language import vocabulary
from scanner.model.edits import Edit, Editable, Member
from scanner.model.facts import ChannelFlow, FallbackAction, Processor
from scanner.model.report import Evidence, Finding, fingerprint
from scanner.outcome.remediation import in_file

_FALLBACK = re.compile(r"processors\[([0-9]{1,9})\]\.fallback_action")
_ORDERS = "execution_order runs from 1"
_EDITED = frozenset(vocabulary.fields(Processor)[member] for member in get_args(Member))
_OPPOSITE: dict[str, FallbackAction] = {"ABORT": "CONTINUE", "CONTINUE": "ABORT"}


class _Change(Struct, frozen=True, gc=False):
    """A member of a processor, and the value that it is to have."""

    index: int
    member: Member
    old: str
    new: str

    @property
    def path(self) -> str:
        return f"processors[{self.index}].{self.member}"


def remedied(
    evaluation: Evaluation, flows: Sequence[ChannelFlow], failing: Sequence[ChannelFlow], one: Finding, by: Editable
) -> tuple[Finding, str | None]:
    """The finding, with its edits and a remediation that speaks of the file; and why it is not edited, if it might be.

    `flows` are all cases of a declared flow, and `failing` those in which the finding is so.
    """
    wanted = [(flow, change) for flow in failing for change in _changes(flow, one.evidence)]
    found = [_edit(flow, change, by) for flow, change in wanted]
    edits = tuple(dict.fromkeys(edit for edit in found if isinstance(edit, Edit)))
    why = next((each for each in found if isinstance(each, str)), None) or _objection(evaluation, flows, edits, one)
    if edits and why is None:
        return structs.replace(one, edits=edits, remediation=in_file(one, [_line(edit) for edit in edits])), None
    lines = [_by_hand(flow, change, why) for flow, change in wanted] if why else []
    return structs.replace(one, remediation=in_file(one, [*dict.fromkeys(lines)])), why


def _changes(flow: ChannelFlow, evidence: Sequence[Evidence]) -> Iterator[_Change]:
    """What would have to be changed in a flow; nothing if it is not of a kind that is edited."""
    processors = () if isinstance(flow.processors, UnsetType) else flow.processors
    for item in evidence:
        if match := _FALLBACK.fullmatch(item.path):
            index = int(match[1])
            action = processors[index].fallback_action if index < len(processors) else None
            if isinstance(action, str) and action == item.observed:
                yield _Change(index, "fallback_action", action, _OPPOSITE[action])
        elif item.path == "processors" and item.required.startswith(_ORDERS):
            yield from _numbered(processors)


def _numbered(processors: Sequence[Processor]) -> Iterator[_Change]:
    """The processors that have to be numbered anew, if no order is unknown or there twice."""
    orders = [each.execution_order for each in processors]
    known = [order for order in orders if isinstance(order, int)]
    if len(known) < len(orders) or len({*known}) < len(known):
        return
    place = {order: number for number, order in enumerate(sorted(known), 1)}
    for index, order in enumerate(known):
        if order != place[order]:
            yield _Change(index, "execution_order", str(order), str(place[order]))


def _edit(flow: ChannelFlow, change: _Change, by: Editable) -> Edit | str:
    declared = flow.declared
    spot = None if isinstance(declared, UnsetType) else declared.spots.get(change.path)
    if spot is None:
        return "the file does not say the value itself"
    return by(spot, change.member, change.old, change.new)


def _objection(evaluation: Evaluation, flows: Sequence[ChannelFlow], edits: Sequence[Edit], one: Finding) -> str | None:
    """Why edits are not to be made: they contradict each other or do not help, or another rule wants the opposite."""
    if len({edit.place for edit in edits}) < len(edits):
        return "in different branches it has to have different values"
    for flow in flows if edits else ():
        after = evaluation.failing(_edited(flow, edits), _EDITED)
        if against := sorted({rule for rule, _ in after - evaluation.failing(flow, _EDITED)} if after else ()):
            return f"{' and '.join(against)} would fail then"
        own = (fingerprint(rule, vocabulary.key(flow), part) for rule, part in after if rule == one.rule_id)
        if one.fingerprint in own:
            return "that alone does not help"
    return None


def _edited(flow: ChannelFlow, edits: Sequence[Edit]) -> ChannelFlow:
    """The flow as it is after the edits."""
    declared = flow.declared
    if isinstance(flow.processors, UnsetType) or isinstance(declared, UnsetType):
        return flow
    new = {(edit.line, edit.column): edit.new.strip("\"'") for edit in edits}
    processors = []
    for index, processor in enumerate(flow.processors):
        action, order = (
            new.get((spot.line, spot.column)) if (spot := declared.spots.get(f"processors[{index}].{name}")) else None
            for name in ("fallback_action", "execution_order")
        )
        if action is not None:
            processor = structs.replace(processor, fallback_action=action)  # noqa: PLW2901
        if order is not None:
            processor = structs.replace(processor, execution_order=int(order))  # noqa: PLW2901
        processors.append(processor)
    return structs.replace(flow, processors=tuple(processors))


def _line(edit: Edit) -> str:
    return f"line {edit.line}: {edit.name}: {edit.new}"


def _by_hand(flow: ChannelFlow, change: _Change, why: str | None) -> str:
    """What has to be changed, where it is not edited."""
    declared = flow.declared
    line = "" if isinstance(declared, UnsetType) else f"line {declared.spot(change.path).line}: "
    name = "".join(part.capitalize() for part in change.member.split("_"))
    return f"{line}{name} has to be {change.new}; not by --fix: {why}"
