"""scanner.declared.holes: things are found by names with holes, without comparing all pairs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.declared.holes import Hole, Lookup, Text, joined, same

PLAIN, NEW, LOOSE = Hole(name="Env", plain=True), Hole(name="Id", plain=True, new=True), Hole(name="x")
PIECES: tuple[Text, ...] = (("a",), ("b",), ("ab",), ("-",), (PLAIN,), (NEW,), (LOOSE,), (Hole(name="y", plain=True),))
TEXTS = st.lists(st.sampled_from(PIECES), max_size=4).map(joined)


@given(st.lists(TEXTS, max_size=12), TEXTS)
def test_all_names_that_may_be_equal_are_found(names: list[Text], text: Text) -> None:
    lookup = Lookup((name, number) for number, name in enumerate(names))

    found = list(lookup.maybe(text))

    assert found == sorted(set(found))
    assert {number for number, name in enumerate(names) if same(text, name) is not False} <= set(found)
    assert list(lookup.exactly(text)) == [number for number, name in enumerate(names) if name == text]


@pytest.mark.parametrize(
    "name",
    [
        lambda number: (f"moderate-{number:03}",),
        lambda number: (Hole(name=f"Moderate{number}", plain=True, new=True),),
        lambda number: ("chat-", PLAIN, f"-moderate-{number:03}"),
        lambda number: (f"moderate-{number:03}-", PLAIN),
    ],
)
def test_of_many_names_few_are_compared(name: Callable[[int], Text]) -> None:
    names = [name(number) for number in range(600)]
    lookup = Lookup((each, number) for number, each in enumerate(names))

    assert all(list(lookup.maybe(each)) == [number] for number, each in enumerate(names))
