"""Connects to AWS with one profile and its roles, by clients that page, retry, read strictly and are fenced."""

from __future__ import annotations

import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Set
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import boto3
import botocore
import botocore.session
from botocore import exceptions as boto
from botocore.config import Config
from botocore.credentials import Credentials, DeferredRefreshableCredentials, RefreshableCredentials
from botocore.handlers import json_decode_policies
from botocore.loaders import Loader, create_loader
from botocore.utils import parse_timestamp
from msgspec import Struct

from scanner import __version__
from scanner.aws import ownership, patience
from scanner.aws.credentials import FIRST_CALL, ExpiredOnArrivalError, OwnCredentials
from scanner.aws.failure import ASSUME_ROLE, IDENTIFY, FailedCallError, MalformedAnswerError, calling
from scanner.aws.hardening import ALLOWED, IDENTITY, MESSAGING, fence, read_strictly
from scanner.aws.waiting import waiting_for
from scanner.errors import NothingScannedError, UsageError
from scanner.model.operations import Operation
from scanner.store.journal import Role

_CALLER = re.compile(r"arn:(?P<partition>aws[a-z-]*):(?:sts|iam)::(?P<account_id>[0-9]{12}):.+", re.DOTALL)
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_CREDENTIALS = {"access_key": "AccessKeyId", "secret_key": "SecretAccessKey", "token": "SessionToken"}
_GLOBAL_REGION = "us-east-1"
_DATA = Path(__file__).parent / "botocore_data"
TOO_MANY_REQUESTS = 429
_ATTEMPTS = 6
_CONNECT_SECONDS = 5
_READ_SECONDS = 15
_ROLES_KEPT = 64  # many more than are used at the same time; an organisation has thousands
# botocore would build its own user agent twice for each call, a tenth of the time that a call takes
_USER_AGENT = f"chimeaudit/{__version__} Botocore/{botocore.__version__}"


