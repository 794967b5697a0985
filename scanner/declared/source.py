"""The text of a file, and which of its values may be edited where they stand."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from pathlib import Path, PurePosixPath

from scanner.model.edits import Edit, Member
from scanner.model.metadata import Spot
from scanner.model.yamltree import Listing, Node, Scalar, Table

_GENERATED: dict[str, str] = {"cdk.out": "the CDK", ".aws-sam": "SAM", ".serverless": "the Serverless Framework"}
"""What makes the files in a folder of this name."""
_BY_CDK = re.compile(rb"aws:cdk:path|CDKMetadata")
_PLANS = {"format_version": "Terraform", "steps": "Pulumi"}
_ANSWERS = frozenset({"ChannelFlows", "ChannelFlow", "journal_version"})
_ELSEWHERE = frozenset({"Parameters", "Mappings", "Conditions", "Outputs", "Rules", "Metadata"})
"""Sections of a template, none of which holds a flow itself."""
_MARKS = ("&", "*", "!")
_MEMBERS = frozenset({"fallbackaction", "executionorder"})
Keys = tuple[str, ...]


class Source:
    """A file's text, as UTF-8, and its tree, in which nothing is worked out yet. `name` is its name in reports."""

    def __init__(self, path: Path, name: str, data: bytes, root: Node) -> None:
        self.path = path
        self._name = name
        self._data = data
        self._root = root

    @property
    def digest(self) -> bytes:
        """What the text is, whatever its encoding."""
        return hashlib.sha256(self._data).digest()

    @property
    def is_answer(self) -> bool:
        """Whether the file has AWS's answers, so that it says what is deployed."""
        return isinstance(self._root, Table) and not _ANSWERS.isdisjoint(self._root.entries)

    def edit(self, spot: Spot, member: Member, old: str, new: str) -> Edit | str:
        """The edit that replaces a member's value, or why it is not to be edited; see scanner.model.edits."""
        if self._made_by:
            return f"{self._made_by} made the file; change what it is made from"
        paths = self._paths.get((spot.line, spot.column), [])
        if len(paths) > 1:
            return "the value stands in several places, by an alias or a merge key"
        if not paths or _spelled(paths[0][-1]) != member.replace("_", "") or not _ELSEWHERE.isdisjoint(paths[0][:2]):
            return "its value comes from elsewhere in the file, or from another"
        if spot.line > len(self._lines):
            return "a line of the file ends in a way that is not edited"
        line = self._lines[spot.line - 1]
        found = re.compile(rf"([\"']?)0*{re.escape(old)}\1(?![\w.\"'-])").match(line, spot.column - 1)
        if found is None:
            marked = line[spot.column - 1 : spot.column] in _MARKS
            return "it has an anchor, alias or tag" if marked else "it is written in a way that is not edited"
        return Edit(
            file=self._name,
            line=spot.line,
            column=spot.column,
            end_column=found.end() + 1,
            name=paths[0][-1],
            old=found[0],
            new=f"{found[1]}{new}{found[1]}",
        )

    @cached_property
    def _lines(self) -> list[str]:
        """The lines; none if one ends with a lone carriage return, since not everything takes that for an end."""
        if re.search(rb"\r(?!\n)", self._data):
            return []
        return re.split("\r\n|\n", self._data.decode(errors="replace"))

    @cached_property
    def _made_by(self) -> str | None:
        folders = PurePosixPath(self._name).parts[:-1]
        if (by := next((_GENERATED[part] for part in folders if part in _GENERATED), None)) is not None:
            return by
        if _BY_CDK.search(self._data) or (self.path.parent / "cdk.out").is_file():
            return _GENERATED["cdk.out"]
        keys = self._root.entries if isinstance(self._root, Table) else {}
        return next((_PLANS[key] for key in keys if key in _PLANS), None)

    @cached_property
    def _paths(self) -> dict[tuple[int, int], list[Keys]]:
        """The keys that lead to each value that stands in a mapping, by line and column."""
        found: dict[tuple[int, int], list[Keys]] = {}
        waiting: list[tuple[Keys, Node]] = [((), self._root)]
        while waiting:
            path, node = waiting.pop()
            if isinstance(node, Table):
                waiting += (((*path, key), each) for key, each in node.entries.items() if not _is_other(key, each))
            elif isinstance(node, Listing):
                waiting += (((*path, ""), each) for each in node.items)
            elif isinstance(node, Scalar) and path and path[-1]:
                found.setdefault((node.line, node.column), []).append(path)
        return found


def _is_other(key: str, node: Node) -> bool:
    """Whether it is a value that is not edited."""
    return isinstance(node, Scalar) and _spelled(key) not in _MEMBERS


def _spelled(name: str) -> str:
    """A name as it is in all spellings: camel, Pascal, snake and kebab case."""
    return name.replace("-", "").replace("_", "").lower()
