"""``--resume``: finds the run to go on with. It must not be of another scope or caller, nor too old."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from scanner.commands.request import ScanRequest
from scanner.errors import UsageError
from scanner.model.moments import in_words
from scanner.store import runs
from scanner.store.journal import UNKNOWN_ACCOUNT, Journal
from scanner.terminal import Log


def find(request: ScanRequest) -> Journal | None:
    """The run in --run-dir, or the newest unfinished one of the same scope; None if a new run is to begin.

    Raises:
        UsageError: --run-dir contains no run, or one that cannot be resumed.
    """
    directory = request.options.run_dir
    return _newest(request) if directory is None else _named(directory, request)


def with_facets(journal: Journal, facets: frozenset[str]) -> Journal:
    """The run, if it has the facts that the rules read.

    Raises:
        UsageError: it has not.
    """
    missing = facets - set(journal.header.facets)
    if missing:
        message = f"{journal.directory} holds no {', '.join(sorted(missing))}, which the rules read"
        raise UsageError(message, hint="Scan again with these rules, or --select others.")
    return journal


def _named(run_dir: Path, request: ScanRequest) -> Journal:
    options = request.options
    journal = Journal.open(run_dir)
    header, directory = journal.header, journal.directory
    if bool(header.options.get("demo")) != options.demo:
        which, step = ("of no demo", "Leave --demo out.") if options.demo else ("of the demo", "Add --demo.")
        raise UsageError(f"{directory} holds a run {which}", hint=step)
    differ = options.differs_from(header.options) if options.names_scope else None
    if differ:
        message = f"{directory} holds a run with {differ[0]}, and this is to be one with {differ[1]}"
        raise UsageError(message, hint="Leave the options of the scope out, or name another directory.")
    with_facets(journal, request.facets)
    if options.max_age is not None and abs(datetime.now(UTC) - header.began) > options.oldest:
        message = f"{directory} holds a run that began {header.started_at}, which is beyond --max-age"
        raise UsageError(message, hint="Scan again into another directory, or leave --max-age out.")
    if not journal.complete:
        _check_owner(journal, request.until)
    return journal


def tell(journal: Journal, log: Log) -> None:
    """Print when the run that was found began."""
    header, directory = journal.header, journal.directory
    began = {"run": header.id, "started_at": header.started_at}
    if journal.complete:
        message = f"{directory} holds a finished run, which began {header.started_at}"
        log.tell("rendered_again", f"{message}: it is reported again, and nothing is read", **began)
    else:
        log.tell("resumed", f"Going on with the run in {directory}, which began {header.started_at}", **began)


def _newest(request: ScanRequest) -> Journal | None:
    oldest = request.options.oldest
    others = ""
    for journal in runs.unfinished(datetime.now(UTC), oldest):
        unfit = _unfit(journal, request)
        if unfit is None:
            return journal
        others = others or f" The one in {journal.directory} {unfit}."
    request.log.tell(
        "begun_anew",
        f"No unfinished run of this scope began in the last {in_words(oldest)}: a new one begins.{others}",
    )
    return None


def _unfit(journal: Journal, request: ScanRequest) -> str | None:
    """Why a run is not the one to resume; None if it is."""
    options, until = request.options, request.until
    if bool(journal.header.options.get("demo")) != options.demo:
        return "is of no demo" if options.demo else "is of the demo"
    differ = options.differs_from(journal.header.options)
    if differ:
        return f"has another scope: {differ[0]}"
    if request.facets - set(journal.header.facets):
        return "holds less than the rules read"
    callers = journal.header.callers or _owners(journal)
    profiles = options.profile or ("",)
    if any(callers.get(profile) is None or _account_of(profile, until) != callers[profile] for profile in profiles):
        return "was begun with other credentials"
    return None


def _check_owner(journal: Journal, until: float | None) -> None:
    """Refuse credentials of another account than those that the run began with."""
    for profile, account_id in _owners(journal).items():
        found = _account_of(profile, until)  # None: what cannot be read becomes a gap
        if found is not None and account_id not in {found, UNKNOWN_ACCOUNT}:
            message = f"{journal.directory} is about account {account_id}, and these credentials belong to {found}"
            raise UsageError(message, hint="Use the credentials that the run was begun with.")


def _owners(journal: Journal) -> dict[str, str]:
    """The accounts that are read with a profile's own credentials, by profile."""
    return {target.profile or "": target.account_id for target in journal.header.targets if target.role is None}


def _account_of(profile: str, until: float | None) -> str | None:
    """The account of a profile's credentials; None if it cannot be found out in time."""
    from scanner.aws.failure import FailedCallError
    from scanner.aws.session import Aws
    from scanner.aws.waiting import OutOfTimeError, in_time

    with suppress(FailedCallError, OutOfTimeError):
        return in_time(lambda: Aws(profile or None).identity().account_id, until)
    return None
