"""The conditions of a template.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import UNSET

from scanner.declared.holes import Text
from scanner.declared.worlds import Split, World
from scanner.model.logic import Truth
from scanner.model.yamltree import Listing, Node, Scalar, Table

_FUNCTIONS = ("Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not", "Condition", "Fn::Contains")
Holds = Truth | Split
"""Whether a condition holds in a world; UNSET if it cannot be known, a split if the world leaves it open."""


class Conditions:
    """The conditions of one template in a world.

    `text` gives the text of a value. `refuse` is called with a condition that is nested too deeply to be decided.
    """

    def __init__(
        self,
        conditions: Mapping[str, Node],
        world: World,
        text: Callable[[Node], Text | None],
        refuse: Callable[[Node], None],
    ) -> None:
        self._conditions = conditions
        self._world = world
        self._text = text
        self._refuse = refuse
        self._decided: dict[str, Holds] = {}
        self._deciding: set[str] = set()

    def holds(self, name: str) -> Holds:
        """Whether a condition holds."""
        if name not in self._conditions or name in self._deciding:
            return UNSET
        if name not in self._decided:
            self._deciding.add(name)
            try:
                self._decided[name] = self._settle(self._conditions[name])
            finally:
                self._deciding.discard(name)
        return self._decided[name]

    def is_refused(self, rules: Mapping[str, Node]) -> bool:
        """Whether a rule of the template surely refuses the parameters of this world.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
        """
        try:
            return any(isinstance(rule, Table) and self._refuses(rule) for rule in rules.values())
        except Split:  # no value for the sake of a rule alone
            return False

    def _refuses(self, rule: Table) -> bool:
        condition, assertions = rule.entries.get("RuleCondition"), rule.entries.get("Assertions")
        if condition is not None and self._settle(condition) is not True:
            return False
        asserted = assertions.items if isinstance(assertions, Listing) else ()
        nodes = [each.entries.get("Assert") for each in asserted if isinstance(each, Table)]
        return any(node is not None and self._settle(node) is False for node in nodes)

    def _settle(self, condition: Node) -> Holds:
        try:
            return self._decide(condition)
        except RecursionError:
            self._refuse(condition)
            return UNSET

    def _decide(self, node: Node) -> Holds:
        name = next(iter(node.entries), "") if isinstance(node, Table) else ""
        if not isinstance(node, Table) or name not in _FUNCTIONS:
            return UNSET
        argument = node.entries[name]
        if name == "Condition":
            return self.holds(argument.text) if isinstance(argument, Scalar) else UNSET
        parts = argument.items if isinstance(argument, Listing) else ()
        match name:
            case "Fn::Equals" if len(parts) == 2:
                one, other = map(self._text, parts)
                return UNSET if one is None or other is None else self._world.equal(one, other)
            case "Fn::Contains" if len(parts) == 2 and isinstance(parts[0], Listing):
                one = self._text(parts[1])
                texts = [self._text(each) for each in parts[0].items]
                equal = (UNSET if one is None or each is None else self._world.equal(one, each) for each in texts)
                return _negated(_all(map(_negated, equal)))
            case "Fn::Not" if len(parts) == 1:
                return _negated(self._decide(parts[0]))
            case "Fn::And":
                return _all(map(self._decide, parts))
            case "Fn::Or":
                return _negated(_all(_negated(self._decide(part)) for part in parts))
        return UNSET


def _all(parts: Iterable[Holds]) -> Holds:
    """Whether all hold. What is open matters only if none is false."""
    open_: Holds = True
    for part in parts:
        if part is False:
            return False
        if part is not True and not isinstance(open_, Split):
            open_ = part
    return open_


def _negated(holds: Holds) -> Holds:
    return not holds if isinstance(holds, bool) else holds
