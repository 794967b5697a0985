"""Judges app instances with their channel flows, and roles, and counts the results, for reports of scans and checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from msgspec import UNSET, UnsetType, structs

from scanner import __version__
from scanner.judge import branches, edits
from scanner.judge.branches import DECIDING
from scanner.judge.evaluate import Evaluation
from scanner.judge.inventory import Inventory
from scanner.language import vocabulary
from scanner.language.rule import Rule, digest
from scanner.language.vocabulary import AppInstance, Resource, narrowed
from scanner.model import facts
from scanner.model.branches import Cases, Given, first
from scanner.model.edits import Editable
from scanner.model.facts import ChannelFlow, Gap, Role
from scanner.model.metadata import within
from scanner.model.report import (
    Finding,
    Location,
    Observed,
    ReportedGap,
    ResourceType,
    RuleCounts,
    Severity,
    Status,
    Summary,
    Tool,
)
from scanner.model.verdicts import Counts
from scanner.outcome.remediation import in_file
from scanner.outcome.waivers import Waivers
from scanner.store.spool import Spool
from scanner.store.target_file import AppInstanceRead, TargetReader


class Tally:
    """Judges resources one after the other, keeps their findings in that order, and counts.

    `found` are the rules that have findings. `left_out` counts, by rule, the resources to which it was not applied
    because no file can tell what it reads. `beyond` are the rules that read facets which files of the current kind
    never tell. With `inventory`, every resource is noted in it. `editable` says how the current file may be edited, if
    it declares what it is about; `unedited` has each failure that might be edited but is not to be, with the reason.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        waivers: Waivers,
        findings: Spool[Finding],
        inventory: Inventory | None = None,
    ) -> None:
        self.counts = Counts()
        self.findings = findings
        self.found: set[str] = set()
        self.left_out: Counter[str] = Counter()
        self.beyond: frozenset[str] = frozenset()
        self.editable: Editable | None = None
        self.unedited: list[tuple[Finding, str]] = []
        self._evaluation = evaluation
        self._waivers = waivers
        self._inventory = inventory

    def app_instance(
        self,
        seen: facts.AppInstance | Cases[AppInstance] | None,
        flows: Iterable[ChannelFlow | Cases[ChannelFlow]],
        broken: Gap | None = None,
    ) -> set[Gap]:
        """Judge an app instance and its flows, each once or in all its cases; return the gaps of their facts.

        `seen` is None if the app instance itself is not to be judged. `broken` is the gap that ended the list of flows.
        """
        gaps: set[Gap] = set()
        found: list[tuple[tuple[str, str], Finding]] = []
        listed: list[ChannelFlow] = []
        reads = self._evaluation.reads_of_flows
        for each in flows:
            flow = first(each)
            self.counts.channel_flows += 1
            self.counts.processors += 0 if isinstance(flow.processors, UnsetType) else len(flow.processors)
            gaps.update(flow.gaps.values())
            found += [((vocabulary.key(flow), finding.rule_id), finding) for finding in self._judge(each)]
            if reads and isinstance(seen, facts.AppInstance):
                listed.append(narrowed(flow, reads, listed[0] if listed else flow))
        if seen is not None:
            self.counts.app_instances += 1
            if not isinstance(seen, tuple):
                gaps.update(seen.gaps.values())
                seen = _with_flows(seen, listed if reads else None, broken)
            found += [(("", finding.rule_id), finding) for finding in self._judge(seen)]
        found.sort(key=itemgetter(0))
        self._keep([finding for _, finding in found])
        return gaps

    def read(self, reader: TargetReader, read: AppInstanceRead) -> set[Gap]:
        """Judge an app instance from the journal; return all its gaps."""
        # Of any operation: the list may have ended because the role could not be assumed again.
        broken = next(iter(read.gaps), None)
        return {*read.gaps, *self.app_instance(read.app_instance, reader.flows(read), broken)}

    def roles(self, roles: Iterable[Role | Cases[Role]]) -> set[Gap]:
        """Judge the roles of an account or a file; return the gaps of their facts."""
        gaps: set[Gap] = set()
        for role in sorted(roles, key=lambda role: vocabulary.key(first(role))):
            self.counts.roles += 1
            gaps.update(first(role).gaps.values())
            self._keep(self._judge(role))
        return gaps

    def summary(self, rules: Sequence[Rule], accounts: Iterable[str]) -> Summary:
        judged = {rule.info.id: self.rule(rule) for rule in rules}
        return Summary(
            by_severity=_counts(Severity, self.counts.severities),
            by_status={
                "fail": self.counts.statuses[Status.FAIL],
                "unknown": self.counts.statuses[Status.UNKNOWN],
                "waived": self.counts.statuses[Status.WAIVED],
                "pass": sum(each.passed for each in judged.values()),
                "not_applicable": sum(each.not_applicable for each in judged.values()),
            },
            by_rule=_counts((rule.info.id for rule in rules), self.counts.rules),
            by_account=_counts(sorted(accounts), self.counts.accounts),
            rules=judged,
        )

    def rule(self, rule: Rule) -> RuleCounts:
        """On how many resources a rule came to which verdict, without those that it was not applied to."""
        known = {verdict: self.counts.judgements[rule.info.id, verdict] for verdict in _VERDICTS}
        passed = self.seen(rule.info.resource) - sum(known.values())
        return RuleCounts(
            passed=passed,
            failed=known[Status.FAIL],
            unknown=known[Status.UNKNOWN],
            waived=known[Status.WAIVED],
            not_applicable=known[_NOT_APPLICABLE],
        )

    def observed(self, rules: Iterable[Rule]) -> Observed:
        """How many resources these rules judged."""
        return Observed(
            app_instances=self.counts.app_instances,
            channel_flows=self.counts.channel_flows,
            processors=self.counts.processors,
            roles=self.counts.roles if judges_roles(rules) else UNSET,
        )

    def seen(self, resource: ResourceType) -> int:
        """How many resources of a type were judged."""
        counts = self.counts
        return {
            "channel_flow": counts.channel_flows,
            "app_instance": counts.app_instances,
            "role": counts.roles,
        }[resource]

    def _judge(self, resource: Resource | Cases[Any]) -> list[Finding]:
        """The findings on a resource, waived or not, without those that stay unknown because no file can tell a fact.

        Counts all of them.
        """
        if isinstance(resource, tuple):
            return self._judge_cases(resource)
        judged = self._evaluation.judge(resource, self.beyond)
        findings = self._waived(resource, judged.findings)
        findings = [self._remedied(finding, [resource], [resource]) for finding in findings]
        self._count(resource, findings, judged.not_applicable, judged.untold)
        return findings

    def _judge_cases(self, cases: Cases[Any]) -> list[Finding]:
        judged: list[tuple[Given, list[Finding]]] = []
        not_applicable: list[set[str]] = []
        untold: set[str] = set()
        for case in cases:
            findings: list[Finding] = []
            if case.resource is not None:
                verdicts = self._evaluation.judge(case.resource, self.beyond)
                findings = self._waived(case.resource, verdicts.findings)
                not_applicable.append(set(verdicts.not_applicable))
                untold |= verdicts.untold
            judged.append((case.given, findings))
        every = [case.resource for case in cases if case.resource is not None]
        failing = _failing(cases, [findings for _, findings in judged])
        found = [self._remedied(one, every, failing.get(one.fingerprint, ())) for one in branches.merged(judged)]
        never = set.intersection(*not_applicable) if not_applicable else set()
        self._count(first(cases), found, sorted(never - untold), untold)
        return found

    def _waived(self, resource: Resource, judged: Sequence[Finding]) -> list[Finding]:
        """The findings, those that are waived as such."""
        return [self._waivers.finding(finding, resource.tags, vocabulary.key(resource)) for finding in judged]

    def _remedied(self, one: Finding, cases: Sequence[Resource], failing: Sequence[Resource]) -> Finding:
        """The finding with a remediation that speaks of the file, if a file declares its resource, and with edits."""
        if self.editable is None:
            return one
        if one.status is not Status.FAIL:
            return structs.replace(one, remediation=in_file(one, ()))
        flows, wrong = ([each for each in some if isinstance(each, ChannelFlow)] for some in (cases, failing))
        remedied, why = edits.remedied(self._evaluation, flows, wrong, one, self.editable)
        if why is not None:
            self.unedited.append((remedied, why))
        return remedied

    def _count(
        self, resource: Resource, findings: Sequence[Finding], not_applicable: Sequence[str], untold: Collection[str]
    ) -> None:
        verdicts = verdicts_of(findings)
        left_out = [id_ for id_ in untold if id_ not in verdicts]
        if not_applicable:
            self.counts.judgements.update([(id_, _NOT_APPLICABLE) for id_ in not_applicable])
        if findings or untold:
            self.counts.judgements.update(verdicts.items())
            self.counts.judgements.update([(id_, _LEFT_OUT) for id_ in left_out])
            self.left_out.update(untold)
        if self._inventory is not None:
            self._inventory.note(resource, not_applicable, verdicts, left_out)

    def _keep(self, findings: Sequence[Finding]) -> None:
        self.findings.extend(findings)
        if self._inventory is not None:
            self._inventory.keep()
        self.found.update(finding.rule_id for finding in findings)
        self.counts.statuses.update(finding.status for finding in findings)
        failed = [finding for finding in findings if finding.status is Status.FAIL]
        self.counts.severities.update(finding.severity for finding in failed)
        self.counts.rules.update(finding.rule_id for finding in failed)
        self.counts.accounts.update(finding.resource.account_id for finding in failed)


