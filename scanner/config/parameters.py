"""Reads the values of parameters in chimeaudit.yaml: sets by pattern of the templates' names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scanner.config.waivers import members_of
from scanner.declared import parameter_files
from scanner.declared.given import Pattern
from scanner.declared.parameters import ParameterSet
from scanner.language import checks
from scanner.model.yamltree import Listing, Mistakes, Node, Table
from scanner.store import repository


def read(node: Node | None, folder: Path, mistakes: Mistakes) -> tuple[Pattern, ...]:
    """The sets of parameters under `parameters`; files are named from the folder."""
    members = members_of(node, "sets of parameters by pattern", mistakes)
    return tuple(Pattern(pattern=key.text, sets=tuple(_sets(each, folder, mistakes))) for key, each in members)


def _sets(node: Node, folder: Path, mistakes: Mistakes) -> Iterator[ParameterSet]:
    """The sets in files, or written out; these are called by their place."""
    what = "a file, or parameters by name"
    for each in checks.items(node, what, mistakes) if isinstance(node, Listing) else (node,):
        if isinstance(each, Table):
            yield from parameter_files.sets(each, f"{mistakes.file}:{each.line}", mistakes)
        elif (named := checks.text(each, mistakes, what)) is not None:
            own = Mistakes(repository.name(str(folder / named)))
            yield from parameter_files.read(folder / named, own.file, own)
            mistakes.found += own.found