class Aws:
    """AWS with the credentials of a profile, or of roles that it assumes. None: the credentials that the AWS CLI finds.

    Clients are made one at a time, since botocore's session is not thread-safe, and can be used by many threads. They
    send only `allowed` operations; by default those with which a scan reads.

    Raises:
        UsageError: the profile does not exist, or the AWS configuration has an invalid value.
        NothingScannedError: the AWS configuration cannot be read.
    """

    def __init__(self, profile: str | None = None, allowed: Set[Operation] = ALLOWED) -> None:
        session = _Session(profile=profile)
        self._attempts = _configured_attempts(session) or _ATTEMPTS
        session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
        fence(session, allowed)
        read_strictly(session, self._attempts)
        ownership.check_assumed_roles(session)
        policies: Any = json_decode_policies  # it would drop the first of two members of the same name
        session.unregister("after-call.iam", policies)
        self.counter = CallCounter(session)
        self._session = session
        self._boto3 = boto3.Session(botocore_session=session)
        self._making_a_client = threading.RLock()
        self._assumed: OrderedDict[Role, Credentials] = OrderedDict()

    def client(self, service: str, region: str, *, role: Role | None = None, connections: int = 1) -> Any:
        """Make a client with the credentials of the profile or of a role, which are renewed before they expire.

        `connections` is the number of threads that will use it at once.

        Raises:
            UsageError: the configuration gives no valid endpoint.
        """
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            max_pool_connections=connections,
            retries={"mode": "adaptive", "total_max_attempts": self._attempts},
            user_agent=_USER_AGENT,
        )
        with (
            self._making_a_client,
            _endpoint_explained(),
            self._session.lending(self.credentials(role) if role else None),
        ):
            client = self._boto3.client(service, region_name=region, config=config)  # type: ignore[call-overload]  # a name in a variable
        patience.bound(client)
        return client

    def credentials(self, role: Role) -> Credentials:
        """The credentials of a role, which is assumed when they are first used."""
        with self._making_a_client:
            if role not in self._assumed:
                self._assumed[role] = DeferredRefreshableCredentials(lambda: self._assume(role), "assume-role")
            self._assumed.move_to_end(role)
            if len(self._assumed) > _ROLES_KEPT:
                self._assumed.popitem(last=False)
            return self._assumed[role]

    def can_assume(self, role: Role) -> bool:
        """Whether a role can be assumed; STS does not tell a missing role from one that may not be assumed."""
        try:
            self.credentials(role).get_frozen_credentials()
        except FailedCallError:
            return False
        return True

    def forget(self, role: Role) -> None:
        """Drop the credentials of a role, so that it is assumed again on its next use."""
        with self._making_a_client:
            self._assumed.pop(role, None)

    def identity(self, role: Role | None = None) -> Caller:
        """The account and partition of the profile's credentials, or of a role's; the call needs no permission.

        Raises:
            FailedCallError: the credentials are missing, expired or refused, or STS cannot be reached.
        """
        with calling("sts", IDENTIFY), self._session.means.explaining(FIRST_CALL):
            answer = self._caller_identity(role)
            account_id, arn = answer.get("Account"), answer.get("Arn")
            if not isinstance(account_id, str) or not _ACCOUNT_ID.fullmatch(account_id):
                raise MalformedAnswerError("the answer is malformed: STS named no account")
            caller = _CALLER.fullmatch(arn) if isinstance(arn, str) else None
            if caller and caller["account_id"] != account_id:
                raise MalformedAnswerError("the answer is malformed: STS named two accounts")
        partition = caller["partition"] if caller else "aws"
        return Caller(account_id=account_id, partition=partition, arn=caller[0] if caller else "")

    def _caller_identity(self, role: Role | None) -> dict[str, Any]:
        sts = self.client("sts", self.home_region, role=role) if role else self._sts
        with closing(sts) if role else nullcontext():
            answer: dict[str, Any] = sts.get_caller_identity()
        return answer

    def regions(self) -> tuple[str, ...]:
        """The regions in which botocore knows both Chime services."""
        identity, messaging = (set(self._boto3.get_available_regions(service)) for service in (IDENTITY, MESSAGING))
        return tuple(sorted(identity & messaging))

    def is_region(self, name: str) -> bool:
        """Whether botocore knows a region of this name in any partition."""
        partitions = self._boto3.get_available_partitions()
        return any(name in self._boto3.get_available_regions("ec2", partition) for partition in partitions)

    @property
    def home_region(self) -> str:
        """The region for calls to global services: the configured one or, without one, us-east-1."""
        return os.environ.get("AWS_REGION") or self._boto3.region_name or _GLOBAL_REGION

    def _assume(self, role: Role) -> dict[str, str]:
        """Assume a role; the credentials have the names that botocore expects when it renews them."""
        with calling("sts", ASSUME_ROLE), self._session.means.explaining(FIRST_CALL):
            answer = self._sts.assume_role(RoleArn=role.arn, **_assume_role_arguments(role))
            given = answer.get("Credentials", {})
            expiration = given.get("Expiration")
            keys = {ours: given.get(theirs) for ours, theirs in _CREDENTIALS.items()}
            if not all(keys.values()) or not isinstance(expiration, datetime):
                raise MalformedAnswerError("the answer is malformed: STS gave no credentials")
            if expiration <= datetime.now(UTC):
                raise MalformedAnswerError("by this machine's clock STS gave credentials that have expired already")
        return {**keys, "expiry_time": expiration.isoformat()}

    @cached_property
    def _sts(self) -> Any:
        """The client that assumes all roles, with the profile's own credentials."""
        return self.client("sts", self.home_region)


class Caller(Struct, frozen=True, kw_only=True):
    """An account and its partition, and the ARN of who calls ("" where STS gave none)."""

    account_id: str
    partition: str
    arn: str = ""


class CallCounter:
    """Counts the requests that a session's clients have sent, and how many of them were throttled."""

    def __init__(self, session: botocore.session.Session) -> None:
        self._counting = threading.Lock()
        self.calls = self.throttles = 0
        session.register("before-send", self._count_call)
        session.register("needs-retry", self._count_throttle)

    def _count_call(self, **_: Any) -> None:
        with self._counting:
            self.calls += 1

    def _count_throttle(self, **event: Any) -> None:
        response = event["response"]
        if response is not None and response[0].status_code == TOO_MANY_REQUESTS:
            with self._counting:
                self.throttles += 1


