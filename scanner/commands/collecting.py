"""The part of a scan that looks: what is in scope, collecting it, and going on with what was begun."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from scanner.aws import waiting
from scanner.commands import progress, resuming
from scanner.commands.demo import simulated_aws
from scanner.commands.options.scan import Where
from scanner.errors import ChimeauditError, NothingScannedError, OutputError
from scanner.judge.audit import Audit
from scanner.model.facts import Gap
from scanner.model.moments import stamp
from scanner.model.report import Scope
from scanner.store import runs
from scanner.store.journal import UNKNOWN_ACCOUNT, Journal, RunHeader, Target
from scanner.terminal import Log

if TYPE_CHECKING:
    from scanner.collect.executors import Executor
    from scanner.collect.scope import Resolved, Wanted
    from scanner.collect.task import TaskResult


class Ended(Enum):
    """How the collecting came to its end."""

    ALL_TRIED = "all tried"
    INTERRUPTED = "interrupted"
    OUT_OF_TIME = "out of time"
    BROKEN = "broken"


class Observed(Struct, frozen=True):
    """What was seen, and how that ended; `broken` says why, where the means of looking were lost.

    `awaited` is what was waited for when the time was up.
    """

    journal: Journal
    audit: Audit
    ended: Ended = Ended.ALL_TRIED
    broken: ChimeauditError | None = None
    awaited: str = ""


def observe(
    where: Where,
    facets: frozenset[str],
    record: dict[str, Any],
    begin: Callable[[Journal], Audit],
    log: Log,
    *,
    until: float | None,
) -> Observed:
    """The journal of what was seen: the lists, and these facets. `record` is what the report will say of the options.

    `begin` gives the audit of a journal. Where others do the reading, what they have read is judged meanwhile.
    Looking ends at `until`, a point in time of `time.monotonic`.

    Raises:
        UsageError: there is no such run, profile or region.
        OutputError: the journal cannot be written.
    """
    if where.from_:
        journal = resuming.with_facets(Journal.open(where.from_), facets)
        return Observed(journal, begin(journal))
    with simulated_aws() if where.demo else nullcontext():
        found = resuming.find(where, facets, log, until) if where.resume else None
        try:
            journal, in_time = (found, True) if found else _new(where, facets, record, log, until)
        except NothingScannedError as error:  # there is nothing to go on with
            resolved = _unresolved(where, "accounts that could not be found out", _unreadable(where, error))
            journal = _unbegun(resolved, facets, record)
            return Observed(journal, begin(journal), Ended.BROKEN, error)
        if not in_time:
            return Observed(journal, begin(journal), Ended.OUT_OF_TIME, awaited=waiting.awaited())
        try:
            if not found:
                journal = Journal.create(journal.directory, journal.header)
            with journal.locked():
                if found:
                    resuming.tell(journal, log)
                if found and journal.complete:
                    return Observed(journal, begin(journal))
                return _collect(journal, begin, where, log, until)
        except OutputError as error:
            return Observed(journal, begin(journal), Ended.BROKEN, error)


def _collect(
    journal: Journal, begin: Callable[[Journal], Audit], where: Where, log: Log, until: float | None
) -> Observed:
    from scanner.collect.executors import NoProcessError
    from scanner.collect.run import BrokenRunError, Collection

    audit = begin(journal)
    log.tell("began", f"Scanning {_scope(journal)}. The journal is in {journal.directory}", run=journal.header.id)

    def tell(done: TaskResult) -> None:
        target = done.target
        for fault in done.faults:
            log.detail("fault", fault, account_id=target.account_id, region=target.region)
        came_to = "has been read" if done.complete else "is left to a second try"
        message = f"Account {target.account_id} in {target.region} {came_to}"
        log.detail("target", message, account_id=target.account_id, region=target.region, complete=done.complete)
        if done.complete and (where.cluster or where.workers):
            audit.judge(target)

    try:
        collection = Collection(journal, _executor(where, journal, audit, until), tell=tell, take=audit.take)
        with progress.shown(lambda: collection.progress, log):
            in_time = collection.run(until)
    except KeyboardInterrupt:
        return Observed(journal, begin(journal), Ended.INTERRUPTED)  # maybe the other was in the middle of something
    except (BrokenRunError, NothingScannedError) as error:
        return Observed(journal, audit, Ended.BROKEN, error)
    except NoProcessError as error:
        return Observed(journal, audit, Ended.BROKEN, ChimeauditError(str(error), hint=""))
    except waiting.OutOfTimeError:
        in_time = False
    ended = Ended.ALL_TRIED if in_time else Ended.OUT_OF_TIME
    return Observed(journal, audit, ended, awaited="" if in_time else waiting.awaited())


def _executor(where: Where, journal: Journal, audit: Audit, until: float | None) -> Executor:
    if where.cluster:
        from scanner.cluster.coordinator import Cluster

        return Cluster(where.cluster, journal.header.targets, audit.part_judge, until=until)
    from scanner.collect.executors import Processes, Threads

    targets = journal.header.targets
    return Processes(targets, where.workers) if where.workers else Threads(targets)


def _new(
    where: Where, facets: frozenset[str], record: dict[str, Any], log: Log, until: float | None
) -> tuple[Journal, bool]:
    """A new run, which is not on disk yet, and whether there was time to find out what is in its scope."""
    from scanner.aws.session import Aws
    from scanner.collect.scope import resolve

    now = datetime.now(UTC)
    wanted = _wanted(where)
    try:
        resolved = waiting.in_time(lambda: resolve(wanted, Aws), until)
    except waiting.OutOfTimeError:
        return _unbegun(_late(where), facets, record), False
    run_id = runs.new_id(now)
    runs.prune(now)
    directory = where.run_dir or runs.make(run_id)
    for note in resolved.notes:
        log.tell("note", note)
    return Journal(directory, _header(run_id, now, resolved, facets, record)), True


def _unbegun(resolved: Resolved, facets: frozenset[str], record: dict[str, Any]) -> Journal:
    """The journal of a run that saw nothing: there is nothing to go on with, so it is nowhere."""
    now = datetime.now(UTC)
    run_id = runs.new_id(now)
    return Journal((runs.home() or Path()) / run_id, _header(run_id, now, resolved, facets, record))


def _header(
    run_id: str, now: datetime, resolved: Resolved, facets: frozenset[str], record: dict[str, Any]
) -> RunHeader:
    return RunHeader(
        id=run_id,
        started_at=stamp(now),
        scope=resolved.scope,
        targets=resolved.targets,
        facets=tuple(sorted(facets)),
        gaps=resolved.gaps,
        options=record,
        callers=resolved.callers,
    )


def _wanted(where: Where) -> Wanted:
    from scanner.collect.scope import Wanted

    return Wanted(
        regions=where.regions,
        profiles=where.profile,
        organization=where.org or (where.demo and not where.accounts),
        units=where.ou,
        accounts=where.accounts,
        exclude=where.exclude,
        role_name=where.role,
        session_name=where.session_name,
        external_id=where.external_id,
    )


def _late(where: Where) -> Resolved:
    """What is known of a scope that was not found out in time."""
    awaited = waiting.awaited()
    reason = f"--max-runtime was over before the accounts in scope were known{awaited and f', waiting for {awaited}'}"
    gap = Gap(
        account_id=UNKNOWN_ACCOUNT,
        operation=awaited.rpartition(":")[2] if ":" in awaited else "GetCallerIdentity",
        code="Interrupted",
        reason=f"{reason}; see to what it waits for, or give it more time",
    )
    return _unresolved(where, "accounts that were not found out in time", (gap,))


def _unreadable(where: Where, error: NothingScannedError) -> tuple[Gap, ...]:
    """A gap of each profile whose configuration cannot be read."""
    step = f"{error.hint[:1].lower()}{error.hint[1:].rstrip('.')}"
    return tuple(
        Gap(
            account_id=UNKNOWN_ACCOUNT,
            operation="GetCallerIdentity",
            code="InvalidConfig",
            reason=f"{profile and f'profile {profile}: '}{error.message}; {step}",
        )
        for profile in where.profile or ("",)
    )


def _unresolved(where: Where, chosen_by: str, gaps: tuple[Gap, ...]) -> Resolved:
    from scanner.collect.scope import Resolved

    regions = tuple(sorted(set(where.regions)))
    return Resolved(
        scope=Scope(accounts=(UNKNOWN_ACCOUNT,), regions=regions, chosen_by=chosen_by),
        targets=tuple(Target(account_id=UNKNOWN_ACCOUNT, region=region) for region in regions),
        callers={},
        gaps=gaps,
    )


def _scope(journal: Journal) -> str:
    scope = journal.header.scope
    accounts = f"account {scope.accounts[0]}" if len(scope.accounts) == 1 else f"{len(scope.accounts):,} accounts"
    return f"{accounts} in {', '.join(scope.regions)}"
