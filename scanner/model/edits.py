"""An edit of a file, by which a finding goes away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from scanner.model.metadata import Spot


class Edit(Struct, frozen=True, kw_only=True, gc=False):
    """A value in a file that is to be replaced, on one line.

    `line`, `column` and `end_column` count characters from 1, and the value ends before `end_column`. `name` is the
    member as the file spells it; `old` and `new` are the text of its value, with quotes if it has any.
    """

    file: str
    line: int
    column: int
    end_column: int
    name: str
    old: str
    new: str

    @property
    def place(self) -> tuple[str, int, int]:
        return self.file, self.line, self.column


Member = Literal["fallback_action", "execution_order"]
"""The facts of a processor that an edit may change."""
Editable = Callable[[Spot, Member, str, str], Edit | str]
"""Gives the edit of a file that replaces a member's value at a place, or says why it is not to be edited.

Its arguments are the place, the member, the value that it has, and the one that it is to have.
"""
