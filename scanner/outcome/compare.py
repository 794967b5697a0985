"""What became of the failures of one report in a later one."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from scanner.model.report import Finding, Report, Run, Status
from scanner.outcome import former
from scanner.outcome.observed_scope import Reason, Sight

SCHEMA_VERSION = "1.0"


class Unseen(Struct, frozen=True, kw_only=True):
    """A finding of the old report on which the new one says nothing, and why not."""

    finding: Finding
    reason: str


class Difference(Struct, frozen=True, kw_only=True):
    """Two reports compared. `still_open` are findings of the new report; those that it waives are among them."""

    schema_version: str = SCHEMA_VERSION
    old_run: Run
    new_run: Run
    new: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    still_open: tuple[Finding, ...]
    no_longer_observed: tuple[Unseen, ...]


def compare(old: Report, new: Report) -> Difference:
    """Sort the failures of both reports by what became of them.

    A failure that is gone is fixed only where the new report looked: its rule ran, its account, region and file were in
    scope, no gap, waived or not, lies over its resource, and the rule's judgement of it is not unknown. A check looked
    at nothing that is deployed.
    """
    old = former.aligned(old, new)
    before = {finding.fingerprint: finding for finding in old.findings if finding.is_known_failure}
    now = {finding.fingerprint: finding for finding in new.findings if finding.status is not Status.UNKNOWN}
    sight = Sight.of(new)
    gone = [(finding, sight.missing_of(finding)) for key, finding in before.items() if key not in now]
    return Difference(
        old_run=old.run,
        new_run=new.run,
        new=tuple(each for key, each in now.items() if each.status is Status.FAIL and key not in before),
        fixed=tuple(finding for finding, reason in gone if reason is None),
        still_open=tuple(each for key, each in now.items() if key in before),
        no_longer_observed=tuple(Unseen(finding=finding, reason=reason.text) for finding, reason in gone if reason),
    )


def settled(old: Report, new: Report) -> Iterator[Finding]:
    """The findings of the old report, whatever their status, that the new one looked for and has no more."""
    return (finding for finding, reason in _gone(old, new) if reason is None)


def unseen(old: Report, new: Report) -> Iterator[tuple[Finding, Reason]]:
    """The findings of the old report, whatever their status, on which the new one says nothing, and why not."""
    return ((finding, reason) for finding, reason in _gone(old, new) if reason is not None)


def _gone(old: Report, new: Report) -> Iterator[tuple[Finding, Reason | None]]:
    sight = Sight.of(new)
    for finding in old.findings:
        if finding.fingerprint not in sight.found:
            yield finding, sight.missing_of(finding)
