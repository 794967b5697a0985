from __future__ import annotations

from itertools import product

import pytest
from msgspec import UNSET

from scanner.model.logic import Verdict, agreed, all_of, any_of, negate

VERDICTS: list[Verdict] = [True, False, UNSET]


def worlds(verdict: Verdict) -> list[bool]:
    """What a verdict leaves possible."""
    return [True, False] if verdict is UNSET else [verdict is True]


def certain(possible: set[bool]) -> Verdict:
    return possible.pop() if len(possible) == 1 else UNSET


@pytest.mark.parametrize("verdicts", list(product(VERDICTS, repeat=3)))
def test_an_answer_is_known_exactly_if_it_is_the_same_whatever_the_unknown_is(verdicts: tuple[Verdict, ...]) -> None:
    cases = list(product(*map(worlds, verdicts)))

    assert any_of(verdicts) is certain({any(case) for case in cases})
    assert all_of(verdicts) is certain({all(case) for case in cases})


def test_nothing_is_no_alternative_and_no_obstacle() -> None:
    assert any_of([]) is False
    assert all_of([]) is True


def test_the_unknown_negated_is_unknown() -> None:
    assert [negate(verdict) for verdict in VERDICTS] == [False, True, UNSET]


@pytest.mark.parametrize(
    ("cases", "expected"),
    [([True], True), ([False, False], False), ([True, False], UNSET), ([True, UNSET], UNSET), ([UNSET], UNSET)],
)
def test_cases_agree_or_nothing_is_known(cases: list[Verdict], expected: Verdict) -> None:
    assert agreed(cases) is expected
