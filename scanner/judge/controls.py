"""What a report says of the controls of frameworks: a sum over the rules that support each.

A control is satisfied only by what was seen. What hides a resource leaves every control open that a rule on such
resources supports. A gap in a fact needs no such care: it makes the rules unknown whose verdict depends on the fact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from scanner.language.frameworks import Supports, natural
from scanner.language.rule import Rule
from scanner.model.facts import Gap
from scanner.model.operations import FACETS
from scanner.model.report import Control, ControlStatus, ResourceType, RuleCounts
from scanner.outcome.observed_scope import is_of_fact

_OF_ROLES = frozenset(operation.name for operation in FACETS["chat_roles"])


def controls(
    rules: Iterable[Rule],
    counts: Mapping[str, RuleCounts],
    gaps: Collection[Gap],
    supports: Supports,
    left_out: Iterable[str] = (),
) -> tuple[Control, ...]:
    """The controls that these rules support, by framework and control.

    `rules` are those that were selected and `counts` has those that ran. `left_out` are the rules that were not applied
    to some resource, since no file can tell what they read.
    """
    supporting: dict[tuple[str, str], list[Rule]] = {}
    for rule in sorted(rules, key=lambda rule: rule.info.id):
        for framework, named in rule.info.frameworks.items():
            for control in dict.fromkeys(named):
                supporting.setdefault((framework, control), []).append(rule)
    applied = counts.keys() - set(left_out)
    hidden = {each for gap in gaps for each in _hidden_by(gap)}
    return tuple(
        _control(
            name,
            own,
            [counts[rule.info.id] for rule in own if rule.info.id in counts],
            supports.get(name[0], {}).get(name[1]),
            is_seen=all(_is_seen(rule, applied, hidden) for rule in own),
        )
        for name, own in sorted(supporting.items(), key=lambda item: (item[0][0], natural(item[0][1])))
    )


def _is_seen(rule: Rule, applied: Collection[str], hidden: Collection[ResourceType]) -> bool:
    """Whether a rule was applied to all that it is for, as far as anybody can know."""
    return rule.info.id in applied and rule.info.resource not in hidden


def _control(
    name: tuple[str, str], rules: Sequence[Rule], ran: Sequence[RuleCounts], supports: str | None, *, is_seen: bool
) -> Control:
    passed, failed, unknown, waived, not_applicable = (
        sum(getattr(each, name) for each in ran) for name in RuleCounts.__struct_fields__
    )
    status: ControlStatus = "not-determined"
    if failed or waived:
        status = "not-satisfied"
    elif passed and not unknown and is_seen:
        status = "satisfied"
    return Control(
        framework=name[0],
        control=name[1],
        supports=supports,
        rules=tuple(rule.info.id for rule in rules),
        passed=passed,
        failed=failed,
        unknown=unknown,
        waived=waived,
        not_applicable=not_applicable,
        status=status,
        accepted=bool(waived and not failed),
    )


def _hidden_by(gap: Gap) -> frozenset[ResourceType]:
    """The types of resources of which a gap, waived or not, may hide some."""
    if gap.operation in _OF_ROLES:
        return frozenset({"role"})
    return frozenset() if is_of_fact(gap) else frozenset({"channel_flow", "app_instance", "role"})
