"""Parses a file's text, JSON or YAML, into a tree in which every value has its line and column.

The short forms of CloudFormation's intrinsic functions (``!Ref x``) become long forms (``{Ref: x}``).

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import yaml
from msgspec.structs import replace

from scanner.declared import jsontext
from scanner.model import encoding
from scanner.model.phrases import quote
from scanner.model.yamltree import (
    START,
    Builder,
    Listing,
    Mistakes,
    Node,
    Scalar,
    Table,
    UnreadableError,
    document,
    place_after,
)

MAX_BYTES = 10 << 20
"""Ten times as much as CloudFormation accepts."""
MAX_DEPTH = 64
MAX_NODES = 1_000_000
"""How many values all aliases of a document may stand for, nested aliases expanded."""
JSON_SUFFIXES = frozenset({".json", ".jsonc", ".json5", ".jsonl", ".ndjson"})
"""Suffixes of files that are never read as YAML, which takes a comment in dialects of JSON for a key."""
SUFFIXES = JSON_SUFFIXES | {".yaml", ".yml", ".template"}
"""Suffixes of files in a folder that are reported if they look like a template or name flows but cannot be read."""
_EXPECTED = "JSON or YAML"
_NEARLY_JSON = re.compile(r"""\s*(?:[{\[]\s*(?:["{}\[\]]|//|/\*|$)|//|/\*)""")
"""The beginning of JSON and its dialects, unless it could also be YAML."""
_PLAN = re.compile(r'\s*\{\s*"format_version"')
"""The beginning of a plan of Terraform, which holds all resources of a configuration several times."""
_OF_CHIME = re.compile(r"chime|channel_?flow|lambda_invocation|\\u", re.IGNORECASE)
"""What is found in all parts of a plan that matter here; an escape may hide it."""
_MERGE = "<<"
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "map", "null", "seq"))
_SHORT = {
    "Ref": "Ref",
    "Condition": "Condition",
    **{
        name: f"Fn::{name}"
        for name in (
            *("And", "Base64", "Cidr", "Contains", "Equals", "FindInMap", "ForEach", "GetAtt", "GetAZs", "If"),
            *("ImportValue", "Join", "Length", "Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform"),
        )
    },
}


def parse(data: bytes, mistakes: Mistakes, *, only_json: bool = False) -> Node | None:
    """Parse the document in a file; None and mistakes if it cannot be read.

    `only_json`: do not try YAML, in which text that is nearly JSON may mean something else.
    """
    before = len(mistakes.found)
    try:
        root = _document(_decoded(data), mistakes, only_json=only_json)
    except UnreadableError as error:
        mistakes.add(error.node, error.message)
    return None if len(mistakes.found) > before else root


def _decoded(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise UnreadableError(START, f"found more than {MAX_BYTES >> 20} MB; expected less")
    try:
        text = encoding.utf8(data).decode()
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", errors="replace")
        raise UnreadableError(place_after(before), "found bytes that are not UTF-8; expected text") from None
    if not text.strip():
        raise UnreadableError(START, f"found an empty file; expected {_EXPECTED}")
    return text


def _document(text: str, mistakes: Mistakes, *, only_json: bool) -> Node:
    if not only_json and not _NEARLY_JSON.match(text):
        return document(text, _TemplateBuilder, mistakes, _EXPECTED)
    own = Mistakes(mistakes.file)
    try:
        root = jsontext.parse(text, own, MAX_DEPTH, _OF_CHIME if _PLAN.match(text) else None)
    except UnreadableError as error:
        if only_json or text.lstrip().startswith("/"):
            raise
        try:
            return document(text, _TemplateBuilder, mistakes, _EXPECTED)  # YAML may also begin with a brace
        except UnreadableError:
            raise error from None
    mistakes.found += own.found
    return root


class _TemplateBuilder(Builder):
    """A builder that also accepts anchors, aliases, merged mappings and short forms of intrinsic functions."""

    max_depth = MAX_DEPTH

    def __init__(self, events: Iterator[yaml.Event], mistakes: Mistakes) -> None:
        super().__init__(events, mistakes)
        self._anchors: dict[str, Node] = {}
        self._stood_for = 0
        self._measured: dict[int, tuple[Node, int, int]] = {}

    def alias(self, name: str, place: Node) -> Node:
        if name not in self._anchors:
            raise UnreadableError(place, f"found the alias *{name}; expected &{name} before it")
        node = self._anchors[name]
        size, height = self._measure(node)
        self._stood_for += size
        if self._stood_for > MAX_NODES or height > MAX_DEPTH:
            message = "found aliases that stand for too much; expected the values themselves"
            raise UnreadableError(place, message)
        return node

    def anchored(self, name: str, node: Node) -> None:
        self._anchors[name] = node

    def tagged(self, tag: str, node: Node) -> Node:
        name = _SHORT.get(tag.removeprefix("!"))
        if name is not None and tag.startswith("!"):
            return _call(name, node)
        if tag in _TEXT_TAGS and isinstance(node, Scalar):
            return replace(node, value=node.text)
        if tag in _PLAIN_TAGS:
            return node
        raise UnreadableError(node, f"found the tag {quote(tag)}; expected one of CloudFormation's, such as !Ref")

    def _bare(self, event: yaml.Event, place: Node, depth: int) -> Node:
        node = super()._bare(event, place, depth)
        return _merged(node) if isinstance(node, Table) and _MERGE in node.entries else node

    def _measure(self, node: Node) -> tuple[int, int]:
        """The number of values in a node, with aliases expanded, and their depth; each node is measured once."""
        if id(node) not in self._measured:
            inside = [self._measure(part) for part in parts(node)]
            size = 1 + sum(size for size, _ in inside)
            height = 1 + max((height for _, height in inside), default=0)
            self._measured[id(node)] = (node, size, height)  # keeps the node, so that no other node gets its id
        return self._measured[id(node)][1:]


def parts(node: Node) -> Iterable[Node]:
    """The values in a list or mapping; none for other nodes."""
    match node:
        case Table():
            return node.entries.values()
        case Listing():
            return node.items
    return ()


def _merged(table: Table) -> Table:
    """The mapping with the keys that ``<<`` adds to it: https://yaml.org/type/merge.html"""
    lent = table.entries[_MERGE]
    entries = {key: node for key, node in table.entries.items() if key != _MERGE}
    keys = {key: node for key, node in table.keys.items() if key != _MERGE}
    for lender in lent.items if isinstance(lent, Listing) else (lent,):
        if isinstance(lender, Table):
            entries = lender.entries | entries
            keys = lender.keys | keys
    return replace(table, entries=entries, keys=keys)


def _call(name: str, node: Node) -> Table:
    """The long form of an intrinsic function, at the place of its short form. ``!GetAtt a.b`` becomes a list of two."""
    argument = node
    if name == "Fn::GetAtt" and isinstance(node, Scalar):
        argument = Listing(
            line=node.line,
            column=node.column,
            items=tuple(replace(node, value=part, text=part) for part in node.text.split(".", 1)),
        )
    key = Scalar(line=node.line, column=node.column, value=name, text=name, plain=True)
    return Table(line=node.line, column=node.column, entries={name: argument}, keys={name: key})
