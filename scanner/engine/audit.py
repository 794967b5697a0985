"""Judges a run: from what the journal holds to the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from operator import itemgetter

from msgspec import UNSET, structs

from scanner import __version__
from scanner.engine.evaluate import Evaluation
from scanner.engine.facts import AppInstance, FlowReference, Resource
from scanner.engine.rule import Rule, digest
from scanner.finding import (
    Coverage,
    Finding,
    InScope,
    Observed,
    Report,
    ReportedGap,
    Run,
    Severity,
    Status,
    Summary,
    Tool,
)
from scanner.inventory import ChannelFlow, Gap
from scanner.journal import UNKNOWN_ACCOUNT, AppInstanceRead, Journal, Target, TargetReader
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
    header = journal.header
    waivers = waivers or Waivers(today=date.min)
    evaluation = Evaluation(rules, datetime.fromisoformat(header.started_at))
    judging = _Judging(evaluation, waivers, Spool(journal.directory))
    for target in sorted(header.targets):
        judging.target(target, journal.reader(target))
    gaps = [_reported(gap, waivers) for gap in sorted(judging.gaps.union(header.gaps), key=_position)]
    return Report(
        tool=Tool(name="chimeaudit", version=__version__, rules_digest=digest(rules)),
        run=Run(id=header.id, started_at=header.started_at, finished_at=finished_at, options=header.options),
        scope=header.scope,
        coverage=Coverage(
            complete=all(gap.waiver for gap in gaps),
            in_scope=InScope(accounts=len(header.scope.accounts), targets=len(header.targets)),
            observed=judging.observed(header.targets),
            gaps=tuple(gaps),
            not_examined=NOT_EXAMINED,
        ),
        summary=_summary(judging, rules, header.scope.accounts),
        rules=tuple(rule.info for rule in rules),
        findings=judging.findings,
    )


class _Judging:
    """What adds up while the facts of a run stream by, in the order of the report."""

    def __init__(self, evaluation: Evaluation, waivers: Waivers, findings: Spool) -> None:
        self.evaluation = evaluation
        self.waivers = waivers
        self.findings = findings
        self.statuses: Counter[Status] = Counter()
        self.severities: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        self.accounts: Counter[str] = Counter()
        self.gaps: set[Gap] = set()
        self._listed: set[Target] = set()
        self._app_instances = self._channel_flows = self._processors = 0

    def target(self, target: Target, reader: TargetReader) -> None:
        """A target counts as listed once its app instances were listed to the end."""
        if reader.complete and not reader.gaps:
            self._listed.add(target)
        elif not reader.complete and target.account_id != UNKNOWN_ACCOUNT:
            self.gaps.add(_interrupted(target))
        self.gaps.update(reader.gaps)
        for read in reader.app_instances():
            self._app_instance(read, reader)

    def _app_instance(self, read: AppInstanceRead, reader: TargetReader) -> None:
        self._app_instances += 1
        self.gaps.update(read.gaps, read.app_instance.gaps.values())
        found: list[tuple[tuple[str, str], Finding]] = []
        listed: list[tuple[FlowReference, Gap | None]] = []
        for flow in reader.flows(read):
            found += [((flow.arn, finding.rule_id), finding) for finding in self._flow(flow)]
            if self.evaluation.reads_flows:
                listed.append((FlowReference(arn=flow.arn, name=flow.name), flow.gaps.get("name")))
        whole = _with_flows(read, listed if self.evaluation.reads_flows else None)
        found += [(("", finding.rule_id), finding) for finding in self._judge(whole)]
        found.sort(key=itemgetter(0))
        self._keep([finding for _, finding in found])

    def _keep(self, findings: Sequence[Finding]) -> None:
        self.findings.extend(findings)
        self.statuses.update(finding.status for finding in findings)
        failed = [finding for finding in findings if finding.status is Status.FAIL]
        self.severities.update(finding.severity for finding in failed)
        self.rules.update(finding.rule_id for finding in failed)
        self.accounts.update(finding.resource.account_id for finding in failed)

    def _flow(self, flow: ChannelFlow) -> list[Finding]:
        self._channel_flows += 1
        self._processors += 0 if flow.processors is UNSET else len(flow.processors)
        self.gaps.update(flow.gaps.values())
        return self._judge(flow)

    def _judge(self, resource: Resource) -> list[Finding]:
        return [self.waivers.finding(finding, resource.tags) for finding in self.evaluation.judge(resource)]

    def observed(self, targets: Sequence[Target]) -> Observed:
        """An account counts as observed once all its targets are."""
        missed = {target.account_id for target in targets if target not in self._listed}
        return Observed(
            accounts=len({target.account_id for target in self._listed} - missed),
            targets=len(self._listed),
            app_instances=self._app_instances,
            channel_flows=self._channel_flows,
            processors=self._processors,
        )


def _with_flows(read: AppInstanceRead, listed: list[tuple[FlowReference, Gap | None]] | None) -> AppInstance:
    """The app instance with its flows by ARN; where their list broke off, they are unknown. None: nobody reads them."""
    if listed is None:
        return AppInstance(**structs.asdict(read.app_instance))
    listed.sort(key=lambda each: each[0].arn)
    missing = {f"flows[{index}].name": gap for index, (_, gap) in enumerate(listed) if gap is not None}
    broken = next(iter(read.gaps), None)  # of whatever operation: maybe it was the role that was not given any more
    gaps = read.app_instance.gaps | missing | ({} if broken is None else {"flows": broken})
    flows = tuple(flow for flow, _ in listed) if broken is None else UNSET
    return AppInstance(**structs.asdict(read.app_instance) | {"gaps": gaps, "flows": flows})


def _interrupted(target: Target) -> Gap:
    return Gap(
        account_id=target.account_id,
        region=target.region,
        operation="ListAppInstances",
        code="Interrupted",
        reason="the scan stopped before this region was read to its end; go on with --resume",
    )


def _reported(gap: Gap, waivers: Waivers) -> ReportedGap:
    return ReportedGap(**structs.asdict(gap), waiver=waivers.gap(gap))


def _position(gap: Gap) -> tuple[str, ...]:
    return (gap.account_id, gap.region or "", gap.resource_arn or "", gap.operation, gap.code, gap.reason)


def _summary(judging: _Judging, rules: Sequence[Rule], accounts: Sequence[str]) -> Summary:
    return Summary(
        by_severity=_counts(Severity, judging.severities),
        by_status={
            "fail": judging.statuses[Status.FAIL],
            "unknown": judging.statuses[Status.UNKNOWN],
            "waived": judging.statuses[Status.WAIVED],
            "pass": judging.evaluation.passed,
            "not_applicable": judging.evaluation.not_applicable,
        },
        by_rule=_counts((rule.info.id for rule in rules), judging.rules),
        by_account=_counts(sorted(accounts), judging.accounts),
    )


def _counts(names: Iterable[str], seen: Counter[str]) -> dict[str, int]:
    """How often each was seen; the names that were not seen count 0."""
    return {name: seen[name] for name in dict.fromkeys((*names, *sorted(seen)))}
