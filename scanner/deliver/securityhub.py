"""Imports findings into AWS Security Hub, each in its own account and region, as the default product ARN requires.

https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html
"""

from __future__ import annotations

import heapq
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec
from msgspec import Struct

from scanner.aws.failure import FailedCallError, calling, containing
from scanner.aws.session import Aws, Caller
from scanner.deliver import session
from scanner.deliver.session import connect, why
from scanner.errors import UsageError
from scanner.model.report import Report
from scanner.outcome.compare import settled
from scanner.render import asff
from scanner.render.text import visible
from scanner.render.wording import clipped, count
from scanner.store.journal import Role

BATCH, BATCH_BYTES, FINDING_BYTES = 100, 6_000_000, 240_000
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_NOT_ENABLED = "InvalidAccessException"
_MOST_CHARACTERS = 200
_IMPORT = "BatchImportFindings"
_MALFORMED = "the answer is malformed: it does not speak of every finding"

Asff = dict[str, Any]
AccountRegion = tuple[str, str]
"""An account and a region."""


class Way(Struct, frozen=True, kw_only=True):
    """The role to assume in the accounts of the findings; without one, only the caller's own account is reached."""

    role_name: str | None = None
    external_id: str | None = None


class ImportResult(Struct, frozen=True, kw_only=True):
    """How many findings were taken, how many of them as archived, and a line for each reason why others were not.

    `unarchived` has the fingerprints of fixed findings that could not be archived.
    """

    taken: int = 0
    archived: int = 0
    failures: tuple[str, ...] = ()
    unarchived: frozenset[str] = frozenset()


class _Refused(Struct, frozen=True):
    """A refused finding: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_ImportFindingsError.html"""

    Id: str
    ErrorCode: str | None = None
    ErrorMessage: str | None = None

    @property
    def reason(self) -> str:
        """The service's message and code, on one line."""
        message = visible(" ".join((self.ErrorMessage or "refused").split()))
        code = visible(" ".join((self.ErrorCode or "Unknown").split()))
        return f"{clipped(message, _MOST_CHARACTERS)} [{clipped(code, _MOST_CHARACTERS)}]"


class _Answer(Struct, frozen=True):
    """The answer: https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html"""

    SuccessCount: int
    FailedFindings: tuple[_Refused, ...] | None = None


def deliver(report: Report, fixed_since: Report | None, way: Way) -> ImportResult:
    """Import the findings, and archive those of the earlier report `fixed_since` that this report found fixed."""
    try:
        aws = connect()
        importing = _Import(aws, aws.identity(), way)
    except (UsageError, FailedCallError) as error:
        reason = error.message if isinstance(error, UsageError) else why(error)
        failures = (f"Security Hub: nothing was imported: {reason}",)
        return ImportResult(failures=failures, unarchived=to_archive(report, fixed_since))
    for where, group in groupby(_findings(report, fixed_since), key=_account_region):
        importing.send(where, batches(group))
    return importing.result


def to_archive(report: Report, fixed_since: Report | None) -> frozenset[str]:
    """The fingerprints of findings of the earlier report that this report found fixed."""
    return frozenset(finding.fingerprint for finding in settled(fixed_since, report)) if fixed_since else frozenset()


def _findings(report: Report, fixed_since: Report | None) -> Iterator[Asff]:
    """All findings to import. Merging sorted sources keeps those of one account and region together.

    Findings of no region are sources of their own, since they go to another region than they are sorted by. Findings
    without account or region are refused, and reported so.
    """
    return heapq.merge(
        asff.coverage_findings(report),
        *(_found(report, is_global=each) for each in (False, True)),
        *(_archived(report, fixed_since, is_global=each) for each in (False, True) if fixed_since),
        key=_account_region,
    )


def _found(report: Report, *, is_global: bool) -> Iterator[Asff]:
    found = (finding for finding in report.findings if asff.is_global(finding) is is_global)
    return (asff.build_finding(finding, report) for finding in found)


def _archived(report: Report, fixed_since: Report, *, is_global: bool) -> Iterator[Asff]:
    fixed = (finding for finding in settled(fixed_since, report) if asff.is_global(finding) is is_global)
    return (asff.build_archived(finding, fixed_since, report) for finding in fixed)


def batches(findings: Iterable[Asff]) -> Iterator[list[Asff]]:
    """Split findings into batches that Security Hub accepts, by number and bytes."""
    batch: list[Asff] = []
    room = BATCH_BYTES
    for finding in map(_fitting, findings):
        size = _size(finding)
        if batch and (len(batch) == BATCH or size > room):
            yield batch
            batch, room = [], BATCH_BYTES
        batch.append(finding)
        room -= size
    if batch:
        yield batch


