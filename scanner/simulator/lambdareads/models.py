"""Lambda functions with their versions, aliases and policies, in one account and region, and the errors about them.

https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.exceptions import JsonRESTError


class LambdaError(JsonRESTError):
    """An error with its name in the ``x-amzn-ErrorType`` header, and a message in the body."""

    def __init__(self, message: str) -> None:
        super().__init__(type(self).__name__, message)
        self.description = json.dumps({"Type": "User", "Message": message})


class ResourceNotFoundException(LambdaError):  # noqa: N818 - AWS's name
    """The function, version or alias does not exist, or has none of what was asked for."""

    code = 404


class InvalidParameterValueException(LambdaError):  # noqa: N818 - AWS's name
    """The operation does not accept this form of a function's name."""

    code = 400


class AccessDeniedException(LambdaError):  # noqa: N818 - AWS's name
    """The caller may not see the function, as every function of another account."""

    code = 403


LATEST = "$LATEST"
DEFAULT_RETRIES = 2

REFERENCE = re.compile(
    r"(?:(?:arn:[a-z-]+:lambda:(?P<region>[a-z0-9-]+):)?(?P<account_id>[0-9]{12}):function:)?"
    r"(?P<name>[a-zA-Z0-9_-]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]+))?"
)
"""A function's ARN, partial ARN or name, with or without a version or alias."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function. `policies`, `failure_destinations` and `urls` (authentication types) are by qualifier.

    The function without a qualifier is $LATEST.
    """

    arn: str
    name: str
    role_arn: str
    runtime: str
    state: str
    last_update_status: str
    reserved_concurrency: int | None
    dead_letter_arn: str | None
    versions: int
    aliases: frozenset[str]
    aliases_to_latest: frozenset[str]
    retries: int
    policies: Mapping[str, Mapping[str, Any]]
    failure_destinations: Mapping[str, str]
    urls: Mapping[str, str]
    modified: datetime

    def has(self, qualifier: str) -> bool:
        return qualifier in {LATEST, *self.aliases, *map(str, range(1, self.versions + 1))}

    def qualified_arn(self, qualifier: str | None) -> str:
        return self.arn if qualifier is None else f"{self.arn}:{qualifier}"

    def configuration(self, qualifier: str | None) -> dict[str, Any]:
        newest = LATEST if qualifier in self.aliases_to_latest else str(self.versions)
        version = newest if qualifier in self.aliases else qualifier or LATEST
        queue = {} if self.dead_letter_arn is None else {"DeadLetterConfig": {"TargetArn": self.dead_letter_arn}}
        return {
            "FunctionName": self.name,
            "FunctionArn": self.qualified_arn(qualifier),
            "Version": version,
            "Role": self.role_arn,
            "PackageType": "Zip",
            "Runtime": self.runtime,
            "Handler": "processor.handle",
            "Architectures": ["arm64"],
            "CodeSize": 4096,
            "Description": "",
            "Timeout": 10,
            "MemorySize": 256,
            "LastModified": self.modified.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "RevisionId": _revision(self.arn, version),
            "TracingConfig": {"Mode": "PassThrough"},
        } | (queue | self._condition(version))

    def _condition(self, version: str) -> dict[str, Any]:
        """The state of a version. A published version is never updated, so no update of it has failed."""
        last_update_status = self.last_update_status if version == LATEST else "Successful"
        reasons = {
            "StateReason": {"Failed": "The KMS key is disabled.", "Inactive": "The function was idle."},
            "StateReasonCode": {"Failed": "DisabledKMSKey", "Inactive": "Idle"},
        }
        return {
            "State": self.state,
            **{member: texts[self.state] for member, texts in reasons.items() if self.state in texts},
            "LastUpdateStatus": last_update_status,
            **({"LastUpdateStatusReasonCode": "InternalError"} if last_update_status == "Failed" else {}),
        }


