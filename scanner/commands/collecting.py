"""The first stage of a scan: finds out what is in scope, and collects it or resumes an earlier run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from scanner.aws import waiting
from scanner.commands import progress, resuming
from scanner.commands.options.scan import ScanOptions
from scanner.commands.options.scope import ScopeOptions
from scanner.commands.request import ScanRequest
from scanner.errors import ChimeauditError, NothingScannedError, OutputError
from scanner.judge.audit import Audit
from scanner.language.rule import Rule, greatest_number
from scanner.model.facts import Gap
from scanner.model.moments import stamp
from scanner.model.report import Scope
from scanner.store import runs
from scanner.store.journal import UNKNOWN_ACCOUNT, Journal, RunHeader, Target

if TYPE_CHECKING:
    from scanner.collect.executors import Executor
    from scanner.collect.scope import Resolved, Wanted
    from scanner.collect.task import ChannelTerms, TaskResult

_NO_OTHER_AWS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


class CollectionEnd(Enum):
    """How collecting ended."""

    ALL_TRIED = "all tried"
    INTERRUPTED = "interrupted"
    OUT_OF_TIME = "out of time"
    BROKEN = "broken"


class Collected(Struct, frozen=True):
    """What was collected, and how collecting ended.

    `broken` is the error that ended it, if one did. `awaited` is what was waited for when the time was up.
    """

    journal: Journal
    audit: Audit
    ended: CollectionEnd = CollectionEnd.ALL_TRIED
    broken: ChimeauditError | None = None
    awaited: str = ""


def collect(request: ScanRequest) -> Collected:
    """Collect everything in scope into a journal, and prepare its audit. Workers elsewhere judge what they read.

    Raises:
        UsageError: there is no such run, profile or region.
        OutputError: the journal cannot be written.
    """
    options = request.options
    if options.from_:
        journal = resuming.with_facets(Journal.open(options.from_), request.facets)
        return Collected(journal, request.audit(journal))
    with simulated_aws() if options.demo else nullcontext():
        return _resumed(request) if options.resume else _begun(request)


def _resumed(request: ScanRequest) -> Collected:
    journal = resuming.find(request)
    if journal is None:
        return _begun(request)
    try:
        with journal.locked():
            resuming.tell(journal, request.log)
            if journal.complete:
                return Collected(journal, request.audit(journal))
            return _collect(journal, request)
    except OutputError as error:
        return Collected(journal, request.audit(journal), CollectionEnd.BROKEN, error)


def _begun(request: ScanRequest) -> Collected:
    try:
        journal, in_time = _new(request)
    except KeyboardInterrupt:
        journal = _unbegun(request, _unfound(request.options, "the scan was interrupted", "scan again"))
        return Collected(journal, request.audit(journal), CollectionEnd.INTERRUPTED)
    except NothingScannedError as error:  # nothing was begun
        gaps = _unreadable(request.options, error)
        journal = _unbegun(request, _unresolved(request.options, "accounts that could not be found out", gaps))
        return Collected(journal, request.audit(journal), CollectionEnd.BROKEN, error)
    if not in_time:
        awaited = waiting.awaited()
        return Collected(journal, request.audit(journal), CollectionEnd.OUT_OF_TIME, awaited=awaited)
    try:
        journal = Journal.create(journal.directory, journal.header)
        with journal.locked():
            return _collect(journal, request)
    except OutputError as error:
        return Collected(journal, request.audit(journal), CollectionEnd.BROKEN, error)


def _collect(journal: Journal, request: ScanRequest) -> Collected:
    from scanner.collect.executors import NoProcessError
    from scanner.collect.run import BrokenRunError, Collection

    options, log = request.options, request.log
    audit = request.audit(journal)
    log.tell("began", f"Scanning {_scope(journal)}. The journal is in {journal.directory}", run=journal.header.id)

    def note(done: TaskResult) -> None:
        target = done.target
        for fault in done.faults:
            log.detail("fault", fault, account_id=target.account_id, region=target.region)
        came_to = "has been read" if done.complete else "is left to a second try"
        message = f"Account {target.account_id} in {target.region} {came_to}"
        log.detail("target", message, account_id=target.account_id, region=target.region, complete=done.complete)
        if done.complete and (options.cluster or options.workers):
            audit.judge(target)

    try:
        executor = _executor(journal, audit, request)
        channels = channel_terms(options, request.bearer, request.rules)
        collection = Collection(journal, executor, channels=channels, on_result=note, on_verdicts=audit.take)
        with progress.shown(lambda: collection.progress, log):
            in_time = collection.run(request.until)
    except KeyboardInterrupt:
        # the first audit may have been interrupted half-way
        return Collected(journal, request.audit(journal), CollectionEnd.INTERRUPTED)
    except (BrokenRunError, NothingScannedError) as error:
        return Collected(journal, audit, CollectionEnd.BROKEN, error)
    except NoProcessError as error:
        return Collected(journal, audit, CollectionEnd.BROKEN, ChimeauditError(str(error), hint=""))
    except waiting.OutOfTimeError:
        in_time = False
    ended = CollectionEnd.ALL_TRIED if in_time else CollectionEnd.OUT_OF_TIME
    return Collected(journal, audit, ended, awaited="" if in_time else waiting.awaited())


def channel_terms(options: ScopeOptions, bearer: str | None, rules: Sequence[Rule]) -> ChannelTerms:
    """How these options ask to list channels."""
    from scanner.collect.task import ChannelTerms

    return ChannelTerms(
        bearer=bearer,
        calls_per_second=options.channel_rate,
        most=options.max_channels,
        allowed=greatest_number(rules, "all_channels"),
    )


def _executor(journal: Journal, audit: Audit, request: ScanRequest) -> Executor:
    options, targets = request.options, journal.header.targets
    if options.cluster:
        from scanner.cluster.coordinator import Cluster

        return Cluster(options.cluster, targets, audit.part_judge, until=request.until)
    from scanner.collect.executors import Processes, Threads

    return Processes(targets, options.workers) if options.workers else Threads(targets)


def _new(request: ScanRequest) -> tuple[Journal, bool]:
    """A new run, not yet on disk, and whether its scope was found out in time."""
    from scanner.aws.session import Aws
    from scanner.collect.scope import resolve

    now = datetime.now(UTC)
    wanted = in_scope(request.options)
    try:
        resolved = waiting.in_time(lambda: resolve(wanted, Aws), request.until)
    except waiting.OutOfTimeError:
        step = "see to what it waits for, or give it more time"
        return _unbegun(request, _unfound(request.options, "--max-runtime was over", step)), False
    run_id = runs.new_id(now)
    runs.prune(now)
    directory = request.options.run_dir or runs.make(run_id)
    for note in resolved.notes:
        request.log.tell("note", note)
    return Journal(directory, _header(run_id, now, resolved, request)), True


def _unbegun(request: ScanRequest, resolved: Resolved) -> Journal:
    """The journal of a run that saw nothing. It cannot be resumed, so it is not written to disk."""
    now = datetime.now(UTC)
    run_id = runs.new_id(now)
    return Journal((runs.home() or Path()) / run_id, _header(run_id, now, resolved, request))


def _header(run_id: str, now: datetime, resolved: Resolved, request: ScanRequest) -> RunHeader:
    return RunHeader(
        id=run_id,
        started_at=stamp(now),
        scope=resolved.scope,
        targets=resolved.targets,
        facets=tuple(sorted(request.facets)),
        gaps=resolved.gaps,
        options=request.record,
        callers=resolved.callers,
    )


def in_scope(options: ScopeOptions) -> Wanted:
    """What the options ask to look at."""
    from scanner.collect.scope import Wanted

    return Wanted(
        regions=options.regions,
        profiles=options.profile,
        organization=options.org or (options.demo and not options.accounts),
        units=options.ou,
        accounts=options.accounts,
        exclude=options.exclude,
        role_name=options.role,
        session_name=options.session_name,
        external_id=options.external_id,
    )


def _unfound(options: ScanOptions, why: str, step: str) -> Resolved:
    """The scope, as far as it is known, if it was not found out before something happened."""
    awaited = waiting.awaited()
    gap = Gap(
        account_id=UNKNOWN_ACCOUNT,
        operation=awaited.rpartition(":")[2] if ":" in awaited else "GetCallerIdentity",
        code="Interrupted",
        reason=f"{why} before the accounts in scope were known{awaited and f', waiting for {awaited}'}; {step}",
    )
    return _unresolved(options, "accounts that were not found out in time", (gap,))


def _unreadable(options: ScanOptions, error: NothingScannedError) -> tuple[Gap, ...]:
    """A gap for each profile whose configuration cannot be read."""
    step = f"{error.hint[:1].lower()}{error.hint[1:].rstrip('.')}"
    return tuple(
        Gap(
            account_id=UNKNOWN_ACCOUNT,
            operation="GetCallerIdentity",
            code="InvalidConfig",
            reason=f"{profile and f'profile {profile}: '}{error.message}; {step}",
        )
        for profile in options.profile or ("",)
    )


def _unresolved(options: ScanOptions, chosen_by: str, gaps: tuple[Gap, ...]) -> Resolved:
    from scanner.collect.scope import Resolved

    regions = tuple(sorted(set(options.regions)))
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


@contextmanager
def simulated_aws() -> Iterator[None]:
    """Point the AWS variables of the environment at the simulation, so that no call leaves this machine.

    Raises:
        UsageError: the extra chimeaudit[demo] is not installed.
    """
    before = dict(os.environ)
    kept = {name: value for name, value in before.items() if not name.startswith("AWS_")}
    _replace_environment({**kept, **_NO_OTHER_AWS})
    try:
        from scanner.simulator.server import start

        with start() as simulation:
            os.environ.update(simulation.environment)
            yield
    finally:
        _replace_environment(before)


def _replace_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)
