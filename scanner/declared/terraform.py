"""The plan or state that ``terraform show -json`` prints, as a template.

What is only known after the apply is a reference, to the app instance of the plan if the configuration names it.

https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from scanner.declared.callers import speaks
from scanner.declared.plans import APP_INSTANCE, CHANNEL, CHANNEL_FLOW, Converted, Plan, reference
from scanner.declared.unread import ABOUT_FLOWS, Unread
from scanner.model.yamltree import Listing, Node, Scalar, Table

_TYPES = {
    "awscc_chime_channel_flow": CHANNEL_FLOW,
    "awscc_chime_app_instance": APP_INSTANCE,
    "awscc_chime_channel": CHANNEL,
}
_INVOCATION = "aws_lambda_invocation"
_INDEX = re.compile(r"\[[^\]]*\]")
_NOTHING = Table(line=1, column=1, entries={}, keys={})


def converted(root: Table) -> Converted | None:
    """The plan or state as a template; None if the file is none."""
    if "format_version" not in root.entries or not {"planned_values", "values"} & root.entries.keys():
        return None
    return _Reader(root).read()


class _Reader:
    def __init__(self, root: Table) -> None:
        self._root = root
        self._plan = Plan(place=root)
        planned = root.entries.get("planned_values", root.entries.get("values"))
        self._resources = [each for each in _resources(_table(planned, "root_module")) if _text(each, "mode") != "data"]
        self._addresses = {_text(each, "address"): _text(each, "type") for each in self._resources}
        self._unknown = {
            _text(change, "address"): _table(change, "change").entries.get("after_unknown")
            for change in _items(root, "resource_changes")
        }

    def read(self) -> Converted:
        for resource in self._resources:
            self._resource(resource)
        self._open()
        return self._plan.converted()

    def _resource(self, resource: Table) -> None:
        address, type_ = resource.entries.get("address"), _text(resource, "type")
        if not isinstance(address, Scalar):
            return
        module = address.text.removesuffix(_own(address.text))
        configured = _configured(self._root, address.text)
        values = self._settled(_table(resource, "values"), address, module, _table(configured, "expressions"))
        self._plan.covers.add(f"{type_}.{_text(resource, 'name')}")
        if type_ in _TYPES:
            self._plan.add(address, _TYPES[type_], values)
        elif type_ == _INVOCATION:
            self._plan.invocation(address, values.entries.get("input"), _both(values, configured))
        elif "channel_flow" in type_:
            self._plan.may_make(address)
        else:
            self._plan.other(address, _both(values, configured))

    def _settled(self, values: Table, address: Scalar, module: str, expressions: Table) -> Table:
        """The values of a resource, with a reference for each that is only known after the apply."""
        unknown = self._unknown.get(address.text)
        entries = dict(values.entries)
        for name, open_ in unknown.entries.items() if isinstance(unknown, Table) else ():
            refers = self._referred(module, expressions.entries.get(name))
            entries[name] = _filled(entries.get(name), open_, refers or f"{address.text}.{name}", address)
            if name == "app_instance_arn" and self._addresses.get(refers) == "awscc_chime_app_instance":
                entries[name] = reference(refers, address, "AppInstanceArn")
        return replace(values, entries=entries, keys=values.keys)

    def _referred(self, module: str, expression: Node | None) -> str:
        """The address of what an expression refers to, through variables of modules; "" if it is not one thing."""
        names = [each.text for each in _list(expression, "references") if isinstance(each, Scalar)]
        whole = [name for name in names if not any(other.startswith((f"{name}.", f"{name}[")) for other in names)]
        if len(whole) != 1:
            return ""
        name = whole[0]
        if name.startswith("var.") and module:
            parent, _, call = module.removesuffix(".").rpartition("module.")
            calls = _module(self._root, parent).entries.get("module_calls")
            given = _table(_table(calls, _INDEX.sub("", call)), "expressions")
            return self._referred(parent, given.entries.get(name.removeprefix("var.")))
        named = (f"{module}{other}" for other in names)
        return next((each for each in named if each in self._addresses), f"{module}{name}")

    def _open(self) -> None:
        """Name what the plan itself leaves out, if it has to do with channel flows."""
        deferred = self._root.entries.get("deferred_changes")
        if deferred is not None and speaks(deferred, ABOUT_FLOWS):
            self._plan.unread.append(Unread(place=deferred, what="what the plan puts off to a later one"))
        for name, bad in (("errored", True), ("complete", False)):
            flag = self._root.entries.get(name)
            if isinstance(flag, Scalar) and flag.value is bad and "deferred_changes" not in self._root.entries:
                configuration = self._root.entries.get("configuration", self._root)
                if speaks(configuration, ABOUT_FLOWS):
                    self._plan.unread.append(Unread(place=flag, what="what is not in the plan; it is not complete"))
                    return


def _resources(module: Table) -> Iterator[Table]:
    yield from _items(module, "resources")
    for child in _items(module, "child_modules"):
        yield from _resources(child)


def _configured(root: Table, address: str) -> Table:
    """The configuration of a resource."""
    own = _own(address)
    bare = _INDEX.sub("", own)
    found = _items(_module(root, address.removesuffix(own)), "resources")
    return next((each for each in found if _text(each, "address") == bare), _NOTHING)


def _module(root: Table, path: str) -> Table:
    """The configuration of a module, given as `module.a.module.b[0].`."""
    module = _table(root.entries.get("configuration"), "root_module")
    for name in re.findall(r"module\.([^.\[]+)", path):
        module = _table(_table(module.entries.get("module_calls"), name), "module")
    return module


def _own(address: str) -> str:
    """The part of an address that follows its modules."""
    match = re.match(r"(?:module\.[^.\[]+(?:\[(?:\"(?:[^\"\\]|\\.)*\"|[^\]]*)\])?\.)*", address)
    return address[match.end() :] if match else address


def _filled(value: Node | None, open_: Node, name: str, place: Node) -> Node:
    """A value with a reference for each part that is open, where the plan says true."""
    if isinstance(open_, Scalar):
        return reference(name, value or place) if open_.value is True else value or open_
    if isinstance(open_, Table):
        known = value if isinstance(value, Table) else replace(_NOTHING, line=place.line, column=place.column)
        parts = {key: _filled(known.entries.get(key), each, name, known) for key, each in open_.entries.items()}
        return replace(
            known, entries={**known.entries, **{k: v for k, v in parts.items() if v is not open_.entries[k]}}
        )
    if isinstance(open_, Listing) and isinstance(value, Listing):
        pairs = zip(value.items, (*open_.items, *(None,) * len(value.items)), strict=False)
        return replace(
            value, items=tuple(each if other is None else _filled(each, other, name, each) for each, other in pairs)
        )
    return value if value is not None else open_


def _both(values: Table, configured: Table) -> Table:
    return replace(values, entries={**values.entries, "configuration": configured})


def _table(node: Node | None, name: str) -> Table:
    inner = node.entries.get(name) if isinstance(node, Table) else None
    return inner if isinstance(inner, Table) else _NOTHING


def _list(node: Node | None, name: str) -> tuple[Node, ...]:
    inner = node.entries.get(name) if isinstance(node, Table) else None
    return inner.items if isinstance(inner, Listing) else ()


def _items(node: Node | None, name: str) -> list[Table]:
    return [each for each in _list(node, name) if isinstance(each, Table)]


def _text(node: Table, name: str) -> str:
    inner = node.entries.get(name)
    return inner.text if isinstance(inner, Scalar) else ""
