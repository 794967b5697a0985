"""Judges what files declare, before deployment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType, structs

from scanner.errors import Mistake
from scanner.judge.audit import not_examined
from scanner.judge.controls import controls
from scanner.judge.evaluate import Evaluation
from scanner.judge.inventory import Inventory
from scanner.judge.tally import Tally, judges_roles, reported, tool
from scanner.language import frameworks, vocabulary
from scanner.language.frameworks import Supports
from scanner.language.rule import Rule
from scanner.model.branches import Cases
from scanner.model.edits import Editable
from scanner.model.facts import READ_FILE, AppInstance, ChannelFlow, Gap, Role
from scanner.model.metadata import NOT_YET
from scanner.model.report import (
    UNKNOWN,
    Coverage,
    Finding,
    InScope,
    InventoryItem,
    Location,
    Report,
    Run,
    Scope,
    fingerprint,
)
from scanner.outcome.waivers import Waivers
from scanner.policy import LEFT_OUT, LeftOut
from scanner.store.spool import Kept, Spool

Noted = TypeVar("Noted", bound=ChannelFlow | AppInstance | Role | Cases[Any])


class Preview:
    """Judges files one after the other, and makes the report on all of them.

    With `inventory`, the report has one. Callers may add to `gaps` and `not_examined`. `former_files` has a file's name
    -> its name in former reports (scanner.outcome.former), and `former` a former fingerprint -> today's.

    Raises (each method):
        OutputError: there is no room on disk for the findings.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        waivers: Waivers,
        started_at: datetime,
        supports: Supports | None = None,
        *,
        inventory: bool = False,
    ) -> None:
        self.gaps: set[Gap] = set()
        self.not_examined: list[str] = []
        self.former_files: dict[str, str] = {}
        self.former: dict[str, str] = {}
        self._rules = rules
        self._waivers = waivers
        self._supports = frameworks.supports() if supports is None else supports
        self._inventory = Inventory(rules, _spool(InventoryItem)) if inventory else None
        self._tally = Tally(Evaluation(rules, started_at), waivers, _spool(Finding), self._inventory)
        self._tells: set[str] = set()
        self._roles_left_out = 0
        self._files: list[str] = []
        self._accounts: set[str] = set()
        self._regions: set[str] = set()

    def file(
        self,
        name: str,
        tells: frozenset[str],
        groups: Iterable[
            tuple[AppInstance | Cases[vocabulary.AppInstance] | None, Iterable[ChannelFlow | Cases[ChannelFlow]]]
        ],
        roles: Iterable[Role | Cases[Role] | LeftOut | Gap] = (),
        editable: Editable | None = None,
    ) -> None:
        """Judge what one file declares, each resource once or in all its cases.

        `tells` are the facets that the file can tell. The roles, and the gaps among them, are read only if a rule
        judges roles. `editable`: how the file may be edited, if it declares what it is about.
        """
        self._tally.editable = editable
        self._tells.update(tells)
        self._tally.beyond = frozenset(rule.info.id for rule in self._rules if not rule.facets <= tells)
        for app_instance, flows in groups:
            if app_instance is not None:
                self._noted(app_instance)
            self.gaps |= self._tally.app_instance(app_instance, map(self._noted, flows))
        if judges_roles(self._rules):
            found = list(roles)
            self._roles_left_out += found.count(LEFT_OUT)
            self.gaps.update(each for each in found if isinstance(each, Gap))
            self.gaps |= self._tally.roles(self._noted(each) for each in found if isinstance(each, Role | tuple))
        self._files.append(name)

    @property
    def unedited(self) -> Sequence[tuple[Finding, str]]:
        """The failures that might be edited but are not to be, each with the reason."""
        return self._tally.unedited

    @property
    def files(self) -> frozenset[str]:
        """The names of the files that were judged."""
        return frozenset(self._files)

    def report(self, run: Run, mistakes: Sequence[Mistake], unread: Sequence[Mistake] = ()) -> Report:
        """The report on all files.

        Each mistake becomes a gap, and so does each of `unread`: a form that is not supported, of which only the place
        is known.
        """
        ran = [rule for rule in self._rules if self._applied(rule)]
        files = {*self._files, *(mistake.file for mistake in (*mistakes, *unread))}
        places = {_gap(mistake, "InvalidFile"): _location(mistake) for mistake in mistakes}
        places |= {_gap(each, "UnknownForm"): _location(each) for each in unread}
        gaps = reported(self.gaps | places.keys(), self._waivers, places)
        summary = self._tally.summary(ran, self._accounts)
        return Report(
            tool=tool(self._rules),
            run=run,
            scope=Scope(
                accounts=tuple(sorted(self._accounts)),
                regions=tuple(sorted(self._regions)),
                chosen_by="files",
                files=tuple(self._files),
            ),
            coverage=Coverage(
                complete=all(gap.waiver for gap in gaps),
                in_scope=InScope(accounts=0, targets=0, files=len(files)),
                observed=structs.replace(self._tally.observed(ran), files=len(self._files)),
                gaps=tuple(gaps),
                not_examined=(*self.not_examined, *self._left_out(ran), *self._not_examined()),
            ),
            summary=summary,
            rules=tuple(rule.info for rule in ran),
            controls=controls(self._rules, summary.rules or {}, gaps, self._supports, self._tally.left_out),
            findings=self._tally.findings,
            inventory=UNSET if self._inventory is None else self._listed(self._inventory, ran),
        )

    def _listed(self, inventory: Inventory, ran: Sequence[Rule]) -> Spool[InventoryItem]:
        """The inventory with the verdicts of the rules that ran."""
        ids = {rule.info.id for rule in ran}
        if len(ids) == len(self._rules):
            return inventory.items
        listed = _spool(InventoryItem)
        listed.extend(item.narrowed(ids) for item in inventory.items)
        return listed

    def _noted(self, resource: Noted) -> Noted:
        for each in (case.resource for case in resource) if isinstance(resource, tuple) else (resource,):
            if each is not None:
                self._note_scope(each)
        return resource

    def _note_scope(self, resource: AppInstance | ChannelFlow | Role) -> None:
        self._accounts.add(UNKNOWN if resource.account_id is NOT_YET else resource.account_id)
        if not isinstance(resource, Role):
            self._regions.add(UNKNOWN if resource.region is NOT_YET else resource.region)
        if self.former_files:
            self._note_former(resource)

    def _note_former(self, resource: AppInstance | ChannelFlow | Role) -> None:
        declared = resource.declared
        if isinstance(declared, UnsetType) or declared.file not in self.former_files or resource.arn is not NOT_YET:
            return
        key = structs.replace(declared, file=self.former_files[declared.file]).key
        processors = resource.processors if isinstance(resource, ChannelFlow) else ()
        parts = {"", *map(vocabulary.part, () if isinstance(processors, UnsetType) else processors)}
        for rule in self._rules:
            for part in parts:
                former = fingerprint(rule.info.id, key, part)
                self.former[former] = fingerprint(rule.info.id, declared.key, part)

    def _applied(self, rule: Rule) -> bool:
        """Whether some file told what a rule reads."""
        if rule.info.id in self._tally.found:
            return True
        seen = self._tally.seen(rule.info.resource)
        return rule.facets <= self._tells and (not seen or self._tally.left_out[rule.info.id] < seen)

    def _not_examined(self) -> tuple[str, ...]:
        read = self._rules if "chat_roles" in self._tells else ()
        roles = [rule for rule in read if rule.info.resource == "role"]
        return not_examined(roles, self._roles_left_out)

    def _left_out(self, ran: Sequence[Rule]) -> list[str]:
        never = [rule.info.id for rule in self._rules if rule not in ran]
        partly = [rule.info.id for rule in ran if self._tally.left_out[rule.info.id]]
        sentences = []
        if never:
            sentences.append(f"What only AWS knows, and none of these files tells; left out: {', '.join(never)}.")
        if partly:
            sentences.append(
                "What some of these files do not tell, as of functions that they only name; left out there: "
                f"{', '.join(partly)}."
            )
        return sentences


def _spool(kind: type[Kept]) -> Spool[Kept]:
    return Spool(Path(gettempdir()), kind)


def _gap(mistake: Mistake, code: str) -> Gap:
    return Gap(account_id=UNKNOWN, operation=READ_FILE, code=code, reason=str(mistake))


def _location(mistake: Mistake) -> Location:
    """The location of a mistake; the top of its file if it has no line."""
    return Location(file=mistake.file, line=max(mistake.line, 1), column=max(mistake.column, 1))
