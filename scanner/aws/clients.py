"""The clients of one target and of the accounts in which its processors' functions are, made on first use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from botocore.utils import validate_region_name

from scanner.aws.failure import ASSUME_ROLE, IDENTIFY, OtherAccountError, OutOfScopeError, UnusableProfileError, calling
from scanner.aws.session import Aws
from scanner.errors import NothingScannedError, UsageError
from scanner.store.journal import Target

Connect = Callable[[str | None], Aws]


class Clients:
    """The clients of a target. `ways` has, for each account in scope, a target whose credentials open the account.

    With `anew`, roles are assumed again, in case their earlier credentials were the reason of a failure.
    """

    def __init__(
        self, connect: Connect, target: Target, ways: Mapping[str, Target], connections: int, *, anew: bool = False
    ) -> None:
        self._connect = connect
        self._target = target
        self._ways = {**ways, target.account_id: target}
        self._connections = connections
        self._anew = anew
        self._making = threading.Lock()
        self._made: dict[tuple[str, str, str], Any] = {}

    def of(self, service: str, *, account_id: str | None = None, region: str | None = None) -> Any:
        """A client for the target, or for another account or region.

        Raises:
            OutOfScopeError: the account is not in scope, so there are no credentials for it.
            InvalidRegionError: the region's name is not valid.
            FailedCallError: the credentials cannot be obtained.
        """
        account_id, region = account_id or self._target.account_id, region or self._target.region
        way = self._ways.get(account_id)
        if way is None:
            raise OutOfScopeError(account_id)
        validate_region_name(region)
        with self._making:
            key = (service, account_id, region)
            if key not in self._made:
                with calling("sts", ASSUME_ROLE if way.role else IDENTIFY):
                    aws = self._connected(way.profile)
                if self._anew and way.role and not any(account_id == entered for _, entered, _ in self._made):
                    aws.forget(way.role)
                with calling("sts", ASSUME_ROLE if way.role else IDENTIFY):
                    self._made[key] = aws.client(service, region, role=way.role, connections=self._connections)
            return self._made[key]

    def check_owner(self) -> None:
        """Ask STS whether the target's credentials belong to its account.

        Raises:
            FailedCallError: they belong to another account, or STS does not answer.
        """
        target = self._target
        with calling("sts", IDENTIFY):
            found = self._connected(target.profile).identity(target.role).account_id
            if found != target.account_id:
                raise OtherAccountError(
                    f"the credentials are those of account {found}, and account {target.account_id} was asked about"
                )

    def _connected(self, profile: str | None) -> Aws:
        """The connection of a profile, which may not exist on a machine that did not begin the scan."""
        try:
            return self._connect(profile)
        except (NothingScannedError, UsageError) as error:
            raise UnusableProfileError(error.message) from error

    def close(self) -> None:
        """Close the connections."""
        for client in self._made.values():
            client.close()
