"""The errors that Amazon Chime SDK declares for the simulated operations."""

from __future__ import annotations

import json

from moto.core.exceptions import JsonRESTError


class ChimeSDKError(JsonRESTError):
    """A name in the ``x-amzn-ErrorType`` header, a code and a message in the body."""

    def __init__(self, message: str) -> None:
        name = type(self).__name__
        super().__init__(name, message)
        self.description = json.dumps({"Code": name.removesuffix("Exception"), "Message": message})


class BadRequestException(ChimeSDKError):  # noqa: N818 - AWS's name
    """A parameter that the service model does not allow, or a NextToken of another listing."""

    code = 400


class ForbiddenException(ChimeSDKError):  # noqa: N818 - AWS's name
    """What the caller may not see. None of the operations declares NotFoundException: an unknown ARN ends here too."""

    code = 403


class AccessDeniedException(ChimeSDKError):  # noqa: N818 - AWS's name
    """What IAM does not allow the caller to do. Not among the declared errors; IAM speaks before the service."""

    code = 403
