"""Resolves CloudFormation's intrinsic functions as far as possible before deployment.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from operator import is_
from typing import Any, TypeVar

from msgspec import UnsetType
from msgspec.structs import replace

from scanner.declared.conditions import Conditions
from scanner.declared.holes import REFERENCE, Hole, Pending, Text, joined, known, settled, split, text_of, written
from scanner.declared.parameters import Parameter
from scanner.declared.template_resources import TemplateResource
from scanner.declared.worlds import Impossible, Split, World
from scanner.model.logic import Truth
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table, plain

Attribute = Callable[[str, str], Text | None]
"""A function that gives the text of a resource's attribute by logical id and name ("" for Ref); None: not known."""

TRANSFORM, LOOP = "Fn::Transform", "Fn::ForEach::"
_TOO_LONG = "found a chain of references that is too long to follow; expected a shorter one"
_STORED_TEXT = "AWS::SSM::Parameter::Value<String>"
_REFERENCE = re.compile(r"\{\{resolve:ssm:([^:{}]+)\}\}")
"""A reference to the latest version of a parameter of Systems Manager."""
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")
_MAX_TEXT = 1 << 16
"""The longest text that a function may yield, in characters; values that matter here are shorter."""


Got = TypeVar("Got")


class Resolver:
    """Resolves values of one template in a world (scanner.declared.worlds).

    `pseudo` holds the pseudo parameters. `attribute` gives attributes of resources. A chain of
    references that is too long is a mistake, and its value is not known. `by_default` has, by line and column of a
    value, the parameters on whose defaults it rests.

    Raises (every method):
        Split, Impossible: as the world does.
    """

    def __init__(
        self,
        root: Table,
        pseudo: Mapping[str, Text],
        attribute: Attribute,
        mistakes: Mistakes,
        world: World,
    ) -> None:
        self._mappings = _section(root, "Mappings")
        self._rules = _section(root, "Rules")
        self._conditions = Conditions(_section(root, "Conditions"), world, self._opened, self._refuse)
        self._pseudo = pseudo
        self._attribute = attribute
        self._mistakes = mistakes
        self._world = world
        self._is_opened = False
        self._defaults: set[str] = set()
        self._worked_out: dict[Hashable, tuple[Any, frozenset[str]]] = {}
        self.by_default: dict[tuple[int, int], frozenset[str]] = {}
        self._functions: dict[str, Callable[[Node, Node], Node | None]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::FindInMap": self._find_in_map,
            "Fn::If": self._if,
            "Fn::ImportValue": self._import_value,
        }

    def resolve(self, node: Node) -> Node | None:
        """The value with all functions in it resolved. AWS::NoValue becomes None, an unknown value becomes Pending.

        A value keeps its place; the result of a function is at the place of the function. Where nothing in a value is
        resolved, it is the same node.
        """
        if isinstance(node, Scalar) and REFERENCE not in node.text:
            return node
        try:
            return self._resolved(node)
        except RecursionError:
            self._refuse(node)
            return Pending(line=node.line, column=node.column, text=(Hole(name=f"{node.line}:{node.column}"),))

    def _resolved(self, node: Node) -> Node | None:
        match node:
            case Table() if (name := function_name(node)) is not None:
                called, argument = self._functions.get(name, _unknown), node.entries[name]
                result, defaults = self._noting(partial(called, node, argument))
                if defaults:
                    self.by_default[node.line, node.column] = defaults
                return self._looked_up(result)
            case Table():
                entries = {key: self.resolve(each) for key, each in node.entries.items()}
                return node if _is_same(entries.values(), node.entries.values()) else _with(node, entries)
            case Listing():
                items = [self.resolve(each) for each in node.items]
                return node if _is_same(items, node.items) else replace(node, items=tuple(filter(None, items)))
            case Scalar(value=str()):
                value = settled(node, (node.text,))
                return self._looked_up(value) if isinstance(value, Pending) else node
        return node

    def text(self, node: Node | None) -> Text | None:
        """The text to which a value resolves; None if it is not a text."""
        return None if node is None else text_of(self.resolve(node))

    def once(self, what: Hashable, get: Callable[[], Got]) -> Got:
        """What a function gives, which is worked out once; whatever asks for it rests on the same defaults."""
        if what not in self._worked_out:
            self._worked_out[what] = self._noting(get)
        got: Got
        got, defaults = self._worked_out[what]
        self._defaults |= defaults
        return got

    def _noting(self, get: Callable[[], Got]) -> tuple[Got, frozenset[str]]:
        """What a function gives, and the parameters on whose defaults it rests."""
        before, self._defaults = self._defaults, set()
        try:
            got = get()
            return got, frozenset(self._defaults)
        finally:
            self._defaults |= before

    def made(self, resource: TemplateResource) -> Truth:
        """Whether the deployment creates a resource; UNSET if its condition is not known."""
        return True if resource.condition is None else self.holds(resource.condition)

    @cached_property
    def is_refused(self) -> bool:
        """Whether the template surely refuses the parameters that are given."""
        return self._conditions.is_refused(self._rules)

    def holds(self, name: str) -> Truth:
        """Whether a condition of the template holds; UNSET if it is not known."""
        holds = self._conditions.holds(name)
        if isinstance(holds, Split):
            raise holds
        return holds

    def _opened(self, node: Node | None) -> Text | None:
        """The text of a value that decides on others: defaults, which a deployment may replace, are holes in it."""
        before, self._is_opened = self._is_opened, True
        try:
            return self.text(node)
        finally:
            self._is_opened = before

    def _refuse(self, node: Node) -> None:
        """Report that a chain of references exceeds Python's recursion limit; only the first is reported."""
        if not any(each.message == _TOO_LONG for each in self._mistakes.found):
            self._mistakes.add(node, _TOO_LONG)

    def _ref(self, call: Node, argument: Node) -> Node | None:
        name = argument.text if isinstance(argument, Scalar) else ""
        if name == "AWS::NoValue":
            return None
        if name in self._pseudo:
            return settled(call, self._pseudo[name])
        if name in self._world.parameters:
            return self._parameter(call, name)
        text = self._attribute(name, "")
        return _unknown(call, argument) if text is None else settled(call, text)

    def _parameter(self, call: Node, name: str) -> Node:
        """The value of a parameter; a hole if it is open."""
        declared = self._world.parameters[name]
        choices = self._world.choices(name)
        passed = self._world.passed(name)
        if passed is not None and not (choices and len(passed) == 1):
            return settled(call, passed)
        if declared.is_stored:
            return settled(call, self._stored(declared))
        value = self._value(name)
        if value is None:
            is_plain = bool(choices) and not any(set(":,/") & set(each) for each in choices)
            return Pending(line=call.line, column=call.column, text=(Hole(name=name, plain=is_plain),))
        if declared.is_list:
            items = tuple(settled(call, (item.strip(),)) for item in value.split(","))
            return Listing(line=call.line, column=call.column, items=items)
        return settled(call, (value,))

    def _value(self, name: str) -> str | None:
        """The value of a parameter that is given or, where it decides nothing, its default; None: it is open."""
        declared, world = self._world.parameters[name], self._world
        value = world.parameter(name)
        if value is not None or self._is_opened:
            return value
        world.force(name)
        if declared.default is None or not world.may_be(name, declared.default):
            return None
        self._defaults.add(name)
        return declared.default

    def _stored(self, declared: Parameter) -> Text:
        """The value of a parameter that names one of Systems Manager."""
        name, beyond = self._world.parameter(declared.name) or declared.default, self._world.beyond
        if beyond is None or name is None or declared.type != _STORED_TEXT:
            return (Hole(name=declared.name),)
        return beyond.stored(name, f"{declared.name} ({name})")

    def _looked_up(self, node: Node | None) -> Node | None:
        """The value, with what other templates store in place of references to it."""
        beyond = self._world.beyond
        if not isinstance(node, Pending) or beyond is None or not any(map(_reference, node.text)):
            return node
        found = [beyond.stored(name[1], name[0]) if (name := _reference(each)) else (each,) for each in node.text]
        return settled(node, joined(found))

    def _import_value(self, call: Node, argument: Node) -> Node:
        name, beyond = known(self.text(argument) or (Hole(name="?"),)), self._world.beyond
        if name is None or beyond is None:
            return _unknown(call, argument)
        return settled(call, beyond.imported(name))

    def _get_att(self, call: Node, argument: Node) -> Node:
        parts = [part.text if isinstance(part, Scalar) else "" for part in _items(argument)]
        if isinstance(argument, Scalar):
            parts = argument.text.split(".", 1)
        text = self._attribute(parts[0], ".".join(parts[1:])) if len(parts) > 1 else None
        if text is None:  # as Fn::Sub would write it
            return Pending(line=call.line, column=call.column, text=(Hole(name=".".join(parts)),))
        return settled(call, text)

    def _sub(self, call: Node, argument: Node) -> Node:
        parts = _items(argument) or (argument,)
        own = parts[1].entries if len(parts) == 2 and isinstance(parts[1], Table) else {}
        if not isinstance(parts[0], Scalar):
            return _unknown(call, argument)
        return _put_together(call, argument, self._substituted(parts[0].text, own))

    def _substituted(self, text: str, own: Mapping[str, Node]) -> Iterator[Text]:
        values: dict[str, Text] = {}
        end = 0
        for match in _PLACEHOLDER.finditer(text):
            yield (text[end : match.start()],)
            end = match.end()
            name = match[2].strip()
            if match[1]:
                yield (f"${{{match[2]}}}",)
            else:
                if name not in values:
                    values[name] = (self.text(own[name]) or (Hole(name=name),)) if name in own else self._named(name)
                yield values[name]
        yield (text[end:],)

    def _named(self, name: str) -> Text:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._world.parameters:
            return text_of(self._parameter(Node(line=1, column=1), name)) or (Hole(name=name),)
        id_, _, attribute = name.partition(".")
        text = self._attribute(id_, attribute)
        return (Hole(name=name),) if text is None else text

    def _join(self, call: Node, argument: Node) -> Node:
        parts = _items(argument)
        delimiter = text_of(parts[0]) if len(parts) == 2 else None
        listed = self.resolve(parts[1]) if len(parts) == 2 else None
        texts = [text_of(item) for item in listed.items] if isinstance(listed, Listing) else [None]
        if delimiter is None or any(text is None for text in texts):
            return _unknown(call, argument)
        return _put_together(call, argument, (text for text in texts if text is not None), delimiter)

    def _select(self, call: Node, argument: Node) -> Node | None:
        parts = _items(argument)
        index = known(self.text(parts[0]) or (Hole(name="?"),)) if len(parts) == 2 else None
        listed = self.resolve(parts[1]) if len(parts) == 2 else None
        if not isinstance(listed, Listing) or index is None or not index.isdecimal() or len(index) > 6:
            return _unknown(call, argument)
        return listed.items[int(index)] if int(index) < len(listed.items) else _unknown(call, argument)

    def _split(self, call: Node, argument: Node) -> Node:
        parts = _items(argument)
        delimiter = known(text_of(parts[0]) or ()) if len(parts) == 2 else None
        text = self.text(parts[1]) if len(parts) == 2 else None
        if not delimiter or text is None or any(isinstance(piece, Hole) and not piece.plain for piece in text):
            return _unknown(call, argument)
        fields = tuple(settled(call, field or ("",)) for field in split(text, delimiter))
        return Listing(line=call.line, column=call.column, items=fields)

    def _find_in_map(self, call: Node, argument: Node) -> Node | None:
        """A value in a map.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-findinmap-enhancements.html
        """
        parts = _items(argument)
        found: Node | None = Table(line=1, column=1, entries=dict(self._mappings), keys={})
        for part in parts[:3]:
            text = self._opened(part)
            found = self._entry(found, text) if isinstance(found, Table) and text is not None else None
            if text is None or (found is None and self._is_open(text)):
                return _unknown(call, argument)
        if isinstance(found, Scalar):
            return settled(call, (found.text,))
        if found is None and len(parts) > 3 and isinstance(parts[3], Table) and "DefaultValue" in parts[3].entries:
            return self.resolve(parts[3].entries["DefaultValue"])
        if found is None and self._world.given:
            raise Impossible
        return self.resolve(found) if isinstance(found, Listing) else _unknown(call, argument)

    def _is_open(self, key: Text) -> bool:
        return known(key) is None and self._world.given is None

    def _entry(self, table: Table, key: Text) -> Node | None:
        """The entry of a map under a key; None if it has none."""
        for name, entry in table.entries.items():
            equal = self._world.equal(key, (name,))
            if isinstance(equal, Split):
                raise equal
            if equal is True:
                return entry
        return None

    def _if(self, call: Node, argument: Node) -> Node | None:
        parts = _items(argument)
        if len(parts) != 3 or not isinstance(parts[0], Scalar):
            return _unknown(call, argument)
        truth = self.holds(parts[0].text)
        if isinstance(truth, UnsetType):
            yes, no = self.resolve(parts[1]), self.resolve(parts[2])
            alike = yes is not None and no is not None and text_of(yes) is not None and text_of(yes) == text_of(no)
            return yes if alike else replace(_unknown(call, argument), optional=yes is None or no is None)
        return self.resolve(parts[1] if truth else parts[2])


