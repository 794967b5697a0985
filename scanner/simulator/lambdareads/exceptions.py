"""The errors of AWS Lambda that the simulated operations give."""

from __future__ import annotations

import json

from moto.core.exceptions import JsonRESTError


class LambdaError(JsonRESTError):
    """A name in the ``x-amzn-ErrorType`` header, a message in the body."""

    def __init__(self, message: str) -> None:
        super().__init__(type(self).__name__, message)
        self.description = json.dumps({"Type": "User", "Message": message})


class ResourceNotFoundException(LambdaError):  # noqa: N818 - AWS's name
    """No such function, version or alias; or nothing of the kind that was asked for."""

    code = 404


class InvalidParameterValueException(LambdaError):  # noqa: N818 - AWS's name
    """A function that is named in a way the operation does not take."""

    code = 400


class AccessDeniedException(LambdaError):  # noqa: N818 - AWS's name
    """What the caller may not see: every function of another account."""

    code = 403
