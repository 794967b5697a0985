"""Says in words which of the cases of a declared resource are meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from scanner.model.branches import SET, Given, Limit
from scanner.model.phrases import one_of, quote

_MOST_CLAUSES, _MOST_VALUES = 3, 8
_MOST_COMPARED = 1 << 14
_SIMPLE = re.compile(r"[\w.:/@#+-]{1,80}", re.ASCII)


def cases_in_words(these: Sequence[Given], every: Sequence[Given]) -> str:
    """Some of all cases in words, as short as tells them from the others, such as `, if Stage is prod`."""
    others = [given for given in every if not any(given is each for each in these)]
    told = _without_what_tells_nothing(these, others)
    clauses = [_clause(each) for each in _joined(told)]
    if not all(clauses):  # one of them is whatever is given
        return ""
    shown = " or ".join(clauses[:_MOST_CLAUSES])
    more = len(clauses) - _MOST_CLAUSES
    return f", {shown}{f' or in {more} more cases' if more > 0 else ''}" if shown else ""


def _without_what_tells_nothing(these: Sequence[Given], others: Sequence[Given]) -> list[Given]:
    """The cases without what need not be said to tell them from the others. A set of parameters is always said."""
    told: list[Given] = [*these]
    if len(these) * len(others) > _MOST_COMPARED:
        return told
    for name in dict.fromkeys(name for given in these for name in given if name != SET):
        shorter = [{key: limit for key, limit in given.items() if key != name} for given in told]
        if not any(_may_be_both(one, other) for one in shorter for other in others):
            told = [*shorter]
    return told


def _may_be_both(one: Given, other: Given) -> bool:
    return all(_overlap(limit, other[name]) for name, limit in one.items() if name in other)


def _overlap(one: Limit, other: Limit) -> bool:
    if one.value is not None and other.value is not None:
        return one.value == other.value
    return one.value not in other.others and other.value not in one.others


Terms = Mapping[str, tuple[Limit, ...]]
"""The names of values, each with what it may be."""


def _joined(cases: Sequence[Given]) -> list[Terms]:
    """The cases, with those joined that differ in a single value."""
    terms: list[Terms] = [{name: (limit,) for name, limit in given.items()} for given in cases]
    for name in dict.fromkeys(name for given in cases for name in given):
        alike: dict[object, Terms] = {}
        for each in terms:
            rest = frozenset((key, limits) for key, limits in each.items() if key != name)
            before = alike.get((rest, name in each), {})
            limits = tuple(dict.fromkeys((*before.get(name, ()), *each.get(name, ()))))
            alike[rest, name in each] = {**each, **({name: limits} if limits else {})}
        terms = [*alike.values()]
    return terms


def _clause(terms: Terms) -> str:
    sets = [limit.value or "" for limit in terms.get(SET, ())]
    told = " and ".join(_term(name, limits) for name, limits in terms.items() if name != SET)
    return " ".join((*((f"with {_listed(sets)}",) if sets else ()), *((f"if {told}",) if told else ())))


def _term(name: str, limits: Sequence[Limit]) -> str:
    values = [limit.value for limit in limits if limit.value is not None]
    told = [f"is {_listed(values)}"] if values else []
    told += [f"is not {_listed(limit.others)}" for limit in limits if limit.value is None]
    return f"{_shown(name)} {' or '.join(told)}"


def _listed(texts: Sequence[str]) -> str:
    shown = [_shown(each) for each in texts[:_MOST_VALUES]]
    more = len(texts) - _MOST_VALUES
    return one_of([*shown, f"{more} more"] if more > 0 else shown)


def _shown(text: str) -> str:
    return text if _SIMPLE.fullmatch(text) else quote(text)
