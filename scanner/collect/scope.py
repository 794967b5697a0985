"""Works out the targets of a scan: which accounts, with which credentials, in which regions."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import UNSET, Struct, structs

from scanner.aws.calls import new_items
from scanner.aws.failure import FailedCallError
from scanner.aws.session import Aws, Caller
from scanner.aws.wire import Account, ListAccounts, ListAccountsForParent, ListOrganizationalUnitsForParent
from scanner.errors import UsageError
from scanner.model.facts import Gap
from scanner.model.phrases import close, named_account
from scanner.model.report import Scope
from scanner.store.journal import UNKNOWN_ACCOUNT, Role, Target


def accounts(aws: Aws, unit: str | None) -> Iterator[Account]:
    """All accounts of the organisation, or of an organizational unit and the units below it.

    Raises:
        FailedCallError: the accounts cannot be listed, or not to the end.
    """
    client = aws.client("organizations", aws.home_region)
    if unit:
        yield from _below(client, unit, set())
    else:
        for page in new_items(client, ListAccounts):
            yield from page


def _below(client: object, parent: str, searched: set[str]) -> Iterator[Account]:
    if parent in searched:
        return
    searched.add(parent)
    for page in new_items(client, ListAccountsForParent, ParentId=parent):
        yield from page
    for units in new_items(client, ListOrganizationalUnitsForParent, ParentId=parent):
        for unit in units:
            yield from _below(client, unit.Id, searched)


_WIDEN = "Mend --accounts, --ou or --exclude."
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d{1,2}")


class Wanted(Struct, frozen=True, kw_only=True):
    """What the user wants to scan; by default the account of the current credentials.

    Each of `profiles` is scanned with its own credentials. With `organization` or `accounts` there is at most one
    profile, which assumes `role_name` in each account.
    """

    regions: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    organization: bool = False
    units: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    role_name: str = "chimeaudit"
    session_name: str = "chimeaudit"
    external_id: str | None = None


class Resolved(Struct, frozen=True, kw_only=True):
    """The targets of a scan. An account that could not be identified also has targets, and a gap.

    `notes` say what was left out on purpose. `callers` has the accounts of the credentials, by profile ("" for none).
    """

    scope: Scope
    targets: tuple[Target, ...]
    callers: dict[str, str]
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()


class _Way(Struct, frozen=True, kw_only=True, order=True):
    """An account, and the credentials for it."""

    account_id: str
    profile: str | None
    role: Role | None = None


class _Accounts(Struct, frozen=True, kw_only=True):
    chosen_by: str
    ways: tuple[_Way, ...]
    names: Mapping[str, str] = {}
    callers: dict[str, str] = {}
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()


class _Listed(Struct, frozen=True, kw_only=True):
    chosen_by: str
    account_ids: tuple[str, ...]
    names: Mapping[str, str] = {}
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()


def resolve(wanted: Wanted, connect: Callable[[str | None], Aws]) -> Resolved:
    """The targets in all accounts and regions that the user wants. `connect` gives the connection of a profile.

    Raises:
        UsageError: a region or a profile does not exist, or no account is left to scan.
    """
    profiles = wanted.profiles or (None,)
    aws = connect(profiles[0])
    regions = tuple(sorted(set(wanted.regions))) or aws.regions()
    for region in regions:
        _check_region(aws, region)
    by_role = wanted.organization or wanted.accounts
    accounts = _by_role(wanted, profiles[0], aws) if by_role else _by_profile(profiles, connect)
    if not accounts.ways and not accounts.gaps:
        raise UsageError(f"no account is left to scan of {accounts.chosen_by}", hint=_WIDEN)
    where = "the regions named by --regions" if wanted.regions else "every region where the service exists"
    return Resolved(
        scope=Scope(
            accounts=tuple(sorted({way.account_id for way in accounts.ways})),
            regions=regions,
            chosen_by=f"{accounts.chosen_by}, in {where}",
            account_names=_names(accounts) or UNSET,
        ),
        targets=tuple(
            Target(account_id=way.account_id, region=region, profile=way.profile, role=way.role)
            for way in sorted(accounts.ways)
            for region in regions
        ),
        callers=accounts.callers,
        gaps=accounts.gaps,
        notes=(*(f"Accounts {note}" for note in accounts.notes), *_elsewhere(aws, regions)),
    )


def _names(accounts: _Accounts) -> dict[str, str]:
    """The names of the accounts in scope, by account id in order."""
    ids = sorted({way.account_id for way in accounts.ways})
    return {account_id: accounts.names[account_id] for account_id in ids if account_id in accounts.names}


def _by_profile(profiles: Sequence[str | None], connect: Callable[[str | None], Aws]) -> _Accounts:
    """The accounts of the profiles themselves, each once."""
    ways: dict[str, _Way] = {}
    callers: dict[str, str] = {}
    gaps: list[Gap] = []
    for profile in profiles:
        identity = _identity(connect(profile), profile)
        account_id = UNKNOWN_ACCOUNT if isinstance(identity, Gap) else identity.account_id
        gaps += [identity] if isinstance(identity, Gap) else []
        callers |= {} if isinstance(identity, Gap) else {profile or "": account_id}
        ways.setdefault(account_id, _Way(account_id=account_id, profile=profile))
    named = "the current credentials" if profiles == (None,) else f"the profiles {', '.join(map(str, profiles))}"
    chosen_by = f"the account of {named}"
    return _Accounts(chosen_by=chosen_by, ways=tuple(ways.values()), callers=callers, gaps=tuple(gaps))


def _by_role(wanted: Wanted, profile: str | None, aws: Aws) -> _Accounts:
    """The accounts that are entered by a role; the caller's own account needs none if it has no such role."""
    identity = _identity(aws, profile)
    if isinstance(identity, Gap):
        unknown = _Way(account_id=UNKNOWN_ACCOUNT, profile=profile)
        return _Accounts(chosen_by="accounts that could not be listed", ways=(unknown,), gaps=(identity,))
    listed = _organization(wanted, aws, identity) if wanted.organization else _named(wanted)
    ways = tuple(_way(account_id, wanted, profile, aws, identity) for account_id in listed.account_ids)
    callers = {profile or "": identity.account_id}
    return _Accounts(
        chosen_by=listed.chosen_by,
        ways=ways,
        names=listed.names,
        callers=callers,
        gaps=listed.gaps,
        notes=listed.notes,
    )


