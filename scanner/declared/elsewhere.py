"""Values that the templates of one run hand to each other: exports, stored parameters, and those of nested stacks.

A value is known as far as the template that hands it on settles it, whatever its parameters are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from scanner.declared import parameters
from scanner.declared.candidates import Candidate
from scanner.declared.documents import parse
from scanner.declared.holes import Hole, Text, joined, known, same
from scanner.declared.kinds import kind
from scanner.declared.parameters import ParameterSet, Values
from scanner.declared.requests import Home
from scanner.declared.template_resources import TemplateResource, nested_template, resources
from scanner.declared.views import Source, View
from scanner.declared.worlds import World
from scanner.model import encoding
from scanner.model.yamltree import Listing, Mistakes, Node, Table

_HANDS_ON = re.compile(rb"""\bExport["']?\s*:|AWS::SSM::Parameter(?!::)|AWS::CloudFormation::Stack(?!Set)""")
_STORED = "AWS::SSM::Parameter"
_SAME_EVERYWHERE = ("AWS::Partition", "AWS::Region", "AWS::AccountId", "AWS::URLSuffix")
_NAMES_NO_TEMPLATE = "{{resolve:"


@dataclass(frozen=True, kw_only=True)
class _Other:
    """A template of the run, in which nothing is taken for granted that a deployment may settle."""

    root: Table
    file: str
    home: Home
    values: Values

    @cached_property
    def resources(self) -> Mapping[str, TemplateResource]:
        return resources(self.root)

    @cached_property
    def view(self) -> View:
        declared = parameters.declared(self.root)
        kinds: dict[str, str | None] = {}
        source = Source(
            root=self.root,
            file=self.file,
            home=self.home,
            resources=self.resources,
            kinds=kinds,
            mistakes=Mistakes(self.file),
        )
        view = View(source, World(parameters=declared, values=self.values, varied=frozenset(declared)))
        kinds |= {id_: kind(each, view.resolver) for id_, each in self.resources.items()}
        return view

    @property
    def outputs(self) -> Mapping[str, Node]:
        section = self.root.entries.get("Outputs")
        return section.entries if isinstance(section, Table) else {}

    def text(self, node: Node | None) -> Text | None:
        """The text of a value, for other templates: their holes have other names."""
        text = self.view.resolver.text(node)
        return None if text is None else joined([(self._renamed(piece),) for piece in text])

    def _renamed(self, piece: str | Hole) -> str | Hole:
        if isinstance(piece, str) or piece.name in _SAME_EVERYWHERE or piece.name.startswith(_NAMES_NO_TEMPLATE):
            return piece
        return piece if "#" in piece.name else replace(piece, name=f"{self.file}#{piece.name}")


