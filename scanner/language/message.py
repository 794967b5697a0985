"""The message of a rule: text with placeholders.

``{lambda.arn}`` is a fact of what failed, ``{flow.name}`` one of the channel flow that holds it,
``{app_instance.name}`` one of the app instance that is judged, and ``{param.prefix}`` the value of a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from msgspec import UNSET, Struct

from scanner.language.comparing import Context
from scanner.language.conditions import AllOf, Condition, Elements, Literals, Parameter, show
from scanner.language.vocabulary import (
    ROOTS,
    AppInstance,
    Resource,
    attributes,
    held_by,
    lookup,
    paths,
    read,
    written,
)
from scanner.model.facts import ChannelFlow, Processor
from scanner.model.phrases import nearest, quote, unknown
from scanner.model.yamltree import Node

_NOT_SHOWN = ("record", "list", "tags")
_PARAM = "param"
_FLOW = ROOTS["channel_flow"].name
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_BRACES = "expected the path of a field in braces, such as {name}, and {{ or }} for a brace itself"


@dataclass(frozen=True, kw_only=True, slots=True)
class Placeholder:
    """A fact to fill in: of the thing that failed, of the resource, or of the flow that holds it in an app instance."""

    path: str
    names: tuple[str, ...]
    of: Literal["thing", "resource", "flow"]


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
    return Message(pieces=tuple(_pieces(node, text, speakers, context)))


def _pieces(
    node: Node, text: str, speakers: Collection[type[Struct]] | None, context: Context
) -> Iterator[str | Placeholder | Parameter]:
    end = 0
    for match in _PIECE.finditer(text):
        yield text[end : match.start()]
        end = match.end()
        if match[1] is not None:
            yield _placeholder(node, match[1], speakers, context)
        elif match[0] in ("{{", "}}"):
            yield match[0][0]
        else:
            context.mistakes.add(node, f"found a brace that belongs to no placeholder; {_BRACES}")
    yield text[end:]


def _placeholder(
    node: Node, name: str, speakers: Collection[type[Struct]] | None, context: Context
) -> Placeholder | Parameter:
    start, _, rest = name.partition(".")
    if start == _PARAM:
        if rest not in context.params:
            context.mistakes.add(node, unknown("parameter", rest, context.params))
        return Parameter(name=rest)
    path, of, records = _meant(name, speakers, context)
    for record in records:
        fact = lookup(record, path)
        if fact is None or fact.kind in _NOT_SHOWN:
            context.mistakes.add(node, _no_placeholder(name, path, record, context))
        else:
            context.read(fact, path, record)
    return Placeholder(path=path, names=attributes(path), of=of)


def _meant(
    name: str, speakers: Collection[type[Struct]] | None, context: Context
) -> tuple[str, Literal["thing", "resource", "flow"], Collection[type[Struct]]]:
    """The path that a placeholder means, of what it is one, and the records that must have it."""
    root = context.root
    start, _, rest = name.partition(".")
    if start == root.name:
        return rest, "resource", (root.type,)
    if start == _FLOW and root.type is AppInstance and {ChannelFlow, Processor}.issuperset(speakers or ()):
        return rest, "flow", (ChannelFlow,)
    if speakers is None:
        speakers = [each for each in _records(root.type) if lookup(each, name)] or (root.type,)
    return name, "thing", speakers


def _no_placeholder(name: str, path: str, record: type[Struct], context: Context) -> str:
    root = context.root
    if not path.strip():
        return f"found the placeholder {{{name}}}; {_BRACES}"
    fields = {path: fact for path, fact in paths(record).items() if fact.kind not in _NOT_SHOWN}
    if (fact := lookup(record, path)) is not None:
        if fact.kind == "tags":
            return f"found the placeholder {{{name}}}, a set of tags; expected one tag, such as {{{name}.owner}}"
        inside = [each for each in fields if each.startswith(f"{path}.")]
        value = f"a value in it, such as {{{inside[0]}}}" if inside else "a field with a single value"
        return f"found the placeholder {{{name}}}, which is a {fact.kind}; expected {value}"
    if (param := name.removeprefix("params.")) in context.params:
        return f"found the placeholder {{{name}}}; expected {{{_PARAM}.{param}}} for the parameter"
    if lookup(record, re.split("[:!]", path)[0]) is not None:
        return f"found the placeholder {{{name}}} with a format; expected the path of a field alone"
    inner = path.removeprefix(f"{_FLOW}.")
    if record is root.type and any(lookup(each, inner) for each in _records(root.type) if each is not record):
        return f"found the placeholder {{{name}}}, where the {record.__name__} fails as a whole; expected a field of it"
    hint = f'; did you mean "{root.name}.{path}"?' if lookup(root.type, path) else nearest(path, fields)
    return f"unknown placeholder {quote(name)}; expected a field of {record.__name__}{hint}"


def _records(root: type[Struct]) -> list[type[Struct]]:
    """The records that a condition on a resource can be about: the resource and the elements of its lists."""
    found = dict.fromkeys([root])
    for fact in paths(root).values():
        if fact.kind == "list" and fact.record is not None:
            found |= dict.fromkeys(_records(fact.record))
    return list(found)


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
    match placeholder.of:
        case "resource":
            thing, prefix = root, ""
        case "flow":
            thing, prefix = held_by(root, prefix)
    value = read(thing, placeholder.names)
    if value is not UNSET:
        return show(value)
    text_in_file = written(root, prefix + placeholder.path)
    return "(unknown)" if text_in_file is None else text_in_file