def _named(wanted: Wanted) -> _Listed:
    kept, notes = _without(wanted.exclude, wanted.accounts, {})
    return _Listed(chosen_by="the accounts named by --accounts", account_ids=kept, notes=notes)


def _organization(wanted: Wanted, aws: Aws, identity: Caller) -> _Listed:
    open_accounts: set[str] = set()
    suspended: set[str] = set()
    names: dict[str, str] = {}
    gaps: list[Gap] = []
    for unit in wanted.units or (None,):
        try:
            for account in accounts(aws, unit):
                (suspended if account.is_suspended else open_accounts).add(account.Id)
                if account.Name:
                    names.setdefault(account.Id, account.Name)
        except FailedCallError as failed:
            gaps.append(failed.gap(identity.account_id, None, unit))
    kept, notes = _without(wanted.exclude, open_accounts, names)
    if suspended:
        notes = (f"left out, because suspended: {_listing(sorted(suspended), names)}", *notes)
    units = f" below {', '.join(wanted.units)}" if wanted.units else ""
    chosen_by = f"the organisation that account {identity.account_id} belongs to{units}"
    chosen_by = f"{chosen_by} ({'; '.join(notes)})" if notes else chosen_by
    return _Listed(chosen_by=chosen_by, account_ids=kept, names=names, gaps=tuple(gaps), notes=notes)


def _without(
    exclude: Sequence[str], accounts: Collection[str], names: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The accounts that are not excluded, and notes on those that are."""
    out, idle = sorted({*exclude} & {*accounts}), sorted({*exclude} - {*accounts})
    notes = [f"left out by --exclude: {_listing(out, names)}"] if out else []
    notes += [f"named by --exclude, but not in scope anyway: {', '.join(idle)}"] if idle else []
    return tuple(sorted({*accounts} - {*exclude})), tuple(notes)


def _listing(account_ids: Iterable[str], names: Mapping[str, str]) -> str:
    return ", ".join(named_account(account_id, names.get(account_id)) for account_id in account_ids)


def _way(account_id: str, wanted: Wanted, profile: str | None, aws: Aws, own: Caller) -> _Way:
    role = Role(
        arn=f"arn:{own.partition}:iam::{account_id}:role/{wanted.role_name}",
        session_name=wanted.session_name,
        external_id=wanted.external_id,
    )
    needed = account_id != own.account_id or aws.can_assume(role)
    return _Way(account_id=account_id, profile=profile, role=role if needed else None)


def _identity(aws: Aws, profile: str | None) -> Caller | Gap:
    try:
        return aws.identity()
    except FailedCallError as failed:
        gap = failed.gap(UNKNOWN_ACCOUNT)
        return structs.replace(gap, reason=f"profile {profile}: {gap.reason}") if profile else gap


def _elsewhere(aws: Aws, regions: Sequence[str]) -> tuple[str, ...]:
    unlisted = [region for region in regions if region not in aws.regions()]
    listed = ", ".join(aws.regions())
    return (
        (f"{', '.join(unlisted)}: botocore knows the service only in {listed}; trying all the same",)
        if unlisted
        else ()
    )


def _check_region(aws: Aws, region: str) -> None:
    """Check a region's name. A region that botocore does not list for the service may be newer than botocore.

    Raises:
        UsageError: no region has the name.
    """
    if region in aws.regions() or (_REGION.fullmatch(region) and aws.is_region(region)):
        return
    near = close(region, aws.regions())
    offered = f"Did you mean {near}? " if near else ""
    listed = ", ".join(aws.regions())
    raise UsageError(f"--regions: {region!r} is not an AWS region", hint=f"{offered}The service exists in {listed}.")
