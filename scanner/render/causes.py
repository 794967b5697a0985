"""Gaps by what causes them: one missing permission hides a function in each account, and is one line to act on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import UNSET, Struct, structs

from scanner.model.facts import READ_FILE
from scanner.model.report import UNKNOWN, Finding, GapReference, Report, ReportedGap, Waiver
from scanner.render.coverage import gaps_behind
from scanner.render.wording import count, gap_place, waived

_ASSUME_ROLE = "AssumeRole"
_DENIED = re.compile(r"access denied(?P<by>[^;]*); allow (?P<action>[a-z0-9-]+:\w+)")
_VARIES = re.compile(r"arn:[^\s;,]+|\b[0-9]{12}\b")
"""What tells the gaps of one cause apart in their reasons."""
_KINDS = {
    "function": re.compile(r"arn:[^:]*:lambda:[^:]*:[^:]*:function:"),
    "channel flow": re.compile(r"arn:.*/channel-flow/"),
    "app instance": re.compile(r"arn:[^:]*:chime:[^:]*:[^:]*:app-instance/[^/]*$"),
    "role": re.compile(r"arn:[^:]*:iam::[^:]*:role/"),
    "policy": re.compile(r"arn:[^:]*:iam::[^:]*:policy/"),
}


class Cause(Struct, frozen=True, kw_only=True):
    """Gaps that one step mends, in the report's order; `unknown` is how many findings they leave unknown."""

    gaps: tuple[ReportedGap, ...]
    unknown: int = 0

    @property
    def waiver(self) -> Waiver | None:
        """They are all waived alike, or none is."""
        return self.gaps[0].waiver

    @property
    def code(self) -> str:
        return self.gaps[0].code

    @property
    def accounts(self) -> tuple[str, ...]:
        """Those that are known."""
        return tuple(dict.fromkeys(gap.account_id for gap in self.gaps if gap.account_id not in ("", UNKNOWN)))

    @property
    def is_alone(self) -> bool:
        return len(self.gaps) == 1

    @property
    def headline(self) -> str:
        """What failed, where, and the next step."""
        gap, where = self.gaps[0], f" for {self.extent}" if self.extent else ""
        if denied := _DENIED.fullmatch(gap.reason):
            action, by = denied["action"], denied["by"]
            return f"{action} denied{by}{where}; allow it{'' if by else _how(action)}"
        reasons = {each.reason for each in self.gaps}
        reason = gap.reason if len(reasons) == 1 else _VARIES.sub("…", gap.reason)
        return reason if gap.operation == READ_FILE else f"{gap.operation}{where}: {reason}"

    @property
    def line(self) -> str:
        """The headline with AWS's code."""
        return f"{self.headline} [{self.code}]"

    @property
    def extent(self) -> str:
        """``35 functions in 4 accounts``; of one gap, its place."""
        if self.is_alone:
            return "" if self.gaps[0].operation == READ_FILE else gap_place(self.gaps[0])
        things = [count(len(names), noun) for noun, names in self._hidden.items()]
        accounts = count(len(self.accounts), "account") if self.accounts else ""
        if not things:
            return accounts
        return f"{' and '.join(things)} in {accounts}" if accounts else " and ".join(things)

    def places(self, most: int | None = None) -> str:
        """Each account with how much of it; of one gap in it, the whole place."""
        inside = Counter(gap.account_id for gap in self.gaps)
        first = {gap.account_id: gap for gap in reversed(self.gaps)}
        shown = [
            gap_place(first[account]) if number == 1 else f"{account} ({number:,})"
            for account, number in list(inside.items())[:most]
            if account != UNKNOWN
        ]
        left = len(inside) - len(list(inside)[:most])
        return ", ".join(shown) + (f" and {count(left, 'more account')}" if left else "")

    @property
    def _hidden(self) -> dict[str, set[str]]:
        """What the gaps hide, by kind; nothing where they hide whole accounts."""
        hidden: dict[str, set[str]] = {}
        for gap in self.gaps:
            if gap.operation == _ASSUME_ROLE:
                continue
            if gap.resource_arn is not None:
                kind = next((kind for kind, arn in _KINDS.items() if arn.match(gap.resource_arn)), "resource")
                hidden.setdefault(kind, set()).add(gap.resource_arn)
            elif gap.region is not None:
                hidden.setdefault("region", set()).add(gap.region)
        return hidden

    @property
    def _reach(self) -> int:
        """Refused accounts first, then regions, then parts of them."""
        gap = self.gaps[0]
        if gap.operation == _ASSUME_ROLE or (gap.region is None and gap.resource_arn is None):
            return 0
        return 1 if gap.resource_arn is None else 2

    @property
    def order(self) -> tuple[object, ...]:
        """Open ones first, those that hide most before others."""
        return self.waiver is not None, self._reach, -len(self.gaps), self.line


class Causes:
    """Gaps by cause, and which of them leave a finding unknown."""

    def __init__(self, gaps: Iterable[ReportedGap]) -> None:
        self.all = by_cause(gaps)
        self._numbers: dict[GapReference, int] = {}
        for number, cause in enumerate(self.all):
            for gap in cause.gaps:
                self._numbers.setdefault(GapReference.to(gap), number)

    def behind(self, finding: Finding) -> set[int]:
        """Their numbers among all."""
        return {self._numbers[gap] for gap in gaps_behind(finding) if gap in self._numbers}


def causes(report: Report) -> list[Cause]:
    """All gaps of a report by cause, with the findings that each leaves unknown."""
    found = Causes(report.coverage.gaps)
    unknown = Counter(number for finding in report.findings for number in found.behind(finding))
    return [structs.replace(cause, unknown=unknown[number]) for number, cause in enumerate(found.all)]


def by_cause(gaps: Iterable[ReportedGap]) -> list[Cause]:
    """Gaps by cause, waived ones apart and last."""
    found: dict[tuple[object, ...], list[ReportedGap]] = {}
    for gap in gaps:
        at = None if gap.location is UNSET else gap.location
        key = (gap.operation, gap.code, _VARIES.sub("…", gap.reason), gap.waiver, at)
        found.setdefault(key, []).append(gap)
    return sorted((Cause(gaps=tuple(members)) for members in found.values()), key=lambda cause: cause.order)


def lines(gaps: Iterable[ReportedGap]) -> list[str]:
    """A line a cause, with who accepted it."""
    return ["; ".join(filter(None, (cause.line, waived(cause.waiver)))) for cause in by_cause(gaps)]


def total(found: Sequence[Cause]) -> str:
    """How many gaps, and of how many causes where those are fewer."""
    gaps = sum(len(cause.gaps) for cause in found)
    return count(gaps, "gap") + (f" of {count(len(found), 'cause')}" if len(found) < gaps else "")


def _how(action: str) -> str:
    """The command that prints what is to be allowed."""
    if action == "sts:AssumeRole":
        return " (chimeaudit iam role)"
    return f" (chimeaudit iam policy{' --org' if action.startswith('organizations:') else ''})"
