"""The message of a rule: text with placeholders.

``{lambda.arn}`` is a fact of what failed, ``{flow.name}`` one of the resource that holds it, and ``{param.prefix}`` the
value of a parameter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from string import Formatter

from msgspec import UNSET, Struct

from scanner.language.comparing import Context
from scanner.language.conditions import AllOf, Condition, Elements, Literals, Parameter, show
from scanner.language.vocabulary import Resource, attributes, lookup, paths, read, written
from scanner.model.phrases import nearest, quote, unknown
from scanner.model.yamltree import Node

_NOT_SHOWN = ("record", "list", "tags")
_PARAM = "param"
_BRACES = "expected the path of a field in braces, such as {name}, and {{ or }} for a brace itself"


@dataclass(frozen=True, kw_only=True, slots=True)
class Placeholder:
    """A fact to fill in: one of the resource if `root`, else of the thing that failed."""

    path: str
    names: tuple[str, ...]
    root: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A message, split into texts and placeholders."""

    pieces: tuple[str | Placeholder | Parameter, ...]

    def render(self, root: Resource, thing: object, prefix: str, params: Mapping[str, Literals]) -> str:
        """The message with facts and parameters filled in. `prefix` is the path from the resource to what failed."""
        words = []
        for piece in self.pieces:
            match piece:
                case str():
                    words.append(piece)
                case Parameter():
                    words.append(show(params[piece.name]))
                case Placeholder():
                    words.append(_filled(piece, root, thing, prefix))
        return "".join(words)


def parse(node: Node, text: str, require: Condition | None, context: Context) -> Message:
    """Parse a message. Each placeholder must be a field of every record that can fail under `require`.

    If the condition could not be read (None), it need only be a field of some record.
    """
    root = context.root
    speakers = None if require is None else _speakers(require, root.type)
    pieces: list[str | Placeholder | Parameter] = []
    try:
        for before, name, style, conversion in Formatter().parse(text):
            pieces.append(before)
            if name is None:
                continue
            if style or conversion:
                context.mistakes.add(node, f"found {quote(name)} with a format; expected the name alone")
            pieces.append(_placeholder(node, name, speakers, context))
    except ValueError as error:
        context.mistakes.add(node, f"found a brace that does not belong to a placeholder ({error}); {_BRACES}")
    return Message(pieces=tuple(pieces))


def _placeholder(
    node: Node, name: str, speakers: Collection[type[Struct]] | None, context: Context
) -> Placeholder | Parameter:
    start, _, rest = name.partition(".")
    root = context.root
    if start == _PARAM:
        if rest not in context.params:
            context.mistakes.add(node, unknown("parameter", rest, context.params))
        return Parameter(name=rest)
    from_root = start == root.name
    path, records = (rest, {root.type}) if from_root else (name, speakers)
    if records is None:
        records = [each for each in _records(root.type) if lookup(each, path)] or {root.type}
    for record in records:
        fact = lookup(record, path)
        if fact is None or fact.kind in _NOT_SHOWN:
            context.mistakes.add(node, _no_placeholder(name, path, record, context))
        else:
            context.read(fact, path, record)
    return Placeholder(path=path, names=attributes(path), root=from_root)


def _no_placeholder(name: str, path: str, record: type[Struct], context: Context) -> str:
    root = context.root
    if not path.strip():
        return f"found the placeholder {{{name}}}; {_BRACES}"
    fields = {path: fact for path, fact in paths(record).items() if fact.kind not in _NOT_SHOWN}
    if (fact := lookup(record, path)) is not None:
        inside = [each for each in fields if each.startswith(f"{path}.")]
        value = f"a value in it, such as {{{inside[0]}}}" if inside else "a field with a single value"
        return f"found the placeholder {{{name}}}, which is a {fact.kind}; expected {value}"
    if (param := name.removeprefix("params.")) in context.params:
        return f"found the placeholder {{{name}}}; expected {{{_PARAM}.{param}}} for the parameter"
    hint = f'; did you mean "{root.name}.{path}"?' if lookup(root.type, path) else nearest(path, fields)
    return f"unknown placeholder {quote(name)}; expected a field of {record.__name__}{hint}"


def _records(root: type[Struct]) -> list[type[Struct]]:
    """The records that a condition on a resource can be about: the resource and the elements of its lists."""
    listed = (fact.record for fact in paths(root).values() if fact.kind == "list" and fact.record is not None)
    return [root, *listed]


def _speakers(condition: Condition, record: type[Struct]) -> set[type[Struct]]:
    """The types of the records that can fail a condition: the record itself or elements of its lists."""
    match condition:
        case AllOf():
            return set().union(*(_speakers(part, record) for part in condition.parts))
        case Elements(quantifier="each"):
            fact = paths(record)[condition.path]
            return {record} if fact.record is None else _speakers(condition.body, fact.record)
    return {record}


def _filled(placeholder: Placeholder, root: Resource, thing: object, prefix: str) -> str:
    """The fact as text; for one that only the deployment settles, what the file has for it."""
    value = read(root if placeholder.root else thing, placeholder.names)
    if value is not UNSET:
        return show(value)
    text_in_file = written(root, placeholder.path if placeholder.root else prefix + placeholder.path)
    return "(unknown)" if text_in_file is None else text_in_file
