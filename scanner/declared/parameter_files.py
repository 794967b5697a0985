"""Reads files that give values to the parameters of templates.

- CloudFormation: https://docs.aws.amazon.com/cli/latest/reference/cloudformation/deploy/ (`--parameter-overrides`)
- CodePipeline: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html
- SAM: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
- a mapping of names to values
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from scanner.declared.documents import parse
from scanner.declared.parameters import ParameterSet
from scanner.model import encoding
from scanner.model.phrases import quote
from scanner.model.yamltree import START, Listing, Mistakes, Node, Scalar, Table, found

_NAME = re.compile(r"(?:[A-Za-z0-9-]+:)?([A-Za-z0-9]{1,255})", re.ASCII)
"""The name of a parameter, behind that of its stack as the CDK writes it."""
_EXPECTED = (
    "expected parameters: names with their values, a list of ParameterKey and ParameterValue or of NAME=VALUE, "
    "or a samconfig with parameter_overrides"
)
Placed = tuple[Node, str, str]
"""The place, the name and the value of a parameter."""


def read(path: Path, name: str, mistakes: Mistakes) -> tuple[ParameterSet, ...]:
    """The sets of parameters in a file: one for each environment of a samconfig, otherwise one.

    What cannot be read is a mistake, and so is a name with two values.
    """
    try:
        data = encoding.utf8(path.read_bytes())
    except OSError as error:
        mistakes.add(Node(line=0, column=0), f"cannot be read ({error.strerror}); expected a file with parameters")
        return ()
    if path.suffix.lower() == ".toml":
        root = _toml(data, mistakes)
    else:
        root = parse(data, mistakes, only_json=path.suffix.lower() == ".json")
    return () if root is None else sets(root, name, mistakes)


def sets(root: Node, name: str, mistakes: Mistakes) -> tuple[ParameterSet, ...]:
    """The sets of parameters in a parsed file or part of one; `name` is that of the file."""
    environments = list(_environments(root))
    if environments:
        return tuple(_set(f"{name}:{each}", _overrides(node, mistakes), mistakes) for each, node in environments)
    return (_set(name, _placed(root, mistakes), mistakes),)


def assigned(text: str) -> tuple[str, str] | None:
    """The name and the value in NAME=VALUE; None if it is not of that form."""
    name, sign, value = text.partition("=")
    named = _NAME.fullmatch(name)
    return (named[1], value) if named and sign else None


def _set(name: str, placed: Iterable[Placed], mistakes: Mistakes) -> ParameterSet:
    values: dict[str, str] = {}
    places: dict[str, Node] = {}
    for place, parameter, value in placed:
        if values.setdefault(parameter, value) != value:
            mistakes.add(place, f"found a second value for {parameter}; expected one")
        places.setdefault(parameter, place)
    return ParameterSet(name=name, values=values, file=mistakes.file, places=places)


def _placed(root: Node, mistakes: Mistakes) -> Iterator[Placed]:
    match root:
        case Table(entries={"Parameters": Table() as own}):
            yield from _mapped(own, mistakes)
        case Table():
            yield from _mapped(root, mistakes)
        case Listing():
            for item in root.items:
                yield from _item(item, mistakes)
        case _:
            mistakes.add(root, f"{found(root)}; {_EXPECTED}")


def _mapped(table: Table, mistakes: Mistakes) -> Iterator[Placed]:
    for key, value in table.entries.items():
        named = _NAME.fullmatch(key)
        if named is None:
            mistakes.add(table.keys[key], f"found {quote(key)}; {_EXPECTED}")
        elif (text := _value(value)) is not None:
            yield table.keys[key], named[1], text
        else:
            mistakes.add(value, f"{found(value)}; expected the value of {key}")


def _value(node: Node) -> str | None:
    match node:
        case Scalar(value=None):
            return None
        case Scalar():
            return node.text
        case Listing():
            texts = [each.text for each in node.items if isinstance(each, Scalar) and each.value is not None]
            return ",".join(texts) if len(texts) == len(node.items) else None
    return None


def _item(item: Node, mistakes: Mistakes) -> Iterator[Placed]:
    """The parameter in an item of a list; none if the item keeps the value that the stack has."""
    if isinstance(item, Scalar) and isinstance(item.value, str):
        yield from _in_words((item.text,), item, mistakes)
        return
    entries = item.entries if isinstance(item, Table) else {}
    name, value = entries.get("ParameterKey"), entries.get("ParameterValue")
    kept = entries.get("UsePreviousValue")
    named = _NAME.fullmatch(name.text) if isinstance(name, Scalar) else None
    text = None if value is None else _value(value)
    if named and text is not None:
        yield item, named[1], text
    elif not (named and isinstance(kept, Scalar) and kept.text.lower() == "true"):
        mistakes.add(item, f"{found(item)}; {_EXPECTED}")


def _in_words(words: Iterable[str], place: Node, mistakes: Mistakes) -> Iterator[Placed]:
    for word in words:
        short = re.fullmatch(r"ParameterKey=([^,]*),ParameterValue=(.*)", word, re.DOTALL)
        own = assigned(f"{short[1]}={short[2]}" if short else word)
        if own is None:
            mistakes.add(place, f"found {quote(word)}; expected NAME=VALUE")
        else:
            yield place, *own


def _environments(root: Node) -> Iterator[tuple[str, Node]]:
    """The environments of a samconfig that override parameters, each with its overrides.

    Those of the command `deploy` win over those of all commands.
    """
    for name, environment in root.entries.items() if isinstance(root, Table) else ():
        for command in ("deploy", "global"):
            node: Node | None = environment
            for key in (command, "parameters", "parameter_overrides"):
                node = node.entries.get(key) if isinstance(node, Table) else None
            if node is not None:
                yield name, node
                break


def _overrides(node: Node, mistakes: Mistakes) -> Iterator[Placed]:
    if not isinstance(node, Scalar):
        yield from _placed(node, mistakes)
        return
    try:
        words = shlex.split(node.text)
    except ValueError:
        mistakes.add(node, f"{found(node)}; expected NAME=VALUE, with quotes in pairs")
        return
    yield from _in_words(words, node, mistakes)


def _toml(data: bytes, mistakes: Mistakes) -> Node | None:
    try:
        return _node(tomllib.loads(data.decode()))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        mistakes.add(START, f"found something that is not TOML ({reason}); {_EXPECTED}")
        return None


def _node(value: Any) -> Node:
    """A value of TOML; its place is the top of the file, since TOML's parser tells none."""
    match value:
        case dict():
            keys = {key: Scalar(line=1, column=1, value=key, text=key, plain=True) for key in value}
            return Table(line=1, column=1, entries={key: _node(each) for key, each in value.items()}, keys=keys)
        case list():
            return Listing(line=1, column=1, items=tuple(map(_node, value)))
        case bool():
            return Scalar(line=1, column=1, value=value, text=str(value).lower(), plain=True)
        case int() | float() | str():
            return Scalar(line=1, column=1, value=value, text=str(value), plain=True)
    return Scalar(line=1, column=1, value=str(value), text=str(value), plain=True)
