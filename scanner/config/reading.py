"""What the parts of the configuration's loader share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scanner.language import checks
from scanner.language.rule import Rule
from scanner.model.phrases import unknown
from scanner.model.yamltree import Mistakes, Node, Scalar


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One file being read. Where the `rules` are not `complete`, an id that is not among them is no mistake."""

    rules: Mapping[str, Rule]
    complete: bool
    mistakes: Mistakes

    def is_rule(self, node: Node, id_: str) -> bool:
        """Whether a rule has that id; notes a mistake where it surely has none."""
        if self.complete and id_ not in self.rules:
            self.mistakes.add(node, unknown("rule", id_, self.rules))
        return id_ in self.rules


def members_of(node: Node | None, what: str, mistakes: Mistakes) -> list[tuple[Scalar, Node]]:
    """The keys and values of a mapping that may be left out."""
    table = None if node is None else checks.table(node, what, mistakes)
    return [] if table is None else [(table.keys[name], value) for name, value in table.entries.items()]


def placed(node: Node | None, what: str, mistakes: Mistakes) -> tuple[tuple[Node, str], ...]:
    """A text or a list of them, that may be left out; each with where it stands."""
    if node is None:
        return ()
    nodes = (node,) if isinstance(node, Scalar) else checks.items(node, what, mistakes)
    return tuple((each, text) for each in nodes if (text := checks.text(each, mistakes, what)) is not None)
