"""Judges a run: makes the report from its journal.

A part of a run may be judged where it was read, in another process or on another machine (`PartJudge`). The audit then
takes these verdicts instead of judging again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from msgspec import UNSET, structs

from scanner.judge.controls import controls
from scanner.judge.evaluate import Evaluation
from scanner.judge.inventory import Inventory
from scanner.judge.sections import ROLES, Parting, Sections
from scanner.judge.tally import Tally, judges_roles, reported, tool
from scanner.language import frameworks
from scanner.language.frameworks import Supports
from scanner.language.rule import Rule, facets
from scanner.model.facts import GLOBAL, Gap
from scanner.model.report import Coverage, Finding, InScope, InventoryItem, Observed, Report, Run
from scanner.model.verdicts import Verdicts
from scanner.outcome.waivers import Waivers
from scanner.store.journal import UNKNOWN_ACCOUNT, Journal, Target, interrupted, roles_interrupted
from scanner.store.spool import Spool
from scanner.store.target_file import TargetReader

_MOST_BYTES = 8 << 20
"""How many bytes of findings and inventory a part may have, since they are sent in one piece. The audit judges the
rest."""


class PartJudge:
    """Judges journal files by rules and waivers. It can be pickled. Ages are relative to `started_at`.

    With `inventory`, it also notes everything that it judges.
    """

    def __init__(
        self, rules: Sequence[Rule], waivers: Waivers, started_at: datetime, *, inventory: bool = False
    ) -> None:
        self._rules = rules
        self._waivers = waivers
        self._started_at = started_at
        self._has_inventory = inventory
        self._judges_roles = judges_roles(rules)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without compiled rules, which are closures; they are compiled again on the other side."""
        remade = partial(PartJudge, inventory=self._has_inventory)
        return remade, (self._rules, self._waivers, self._started_at)

    def __call__(self, path: Path) -> Verdicts:
        """The verdicts on what is in a journal file; not on all app instances if there are too many findings.

        Raises:
            OutputError: there is no room on disk for the findings.
        """
        findings, items = Spool(path.parent, Finding), Spool(path.parent, InventoryItem)
        parts = Parting(findings), Parting(items)
        inventory = Inventory(self._rules, items) if self._has_inventory else None
        tally = Tally(self._evaluation, self._waivers, findings, inventory)
        gaps: set[Gap] = set()
        judged: set[str] = set()
        reader = TargetReader(path)
        roles = reader.roles if self._judges_roles else None
        if roles is not None:
            gaps |= tally.roles(roles.roles)
            for part in parts:
                part.add(ROLES)
        for read in reader.app_instances():
            gaps |= tally.read(reader, read)
            judged.add(read.app_instance.arn)
            for part in parts:
                part.add(read.app_instance.arn)
            if findings.end + items.end > _MOST_BYTES:
                break
        return Verdicts(
            counts=tally.counts,
            gaps=frozenset(gaps),
            app_instances=frozenset(judged),
            roles=roles is not None,
            findings=parts[0].part,
            inventory=parts[1].part,
            waivers=self._waivers.used,
        )

    @cached_property
    def _evaluation(self) -> Evaluation:
        return Evaluation(self._rules, self._started_at)


_CHANNELS = "Channels that no channel flow processes: scan with --select profile:default,profile:channels to list them."
_ROLES = (
    "What IAM roles let signed-in users do to channels and their flows: scan with --select"
    " profile:default,profile:chat-access to judge them."
)
_LEFT_OUT = (
    "Roles of users of identity providers other than Cognito that no policy relates to Chime, or that IAM Identity"
    " Center manages"
)
_HANDED_OUT = "Roles that a backend hands out to users by its own AssumeRole."
_LIMITS = "What limits roles from outside: service and resource control policies, and session policies."
_CODE = "What a processor's code does with the messages it is given."
_ELSEWHERE = (
    "What else may carry messages past a flow, or keep them: streaming configurations, bots and retention settings."
)
_TRAILS = (
    "Whether a trail of CloudTrail logs management events: without one, alerts on changed channel flows stay silent."
)


def not_examined(rules: Sequence[Rule], roles_left_out: int = 0) -> tuple[str, ...]:
    """What a scan by these rules does not examine; `roles_left_out` is how many roles of users it did not judge."""
    read = facets(rules)
    channels = () if "all_channels" in read else (_CHANNELS,)
    roles: tuple[str, ...] = (_ROLES,)
    if "chat_roles" in read:
        roles = (*([f"{_LEFT_OUT}: {roles_left_out}."] if roles_left_out else []), _HANDED_OUT, _LIMITS)
    return (*channels, *roles, _CODE, _ELSEWHERE, *([_TRAILS] if "alerts" in read else []))


def audit(journal: Journal, rules: Sequence[Rule], finished_at: str, waivers: Waivers | None = None) -> Report:
    """The report on a run by these rules. The same journal, rules and waivers give the same report.

    Raises:
        UsageError: the journal is damaged.
        OutputError: there is no room on disk for the findings.
    """
    return Audit(journal, rules, waivers).report(finished_at)


