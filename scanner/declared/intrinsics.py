"""Resolves CloudFormation's intrinsic functions as far as possible before deployment.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from msgspec import UNSET, UnsetType

from scanner.declared.holes import Hole, Pending, Text, joined, known, settled, split, text_of, written
from scanner.declared.template_resources import TemplateResource
from scanner.model.logic import Truth, all_of, any_of, negate
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table, plain

Attribute = Callable[[str, str], Text | None]
"""A function that gives the text of a resource's attribute by logical id and name ("" for Ref); None: not known."""

TRANSFORM, LOOP = "Fn::Transform", "Fn::ForEach::"
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")
_CONDITIONS = ("Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not", "Condition")
_MAX_TEXT = 1 << 16
"""The longest text that a function may yield, in characters; values that matter here are shorter."""


class Resolver:
    """Resolves values of one template.

    `pseudo` holds the pseudo parameters. `attribute` gives attributes of resources and should cache them. A chain of
    references that is too long is a mistake, and its value is not known.
    """

    def __init__(self, root: Table, pseudo: Mapping[str, Text], attribute: Attribute, mistakes: Mistakes) -> None:
        self._parameters = _section(root, "Parameters")
        self._mappings = _section(root, "Mappings")
        self._conditions = _section(root, "Conditions")
        self._pseudo = pseudo
        self._attribute = attribute
        self._mistakes = mistakes
        self._decided: dict[str, Truth] = {}
        self._deciding: set[str] = set()
        self._led_too_far = False
        self._functions: dict[str, Callable[[Node, Node], Node | None]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::FindInMap": self._find_in_map,
            "Fn::If": self._if,
        }

    def resolve(self, node: Node) -> Node | None:
        """The value with all functions in it resolved. AWS::NoValue becomes None, an unknown value becomes Pending.

        A value keeps its place; the result of a function is at the place of the function.
        """
        try:
            return self._resolved(node)
        except RecursionError:
            self._refuse(node)
            return Pending(line=node.line, column=node.column, text=(Hole(name=f"{node.line}:{node.column}"),))

    def _resolved(self, node: Node) -> Node | None:
        match node:
            case Table() if (name := function_name(node)) is not None:
                return self._functions.get(name, _unknown)(node, node.entries[name])
            case Table():
                entries = {
                    key: value for key, each in node.entries.items() if (value := self.resolve(each)) is not None
                }
                return replace(node, entries=entries)
            case Listing():
                return replace(
                    node, items=tuple(item for each in node.items if (item := self.resolve(each)) is not None)
                )
            case Scalar(value=str()):
                value = settled(node, (node.text,))
                return value if isinstance(value, Pending) else node
        return node

    def text(self, node: Node | None) -> Text | None:
        """The text to which a value resolves; None if it is not a text."""
        return None if node is None else text_of(self.resolve(node))

    def made(self, resource: TemplateResource) -> Truth:
        """Whether the deployment creates a resource; UNSET if its condition is not known."""
        return True if resource.condition is None else self.holds(resource.condition)

    def holds(self, name: str) -> Truth:
        """Whether a condition of the template holds; UNSET if it is not known."""
        if name not in self._conditions or name in self._deciding:
            return UNSET
        if name not in self._decided:
            self._deciding.add(name)
            self._decided[name] = self._settle(self._conditions[name])
            self._deciding.discard(name)
        return self._decided[name]

    def _settle(self, condition: Node) -> Truth:
        try:
            return self._decide(condition)
        except RecursionError:
            self._refuse(condition)
            return UNSET

    def _refuse(self, node: Node) -> None:
        """Report that a chain of references exceeds Python's recursion limit; only the first is reported."""
        if not self._led_too_far:
            self._mistakes.add(node, "found a chain of references that is too long to follow; expected a shorter one")
            self._led_too_far = True

    def _decide(self, node: Node) -> Truth:
        name = next(iter(node.entries), "") if isinstance(node, Table) else ""
        if not isinstance(node, Table) or name not in _CONDITIONS:
            return UNSET
        argument = node.entries[name]
        if name == "Condition":
            return self.holds(argument.text) if isinstance(argument, Scalar) else UNSET
        parts = _items(argument)
        match name:
            case "Fn::Equals" if len(parts) == 2:
                return _equal(*(self.text(part) for part in parts))
            case "Fn::Not" if len(parts) == 1:
                return negate(self._decide(parts[0]))
            case "Fn::And":
                return all_of([self._decide(part) for part in parts])
            case "Fn::Or":
                return any_of([self._decide(part) for part in parts])
        return UNSET

    def _ref(self, call: Node, argument: Node) -> Node | None:
        name = argument.text if isinstance(argument, Scalar) else ""
        if name == "AWS::NoValue":
            return None
        if name in self._pseudo:
            return settled(call, self._pseudo[name])
        if name in self._parameters:
            return self._parameter(call, name)
        text = self._attribute(name, "")
        return _unknown(call, argument) if text is None else settled(call, text)

    def _parameter(self, call: Node, name: str) -> Node:
        """A parameter's default, which the deployment may override; a hole without one, or for an SSM parameter."""
        declared = self._parameters[name]
        entries = declared.entries if isinstance(declared, Table) else {}
        kind, default = entries.get("Type"), entries.get("Default")
        kind_name = kind.text if isinstance(kind, Scalar) else ""
        if not isinstance(default, Scalar) or kind_name.startswith("AWS::SSM::"):
            return Pending(line=call.line, column=call.column, text=(Hole(name=name),))
        if kind_name == "CommaDelimitedList" or kind_name.startswith("List<"):
            items = tuple(settled(call, (item.strip(),)) for item in default.text.split(","))
            return Listing(line=call.line, column=call.column, items=items)
        return settled(call, (default.text,))

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
        if name in self._parameters:
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
        found: Node | None = Table(line=1, column=1, entries=dict(self._mappings), keys={})
        for part in _items(argument)[:3]:
            key = known(self.text(part) or (Hole(name="?"),))
            found = found.entries.get(key) if isinstance(found, Table) and key is not None else None
        if isinstance(found, Scalar):
            return settled(call, (found.text,))
        return self.resolve(found) if isinstance(found, Listing) else _unknown(call, argument)

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
    macros = (name for name in table.entries if name == TRANSFORM or name.startswith(LOOP))
    if (macro := next(macros, None)) is not None or len(table.entries) != 1:
        return macro
    (name,) = table.entries
    return name if name == "Ref" or name.startswith("Fn::") else None


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


def _equal(one: Text | None, other: Text | None) -> Truth:
    if one is None or other is None:
        return UNSET
    if one == other:
        return True
    return UNSET if known(one) is None or known(other) is None else known(one) == known(other)
