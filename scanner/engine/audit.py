"""Judges a run: from what the journal holds to the report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from msgspec import structs

from scanner.engine.evaluate import Evaluation
from scanner.engine.rule import Rule
from scanner.engine.tally import Tally, reported, tool
from scanner.finding import Coverage, InScope, Observed, Report, Run
from scanner.inventory import Gap
from scanner.journal import UNKNOWN_ACCOUNT, Journal, Target, TargetReader, interrupted
from scanner.spool import Spool
from scanner.waivers import Waivers

NOT_EXAMINED = (
    "Channels that no channel flow processes: they cannot be listed without the bearer of an app instance user.",
    "What a processor's code does with the messages it is given.",
)


def audit(journal: Journal, rules: Sequence[Rule], finished_at: str, waivers: Waivers | None = None) -> Report:
    """The report on a run under these rules; the same journal, rules and waivers give the same report.

    Raises:
        UsageError: the journal is damaged.
        OutputError: there is no room for the findings.
    """
    return Audit(journal, rules, waivers).report(finished_at)


class Audit:
    """Judges the targets of a run, each when it has been read or all at the end; the order makes no difference.

    Raises (each method):
        UsageError: the journal is damaged.
        OutputError: there is no room for the findings.
    """

    def __init__(self, journal: Journal, rules: Sequence[Rule], waivers: Waivers | None = None) -> None:
        self._journal = journal
        self._rules = rules
        self._waivers = waivers or Waivers(today=date.min)
        self._findings = Spool(journal.directory)
        evaluation = Evaluation(rules, datetime.fromisoformat(journal.header.started_at))
        self._judging = _Judging(Tally(evaluation, self._waivers, self._findings))
        self._spans: dict[Target, tuple[int, int]] = {}

    def judge(self, target: Target) -> None:
        """Judge a target that nothing will be added to."""
        if target not in self._spans:
            start = self._findings.end
            self._judging.target(target, self._journal.reader(target))
            self._spans[target] = (start, self._findings.end)

    def report(self, finished_at: str) -> Report:
        """The report, for which what has not been judged is."""
        header, judging, rules = self._journal.header, self._judging, self._rules
        targets = sorted(header.targets)
        for target in targets:
            self.judge(target)
        self._findings.arrange([self._spans[target] for target in targets])
        gaps = reported(judging.gaps.union(header.gaps), self._waivers)
        return Report(
            tool=tool(rules),
            run=Run(id=header.id, started_at=header.started_at, finished_at=finished_at, options=header.options),
            scope=header.scope,
            coverage=Coverage(
                complete=all(gap.waiver for gap in gaps),
                in_scope=InScope(accounts=len(header.scope.accounts), targets=len(header.targets)),
                observed=judging.observed(header.targets),
                gaps=tuple(gaps),
                not_examined=NOT_EXAMINED,
            ),
            summary=judging.tally.summary(rules, header.scope.accounts),
            rules=tuple(rule.info for rule in rules),
            findings=self._findings,
        )


class _Judging:
    """What adds up while the targets of a run stream by, in whatever order."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.gaps: set[Gap] = set()
        self._listed: set[Target] = set()

    def target(self, target: Target, reader: TargetReader) -> None:
        """A target counts as listed once its app instances were listed to the end."""
        if reader.complete and not reader.gaps:
            self._listed.add(target)
        elif not reader.complete and target.account_id != UNKNOWN_ACCOUNT:
            self.gaps.add(interrupted(target))
        self.gaps.update(reader.gaps)
        for read in reader.app_instances():
            self.gaps.update(read.gaps)
            # of whatever operation: maybe it was the role that was not given any more
            self.gaps |= self.tally.app_instance(read.app_instance, reader.flows(read), next(iter(read.gaps), None))

    def observed(self, targets: Sequence[Target]) -> Observed:
        """An account counts as observed once all its targets are."""
        missed = {target.account_id for target in targets if target not in self._listed}
        return structs.replace(
            self.tally.observed,
            accounts=len({target.account_id for target in self._listed} - missed),
            targets=len(self._listed),
        )
