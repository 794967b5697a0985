"""Parameters of rules: what an organisation may set without writing a rule of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from scanner.engine import checks
from scanner.engine.conditions import Literals
from scanner.engine.facts import Fact
from scanner.source import Listing, Mistakes, Node, Scalar, Table, found
from scanner.words import unknown

TYPES: Final[Mapping[str, Fact]] = {
    "string": Fact(kind="text"),
    "integer": Fact(kind="integer"),
    "boolean": Fact(kind="boolean"),
    "duration": Fact(kind="duration"),
    "list": Fact(kind="list"),
}
KEYS = ("type", "default", "description")


@dataclass(frozen=True, kw_only=True, slots=True)
class Param:
    """A declared parameter. `uses` are the facts that its value, or each item of it, is compared with.

    A `switch` may be empty whatever it is compared with: the rule is off then.
    """

    name: str
    type: str
    default: Literals
    description: str
    uses: tuple[Fact, ...] = ()
    switch: bool = False

    @property
    def fact(self) -> Fact:
        return TYPES[self.type]

    def misfit(self, value: object) -> str | None:
        """What was expected, where `value` cannot be this parameter's."""
        if self.switch and value == "":
            return None
        if self.type != "list":
            return next(filter(None, (checks.misfit(value, fact) for fact in (self.fact, *self.uses))), None)
        if not isinstance(value, tuple | list):
            return "a list"
        facts = self.uses or (Fact(kind="text"),)
        return next(filter(None, (checks.misfit(item, fact) for item in value for fact in facts)), None)


def read(node: Node, mistakes: Mistakes, switch: str = "") -> dict[str, Param]:
    """The `params` of a rule, by name; `switch` is the one without which the rule is off."""
    table = checks.table(node, "parameters by name", mistakes)
    if table is None:
        return {}
    params = (_param(key, table.entries[name], name == switch, mistakes) for name, key in table.keys.items())
    return {param.name: param for param in params if param is not None}


def setting(param: Param, node: Node, mistakes: Mistakes) -> Literals | None:
    """The node as a value of the parameter."""
    value = _plain(node)
    expected = param.misfit(value)
    if expected is not None or value is None:
        mistakes.add(node, f"{found(node)} for {param.name} ({param.type}); expected {expected}")
        return None
    return value


def named(declared: Mapping[str, Param], name: str, node: Node, mistakes: Mistakes) -> Literals | None:
    """The node as a value of the parameter of that name."""
    if name not in declared:
        mistakes.add(node, unknown("parameter", name, declared))
        return None
    return setting(declared[name], node, mistakes)


def _param(key: Scalar, node: Node, switch: bool, mistakes: Mistakes) -> Param | None:
    if not checks.NAME.fullmatch(key.text):
        mistakes.add(key, f"{found(key)}; expected a name of lower-case letters, digits and underscores")
    table = checks.table(node, "{type: ..., default: ..., description: ...}", mistakes)
    if table is None:
        return None
    checks.keys(table, KEYS, KEYS, "parameter key", mistakes)
    if not set(KEYS) <= set(table.entries):
        return None
    return _declared(key.text, table, switch, mistakes)


def _declared(name: str, table: Table, switch: bool, mistakes: Mistakes) -> Param | None:
    kind = checks.word(table.entries["type"], TYPES, "parameter type", mistakes)
    description = checks.text(table.entries["description"], mistakes)
    if kind is None or description is None:
        return None
    param = Param(name=name, type=kind, default="", description=description, switch=switch)
    default = setting(param, table.entries["default"], mistakes)
    return None if default is None else replace(param, default=default)


def _plain(node: Node) -> Literals | None:
    if isinstance(node, Listing):
        values = [item.value if isinstance(item, Scalar) else None for item in node.items]
        # What is no text is kept, so that the check of the items refuses it.
        return tuple(value if isinstance(value, str | int) else -1 for value in values)
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str | int) else None