class Audit:
    """Judges the targets of a run, each once it was read or all at the end; the order makes no difference.

    `supports` says what of each control the rules support; None: as the shipped rules do. With `inventory`, the report
    has one.

    Raises (each method):
        UsageError: the journal is damaged.
        OutputError: there is no room on disk for the findings.
    """

    def __init__(
        self,
        journal: Journal,
        rules: Sequence[Rule],
        waivers: Waivers | None = None,
        supports: Supports | None = None,
        *,
        inventory: bool = False,
    ) -> None:
        self._journal = journal
        self._rules = rules
        self._waivers = waivers or Waivers(today=date.min)
        self._supports = frameworks.supports() if supports is None else supports
        self._started_at = journal.header.began
        self._findings = Spool(journal.directory, Finding)
        self._items = Spool(journal.directory, InventoryItem)
        self._sections = Sections(self._findings), Sections(self._items)
        self._inventory = Inventory(rules, self._items) if inventory else None
        self._tally = Tally(Evaluation(rules, self._started_at), self._waivers, self._findings, self._inventory)
        self._judges_roles = judges_roles(rules)
        self._gaps = set(journal.header.gaps)
        self._listed: set[Target] = set()
        self._taken: dict[Target, set[str]] = {}
        self._judged: set[Target] = set()
        accounts = {target.account_id for target in journal.header.targets} - {UNKNOWN_ACCOUNT}
        self._unread_roles = accounts if self._judges_roles else set()
        self._roles_left_out = 0

    @property
    def part_judge(self) -> PartJudge:
        """A judge of parts with the same rules and waivers, to be sent to workers; `take` takes its verdicts."""
        has_inventory = self._inventory is not None
        return PartJudge(self._rules, self._waivers, self._started_at, inventory=has_inventory)

    def take(self, target: Target, verdicts: Verdicts) -> None:
        """Take the verdicts on a part of a target that is already in the journal."""
        roles = _roles_of(target.account_id)
        findings, items = self._sections
        findings.take(target, roles, verdicts.findings)
        items.take(target, roles, verdicts.inventory)
        self._taken.setdefault(target, set()).update(verdicts.app_instances)
        if verdicts.roles:
            self._judged.add(roles)
        self._tally.counts += verdicts.counts
        self._gaps |= verdicts.gaps
        self._waivers.use(verdicts.waivers)

    def judge(self, target: Target) -> None:
        """Judge the rest of a target to which nothing more will be added."""
        if target in self._judged:
            return
        self._judged.add(target)
        reader = self._journal.reader(target)
        self._coverage(target, reader)
        if self._judges_roles:
            self._roles(target, reader)
        for read in reader.app_instances(besides=self._taken.pop(target, ())):
            self._gaps |= self._tally.read(reader, read)
            self._add(target, read.app_instance.arn)
        for section in self._sections:
            section.close(target)

    def report(self, finished_at: str) -> Report:
        """Judge all targets that are left, and make the report."""
        header, rules = self._journal.header, self._rules
        targets = sorted(header.targets)
        for target in targets:
            self.judge(target)
        for section in self._sections:
            section.arrange()
        gaps = reported(self._gaps.union(map(roles_interrupted, self._unread_roles)), self._waivers)
        summary = self._tally.summary(rules, header.scope.accounts)
        return Report(
            tool=tool(rules),
            run=Run(id=header.id, started_at=header.started_at, finished_at=finished_at, options=header.options),
            scope=header.scope,
            coverage=Coverage(
                complete=all(gap.waiver for gap in gaps),
                in_scope=InScope(accounts=len(header.scope.accounts), targets=len(header.targets)),
                observed=self._observed(header.targets),
                gaps=tuple(gaps),
                not_examined=not_examined(rules, self._roles_left_out),
            ),
            summary=summary,
            rules=tuple(rule.info for rule in rules),
            controls=controls(rules, summary.rules or {}, gaps, self._supports),
            findings=self._findings,
            inventory=UNSET if self._inventory is None else self._items,
        )

    def _add(self, target: Target, arn: str) -> None:
        """What was judged last belongs to an app instance of a target."""
        for section in self._sections:
            section.add(target, arn)

    def _roles(self, target: Target, reader: TargetReader) -> None:
        """Judge the roles of the account, unless a worker did, if they were read with this target."""
        read, at = reader.roles, _roles_of(target.account_id)
        if read is None:
            return
        self._unread_roles.discard(target.account_id)
        self._roles_left_out += read.left_out
        self._gaps.update(read.gaps)
        if at not in self._judged:
            self._judged.add(at)
            self._gaps |= self._tally.roles(read.roles)
            self._add(at, ROLES)

    def _coverage(self, target: Target, reader: TargetReader) -> None:
        """Record a target's gaps, and whether its app instances were listed to the end."""
        if reader.complete and not reader.gaps:
            self._listed.add(target)
        elif not reader.complete and target.account_id != UNKNOWN_ACCOUNT:
            self._gaps.add(interrupted(target))
        self._gaps.update(reader.gaps)

    def _observed(self, targets: Sequence[Target]) -> Observed:
        """How much was observed; an account counts only if all its targets were listed."""
        missed = {target.account_id for target in targets if target not in self._listed}
        return structs.replace(
            self._tally.observed(self._rules),
            accounts=len({target.account_id for target in self._listed} - missed),
            targets=len(self._listed),
        )


def _roles_of(account_id: str) -> Target:
    """Where the roles of an account stand among the targets: at the region that IAM has."""
    return Target(account_id=account_id, region=GLOBAL)
