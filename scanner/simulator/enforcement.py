"""Enforces IAM: a call that the caller's policies do not allow is denied, in the service's error format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from moto import settings
from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.core.responses import BaseResponse
from moto.iam.access_control import IAMRequest, IAMRequestBase
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends


class DeniesInJson(BaseResponse):
    """A response that formats denials like the service's other errors."""

    def _denial(self, message: str) -> JsonRESTError:
        raise NotImplementedError

    def _authenticate_and_authorize_normal_action(self, resource: str = "*") -> None:
        try:
            super()._authenticate_and_authorize_normal_action(resource)
        except AccessDeniedError as error:
            # moto would answer in XML, and uses only the body of what is raised here.
            denial = self._denial(error.message)
            self.response_headers.update(denial.get_headers())
            raise denial from error


JSON_SERVICES = frozenset({"events", "organizations"})

_is_permitted = IAMRequest.check_action_permitted


@contextmanager
def enforced() -> Iterator[None]:
    """Enforce IAM in moto: actions and resources, but not conditions, permissions boundaries or signatures."""
    with (
        patch.object(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0),
        # moto's check fails for requests without a body.
        patch.object(IAMRequestBase, "check_signature", lambda _: None),
        patch.object(IAMRequest, "check_action_permitted", _check),
        patch.object(IAMRequest, "_raise_access_denied", _deny),
    ):
        yield


def _check(request: IAMRequest, resource: str) -> None:
    # moto gives credentials of roles that do not exist, and fails when they are used.
    if request._action == "sts:AssumeRole" and not _exists(resource):
        _deny(request)
    _is_permitted(request, resource)


def _exists(role_arn: str) -> bool:
    try:
        iam_backends[role_arn.split(":")[4]]["aws"].get_role_by_arn(role_arn)
    except NotFoundException:
        return False
    return True


def _deny(request: IAMRequest) -> None:
    denial = AccessDeniedError(user_arn=request._access_key.arn, action=request._action)
    if request._service in JSON_SERVICES:
        raise JsonRESTError("AccessDeniedException", denial.message)
    raise denial
