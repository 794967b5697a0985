"""How a service with a REST-JSON protocol words what IAM does not allow."""

from __future__ import annotations

from moto.core.exceptions import AccessDeniedError, JsonRESTError
from moto.core.responses import BaseResponse


class DeniesInJson(BaseResponse):
    """A response that words denials as the service words its other errors."""

    def _denial(self, message: str) -> JsonRESTError:
        raise NotImplementedError

    def _authenticate_and_authorize_normal_action(self, resource: str = "*") -> None:
        try:
            super()._authenticate_and_authorize_normal_action(resource)
        except AccessDeniedError as error:
            # moto would answer in XML, and takes over only the body of what is raised here.
            denial = self._denial(error.message)
            self.response_headers.update(denial.get_headers())
            raise denial from error
