"""The requests that a custom resource sends through the AWS SDK, as the CDK's AwsCustomResource does.

Its properties Create and Update hold a call each, as JSON text: service, action, parameters.

https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.custom_resources.AwsCustomResource.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from scanner.declared import embedded
from scanner.declared.requests import member
from scanner.declared.spelling import spelled
from scanner.model.yamltree import Node, Scalar, Table, plain

CALLS = ("Create", "Update")
_ACTIONS = {
    "createchannelflow": "ChannelFlow",
    "updatechannelflow": "ChannelFlow",
    "createappinstance": "AppInstance",
    "updateappinstance": "AppInstance",
}


def sent(properties: Table) -> Iterator[tuple[str, Table, Scalar]]:
    """The requests that make a flow or an app instance: what each makes, the request, and the key of its call.

    An update that does not say where its flow is takes that from the creation; one that leaves the flow as the
    creation makes it is not given.
    """
    first: tuple[str, Table, Scalar] | None = None
    for name in CALLS:
        node = properties.entries.get(name)
        call = None if node is None else embedded.value(node)
        action, parameters = member(call, "Action"), member(call, "Parameters")
        kind = _ACTIONS.get(_bare(action.text)) if isinstance(action, Scalar) else None
        if kind is None or not isinstance(parameters, Table):
            continue
        request, key = spelled(parameters), properties.keys[name]
        if first is None:
            first = kind, request, key
            yield first
        elif first[0] == kind and _differs(first[1], request):
            yield kind, _updated(first[1], request), key


def _bare(action: str) -> str:
    """The operation's name in lower case, without what a spelling adds to it, as in CreateChannelFlowCommand."""
    return re.sub(r"[-_ ]", "", action).lower().removesuffix("command")


def _differs(made: Table, updated: Table) -> bool:
    return any(
        name in updated.entries and plain(updated.entries[name]) != plain(made.entries.get(name, updated))
        for name in ("Processors", "Name")
    )


def _updated(made: Table, update: Table) -> Table:
    """The request as it stands after the update. A name that stays is left out, since no second flow has it."""
    entries: dict[str, Node] = {**made.entries, **update.entries}
    if plain(entries.get("Name", made)) == plain(made.entries.get("Name", made)):
        entries.pop("Name", None)
    return replace(update, entries=entries, keys=made.keys | update.keys)