def _fitting(finding: Asff) -> Asff:
    """The finding with as much evidence as fits into the size limit."""
    fields = dict(finding["ProductFields"])
    while fields and _size({**finding, "ProductFields": fields}) > FINDING_BYTES:
        fields.popitem()
    return {**finding, "ProductFields": fields}


def _size(finding: Asff) -> int:
    """The bytes of a finding in a request, with its comma; botocore escapes characters that are not ASCII."""
    return len(json.dumps(finding)) + 2


def _account_region(finding: Asff) -> AccountRegion:
    return finding["AwsAccountId"], finding["Region"]


class _Import:
    """Sends batches. After a place refused a whole batch, nothing more is sent there; other places go on."""

    def __init__(self, aws: Aws, own: Caller, way: Way) -> None:
        self._aws = aws
        self._own = own
        self._way = way
        self._closed: dict[AccountRegion, str] = {}
        self._taken = self._archived = 0
        self._unarchived: set[str] = set()
        self._missed: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)

    def send(self, where: AccountRegion, parts: Iterable[list[Asff]]) -> None:
        """Import into one account and region. Its client is closed afterwards, since there may be thousands."""
        client = None
        for batch in parts:
            try:
                if where in self._closed:
                    raise _ClosedError(self._closed[where])
                client = client or self._client(where)
                self._send(client, where, batch)
            except _ClosedError as error:
                self._closed[where] = error.reason
                self._miss(where, error.reason, batch)
        if client:
            client.close()

    @property
    def result(self) -> ImportResult:
        return ImportResult(
            taken=self._taken,
            archived=self._archived,
            unarchived=frozenset(self._unarchived),
            failures=tuple(
                f"Security Hub: account {account_id}: {count(missed.total(), 'finding')} not imported in "
                f"{', '.join(sorted(missed))}: {reason}"
                for (account_id, reason), missed in sorted(self._missed.items())
            ),
        )

    def _miss(self, where: AccountRegion, reason: str, findings: Sequence[Asff]) -> None:
        account_id, region = where
        self._missed[account_id, reason][region] += len(findings)
        self._unarchived |= {asff.fingerprint_of(finding) for finding in findings if _is_archived(finding)}

    def _send(self, client: Any, where: AccountRegion, batch: list[Asff]) -> None:
        try:
            with containing(_IMPORT), calling("securityhub", _IMPORT):
                raw = client.batch_import_findings(Findings=batch)
            answer = msgspec.convert(raw, _Answer)
        except FailedCallError as error:
            raise _ClosedError(self._explained(error)) from None
        except msgspec.ValidationError:
            raise _ClosedError(_MALFORMED) from None
        refused = {each.Id: each.reason for each in answer.FailedFindings or ()}
        missed = [finding for finding in batch if finding["Id"] in refused]
        if answer.SuccessCount != len(batch) - len(missed) or len(answer.FailedFindings or ()) != len(missed):
            raise _ClosedError(_MALFORMED)
        for finding in missed:
            self._miss(where, refused[finding["Id"]], [finding])
        self._taken += answer.SuccessCount
        self._archived += _number_archived(batch) - _number_archived(missed)

    def _client(self, where: AccountRegion) -> Any:
        account_id, region = where
        if not _ACCOUNT_ID.fullmatch(account_id) or not self._aws.is_region(region):
            raise _ClosedError("the report names an account or a region that AWS has not")
        try:
            with calling("sts", "AssumeRole"):
                return session.client(self._aws, "securityhub", region, self._role(account_id))
        except UsageError as error:
            raise _ClosedError(error.message) from None
        except FailedCallError as error:
            raise _ClosedError(self._explained(error)) from None

    def _role(self, account_id: str) -> Role | None:
        if account_id == self._own.account_id:
            return None
        if self._way.role_name is None:
            raise _ClosedError(f"the credentials are those of {self._own.account_id}; name --delivery-role")
        return Role(
            arn=f"arn:{self._own.partition}:iam::{account_id}:role/{self._way.role_name}",
            session_name="chimeaudit-delivery",
            external_id=self._way.external_id,
        )

    def _explained(self, error: FailedCallError) -> str:
        if error.denied_entry:
            return f"the role {self._way.role_name} could not be assumed: {why(error)}"
        if error.explained[0] == _NOT_ENABLED:
            return f"Security Hub is not enabled there [{_NOT_ENABLED}]"
        return why(error)


def _number_archived(findings: Iterable[Asff]) -> int:
    return sum(map(_is_archived, findings))


def _is_archived(finding: Asff) -> bool:
    return bool(finding["RecordState"] == "ARCHIVED")


class _ClosedError(Exception):
    """An account and region takes no findings at all."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
