"""The results of judging, in a form that can be sent from other machines and added up."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct, field

from scanner.model.facts import Gap


class Counts(Struct, kw_only=True):
    """How many resources were judged, with which results.

    `statuses` counts findings, `severities`, `rules` and `accounts` those that failed. `judgements` counts the verdicts
    of rules on resources, by (rule id, verdict), without those that passed: a rule passed on all other resources.
    """

    app_instances: int = 0
    channel_flows: int = 0
    processors: int = 0
    roles: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)
    judgements: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __iadd__(self, other: Counts) -> Counts:
        for name in self.__struct_fields__:
            own, added = getattr(self, name), getattr(other, name)
            if isinstance(own, Counter):
                own.update(added)  # `+` would copy the counts of all accounts each time
            else:
                setattr(self, name, own + added)
        return self


class Part(Struct, frozen=True, kw_only=True):
    """Findings, or items of the inventory, as `number` lines of a spool.

    `sizes`: the ARN of each app instance and how many bytes of `lines` are its own, in their order; "" stands for the
    roles of the account.
    """

    number: int
    lines: bytes
    sizes: tuple[tuple[str, int], ...]


class Verdicts(Struct, frozen=True, kw_only=True):
    """The results of judging some app instances with their channel flows and, maybe, the roles of their account.

    - `app_instances`: the ARNs of those that were judged; `roles`: whether the roles were.
    - `inventory` has nothing unless it was asked for.
    - `gaps`: those of the facts.
    - `waivers`: the numbers of the waivers that were used.
    """

    counts: Counts
    gaps: frozenset[Gap]
    app_instances: frozenset[str]
    roles: bool
    findings: Part
    inventory: Part
    waivers: frozenset[int]
