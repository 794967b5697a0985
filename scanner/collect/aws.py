"""AWS through the credentials of one profile: clients that page, retry throttling, read strictly and never write."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore import exceptions as boto
from botocore.config import Config

from scanner.collect.failure import MalformedAnswerError
from scanner.collect.readonly import fence
from scanner.collect.strict import read_strictly
from scanner.errors import UsageError

IDENTITY = "chime-sdk-identity"
MESSAGING = "chime-sdk-messaging"

_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_STS_REGION = "us-east-1"
_ATTEMPTS = 6
_CONNECT_SECONDS = 5
_READ_SECONDS = 30


class Aws:
    """The credentials of a profile, or with None those that the AWS CLI would find.

    Clients are made one at a time (botocore's session is not thread-safe) and used by many threads.

    Raises:
        UsageError: there is no such profile, or the AWS configuration cannot be read.
    """

    def __init__(self, profile: str | None = None) -> None:
        session = botocore.session.Session(profile=profile)
        self._attempts = _configured_attempts(session) or _ATTEMPTS
        session.get_component("data_loader").search_paths.append(str(Path(__file__).parent / "botocore_data"))
        fence(session)
        for service in (IDENTITY, MESSAGING):
            read_strictly(session, service, self._attempts)
        self._session = boto3.Session(botocore_session=session)
        self._making_a_client = threading.Lock()

    def client(self, service: str, region: str, connections: int = 1) -> Any:
        """A client; `connections` is how many threads will use it at once.

        Raises:
            UsageError: the configuration leads to no endpoint.
        """
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            max_pool_connections=connections,
            retries={"mode": "adaptive", "total_max_attempts": self._attempts},
            user_agent_extra="chimeaudit",
        )
        try:
            with self._making_a_client:
                return self._session.client(service, region_name=region, config=config)  # type: ignore[call-overload]  # a name in a variable
        except ValueError as error:
            raise UsageError(f"{error}", hint="Mend AWS_ENDPOINT_URL or the AWS configuration.") from None

    def account_id(self) -> str:
        """The account these credentials belong to; asking needs no permission.

        Raises:
            CALL_ERRORS: the credentials are missing, expired or refused, or STS cannot be reached.
        """
        region = os.environ.get("AWS_REGION") or self._session.region_name or _STS_REGION
        account = self.client("sts", region).get_caller_identity().get("Account")
        if not isinstance(account, str) or not _ACCOUNT_ID.fullmatch(account):
            raise MalformedAnswerError("the answer is malformed: STS named no account")
        return account

    def regions(self) -> tuple[str, ...]:
        """Every region in which botocore knows both services."""
        identity, messaging = (set(self._session.get_available_regions(name)) for name in (IDENTITY, MESSAGING))
        return tuple(sorted(identity & messaging))

    def is_region(self, name: str) -> bool:
        """Whether botocore knows a region of this name in any partition, for any service."""
        partitions = self._session.get_available_partitions()
        return any(name in self._session.get_available_regions("ec2", partition) for partition in partitions)


def _configured_attempts(session: botocore.session.Session) -> int | None:
    try:
        session.get_scoped_config()  # raises where no variable makes it superfluous to look
        attempts: int | None = session.get_config_variable("max_attempts")
    except boto.ProfileNotFound as error:
        known = ", ".join(sorted(session.available_profiles)) or "none"
        raise UsageError(f"{error}", hint=f"Profiles in the AWS configuration: {known}.") from None
    except (boto.BotoCoreError, ValueError) as error:
        hint = "Mend the AWS configuration file or variable."
        raise UsageError(f"the AWS configuration cannot be read: {error}", hint=hint) from None
    return attempts
