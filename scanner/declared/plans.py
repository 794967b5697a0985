"""Plans of Terraform and Pulumi as templates: resources by addresses, and references for what a plan leaves open."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from scanner.declared import embedded
from scanner.declared.callers import call_in, speaks
from scanner.declared.requests import member
from scanner.declared.spelling import spelled
from scanner.declared.unread import ABOUT_FLOWS, Unread
from scanner.model.yamltree import Listing, Node, Scalar, Table

CHANNEL_FLOW, APP_INSTANCE, CHANNEL = (f"AWS::Chime::{name}" for name in ("ChannelFlow", "AppInstance", "Channel"))
_INVOKED = "Custom::Invocation"
_NATIVE = re.compile(f"{CHANNEL_FLOW}\\b")


class Converted(Struct, frozen=True, kw_only=True):
    """A file of another form as a template.

    - `root`: the template, with every value at its place in the file.
    - `unread`: parts of the file that may make or unmake flows in a form that is not supported.
    - `covers`: what other files of the run declare and this one settles (scanner.declared.unread.Unread).
    - `is_plan`: only what has to do with Chime is in the template.
    """

    root: Table
    unread: tuple[Unread, ...] = ()
    covers: frozenset[str] = frozenset()
    is_plan: bool = True


class Plan(Struct, kw_only=True):
    """Collects the resources of a plan; `place` is that of the plan."""

    place: Table
    resources: dict[str, Node] = {}
    keys: dict[str, Scalar] = {}
    unread: list[Unread] = []
    covers: set[str] = set()

    def add(self, address: Scalar, type_: str, properties: Table) -> None:
        """Add a resource; its address is its logical id."""
        known = {name: each for name, each in properties.entries.items() if not _is_null(each)}
        entries = {"Type": text(type_, address), "Properties": spelled(replace(properties, entries=known))}
        self.resources[address.text] = Table(line=address.line, column=address.column, entries=entries, keys={})
        self.keys[address.text] = address

    def invocation(self, address: Scalar, payload: Node | None, properties: Table) -> None:
        """Add what a function makes that is invoked with a request, or that it may make some."""
        value = None if payload is None else embedded.value(payload)
        found = [] if value is None else list(_requests(value))
        for number, request in enumerate(found):
            self.add(replace(address, text=f"{address.text}.{number}") if number else address, _INVOKED, request)
        if not found and (speaks(properties, ABOUT_FLOWS) or call_in(properties)):
            self.may_make(address)

    def other(self, address: Scalar, properties: Node) -> None:
        """Look at a resource of another type: whether it calls the API."""
        call = call_in(properties) or ("what makes a channel flow" if speaks(properties, _NATIVE) else None)
        if call is not None:
            what = f"the channel flows that {address.text} may make or unmake; it calls {call}"
            self.unread.append(Unread(place=address, what=what))

    def may_make(self, address: Scalar) -> None:
        what = f"the channel flows that {address.text} may make or unmake; it holds no request that is known here"
        self.unread.append(Unread(place=address, what=what))

    def converted(self) -> Converted:
        section = replace(self.place, entries=self.resources, keys=self.keys)
        root = replace(self.place, entries={"Resources": section}, keys={})
        return Converted(root=root, unread=tuple(self.unread), covers=frozenset(self.covers))


def _requests(node: Node) -> Iterator[Table]:
    """The requests for channel flows in a value, at any depth."""
    if isinstance(node, Table):
        request = spelled(node)
        if all(member(request, name) is not None for name in ("AppInstanceArn", "Processors")):
            yield request
            return
    for each in node.entries.values() if isinstance(node, Table) else node.items if isinstance(node, Listing) else ():
        yield from _requests(each)


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def text(value: str, place: Node) -> Scalar:
    """A text at a place."""
    return Scalar(line=place.line, column=place.column, value=value, text=value, plain=False)


def reference(name: str, place: Node, attribute: str = "") -> Table:
    """A reference to something that the plan does not settle, or to an attribute of a resource in it."""
    target: Node = text(name, place)
    if attribute:
        target = Listing(line=place.line, column=place.column, items=(target, text(attribute, place)))
    call = "Fn::GetAtt" if attribute else "Ref"
    return Table(line=place.line, column=place.column, entries={call: target}, keys={call: text(call, place)})
