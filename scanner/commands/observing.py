"""The part of a scan that looks: what is in scope, collecting it, and going on with what was begun."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from enum import Enum
from time import monotonic
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from scanner import runs
from scanner.commands import progress
from scanner.commands.demo import simulated_aws
from scanner.commands.log import Log
from scanner.commands.where import Where
from scanner.engine.audit import Audit
from scanner.errors import ChimeauditError, NothingScannedError, OutputError, UsageError
from scanner.journal import UNKNOWN_ACCOUNT, Journal, RunHeader

if TYPE_CHECKING:
    from scanner.collect.places import Place
    from scanner.collect.worker import Done


class Ended(Enum):
    """How the collecting came to its end."""

    ALL_TRIED = "all tried"
    INTERRUPTED = "interrupted"
    OUT_OF_TIME = "out of time"
    BROKEN = "broken"


class Observed(Struct, frozen=True):
    """What was seen, and how that ended; `broken` says why, where the means of looking were lost."""

    journal: Journal
    audit: Audit
    ended: Ended = Ended.ALL_TRIED
    broken: ChimeauditError | None = None


def observe(
    where: Where, facets: frozenset[str], record: dict[str, Any], begin: Callable[[Journal], Audit], log: Log
) -> Observed:
    """The journal of what was seen: the lists, and these facets. `record` is what the report will say of the options.

    `begin` gives the audit of a journal. Where others do the reading, what they have read is judged meanwhile.

    Raises:
        UsageError: there is no such run, profile or region.
        OutputError: the journal cannot be written.
    """
    if where.from_:
        journal = _with_facets(Journal.open(where.from_), facets)
        return Observed(journal, begin(journal))
    began = monotonic()
    with simulated_aws() if where.demo else nullcontext():
        journal = _take_up(where, facets) if where.resume else _begin(where, facets, record, log)
        try:
            if not where.resume:
                journal = Journal.create(journal.directory, journal.header)
            with journal.locked():
                return _collect(journal, begin, where, log, began)
        except OutputError as error:
            return Observed(journal, begin(journal), Ended.BROKEN, error)


def _take_up(where: Where, facets: frozenset[str]) -> Journal:
    journal = _with_facets(Journal.open(where.run_dir or runs.newest_unfinished(demo=where.demo)), facets)
    if bool(journal.header.options.get("demo")) != where.demo:
        which, step = ("of no demo", "Leave --demo out.") if where.demo else ("of the demo", "Add --demo.")
        raise UsageError(f"{journal.directory} holds a run {which}", hint=step)
    if not journal.complete:
        _check_owner(journal)
    return journal


def _check_owner(journal: Journal) -> None:
    """Refuse to go on with other credentials than those that a run was begun with: they would read another account."""
    from scanner.collect.aws import Aws
    from scanner.collect.failure import FailedCallError

    own = {target.profile: target.account_id for target in journal.header.targets if target.role is None}
    for profile, account_id in own.items():
        try:
            found = Aws(profile).identity().account_id
        except FailedCallError:
            continue  # what cannot be read with them becomes a gap
        if account_id not in {found, UNKNOWN_ACCOUNT}:
            message = f"{journal.directory} is about account {account_id}, and these credentials belong to {found}"
            raise UsageError(message, hint="Use the credentials that the run was begun with.")


def _with_facets(journal: Journal, facets: frozenset[str]) -> Journal:
    missing = facets - set(journal.header.facets)
    if missing:
        message = f"{journal.directory} holds no {', '.join(sorted(missing))}, which the rules read"
        raise UsageError(message, hint="Scan again with these rules, or --select others.")
    return journal


def _collect(journal: Journal, begin: Callable[[Journal], Audit], where: Where, log: Log, began: float) -> Observed:
    from scanner.collect.run import BrokenRunError, Collection

    audit = begin(journal)
    log.tell("began", f"Scanning {_scope(journal)}. The journal is in {journal.directory}", run=journal.header.id)

    def tell(done: Done) -> None:
        target = done.target
        for fault in done.faults:
            log.detail("fault", fault, account_id=target.account_id, region=target.region)
        came_to = "has been read" if done.complete else "is left to a second try"
        message = f"Account {target.account_id} in {target.region} {came_to}"
        log.detail("target", message, account_id=target.account_id, region=target.region, complete=done.complete)
        if done.complete and (where.cluster or where.workers):
            audit.judge(target)

    try:
        collection = Collection(journal, _place(where, journal, audit), tell=tell, take=audit.take)
        with progress.shown(lambda: collection.progress, log):
            in_time = collection.run(None if where.max_runtime is None else began + where.max_runtime)
    except KeyboardInterrupt:
        return Observed(journal, begin(journal), Ended.INTERRUPTED)  # maybe the other was in the middle of something
    except (BrokenRunError, NothingScannedError) as error:
        return Observed(journal, audit, Ended.BROKEN, error)
    return Observed(journal, audit, Ended.ALL_TRIED if in_time else Ended.OUT_OF_TIME)


def _place(where: Where, journal: Journal, audit: Audit) -> Place:
    if where.cluster:
        from scanner.cluster.coordinator import Cluster

        return Cluster(where.cluster, journal.header.targets, audit.part_judge)
    from scanner.collect.places import Processes, Threads

    targets = journal.header.targets
    return Processes(targets, where.workers) if where.workers else Threads(targets)


def _begin(where: Where, facets: frozenset[str], record: dict[str, Any], log: Log) -> Journal:
    from scanner.collect.aws import Aws
    from scanner.collect.scope import Wanted, resolve

    now = datetime.now(UTC)
    run_id = runs.new_id(now)
    wanted = Wanted(
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
    resolved = resolve(wanted, Aws)
    for note in resolved.notes:
        log.tell("note", note)
    runs.prune(now)
    return Journal(
        where.run_dir or runs.home() / run_id,
        RunHeader(
            id=run_id,
            started_at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
            scope=resolved.scope,
            targets=resolved.targets,
            facets=tuple(sorted(facets)),
            gaps=resolved.gaps,
            options=record,
        ),
    )


def _scope(journal: Journal) -> str:
    scope = journal.header.scope
    accounts = f"account {scope.accounts[0]}" if len(scope.accounts) == 1 else f"{len(scope.accounts):,} accounts"
    return f"{accounts} in {', '.join(scope.regions)}"