def function_name(table: Table) -> str | None:
    """The name of the function that a mapping calls; None if it calls none. A macro or loop may have keys beside it."""
    if len(table.entries) == 1:
        (name,) = table.entries
        return name if name == "Ref" or name.startswith("Fn::") else None
    return next((name for name in table.entries if name == TRANSFORM or name.startswith(LOOP)), None)


def _reference(piece: str | Hole) -> re.Match[str] | None:
    """The name in a reference to a parameter of Systems Manager, and the reference."""
    return _REFERENCE.fullmatch(piece.name) if isinstance(piece, Hole) else None


def _is_same(resolved: Iterable[Node | None], nodes: Iterable[Node]) -> bool:
    return all(map(is_, resolved, nodes))


def _with(node: Table, entries: Mapping[str, Node | None]) -> Table:
    """The mapping with these entries, but for those that have no value."""
    return replace(node, entries={key: each for key, each in entries.items() if each is not None})


def _put_together(call: Node, argument: Node, texts: Iterable[Text], delimiter: Text = ()) -> Node:
    """The texts joined into one; an unknown value if it is too long, since nested references can grow without limit."""
    kept: list[Text] = []
    left = _MAX_TEXT
    for text in texts:
        kept.append(text)
        left -= len(written(text)) + len(written(delimiter))
        if left < 0:
            return _unknown(call, argument)
    return settled(call, joined(kept, delimiter))


def _unknown(call: Node, argument: Node) -> Pending:
    """The result of a function that cannot be resolved: a hole that names the function and its argument."""
    name = function_name(call) if isinstance(call, Table) else None
    text = argument.text if isinstance(argument, Scalar) else json.dumps(plain(argument), ensure_ascii=False)
    hole = Hole(name=text if name == "Ref" else f"{name} {text}")
    return Pending(line=call.line, column=call.column, text=(hole,))


def _section(root: Table, name: str) -> Mapping[str, Node]:
    section = root.entries.get(name)
    return section.entries if isinstance(section, Table) else {}


def _items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Listing) else ()
