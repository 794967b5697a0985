"""Parameters of rules, with which an organisation adjusts a rule without writing its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from scanner.language import checks
from scanner.language.conditions import Literals
from scanner.language.vocabulary import Fact
from scanner.model.phrases import unknown
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table, found

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
    """A declared parameter. `uses` are the facts with which its value, or each item of it, is compared.

    A `switch` may be empty, whatever it is compared with, and then turns the rule off. A `faulty` parameter has a
    mistake in its declaration, which was reported, so no value is checked against it.
    """

    name: str
    type: str
    default: Literals
    description: str
    uses: tuple[Fact, ...] = ()
    switch: bool = False
    faulty: bool = False

    @property
    def fact(self) -> Fact:
        return TYPES[self.type]

    def misfit(self, value: object) -> str | None:
        """What is expected instead of a value that this parameter cannot have; None if it can."""
        if self.faulty or (self.switch and value == ""):
            return None
        if self.type != "list":
            return next(filter(None, (checks.misfit(value, fact) for fact in (self.fact, *self.uses))), None)
        if not isinstance(value, tuple | list):
            return "a list"
        facts = self.uses or (Fact(kind="text"),)
        return next(filter(None, (checks.misfit(item, fact) for item in value for fact in facts)), None)


def read(node: Node, mistakes: Mistakes, switch: str = "") -> dict[str, Param]:
    """Read the `params` of a rule, by name; `switch` is the name of the one that turns the rule off if it is empty."""
    table = checks.table(node, "parameters by name", mistakes)
    if table is None:
        return {}
    return {
        name: _param(key, table.entries[name], name == switch, mistakes)
        or Param(name=name, type="", default="", description="", faulty=True)
        for name, key in table.keys.items()
    }


def setting(param: Param, node: Node, mistakes: Mistakes) -> Literals | None:
    """The node's value if the parameter can have it; else add a mistake and return None."""
    if param.type != "list":
        empty = param.switch and isinstance(node, Scalar) and node.value == ""
        return "" if empty else _fitting(node, (param.fact, *param.uses), mistakes)
    if not isinstance(node, Listing):
        mistakes.add(node, f"{found(node)}; expected a list")
        return None
    values = [_fitting(item, param.uses or (TYPES["string"],), mistakes) for item in node.items]
    return None if None in values else tuple(value for value in values if value is not None)


def named(declared: Mapping[str, Param], key: Scalar, node: Node, mistakes: Mistakes) -> Literals | None:
    """The node's value if the parameter named by `key` can have it; else add a mistake and return None."""
    if key.text not in declared:
        mistakes.add(key, unknown("parameter", key.text, declared))
        return None
    param = declared[key.text]
    return None if param.faulty else setting(param, node, mistakes)


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


def _fitting(node: Node, facts: Sequence[Fact], mistakes: Mistakes) -> str | int | bool | None:
    """The node's value if all the facts can have it; else add a mistake and return None."""
    value = node.value if isinstance(node, Scalar) else None
    wrong = (fact for fact in facts if checks.misfit(value, fact) is not None)
    return checks.literal(node, next(wrong, facts[0]), mistakes)
