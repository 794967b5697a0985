"""The worlds in which a template may be deployed: what is given in one, and how one is split where more matters.

Evaluation begins in the world in which nothing is given. Where a value hangs on a parameter or condition that is open
there, evaluation ends with a `Split`, and begins anew in each of the worlds in which it is given. So only what matters
is varied, and a world that cannot occur is never seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from msgspec import UNSET, Struct, UnsetType

from scanner.declared.holes import Hole, Text, ends, known, same, written
from scanner.declared.parameters import NO_VALUES, Parameter, ParameterSet, Values
from scanner.model.branches import SET, Given, Limit
from scanner.model.logic import Truth

MOST = 256
"""How many worlds are looked at for one resource."""
_MOST_LOOKS = 4
"""How often, for each of them, something is looked at that is split then, or cannot occur."""

Seen = TypeVar("Seen")


class Split(Exception):  # noqa: N818 - it is no error
    """A world leaves something open that matters; `worlds` are those in which it is given."""

    def __init__(self, worlds: Sequence[Given]) -> None:
        super().__init__()
        self.worlds = worlds


class Impossible(Exception):  # noqa: N818 - it is no error
    """The template cannot be deployed in this world."""


def explore(look: Callable[[Given], Seen], most: Callable[[], int]) -> Iterator[tuple[Given, Seen | UnsetType]]:
    """What is seen in each world that can occur, in order; UNSET in worlds that are left over after `most` of them.

    `most` is called only where there are several worlds.
    """
    waiting: list[Given] = [{}]
    found = looks = 0
    while waiting:
        given = waiting.pop()
        looks += 1
        if given and looks > _MOST_LOOKS * most():
            yield from ((each, UNSET) for each in (given, *reversed(waiting)))
            return
        try:
            seen = look(given)
        except Split as split:
            waiting += reversed(split.worlds)
            continue
        except Impossible:
            continue
        if found and found == most():
            yield from ((each, UNSET) for each in (given, *reversed(waiting)))
            return
        found += 1
        yield given, seen


class Beyond(Protocol):
    """Values that come from other templates; holes say why one is not known."""

    def imported(self, name: str) -> Text:
        """The value of an export."""

    def stored(self, name: str, written: str) -> Text:
        """The value of a parameter of Systems Manager; `written` is the reference to it."""


class World(Struct, frozen=True, kw_only=True):
    """A world of a template; without `given`, nothing is split, and what is open stays open.

    `varied` are the parameters whose defaults are then open, too. `beyond` knows values from other templates.
    """

    parameters: Mapping[str, Parameter]
    values: Values = NO_VALUES
    given: Given | None = None
    varied: frozenset[str] = frozenset()
    beyond: Beyond | None = None

    def parameter(self, name: str) -> str | None:
        """The value that is given for a parameter; None if it is open.

        Raises:
            Split: it depends on the set of parameters.
        """
        if name in self.values.fixed:
            return self.values.fixed[name]
        if any(name in each.values for each in self.values.sets):
            own = self._set()
            if own is not None and name in own.values:
                return own.values[name]
        if self.given is not None and name in self.given and (value := self.given[name].value) is not None:
            return value
        choices = self.choices(name)
        return choices[0] if len(choices) == 1 else None

    def passed(self, name: str) -> Text | None:
        """The text that is given for a parameter, if it is not settled.

        Raises:
            Split: it depends on the set of parameters.
        """
        if name in self.values.fixed or not any(name in each.texts for each in self.values.sets):
            return self.values.texts.get(name)
        own = self._set()
        return None if own is None else own.texts.get(name)

    def choices(self, name: str) -> tuple[str, ...]:
        """The values that a parameter may still have; () if these are not known."""
        others = self.given[name].others if self.given and name in self.given else ()
        return tuple(each for each in self.parameters[name].choices if each not in others)

    def may_be(self, name: str, default: str) -> bool:
        """Whether a parameter that is open may be taken for its default."""
        if self.given is None:
            return name not in self.varied
        return name not in self.given or default not in self.given[name].others

    def force(self, name: str) -> None:
        """Give an open parameter one of its values, if these are known.

        Raises:
            Split: there are several.
        """
        choices = self.choices(name)
        if self.given is not None and choices:
            raise self._split(self.given, name, choices, other=False)

    def equal(self, one: Text, other: Text) -> Truth | Split:
        """Whether two texts are equal; UNSET if that stays open, and a split if it has to be given."""
        truth = same(one, other)
        if truth is not UNSET or self.given is None:
            return truth
        texts = [text for text in (one, other) if known(text) is None]
        if len(texts) > 1 or len(texts[0]) > 1:  # of a single parameter, one value matters
            for hole in (piece for text in texts for piece in text if isinstance(piece, Hole)):
                choices = self.choices(hole.name) if hole.name in self.parameters else ()
                if choices:
                    return self._split(self.given, hole.name, choices, other=False)
        if len(texts) > 1:
            return self._is_given(self.given, " = ".join(sorted(map(written, texts))), "true")
        return self._has(self.given, texts[0], written(one if texts[0] is other else other))

    def _has(self, given: Given, text: Text, value: str) -> Truth | Split:
        """Whether a text with holes has a value; its ends fit."""
        if len(holes := [piece for piece in text if isinstance(piece, Hole)]) > 1:
            return self._is_given(given, written(text), value)
        first, last = ends(text)
        if len(first) + len(last) > len(value):
            return False
        name, part = holes[0].name, value[len(first) : len(value) - len(last)]
        parameter = self.parameters.get(name)
        if parameter is not None and not parameter.is_stored and parameter.expected(part) is not None:
            return False
        return self._is_given(given, name, part)

    def _is_given(self, given: Given, name: str, value: str) -> Truth | Split:
        name = name or '""'  # SET has no name
        limit = given.get(name, Limit())
        if limit.value is not None:
            return limit.value == value
        return False if value in limit.others else self._split(given, name, (value,), other=True)

    def _split(self, given: Given, name: str, values: Sequence[str], *, other: bool) -> Split:
        worlds = [{**given, name: Limit(value=value)} for value in values]
        if other:
            before = given.get(name, Limit()).others
            worlds.append({**given, name: Limit(others=(*before, *values))})
        return Split(worlds)

    def _set(self) -> ParameterSet | None:
        """The set of parameters of this world; None if nothing is given."""
        if self.given is None:
            return None
        names = [each.name for each in self.values.sets]
        if SET not in self.given:
            raise self._split(self.given, SET, names, other=False)
        return self.values.sets[names.index(self.given[SET].value or "")]
