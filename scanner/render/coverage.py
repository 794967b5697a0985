"""What was missed: the findings behind each gap and, for formats of findings alone, coverage as one an account."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from scanner.model.report import Finding, GapReference, Report, ReportedGap, fingerprint
from scanner.render.wording import count

RULE_ID = "coverage"
TITLE = "Everything in scope was observed"


def gaps_behind(finding: Finding) -> set[GapReference]:
    """The gaps that leave a finding unknown; each of them alone would."""
    return {item.gap for item in finding.evidence if isinstance(item.gap, GapReference)}


class AccountCoverage(Struct, frozen=True, kw_only=True):
    """What was missed in one account."""

    account_id: str
    gaps: tuple[ReportedGap, ...]
    not_examined: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every gap is waived, or there is none."""
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
    """A gap in no account of the scope, as where accounts could not be listed, lies over all of them."""
    coverage, accounts = report.coverage, report.scope.accounts
    everywhere = tuple(gap for gap in coverage.gaps if gap.account_id not in accounts)
    for account_id in accounts or ("unknown",):
        own = tuple(gap for gap in coverage.gaps if gap.account_id == account_id)
        yield AccountCoverage(account_id=account_id, gaps=everywhere + own, not_examined=coverage.not_examined)
