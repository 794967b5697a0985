from __future__ import annotations

from itertools import product

import pytest
from msgspec import UNSET

from scanner.model.logic import Truth, agreed, all_of, any_of, negate

TRUTHS: list[Truth] = [True, False, UNSET]


def worlds(truth: Truth) -> list[bool]:
    """The booleans that a truth may be."""
    return [True, False] if truth is UNSET else [truth is True]


def certain(possible: set[bool]) -> Truth:
    return possible.pop() if len(possible) == 1 else UNSET


@pytest.mark.parametrize("truths", list(product(TRUTHS, repeat=3)))
def test_a_verdict_is_known_exactly_if_all_values_of_the_unknown_give_the_same(truths: tuple[Truth, ...]) -> None:
    cases = list(product(*map(worlds, truths)))

    assert any_of(truths) is certain({any(case) for case in cases})
    assert all_of(truths) is certain({all(case) for case in cases})


def test_any_of_nothing_is_false_and_all_of_nothing_is_true() -> None:
    assert any_of([]) is False
    assert all_of([]) is True


def test_the_negation_of_unknown_is_unknown() -> None:
    assert [negate(truth) for truth in TRUTHS] == [False, True, UNSET]


@pytest.mark.parametrize(
    ("cases", "expected"),
    [([True], True), ([False, False], False), ([True, False], UNSET), ([True, UNSET], UNSET), ([UNSET], UNSET)],
)
def test_cases_that_differ_are_unknown(cases: list[Truth], expected: Truth) -> None:
    assert agreed(cases) is expected
