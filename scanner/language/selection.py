"""Selects the rules to apply: by id, or by profile, topic, severity and framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from scanner.errors import UsageError
from scanner.language.header import DEFAULT_PROFILE
from scanner.language.rule import Rule
from scanner.model.phrases import nearest, one_of, quote
from scanner.model.report import RuleInfo

_LISTED = 12
"""How many names a message lists; if there are more, it gives only the nearest."""


def select(rules: Sequence[Rule], selectors: Sequence[str]) -> tuple[Rule, ...]:
    """The rules that selectors select, in the order of `rules`.

    An id selects its rule, whatever the profile. `profile:` selects whole profiles; the default is `profile:default`.
    `topic:`, `severity:` and `framework:` narrow the profiles. A rule must fit every kind that is named, by any of its
    values: `topic:lambda` and `topic:access` together select both topics.

    Raises:
        UsageError: a selector names something unknown, or selects no rule in these profiles.
    """
    named: dict[str, list[str]] = {}
    for selector in selectors:
        kind, value = parse(rules, selector)
        named.setdefault(kind, []).append(value)
    ids = set(named.pop(_ID, ()))
    picked = ids if ids and not named else ids | _narrowed(rules, named)
    return tuple(rule for rule in rules if rule.info.id in picked)


def parse(rules: Sequence[Rule], selector: str) -> tuple[str, str]:
    """The kind and value of a selector; the kind of a bare id is `id`.

    Raises:
        UsageError: the kind is unknown, or no rule has the value.
    """
    kind, separator, value = selector.partition(":")
    if not separator:
        kind, value = _ID, selector
    elif kind not in _NARROWING and kind != _PROFILE:
        kinds = tuple(f"{name}:" for name in (*_NARROWING, _PROFILE))
        hint = f"Select by a rule's id, or by {one_of(kinds)}{nearest(f'{kind}:', kinds)}"
        raise UsageError(f"unknown selector {quote(selector)}", hint=hint)
    if value not in _values(rules, kind):
        what = "rule" if kind == _ID else kind
        raise UsageError(f"{quote(selector)} selects no rule; no {what} has that name", hint=_offer(rules, kind, value))
    return kind, value


def selectors(rules: Sequence[Rule]) -> tuple[str, ...]:
    """All valid selectors: the ids, then each other kind with its values."""
    narrowing = (f"{kind}:{value}" for kind in (*_NARROWING, _PROFILE) for value in _values(rules, kind))
    return (*_values(rules, _ID), *narrowing)


def _narrowed(rules: Sequence[Rule], named: Mapping[str, Sequence[str]]) -> set[str]:
    profiles = named.get(_PROFILE, (DEFAULT_PROFILE,))
    within = [rule for rule in rules if not set(profiles).isdisjoint(rule.info.profiles)]
    if not within:
        hint = f"Select {one_of(f'{_PROFILE}:{name}' for name in _values(rules, _PROFILE))}."
        raise UsageError(f"no rule belongs to {_profiles(profiles)}", hint=hint)
    kinds = [kind for kind in named if kind != _PROFILE]
    for kind in kinds:
        for value in named[kind]:
            if not any(value in _KINDS[kind](rule.info) for rule in within):
                raise _outside(rules, f"{kind}:{value}", profiles)
    picked = {
        rule.info.id
        for rule in within
        if all(not set(named[kind]).isdisjoint(_KINDS[kind](rule.info)) for kind in kinds)
    }
    if not picked:
        together = ",".join(f"{kind}:{value}" for kind in kinds for value in named[kind])
        message = f"{quote(together)} selects no rule of {_profiles(profiles)}"
        raise UsageError(message, hint="Each kind narrows the others; name fewer, or name rules by their ids.")
    return picked


def _outside(rules: Sequence[Rule], selector: str, profiles: Sequence[str]) -> UsageError:
    kind, _, value = selector.partition(":")
    elsewhere = sorted({name for rule in rules if value in _KINDS[kind](rule.info) for name in rule.info.profiles})
    hint = f"There are some in {_profiles(elsewhere)}: add profile:{elsewhere[0]}."
    return UsageError(f"{quote(selector)} selects no rule of {_profiles(profiles)}", hint=hint)


def _profiles(names: Sequence[str]) -> str:
    return f"the profile{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _offer(rules: Sequence[Rule], kind: str, value: str) -> str:
    """A hint on an unknown value: the same value of another kind, all values if they are few, the nearest one."""
    known = _values(rules, kind)
    if kind == _ID:
        others = [f"{other}:{value}" for other in (*_NARROWING, _PROFILE) if value in _values(rules, other)]
        if others:
            return f"Did you mean {one_of(map(quote, others))}?"
    listed = f"There is {one_of(known)}" if len(known) <= _LISTED else "`chimeaudit rules list` shows them all"
    return f"{listed}{nearest(value, known)}"


def _values(rules: Sequence[Rule], kind: str) -> tuple[str, ...]:
    return tuple(sorted({value for rule in rules for value in _KINDS[kind](rule.info)}))


_ID = "id"
_PROFILE = "profile"
_KINDS: Final[Mapping[str, Callable[[RuleInfo], tuple[str, ...]]]] = {
    _ID: lambda info: (info.id,),
    "topic": lambda info: (info.topic,),
    "severity": lambda info: (info.severity.value,),
    "framework": lambda info: tuple(info.frameworks),
    _PROFILE: lambda info: info.profiles,
}
_NARROWING: Final = tuple(kind for kind in _KINDS if kind not in (_ID, _PROFILE))