class LambdaReadsBackend(BaseBackend):
    """The functions of an account in a region, and what may be read of each."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.functions: dict[str, Function] = {}

    def get_function_configuration(self, reference: str, qualifier: str | None) -> dict[str, Any]:
        function, qualifier = self._find(reference, qualifier, "GetFunctionConfiguration")
        return function.configuration(qualifier)

    def get_policy(self, reference: str, qualifier: str | None) -> dict[str, Any]:
        function, qualifier = self._find(reference, qualifier, "GetPolicy")
        policy = function.policies.get(qualifier or LATEST)
        if policy is None or qualifier == LATEST:  # $LATEST has no policy of its own
            raise ResourceNotFoundException("No policy is associated with the given resource.")
        return {"Policy": json.dumps(policy), "RevisionId": _revision(function.arn, json.dumps(policy))}

    def get_function_concurrency(self, reference: str) -> dict[str, Any]:
        function, qualifier = self._find(reference, None, "GetFunctionConcurrency")
        if qualifier is not None:
            raise InvalidParameterValueException("Aliases and versions do not support this operation.")
        reserved = function.reserved_concurrency
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def get_function_event_invoke_config(self, reference: str, qualifier: str | None) -> dict[str, Any]:
        function, qualifier = self._find(reference, qualifier, "GetFunctionEventInvokeConfig")
        arn = function.qualified_arn(qualifier or LATEST)
        destination = function.failure_destinations.get(qualifier or LATEST)
        if destination is None and function.retries == DEFAULT_RETRIES:
            raise ResourceNotFoundException(f"The function {arn} doesn't have an EventInvokeConfig")
        return {
            "FunctionArn": arn,
            "LastModified": function.modified.timestamp(),
            "MaximumRetryAttempts": function.retries,
            "DestinationConfig": {"OnSuccess": {}, "OnFailure": {"Destination": destination} if destination else {}},
        }

    def get_function_url_config(self, reference: str, qualifier: str | None) -> dict[str, Any]:
        function, qualifier = self._find(reference, qualifier, "GetFunctionUrlConfig")
        auth_type = function.urls.get(qualifier or LATEST)
        if auth_type is None:
            raise ResourceNotFoundException("The resource you requested does not exist.")
        arn = function.qualified_arn(qualifier)
        made = function.modified.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        return {
            "FunctionUrl": f"https://{_revision(arn).replace('-', '')}.lambda-url.{self.region_name}.on.aws/",
            "FunctionArn": arn,
            "AuthType": auth_type,
            "InvokeMode": "BUFFERED",
            "CreationTime": made,
            "LastModifiedTime": made,
        }

    def _find(self, reference: str, qualifier: str | None, operation: str) -> tuple[Function, str | None]:
        match = REFERENCE.fullmatch(reference)
        if match is None:
            raise InvalidParameterValueException(f"{reference} does not name a function")
        if match["account_id"] not in (None, self.account_id):
            raise AccessDeniedException(
                f"No resource-based policy allows the lambda:{operation} action on resource: {reference}"
            )
        if match["region"] not in (None, self.region_name):
            raise ResourceNotFoundException(
                f"Functions from '{match['region']}' are not reachable in this region ('{self.region_name}')"
            )
        if qualifier and match["qualifier"] not in (None, qualifier):
            raise InvalidParameterValueException(
                "The derived qualifier from the function name does not match the specified qualifier."
            )
        return self._qualified(match["name"], match["qualifier"] or qualifier or None)

    def _qualified(self, name: str, qualifier: str | None) -> tuple[Function, str | None]:
        function = self.functions.get(name)
        if function is None or not function.has(qualifier or LATEST):
            arn = f"arn:{self.partition}:lambda:{self.region_name}:{self.account_id}:function:{name}"
            raise ResourceNotFoundException(f"Function not found: {arn}{f':{qualifier}' if qualifier else ''}")
        return function, qualifier


def _revision(*parts: str) -> str:
    digest = hashlib.sha256(" ".join(parts).encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))


lambdareads_backends = BackendDict(LambdaReadsBackend, "lambda")
