"""The clients of one target, and of the accounts that its processors' functions live in; made when first needed."""

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
    """`ways` holds, by account, a target by which every account in scope can be entered.

    With `anew`, roles are assumed anew, in case it was their credentials that were at fault.
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
            OutOfScopeError: there is no way into that account.
            InvalidRegionError: no region has such a name.
            FailedCallError: there are no credentials to go that way.
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
        """Ask STS whether the credentials that the target is read with are those of its account.

        Raises:
            FailedCallError: they are not, or it does not tell.
        """
        target = self._target
        with calling("sts", IDENTIFY):
            found = self._connected(target.profile).identity(target.role).account_id
            if found != target.account_id:
                raise OtherAccountError(
                    f"the credentials are those of account {found}, and account {target.account_id} was asked about"
                )

    def _connected(self, profile: str | None) -> Aws:
        """A machine that is not the one that began the scan may have other profiles."""
        try:
            return self._connect(profile)
        except (NothingScannedError, UsageError) as error:
            raise UnusableProfileError(error.message) from error

    def close(self) -> None:
        """Let go of the connections."""
        for client in self._made.values():
            client.close()
