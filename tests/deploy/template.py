"""Reads a CloudFormation template, and resolves enough of its functions to run its commands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"


class _Loader(yaml.SafeLoader):
    """A loader that turns ``!Ref x`` into ``{"Ref": "x"}``, and so on."""


def _short(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    assert isinstance(node, yaml.ScalarNode | yaml.SequenceNode), f"!{tag} of a mapping"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    else:
        value = loader.construct_sequence(node, deep=True)
    return {tag if tag == "Ref" else f"Fn::{tag}": value}


_Loader.add_multi_constructor("!", _short)

NO_VALUE = "AWS::NoValue"


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((DEPLOY / name).read_text(), _Loader)  # noqa: S506 - a safe loader with tags
    return loaded


def resolved(value: Any, names: Mapping[str, str], conditions: Mapping[str, bool]) -> Any:
    """The value with references replaced by `names`, such as ``Bucket`` or ``Key.Arn``."""
    match value:
        case {"Ref": name} | {"Fn::GetAtt": name}:
            return name if name == NO_VALUE else names[name]
        case {"Fn::Sub": text}:
            return re.sub(r"\$\{([\w:.]+)\}", lambda match: names[match[1]], text)
        case {"Fn::If": [condition, then, otherwise]}:
            return resolved(then if conditions[condition] else otherwise, names, conditions)
        case dict():
            values = {key: resolved(each, names, conditions) for key, each in value.items()}
            return {key: each for key, each in values.items() if each != NO_VALUE}
        case list():
            return [each for each in (resolved(each, names, conditions) for each in value) if each != NO_VALUE]
        case _:
            return value
