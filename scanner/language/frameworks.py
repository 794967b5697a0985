"""The compliance frameworks whose controls rules name, and what of each control the rules support."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import cycle
from typing import Final

import msgspec
from msgspec import Struct

from scanner import resources

NAME: Final = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
"""The form of a framework's name."""

Supports = Mapping[str, Mapping[str, str]]
"""What of each control the rules support, by framework and control."""


class Framework(Struct, frozen=True):
    """A framework: its title, and by control what of it the rules support, in the project's own words."""

    title: str
    controls: dict[str, str]


@cache
def shipped() -> Mapping[str, Framework]:
    """The frameworks that the shipped rules name, by name; docs/frameworks.md is printed from them."""
    return msgspec.json.decode((resources.reports() / "frameworks.json").read_bytes(), type=dict[str, Framework])


def supports() -> Supports:
    """What of each control the shipped rules support."""
    return {name: framework.controls for name, framework in shipped().items()}


def natural(control: str) -> tuple[tuple[int, str], ...]:
    """A key that sorts A.8.3 before A.8.11: numbers by their length first."""
    text, *rest = re.split(r"0*([0-9]+)", control)
    return ((0, text), *((len(piece) if odd else 0, piece) for odd, piece in zip(cycle((True, False)), rest)))
