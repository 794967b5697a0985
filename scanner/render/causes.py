"""Groups gaps by their cause, so that one missing permission in many accounts is one line to act on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import UNSET, Struct, structs

from scanner.model.facts import GLOBAL, READ_FILE, Gap
from scanner.model.report import UNKNOWN, Finding, GapReference, Report, ReportedGap, Waiver
from scanner.render.coverage import gaps_behind
from scanner.render.wording import NO_NAMES, Names, account, count, gap_place, listing, waived

_ASSUME_ROLE = "AssumeRole"
_DENIED = re.compile(r"access denied(?P<by>[^;]*); allow (?P<action>[a-z0-9-]+:\w+)")
_VARIES = re.compile(r"arn:[^\s;,]+|\b[0-9]{12}\b")
"""ARNs and account ids: the parts of a reason that differ between gaps of one cause."""
_PART, _ROLES = "part", "roles"
_WIDEST = (_PART, "account", "region", _ROLES)
"""What a gap hides whole, the widest first."""
_KINDS = {
    "function": re.compile(r"arn:[^:]*:lambda:[^:]*:[^:]*:function:"),
    "channel flow": re.compile(r"arn:.*/channel-flow/"),
    "app instance": re.compile(r"arn:[^:]*:chime:[^:]*:[^:]*:app-instance/[^/]*$"),
    "role": re.compile(r"arn:[^:]*:iam::[^:]*:role/"),
    "policy": re.compile(r"arn:[^:]*:iam::[^:]*:policy/"),
}


class Cause(Struct, frozen=True, kw_only=True):
    """Gaps that one step closes, in the report's order; `unknown` is how many findings they leave unknown.

    `names` are those of accounts, by id.
    """

    gaps: tuple[ReportedGap, ...]
    names: Names = NO_NAMES
    unknown: int = 0

    @property
    def waiver(self) -> Waiver | None:
        """The waiver that all its gaps share, or None."""
        return self.gaps[0].waiver

    @property
    def code(self) -> str:
        return self.gaps[0].code

    @property
    def accounts(self) -> tuple[str, ...]:
        """The ids of the accounts in which the gaps are, without unknown ones."""
        return tuple(dict.fromkeys(gap.account_id for gap in self.gaps if gap.account_id not in ("", UNKNOWN)))

    @property
    def is_alone(self) -> bool:
        return len(self.gaps) == 1

    @property
    def headline(self) -> str:
        """A line that says what failed, where, and what to do."""
        gap, where = self.gaps[0], f" for {self.extent}" if self.extent else ""
        if denied := _DENIED.fullmatch(gap.reason):
            action, by = denied["action"], denied["by"]
            return f"{action} denied{by}{where}; allow it{'' if by else _how(action)}"
        return self._said if gap.operation == READ_FILE else f"{gap.operation}{where}: {self._said}"

    @property
    def why(self) -> str:
        """The reason without what to do about it, and without what differs between the gaps."""
        return self._said.partition("; ")[0].rstrip(".")

    @property
    def step(self) -> str:
        """What to do to close the gaps, as a sentence."""
        if denied := _DENIED.fullmatch(self.gaps[0].reason):
            how = "" if denied["by"] else _how(denied["action"])
            return f"Allow {denied['action']}{how}, then scan again."
        _, _, step = self._said.partition("; ")
        if not step:
            return f"Find out why {self.gaps[0].operation} ended in {self.code}, then scan again."
        return f"{step[:1].upper()}{step[1:].rstrip('.')}."

    @property
    def _said(self) -> str:
        reasons = {each.reason for each in self.gaps}
        return self.gaps[0].reason if len(reasons) == 1 else _VARIES.sub("…", self.gaps[0].reason)

    @property
    def line(self) -> str:
        """The headline and AWS's error code."""
        return f"{self.headline} [{self.code}]"

    @property
    def extent(self) -> str:
        """How much the gaps hide, as ``35 functions in 4 accounts``; for a single gap, its place."""
        if self.is_alone:
            return "" if self.gaps[0].operation == READ_FILE else gap_place(self.gaps[0], self.names)
        things = [count(len(names), noun) for noun, names in self._hidden.items()]
        things += ["the roles"] if any(map(hides_roles, self.gaps)) else []
        accounts = count(len(self.accounts), "account") if self.accounts else ""
        if not things:
            return accounts
        return f"{' and '.join(things)} in {accounts}" if accounts else " and ".join(things)

    def places(self, most: int | None = None) -> str:
        """Up to `most` accounts, each with its number of gaps, or the place of its only gap."""
        inside = Counter(gap.account_id for gap in self.gaps)
        first = {gap.account_id: gap for gap in reversed(self.gaps)}
        shown = [
            gap_place(first[own], self.names) if number == 1 else account(own, self.names, f"{number:,}")
            for own, number in list(inside.items())[:most]
            if own != UNKNOWN
        ]
        left = len(inside) - len(list(inside)[:most])
        return ", ".join(shown) + (f" and {count(left, 'more account')}" if left else "")

    @property
    def _hidden(self) -> dict[str, set[str]]:
        """The ARNs or regions that the gaps hide, by kind of resource; empty where they hide whole accounts."""
        hidden: dict[str, set[str]] = {}
        for gap in self.gaps:
            if gap.operation == _ASSUME_ROLE:
                continue
            if gap.resource_arn is not None:
                hidden.setdefault(_kind(gap.resource_arn), set()).add(gap.resource_arn)
            elif gap.region is not None and not hides_roles(gap):
                hidden.setdefault("region", set()).add(gap.region)
        return hidden

    @property
    def _reach(self) -> int:
        """0 where whole accounts are hidden, 1 for regions, 2 for single resources."""
        gap = self.gaps[0]
        if gap.operation == _ASSUME_ROLE or (gap.region is None and gap.resource_arn is None):
            return 0
        return 1 if gap.resource_arn is None else 2

    @property
    def order(self) -> tuple[object, ...]:
        """A sort key: open causes before waived ones, then those that hide most."""
        return self.waiver is not None, self._reach, -len(self.gaps), self.line


