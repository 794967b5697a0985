"""Parses a YAML document into a tree in which every value has its line and column.

Only what a rule needs is accepted: one document of mappings, lists and scalars, without anchors, aliases and tags, of
limited size and depth. A subclass of `Builder` can accept more. `true` and `false` are the only booleans, digits are
integers, and `no`, `on` or `2026-01-01` are text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

import yaml
from msgspec import Struct

from scanner.errors import Mistake
from scanner.model import encoding
from scanner.model.phrases import quote

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?[0-9]{0,18}\.[0-9]{1,18}|[-+]?[0-9]{1,18}\.")
_NEWLINE = re.compile("\r\n?|\n")
_ENDS_NO_LINE = re.compile("[\x85\u2028\u2029]")
"""Characters that end a line in YAML, but not in editors."""
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_FOREIGN_COMMENT = re.compile(
    r"(?:(?:true|false|null|-?[0-9.]+)\s+)?(?://|/\*)(?=.*[\s\"])",
    re.DOTALL,  # `//` and `/*`, comments in dialects of JSON
)
_LACKS_SPACE = re.compile(r"(?<!:):(?!:)")
"""A colon without a space after it, as in ``{a:1}``, which YAML reads as the single word ``a:1``."""
# Characters that reviewers cannot see, or that make lines look different.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\r(?!\n)"
)


class Node(Struct, frozen=True, kw_only=True, gc=False):
    """A value in a file, with the line and column of its start, both from 1.

    Large files have millions, so they are made and freed without Python's help; a tree has no cycles.
    """

    line: int
    column: int


START = Node(line=1, column=1)


class Scalar(Node, frozen=True, kw_only=True, gc=False):
    """A single value. `text` is its text in the file; `plain`: it has no quotes."""

    value: str | int | float | bool | None
    text: str
    plain: bool


class Listing(Node, frozen=True, kw_only=True, gc=False):
    """A list."""

    items: tuple[Node, ...]


class Table(Node, frozen=True, kw_only=True, gc=False):
    """A mapping; `keys` has the node of each key."""

    entries: dict[str, Node]
    keys: dict[str, Scalar]


Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]


class Mistakes:
    """Collects the mistakes in one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Mistake] = []

    def add(self, node: Node, message: str) -> None:
        self.found.append(Mistake(file=self.file, line=node.line, column=node.column, message=message))


class UnreadableError(Exception):
    """The document cannot be parsed any further."""

    def __init__(self, node: Node, message: str) -> None:
        super().__init__(message)
        self.node = node
        self.message = message


def parse(data: bytes, mistakes: Mistakes, *, first: str = "id") -> Table | None:
    """Parse the mapping in a file; None and mistakes if it cannot be read.

    `first` is a key with which such files begin.
    """
    expected = f"a mapping that starts with {first}"
    try:
        root = document(_decoded(encoding.utf8(data)), Builder, mistakes, expected)
        if not isinstance(root, Table):
            raise UnreadableError(root, f"{found(root)}; expected {expected}")
    except UnreadableError as error:
        mistakes.add(error.node, error.message)
        return None
    return root


def document(text: str, builder: type[Builder], mistakes: Mistakes, expected: str) -> Node:
    """Parse the only document in a text with a builder.

    Raises:
        UnreadableError: the text is invalid, or does not hold exactly one document.
    """
    events = yaml.parse(text, Loader=yaml.CSafeLoader)
    if _ENDS_NO_LINE.search(text):
        events = _placed(events, text)
    building = builder(events, mistakes)
    root: Node | None = None
    try:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise UnreadableError(at(event), "found a second document; expected one a file")
                root = building.node(next(events), depth=0)
    except yaml.YAMLError as error:
        raise _no_yaml(error, builder.max_depth, expected) from None
    if root is None:
        raise UnreadableError(START, f"found an empty file; expected {expected}")
    return root


def _placed(events: Iterator[yaml.Event], text: str) -> Iterator[yaml.Event]:
    """The events, with lines counted as editors count them."""
    starts = [0, *(newline.end() for newline in _NEWLINE.finditer(text))]

    def mark(index: int) -> yaml.Mark:
        line = bisect_right(starts, index) - 1
        return yaml.Mark("", index, line, index - starts[line], None, 0)

    try:
        for event in events:
            event.start_mark = event.start_mark and mark(event.start_mark.index)
            yield event
    except yaml.MarkedYAMLError as error:
        error.problem_mark = error.problem_mark and mark(error.problem_mark.index)
        raise


def plain(node: Node) -> Plain:
    """The tree as plain Python values, without places."""
    match node:
        case Scalar():
            return node.value
        case Listing():
            return [plain(item) for item in node.items]
        case Table():
            return {key: plain(value) for key, value in node.entries.items()}
    raise TypeError(node)


def found(node: Node) -> str:
    """What a node is, for the "found ..." of a message."""
    match node:
        case Listing():
            return "found a list"
        case Table():
            return "found a mapping"
        case Scalar(value=str()):
            return f"found {quote(node.text)}"
        case Scalar(value=None):
            return "found nothing"
        case Scalar(value=bool()):
            return f"found {node.text}"
        case Scalar():
            return f"found the number {node.text}"
    raise TypeError(node)


