"""Which values the user gives to the parameters of which template, and whether any template has these parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct

from scanner.declared.parameters import ParameterSet, Values
from scanner.errors import Mistake
from scanner.model.phrases import nearest, quote


class Pattern(Struct, frozen=True, kw_only=True):
    """The sets of parameters for the templates whose names fit a pattern, in which ``*`` and ``?`` are wildcards."""

    pattern: str
    sets: tuple[ParameterSet, ...]

    def fits(self, file: str) -> bool:
        return fnmatchcase(file, self.pattern.replace("[", "[[]"))


class ValuesGiven(Struct, frozen=True, kw_only=True):
    """The values that the user gives: to every template, in every case (`fixed`) or in one of the `sets`.

    `patterns` give sets to some templates, where there are no `sets`; the first that fits counts.
    """

    fixed: Mapping[str, str] = {}
    sets: tuple[ParameterSet, ...] = ()
    patterns: tuple[Pattern, ...] = ()

    def of(self, file: str) -> Values:
        """The values for one template, by its file's name in reports."""
        own = self.sets or next((each.sets for each in self.patterns if each.fits(file)), ())
        return Values(fixed=self.fixed, sets=own)

    def unknown(self, names: Mapping[str, frozenset[str]]) -> str | None:
        """What is wrong with the first fixed value, if no template has its parameter; `names` are those, by file."""
        known = frozenset().union(*names.values())
        return next((_unknown(name, known) for name in self.fixed if name not in known), None)

    def mistakes(self, names: Mapping[str, frozenset[str]]) -> Iterator[Mistake]:
        """A mistake for each parameter of a set that no template has; `names` are those of the templates, by file."""
        known = frozenset().union(*names.values())
        yield from (mistake for each in self.sets for mistake in _strangers(each, known))
        if self.sets:
            return
        for number, each in enumerate(self.patterns):
            files = [file for file in names if each.fits(file)]
            own = [file for file in files if not any(other.fits(file) for other in self.patterns[:number])]
            if own:
                known = frozenset().union(*(names[file] for file in own))
                yield from (mistake for one in each.sets for mistake in _strangers(one, known))


def _strangers(own: ParameterSet, known: frozenset[str]) -> Iterator[Mistake]:
    for name in own.values:
        if name not in known:
            place = own.places[name]
            yield Mistake(file=own.file, line=place.line, column=place.column, message=_unknown(name, known))


def _unknown(name: str, known: frozenset[str]) -> str:
    return f"no template has the parameter {quote(name)}{nearest(name, sorted(known))}"
