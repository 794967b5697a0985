"""Reads the controls of one's own in chimeaudit.yaml: which rules support them, and what of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from scanner.config.schema import CONTROL_KEYS
from scanner.config.waivers import ConfigReading, members_of, placed
from scanner.language import checks, frameworks, rule
from scanner.language.frameworks import Supports
from scanner.language.rule import Rule
from scanner.model.phrases import one_of, quote
from scanner.model.yamltree import Mistakes, Node, Scalar, Table


class OwnControl(Struct, frozen=True, kw_only=True):
    """A control as chimeaudit.yaml describes it; `rules` are ids."""

    framework: str
    control: str
    supports: str | None
    rules: tuple[str, ...]


def names(node: Node | None) -> tuple[str, ...]:
    """The names of the frameworks in a configuration, which the rules it names may name, too."""
    return tuple(node.entries) if isinstance(node, Table) else ()


def read(node: Node | None, reading: ConfigReading) -> list[OwnControl]:
    """The controls under `frameworks` in a configuration."""
    return list(_controls(node, reading))


def added(rules: Mapping[str, Rule], own: Sequence[OwnControl]) -> dict[str, Rule]:
    """The rules by id, with the controls of one's own that they support."""
    named: dict[str, dict[str, list[str]]] = {}
    for each in own:
        for id_ in each.rules:
            named.setdefault(id_, {}).setdefault(each.framework, []).append(each.control)
    return {id_: rule.supporting(each, named.get(id_, {})) for id_, each in rules.items()}


def supports(own: Sequence[OwnControl]) -> Supports:
    """What of each control the rules support; what is written of a shipped framework's control replaces our words."""
    texts = {name: dict(controls) for name, controls in frameworks.supports().items()}
    for each in own:
        if each.supports is not None:
            texts.setdefault(each.framework, {})[each.control] = each.supports
    return texts


def _controls(node: Node | None, reading: ConfigReading) -> Iterator[OwnControl]:
    mistakes = reading.mistakes
    for name, members in members_of(node, "controls by framework", mistakes):
        if not frameworks.NAME.fullmatch(name.text):
            wanted = "lower-case words and numbers, joined by hyphens or full stops"
            mistakes.add(name, f"found {quote(name.text)}; expected {wanted}")
        for control, described in members_of(members, "what is known of each control", mistakes):
            own = _control(name.text, control, described, reading)
            if own is not None:
                yield own


def _control(framework: str, control: Scalar, node: Node, reading: ConfigReading) -> OwnControl | None:
    mistakes: Mistakes = reading.mistakes
    id_ = checks.text(control, mistakes, "a control")
    table = checks.table(node, f"a mapping with {one_of(CONTROL_KEYS)}", mistakes)
    if table is None or id_ is None:
        return None
    checks.keys(table, CONTROL_KEYS, (), "key of a control", mistakes)
    text = table.entries.get("supports")
    rules = placed(table.entries.get("rules"), "the id of a rule", mistakes)
    return OwnControl(
        framework=framework,
        control=id_,
        supports=None if text is None else checks.text(text, mistakes),
        rules=tuple(each for place, each in rules if reading.is_rule(place, each)),
    )