class Elsewhere:
    """The templates of a run; they are only read if one asks for a value. `home` says where each is deployed."""

    def __init__(self, candidates: Sequence[Candidate], home: Callable[[Candidate], Home]) -> None:
        self._candidates = {each.name: each for each in candidates if not each.is_stdin}
        self._home = home
        self._asking: set[tuple[str, str]] = set()

    def imported(self, name: str, home: Home) -> Text:
        """The value of an export; a hole that says why it is not known."""
        own = [(other, node) for other, node in self._exports.get(name, ()) if _may_be_one(home, other.home)]
        return self._value(f"Fn::ImportValue {name}", "exported", own)

    def stored(self, name: str, home: Home, written: str) -> Text:
        """The value of a parameter of Systems Manager, to which `written` refers; a hole that says why it is open."""
        own = [(other, node) for other, node in self._stored.get(name, ()) if _may_be_one(home, other.home)]
        return self._value(written, "stored", own)

    def sets(self, file: str) -> tuple[ParameterSet, ...]:
        """The parameters with which other templates nest the one in a file, if any gives it some."""
        sets = tuple(self._uses.get(file, {}).values())
        return sets if any(each.places for each in sets) else ()

    def output(self, file: str, resource: TemplateResource, name: str) -> Text | None:
        """An output of a stack that a template nests; None if it is not known."""
        child = nested_template(resource, file)
        own = self._uses.get(child or "", {}).get(f"{file}#{resource.id}")
        root = None if child is None or own is None else self._root(child)
        if child is None or own is None or root is None or (child, name) in self._asking:
            return None
        home = self._home(self._candidates[child])
        nested = _Other(root=root, file=child, home=home, values=Values(fixed=own.values, texts=own.texts))
        self._asking.add((child, name))
        try:
            output = nested.outputs.get(name)
            return nested.text(output.entries.get("Value")) if isinstance(output, Table) else None
        finally:
            self._asking.discard((child, name))

    def _value(self, what: str, verb: str, found: Sequence[tuple[_Other, Node | None]]) -> Text:
        if len(found) == 1 and (what, verb) not in self._asking:
            other, node = found[0]
            self._asking.add((what, verb))
            try:
                text = other.text(node)
            finally:
                self._asking.discard((what, verb))
            if text is not None:
                return text
        by = " and ".join(sorted(other.file for other, _ in found)) or "no file that is checked"
        return (Hole(name=f"{what}, {verb} by {by}"),)

    @cached_property
    def _others(self) -> Sequence[_Other]:
        """The templates that may hand on values."""
        return [
            _Other(root=root, file=each.name, home=home, values=home.values)
            for each in self._candidates.values()
            if (root := self._root(each.name, only=_HANDS_ON)) is not None
            for home in (self._home(each),)
        ]

    def _root(self, file: str, only: re.Pattern[bytes] | None = None) -> Table | None:
        """The template in a file, if a pattern is found in it; None if it cannot be read, which is told elsewhere."""
        candidate = self._candidates.get(file)
        try:
            data = candidate.content() if candidate is not None and candidate.path.is_file() else b""
        except OSError:
            return None
        if candidate is None or b"Resources" not in data or (only is not None and only.search(data) is None):
            return None
        is_json = candidate.path.suffix.lower() == ".json"
        root = parse(encoding.utf8(data), Mistakes(file), only_json=is_json)
        return root if isinstance(root, Table) and isinstance(root.entries.get("Resources"), Table) else None

    @cached_property
    def _exports(self) -> Mapping[str, list[tuple[_Other, Node | None]]]:
        """The values that are exported, by name."""
        exports: dict[str, list[tuple[_Other, Node | None]]] = {}
        for other in self._others:
            for output in other.outputs.values():
                export = output.entries.get("Export") if isinstance(output, Table) else None
                node = export.entries.get("Name") if isinstance(export, Table) else None
                name = known(other.view.resolver.text(node) or (Hole(name="?"),))
                if name is not None and isinstance(output, Table):
                    exports.setdefault(name, []).append((other, output.entries.get("Value")))
        return exports

    @cached_property
    def _stored(self) -> Mapping[str, list[tuple[_Other, Node | None]]]:
        """The values that are stored in parameters of Systems Manager, by name; None where it may not be."""
        stored: dict[str, list[tuple[_Other, Node | None]]] = {}
        for other, resource in self._of_type(_STORED):
            own = resource.properties.entries
            name = known(other.view.resolver.text(own.get("Name")) or (Hole(name="?"),))
            if name is not None:
                is_made = other.view.made(resource) is True
                stored.setdefault(name, []).append((other, own.get("Value") if is_made else None))
        return stored

    @cached_property
    def _uses(self) -> Mapping[str, Mapping[str, ParameterSet]]:
        """The parameters of nested stacks, by the file of their template and the name of the set."""
        uses: dict[str, dict[str, ParameterSet]] = {}
        for other, resource in self._of_type("AWS::CloudFormation::Stack"):
            file = nested_template(resource, other.file)
            if file in self._candidates:
                own = _set(other, resource)
                uses.setdefault(file, {})[own.name] = own
        return uses

    def _of_type(self, type_: str) -> Iterator[tuple[_Other, TemplateResource]]:
        for other in self._others:
            for resource in other.resources.values():
                if resource.type == type_ and other.view.made(resource) is not False:
                    yield other, resource


def _set(other: _Other, resource: TemplateResource) -> ParameterSet:
    """The parameters that a template gives to a stack which it nests."""
    given = resource.properties.entries.get("Parameters")
    nodes = given.entries if isinstance(given, Table) else {}
    texts = {name: _passed(other, node, f"{other.file}#{resource.id}.{name}") for name, node in nodes.items()}
    values = {name: whole for name, text in texts.items() if (whole := known(text)) is not None}
    return ParameterSet(
        name=f"{other.file}#{resource.id}",
        values=values,
        file=other.file,
        places=nodes,
        texts={name: text for name, text in texts.items() if name not in values},
    )


def _passed(other: _Other, node: Node, name: str) -> Text:
    resolved = other.view.resolver.resolve(node)
    items = [other.text(each) for each in resolved.items] if isinstance(resolved, Listing) else [other.text(node)]
    texts = [text for text in items if text is not None]
    return joined(texts, (",",)) if len(texts) == len(items) else (Hole(name=name),)


def _may_be_one(home: Home, other: Home) -> bool:
    """Whether two templates may be deployed to the same account and region."""
    return same(home.account_id, other.account_id) is not False and same(home.region, other.region) is not False
