"""What judging comes to, so that it can be done in parts, elsewhere, and added up."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct, field

from scanner.model.facts import Gap


class Counts(Struct, kw_only=True):
    """How much was judged, and what came of it; `severities`, `rules` and `accounts` are those of failures."""

    app_instances: int = 0
    channel_flows: int = 0
    processors: int = 0
    passed: int = 0
    not_applicable: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: Counts) -> Counts:
        for name in self.__struct_fields__:
            own, added = getattr(self, name), getattr(other, name)
            if isinstance(own, Counter):
                own.update(added)  # adding would look through all accounts each time
            else:
                setattr(self, name, own + added)
        return self


class Verdicts(Struct, frozen=True, kw_only=True):
    """What came of judging some app instances with their channel flows.

    `findings` are those of each app instance, by ARN, as so many (`number`) lines that a spool takes; `sizes` says
    which app instances were judged, and how many bytes of the lines are its own. `gaps` are those of their facts, and
    `waivers` the numbers of those that were of use.
    """

    counts: Counts
    gaps: frozenset[Gap]
    sizes: tuple[tuple[str, int], ...]
    number: int
    findings: bytes
    waivers: frozenset[int]
