"""Parses HTTP requests to AWS Lambda and answers them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from moto.core.common_types import TYPE_RESPONSE

from scanner.simulator.enforcement import DeniesInJson
from scanner.simulator.lambdareads.models import AccessDeniedException, LambdaReadsBackend, lambdareads_backends


class LambdaReadsResponse(DeniesInJson):
    """The reads of AWS Lambda: https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html"""

    def __init__(self) -> None:
        super().__init__(service_name="lambda")

    @property
    def backend(self) -> LambdaReadsBackend:
        return lambdareads_backends[self.current_account][self.region]

    def get_function_configuration(self) -> TYPE_RESPONSE:
        return _answer(self.backend.get_function_configuration(self._function, self._qualifier))

    def get_policy(self) -> TYPE_RESPONSE:
        return _answer(self.backend.get_policy(self._function, self._qualifier))

    def get_function_concurrency(self) -> TYPE_RESPONSE:
        return _answer(self.backend.get_function_concurrency(self._function))

    def get_function_event_invoke_config(self) -> TYPE_RESPONSE:
        return _answer(self.backend.get_function_event_invoke_config(self._function, self._qualifier))

    def get_function_url_config(self) -> TYPE_RESPONSE:
        return _answer(self.backend.get_function_url_config(self._function, self._qualifier))

    def _denial(self, message: str) -> AccessDeniedException:
        return AccessDeniedException(message)

    @property
    def _function(self) -> str:
        return unquote(self.path.split("/")[3])

    @property
    def _qualifier(self) -> str | None:
        qualifier: str | None = self._get_param("Qualifier")
        return qualifier


def _answer(body: dict[str, Any]) -> TYPE_RESPONSE:
    return 200, {"Content-Type": "application/json"}, json.dumps(body)
