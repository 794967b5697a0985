"""Reads what AWS answers of channel flows: list-channel-flows and describe-channel-flow, saved in a file."""

from __future__ import annotations

from scanner.declared.requests import REQUIRED, Facts, Home, channel_flow, member
from scanner.model.facts import AppInstance, ChannelFlow
from scanner.model.metadata import NOT_YET, Declaration, Spot, facets_of
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table


def owner_of(flows: list[ChannelFlow], name: str, place: Node) -> AppInstance | None:
    """The app instance to which all flows of a list belong, of which only the ARN is known; None if it is unclear."""
    owners = {flow.app_instance for flow in flows}
    owner = owners.pop() if len(owners) == 1 else None
    if owner is None or owner.arn is NOT_YET:
        return None
    return AppInstance(
        arn=owner.arn,
        id=owner.id,
        account_id=flows[0].account_id,
        region=flows[0].region,
        partition=flows[0].partition,
        declared=Declaration(
            file=name,
            id=owner.arn,
            spots={"": Spot(line=place.line, column=place.column)},
            written={"name": owner.arn},
            untold=frozenset({"name", *facets_of(AppInstance)}),
        ),
    )


def flow(described: Table, name: str, home: Home, mistakes: Mistakes) -> ChannelFlow:
    """The flow that AWS describes."""
    arn = described.entries.get("ChannelFlowArn")
    facts = Facts(file=name, id=arn.text if isinstance(arn, Scalar) else "", mistakes=mistakes)
    facts.untold.add("tags")
    _check_whole(described, mistakes)
    return channel_flow(described, facts, home)


def _check_whole(described: Table, mistakes: Mistakes) -> None:
    """Add mistakes for members that are missing from AWS's description of a flow: AWS gives them all."""
    processors = described.entries.get("Processors")
    if processors is None:
        mistakes.add(described, "found a channel flow without Processors; expected all that AWS answered")
    for processor in processors.items if isinstance(processors, Listing) else ():
        lacking = [name for name in REQUIRED if isinstance(processor, Table) and member(processor, name) is None]
        if lacking:
            message = f"found a processor without {' and '.join(lacking)}; expected all that AWS answered"
            mistakes.add(processor, message)