@cache
def _loader(data_path: str | None) -> Loader:
    """The loader of botocore's data with chimeaudit's merged in. All sessions share it, since it caches megabytes."""
    loader = create_loader(data_path)
    loader.search_paths.append(str(_DATA))
    return loader


class _Session(botocore.session.Session):
    """A session that can make clients with other credentials; create_client takes only fixed keys, which expire."""

    _lent: Credentials | None = None
    _own: Credentials | None = None

    @cached_property
    def means(self) -> OwnCredentials:
        """How the session gets its own credentials."""
        return OwnCredentials(self)

    def get_credentials(self) -> Any:
        if self._lent is None and self._own is None:
            self.means.prepare()
            with waiting_for(self._own_credentials), self.means.explaining():
                own = super().get_credentials()
            if isinstance(own, RefreshableCredentials):
                refresh = own._refresh_using  # type: ignore[attr-defined]  # the only place to catch its errors
                own._refresh_using = lambda: self._renewed(refresh)  # type: ignore[attr-defined]
            self._own = own
        return self._lent or self._own

    def _renewed(self, retrieve: Callable[[], Any]) -> Any:
        """Renew credentials, with an error if they have already expired, which botocore does not report as such."""
        with waiting_for(self._own_credentials), self.means.explaining():
            renewed = retrieve()
            if renewed and "expiry_time" in renewed and parse_timestamp(renewed["expiry_time"]) <= datetime.now(UTC):
                raise ExpiredOnArrivalError
        return renewed

    @property
    def _own_credentials(self) -> str:
        """What a wait for the session's own credentials is called in messages."""
        configured = self.get_scoped_config()
        kind = "credential_process" if "credential_process" in configured else "credentials"
        return f"the {kind} of profile {self.profile}" if self.profile else f"the {kind} of this machine"

    @contextmanager
    def lending(self, credentials: Credentials | None) -> Iterator[None]:
        self._lent = credentials
        try:
            yield
        finally:
            self._lent = None


@contextmanager
def _endpoint_explained() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise UsageError(f"{error}", hint="Mend AWS_ENDPOINT_URL or the AWS configuration.") from None


def _assume_role_arguments(role: Role) -> dict[str, str]:
    external = {"ExternalId": role.external_id} if role.external_id else {}
    return {"RoleSessionName": role.session_name, **external}


def _configured_attempts(session: botocore.session.Session) -> int | None:
    _check_readable(session)
    try:
        session.get_scoped_config()  # raises if the profile is missing
        attempts: int | None = session.get_config_variable("max_attempts")
    except boto.ProfileNotFound as error:
        known = ", ".join(sorted(session.available_profiles)) or "none"
        raise UsageError(f"{error}", hint=f"Profiles in the AWS configuration: {known}.") from None
    except boto.ConfigParseError as error:
        file, line = error.kwargs["path"], _line(error.kwargs.get("error"))
        message = f"the AWS configuration {file} cannot be parsed{f' (line {line})' if line else ''}"
        raise NothingScannedError(message, hint="Mend the file, or name another by AWS_CONFIG_FILE.") from None
    except (boto.BotoCoreError, ValueError) as error:
        hint = "Mend the AWS configuration file or variable."
        raise UsageError(f"the AWS configuration cannot be read: {error}", hint=hint) from None
    return attempts


def _check_readable(session: botocore.session.Session) -> None:
    """Check that the AWS configuration is readable: botocore treats a file that it may not read as empty.

    Raises:
        NothingScannedError: a file cannot be read.
    """
    for variable in ("config_file", "credentials_file"):
        file = Path(os.path.expanduser(session.get_config_variable(variable)))  # noqa: PTH111 - a user may have no home
        try:
            if file.is_file():
                file.open("rb").close()
        except OSError as error:
            message = f"the AWS configuration {file} cannot be read ({error.strerror})"
            raise NothingScannedError(message, hint="Let this user read it, or name another file.") from None


def _line(error: object) -> int | None:
    """The line of an error in a configuration file; the error's text may hold secrets."""
    errors = getattr(error, "errors", ())
    line = errors[0][0] if errors else getattr(error, "lineno", None)
    return line if isinstance(line, int) else None
