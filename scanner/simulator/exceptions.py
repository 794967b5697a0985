"""The errors that Amazon Chime SDK declares for the simulated operations."""

from __future__ import annotations

import json

from moto.core.exceptions import JsonRESTError


class ChimeSDKError(JsonRESTError):
    """An error with its name in the ``x-amzn-ErrorType`` header, and a code and a message in the body."""

    def __init__(self, message: str) -> None:
        name = type(self).__name__
        super().__init__(name, message)
        self.description = json.dumps({"Code": name.removesuffix("Exception"), "Message": message})


class BadRequestException(ChimeSDKError):  # noqa: N818 - AWS's name
    """A parameter is not as the service model allows, or a NextToken is of another listing."""

    code = 400


class ForbiddenException(ChimeSDKError):  # noqa: N818 - AWS's name
    """The caller may not see the resource, or it does not exist: no operation declares NotFoundException."""

    code = 403


class AccessDeniedException(ChimeSDKError):  # noqa: N818 - AWS's name
    """IAM does not allow the call. The service does not declare this error, since IAM answers before it."""

    code = 403


class UnprocessableEntity(ChimeSDKError):  # noqa: N818 - AWS's name
    """The bearer does not exist. The service does not declare this error either."""

    code = 422
