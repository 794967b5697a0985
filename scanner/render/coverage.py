"""Coverage for the formats: which gaps leave a finding unknown, and what was missed in each account.

Formats that hold nothing but findings report the coverage of each account as a finding.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from scanner.model.report import Finding, GapReference, Report, ReportedGap, fingerprint
from scanner.render.wording import count

RULE_ID = "coverage"
TITLE = "Everything in scope was observed"


def gaps_behind(finding: Finding) -> set[GapReference]:
    """The gaps that leave a finding unknown. Each is enough by itself."""
    return {item.gap for item in finding.evidence if isinstance(item.gap, GapReference)}


class AccountCoverage(Struct, frozen=True, kw_only=True):
    """What was missed in one account."""

    account_id: str
    gaps: tuple[ReportedGap, ...]
    not_examined: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether there is no gap but waived ones."""
        return all(gap.waiver for gap in self.gaps)

    @property
    def fingerprint(self) -> str:
        return fingerprint(RULE_ID, self.account_id)

    @property
    def message(self) -> str:
        if self.complete:
            return "Everything in scope was observed, but for gaps that are waived." if self.gaps else f"{TITLE}."
        open_gaps = sum(gap.waiver is None for gap in self.gaps)
        return f"Coverage is NOT complete: {count(open_gaps, 'gap')}, so what is clean here may not be clean."


def by_account(report: Report) -> Iterator[AccountCoverage]:
    """What was missed, account by account.

    A gap that belongs to no account in scope, such as accounts that could not be listed, counts for every account.
    """
    coverage, accounts = report.coverage, report.scope.accounts
    everywhere = tuple(gap for gap in coverage.gaps if gap.account_id not in accounts)
    for account_id in accounts or ("unknown",):
        own = tuple(gap for gap in coverage.gaps if gap.account_id == account_id)
        yield AccountCoverage(account_id=account_id, gaps=everywhere + own, not_examined=coverage.not_examined)
