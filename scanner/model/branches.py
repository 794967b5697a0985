"""The cases of a declared resource: its facts depend on parameters and conditions that only the deployment settles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from msgspec import Struct

from scanner.model.facts import AppInstance, ChannelFlow, Role

Declared = TypeVar("Declared", bound=ChannelFlow | AppInstance | Role)
SET = ""
"""The name under which a case has its set of parameters."""


class Limit(Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a value: that it is `value` or, if that is None, that it is none of `others`."""

    value: str | None = None
    others: tuple[str, ...] = ()


Given = Mapping[str, Limit]
"""What is given in a case: by the name of a parameter, or as the file writes another value that is not settled."""


class Case(Struct, Generic[Declared], frozen=True, kw_only=True):
    """A case, and the resource in it; None: the resource is not made."""

    given: Given
    resource: Declared | None


Cases = tuple[Case[Declared], ...]
"""All cases of a resource that can occur."""


def first(resource: Declared | Cases[Declared]) -> Declared:
    """The resource itself, or what it is in the first case in which it is made."""
    if not isinstance(resource, tuple):
        return resource
    return next(case.resource for case in resource if case.resource is not None)