def _failing(cases: Cases[Any], findings: Sequence[Sequence[Finding]]) -> Mapping[str, Sequence[Resource]]:
    """The resource in the cases in which a finding fails, by the finding's fingerprint."""
    found: dict[str, list[Resource]] = {}
    for case, own in zip(cases, findings, strict=True):
        if case.resource is not None:
            for fingerprint in dict.fromkeys(each.fingerprint for each in own if each.status is Status.FAIL):
                found.setdefault(fingerprint, []).append(case.resource)
    return found


_NOT_APPLICABLE, _LEFT_OUT = "not_applicable", "left_out"
_VERDICTS = (*Status, _NOT_APPLICABLE, _LEFT_OUT)


def verdicts_of(findings: Iterable[Finding]) -> dict[str, Status]:
    """The verdict of each rule that has findings on a resource; these are all its findings."""
    verdicts: dict[str, Status] = {}
    for finding in findings:
        known = verdicts.get(finding.rule_id)
        verdicts[finding.rule_id] = finding.status if known is None else min(known, finding.status, key=DECIDING.index)
    return verdicts


def judges_roles(rules: Iterable[Rule]) -> bool:
    """Whether any of the rules judges roles."""
    return any(rule.info.resource == "role" and not rule.off for rule in rules)


def tool(rules: Sequence[Rule]) -> Tool:
    """The tool and its rules, as reports name them."""
    return Tool(name="chimeaudit", version=__version__, rules_digest=digest(rules))