def hidden(gaps: Iterable[ReportedGap]) -> str:
    """What gaps hide, the widest first, as ``2 accounts and 35 functions could not be read``."""
    found: dict[str, dict[str, set[str]]] = {}
    for gap in gaps:
        kind, name = _hides(gap)
        found.setdefault(kind, {}).setdefault(name, set()).add(gap.account_id)
    kinds = sorted(found, key=lambda kind: (_WIDEST.index(kind) if kind in _WIDEST else len(_WIDEST), kind))
    read = "read" if set(kinds) <= {*_WIDEST, "function"} else "read in full"
    return f"{listing(_counted(kind, found[kind]) for kind in kinds)} could not be {read}"


def _hides(gap: ReportedGap) -> tuple[str, str]:
    """What a gap hides: its kind, and its name among those of its kind."""
    if gap.operation == READ_FILE:
        return "file", gap.location.file if gap.location else gap.reason.partition(":")[0]
    if hides_roles(gap):
        return _ROLES, gap.account_id
    if gap.operation == _ASSUME_ROLE or (gap.region is None and gap.resource_arn is None):
        return (_PART, "") if gap.account_id in ("", UNKNOWN) else ("account", gap.account_id)
    if gap.resource_arn is not None:
        return _kind(gap.resource_arn), gap.resource_arn
    return "region", gap.region or ""


def _counted(kind: str, found: Mapping[str, set[str]]) -> str:
    if kind == _PART:
        return "a part of the scope"
    if kind == _ROLES:
        return f"the roles of {count(len(found), 'account')}"
    accounts = set().union(*found.values()) if kind == "region" else ()
    return count(len(found), kind) + (f" in {count(len(accounts), 'account')}" if len(accounts) > 1 else "")


def _kind(arn: str) -> str:
    return next((kind for kind, pattern in _KINDS.items() if pattern.match(arn)), "resource")


def hides_roles(gap: Gap) -> bool:
    """Whether a gap hides the roles of its account, and nothing else of it."""
    return gap.region == GLOBAL and gap.resource_arn is None


class Causes:
    """Gaps by cause, and which of them leave a finding unknown."""

    def __init__(self, report: Report) -> None:
        self.all = by_cause(report.coverage.gaps, report.scope.names)
        self._numbers: dict[GapReference, int] = {}
        for number, cause in enumerate(self.all):
            for gap in cause.gaps:
                self._numbers.setdefault(GapReference.to(gap), number)

    def behind(self, finding: Finding) -> set[int]:
        """The indices in `all` of the causes that leave a finding unknown."""
        return {self._numbers[gap] for gap in gaps_behind(finding) if gap in self._numbers}


def causes(report: Report) -> list[Cause]:
    """All gaps of a report by cause, each cause with its number of unknown findings."""
    found = Causes(report)
    unknown = Counter(number for finding in report.findings for number in found.behind(finding))
    return [structs.replace(cause, unknown=unknown[number]) for number, cause in enumerate(found.all)]


def by_cause(gaps: Iterable[ReportedGap], names: Names = NO_NAMES) -> list[Cause]:
    """Gaps by cause; waived gaps form causes of their own, which come last. `names` are those of accounts, by id."""
    found: dict[tuple[object, ...], list[ReportedGap]] = {}
    for gap in gaps:
        at = None if gap.location is UNSET else gap.location
        key = (gap.operation, gap.code, _VARIES.sub("…", gap.reason), gap.waiver, at)
        found.setdefault(key, []).append(gap)
    made = (Cause(gaps=tuple(members), names=names) for members in found.values())
    return sorted(made, key=lambda cause: cause.order)


def lines(gaps: Iterable[ReportedGap]) -> list[str]:
    """A line for each cause, with who accepted it."""
    return ["; ".join(filter(None, (cause.line, waived(cause.waiver)))) for cause in by_cause(gaps)]


def total(found: Sequence[Cause]) -> str:
    """``3 gaps``, or ``5 gaps of 2 causes`` where there are fewer causes than gaps."""
    gaps = sum(len(cause.gaps) for cause in found)
    return count(gaps, "gap") + (f" of {count(len(found), 'cause')}" if len(found) < gaps else "")


def _how(action: str) -> str:
    """The command that prints the policy or role to allow, in parentheses."""
    if action == "sts:AssumeRole":
        return " (chimeaudit iam role)"
    return f" (chimeaudit iam policy{' --org' if action.startswith('organizations:') else ''})"