def _decoded(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise UnreadableError(START, f"found more than {MAX_BYTES // 1024} KB; expected less")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", errors="replace")
        raise UnreadableError(
            place_after(before), "found bytes that are not UTF-8; expected text in UTF-8 or UTF-16"
        ) from None
    if hidden := _HIDDEN.search(text):
        message = f"found the invisible character U+{ord(hidden[0]):04X}; expected an escape in double quotes"
        raise UnreadableError(place_after(text[: hidden.start()]), f'{message}, such as "\\u{ord(hidden[0]):04x}"')
    return text


def place_after(before: str) -> Node:
    """The place in a text that follows its beginning `before`."""
    return Node(line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))


def _no_yaml(error: yaml.YAMLError, max_depth: int, expected: str) -> UnreadableError:
    """Where and why a document is no valid YAML."""
    problem, mark = getattr(error, "problem", None) or "the text is damaged", getattr(error, "problem_mark", None)
    place = Node(line=mark.line + 1, column=mark.column + 1) if mark else START
    if "nesting depth" in problem:  # PyYAML 6.0.4 reads ahead and fails at 1,000, before the builder counts
        return UnreadableError(place, _too_deep(max_depth))
    hint = " (YAML does not allow tabs in front of a key)" if "cannot start any token" in problem else ""
    return UnreadableError(place, f"found something that is not YAML: {problem}{hint}; expected {expected}")


def _too_deep(max_depth: int) -> str:
    return f"found more than {max_depth} levels of nesting; expected fewer"


def at(event: yaml.Event) -> Node:
    """The place at which an event starts."""
    mark = event.start_mark
    return START if mark is None else Node(line=mark.line + 1, column=mark.column + 1)


class Builder:
    """Turns events into nodes. It does not use yaml.compose, which recurses before the depth can be checked."""

    max_depth = MAX_DEPTH

    def __init__(self, events: Iterator[yaml.Event], mistakes: Mistakes) -> None:
        self._events = events
        self._in_flow = 0
        self.mistakes = mistakes

    def node(self, event: yaml.Event, depth: int) -> Node:
        """The node that begins with an event.

        Raises:
            UnreadableError: the document cannot be parsed any further, as it is too deep or too large.
        """
        place = at(event)
        if depth > self.max_depth:
            raise UnreadableError(place, _too_deep(self.max_depth))
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event.anchor or "", place)
        node = self._bare(event, place, depth)
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self.anchored(event.anchor, node)
        tag = getattr(event, "tag", None)
        return node if tag is None else self.tagged(str(tag), node)

    def alias(self, name: str, place: Node) -> Node:
        """The node that ``*name`` stands for.

        Raises:
            UnreadableError: aliases are not accepted, or this one is not.
        """
        raise UnreadableError(place, f"found the alias *{name}; expected the value itself")

    def anchored(self, name: str, node: Node) -> None:
        """Record a node with the anchor ``&name``."""
        self.mistakes.add(node, f"found the anchor &{name}; expected no anchors")

    def tagged(self, tag: str, node: Node) -> Node:
        """The node that ``!tag node`` stands for."""
        self.mistakes.add(node, f"found the tag {quote(tag)}; expected no tags")
        return node

    def _bare(self, event: yaml.Event, place: Node, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place)
        if not isinstance(event, yaml.CollectionStartEvent):
            raise UnreadableError(place, "found something that is not YAML; expected a value")
        flow = bool(event.flow_style)
        self._in_flow += flow
        mapping = isinstance(event, yaml.MappingStartEvent)
        inside = self._table(place, depth) if mapping else self._listing(place, depth)
        self._in_flow -= flow
        return inside

    def _scalar(self, event: yaml.ScalarEvent, place: Node) -> Scalar:
        """A scalar. In braces and brackets, a comment of JSON's dialects is refused: it would swallow the next key."""
        if self._in_flow and not event.style and _FOREIGN_COMMENT.match(event.value):
            raise UnreadableError(place, f"found {quote(event.value)}; expected # before a comment, or text in quotes")
        return _scalar(event, place)

    def _listing(self, place: Node, depth: int) -> Listing:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self.node(event, depth + 1))
        return Listing(line=place.line, column=place.column, items=tuple(items))

    def _table(self, place: Node, depth: int) -> Table:
        entries: dict[str, Node] = {}
        keys: dict[str, Scalar] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self.node(event, depth + 1)
            value = self.node(next(self._events), depth + 1)
            if not isinstance(key, Scalar):
                self.mistakes.add(key, f"{found(key)} as a key; expected a word")
            elif self._in_flow and _is_joined(key, value):
                raise UnreadableError(key, f"{found(key)} as a key without a value; expected a space after the colon")
            elif (earlier := keys.get(key.text)) is not None:
                self.mistakes.add(key, f"found {quote(key.text)} again, after line {earlier.line}; expected it once")
            else:
                entries[key.text], keys[key.text] = value, key
        return Table(line=place.line, column=place.column, entries=entries, keys=keys)


def _is_joined(key: Scalar, value: Node) -> bool:
    lacks_value = isinstance(value, Scalar) and value.plain and not value.text
    return lacks_value and key.plain and _LACKS_SPACE.search(key.text) is not None


def _scalar(event: yaml.ScalarEvent, place: Node) -> Scalar:
    plain_style = event.style in (None, "")
    value = _meaning(event.value) if plain_style else event.value
    return Scalar(line=place.line, column=place.column, value=value, text=event.value, plain=plain_style)


def _meaning(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