def reported(gaps: Iterable[Gap], waivers: Waivers, places: Mapping[Gap, Location] | None = None) -> list[ReportedGap]:
    """The gaps as a report lists them, sorted, with waivers; `places` has the locations of those in files."""
    found = places or {}
    return [
        ReportedGap(**structs.asdict(gap), waiver=waivers.gap(gap), location=found.get(gap, UNSET))
        for gap in sorted(gaps, key=_position)
    ]


def _with_flows(seen: facts.AppInstance, listed: list[ChannelFlow] | None, broken: Gap | None) -> AppInstance:
    """The app instance with its flows, by ARN; they are unknown if their list ended early (`broken`).

    `listed` is None if no rule reads the flows.
    """
    if listed is None:
        return AppInstance(**structs.asdict(seen))
    listed.sort(key=vocabulary.key)
    missing = {
        within("flows", index, path): gap for index, flow in enumerate(listed) for path, gap in flow.gaps.items()
    }
    gaps = seen.gaps | missing | ({} if broken is None else {"flows": broken})
    declared = seen.declared
    untold = not isinstance(declared, UnsetType) and declared.is_untold("flows")
    flows = UNSET if untold or broken is not None else tuple(listed)
    if not isinstance(declared, UnsetType) and not untold:
        declared = declared.holding("flows", [flow.declared for flow in listed])
    return AppInstance(**structs.asdict(seen) | {"gaps": gaps, "flows": flows, "declared": declared})


def _position(gap: Gap) -> tuple[str, ...]:
    return (gap.account_id, gap.region or "", gap.resource_arn or "", gap.operation, gap.code, gap.reason)


def _counts(names: Iterable[str], seen: Counter[str]) -> dict[str, int]:
    """How often each name was seen; names that were not seen count 0."""
    return {name: seen[name] for name in dict.fromkeys((*names, *sorted(seen)))}
