"""Explains by a code and a plain sentence why a call failed.

The sentence leaves out AWS's own message, which may repeat tokens and whose wording may change.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from scanner.aws.patience import OutOfPatienceError
from scanner.aws.waiting import waiting_for
from scanner.errors import ChimeauditError
from scanner.model.facts import FAULT, Gap
from scanner.model.operations import OBTAINING_CREDENTIALS, Operation

_PLAIN_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,100}")

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
REJECTED = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
NOT_FOUND = frozenset({"NotFoundException", "ResourceNotFoundException", "NoSuchEntity"})
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "ForbiddenException", "UnauthorizedClientException"})
"""Error codes of denied calls; some services (Organizations, EventBridge) deny with status 400."""
THROTTLED = frozenset({"RequestLimitExceeded", "SlowDown", "TooManyRequestsException"})
"""Error codes of throttling that do not contain "Throttl"."""
MISSING_CREDENTIALS = "there are no complete AWS credentials"
ASSUME_ROLE = "AssumeRole"
IDENTIFY = "GetCallerIdentity"


class MalformedAnswerError(Exception):
    """AWS's answer does not have the shape that the operation promises."""


class EndlessPagesError(Exception):
    """A listing repeats itself instead of ending."""


class TooManyItemsError(Exception):
    """A listing has more items than are to be read; its text is how many were read."""


class NoBearerError(Exception):
    """There is nobody as whom channels could be listed."""


class OutOfScopeError(Exception):
    """The resource is in an account that is not in scope, so there are no credentials for it."""


class OtherAccountError(Exception):
    """AWS answered about another account or region than the one that was asked about."""


class CredentialsError(Exception):
    """The credentials cannot be obtained."""

    def __init__(self, code: str, cause: str, step: str) -> None:
        super().__init__(f"{cause}; {step}")
        self.code = code


class UnusableProfileError(Exception):
    """A profile that is needed for an account cannot be used on this machine."""


class StillListedError(Exception):
    """AWS says that a resource does not exist, but still lists it."""


class FaultError(Exception):
    """A fault of chimeaudit itself; its text is the name of the exception."""


class StoppedError(Exception):
    """The scan was stopped; the journal holds what was read until then."""


CALL_ERRORS = (
    boto.BotoCoreError,
    boto.ClientError,
    ResponseParserError,
    MalformedAnswerError,
    CredentialsError,
    EndlessPagesError,
    OtherAccountError,
    OutOfScopeError,
    UnusableProfileError,
)
"""All that a call may raise because of AWS, the network or the credentials."""

SPEAK_XML = frozenset({"iam", "sts"})
_PARSED_BY_BOTOCORE = SPEAK_XML | {"s3", "securityhub", "sns"}
_STUMBLES = (AttributeError, KeyError, RuntimeError, TypeError, ValueError)
"""What botocore's parser raises if an answer does not have the operation's shape."""


class FailedCallError(Exception):
    """A call failed. `service` and `operation` are botocore's names.

    The cause is one of CALL_ERRORS, a StillListedError, a TooManyItemsError, a NoBearerError or a FaultError.
    """

    def __init__(self, service: str, operation: str, cause: Exception) -> None:
        super().__init__(service, operation, cause)
        self.cause = cause
        called = cause.operation_name if isinstance(cause, boto.ClientError) else operation
        obtaining = next((each for each in OBTAINING_CREDENTIALS if each.name == called), None)
        self.operation = obtaining.name if obtaining else operation
        self.action = (obtaining or Operation(service, operation)).action

    @property
    def denied_entry(self) -> bool:
        """Whether the call failed because its role could not be assumed."""
        return self.operation == ASSUME_ROLE

    @property
    def may_pass(self) -> bool:
        """Whether a later try may succeed: after an outage, throttling, a malformed answer or an expired token."""
        if isinstance(self.cause, boto.ClientError):
            code, status = _code_and_status(self.cause)
            return code in EXPIRED or _is_throttling(code, status) or status >= 500
        passing = (MalformedAnswerError, ResponseParserError, boto.HTTPClientError, boto.ConnectionError)
        return isinstance(self.cause, passing)

    @property
    def is_not_found(self) -> bool:
        """Whether AWS says that the resource does not exist; a proxy's 404 does not count."""
        if not isinstance(self.cause, boto.ClientError):
            return False
        code, status = _code_and_status(self.cause)
        return status == 404 and code in NOT_FOUND

    @property
    def is_refused(self) -> bool:
        """Whether AWS refused the caller, or the user or bot as whom it called (422: who does not exist)."""
        if not isinstance(self.cause, boto.ClientError) or self.may_pass or self.denied_entry:
            return False
        code, status = _code_and_status(self.cause)
        return status in {401, 403, 422} or code in DENIED

    @property
    def is_hidden(self) -> bool:
        """Whether the resource does not exist, or the service hides it; IAM did not deny the call.

        Chime answers ForbiddenException for what does not exist: https://github.com/aws/aws-sdk-net/issues/1571
        """
        if not isinstance(self.cause, boto.ClientError) or "not authorized to perform" in str(self.cause):
            return False
        code, status = _code_and_status(self.cause)
        return self.is_not_found or (status == 403 and code == "ForbiddenException")

    @property
    def fault(self) -> str | None:
        """The traceback if it was a fault of chimeaudit; else None."""
        is_ours = isinstance(self.cause, FaultError)
        return "".join(traceback.format_exception(self.cause.__cause__)) if is_ours else None

    @property
    def explained(self) -> tuple[str, str]:
        """The error code, and a sentence with the reason and, after a semicolon, what to do."""
        return _explained(self.cause, self.action)

    def gap(self, account_id: str, region: str | None = None, resource_arn: str | None = None) -> Gap:
        """The gap that the failure leaves."""
        code, reason = self.explained
        return Gap(
            account_id=account_id,
            region=region,
            resource_arn=resource_arn,
            operation=self.operation,
            code=code,
            reason=reason,
        )


@contextmanager
def calling(service: str, operation: str) -> Iterator[None]:
    """Turn errors of a call within the block into FailedCallError; `service` and `operation` are botocore's names.

    Raises:
        FailedCallError: the block raised one of CALL_ERRORS, or botocore's parser failed.
    """
    try:
        with waiting_for(Operation(service, operation).action):
            yield
    except CALL_ERRORS as error:
        raise FailedCallError(service, operation, error) from error
    except _STUMBLES as error:
        if service not in _PARSED_BY_BOTOCORE:
            raise
        malformed = MalformedAnswerError(f"the answer is malformed: it is not that of {operation}")
        raise FailedCallError(service, operation, malformed) from error


@contextmanager
def containing(operation: str) -> Iterator[None]:
    """Turn a fault of chimeaudit within the block into a failure of the operation, so that the scan goes on.

    Raises:
        FailedCallError: there was a fault, or a call failed.
    """
    try:
        yield
    except (FailedCallError, StoppedError, ChimeauditError, ImportError):
        raise  # ImportError: a broken installation is no failure of an operation
    except Exception as error:
        fault = FaultError(type(error).__name__)
        fault.__cause__ = error
        raise FailedCallError("chimeaudit", operation, fault) from error


_EXPLAINED: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...] = (
    (FaultError, FAULT, "chimeaudit itself failed ({error}); report it, with what -v prints"),
    (StillListedError, "StillListed", "AWS lists it and says that it does not exist; scan again later"),
    (
        (EndlessPagesError, boto.PaginationError),
        "EndlessPages",
        "the pages of the list repeat and never end; scan again later",
    ),
    (
        TooManyItemsError,
        "TooMany",
        "there are more than the {error} that were read; raise --max-channels to read on",
    ),
    (NoBearerError, "NoBearer", "{error}"),
    (boto.InvalidRegionError, "InvalidRegion", "no region has the name in its ARN; correct it where it is configured"),
    (
        boto.ParamValidationError,
        "ParamValidation",
        "AWS listed it under a name that its own client does not accept; scan again later",
    ),
    (OtherAccountError, "OtherAccount", "{error}; see whose credentials these are, then scan again"),
    (UnusableProfileError, "UnusableProfile", "{error}; configure the profile on every machine that reads"),
    (OutOfScopeError, "OutOfScope", "account {error} is not in scope; bring it into scope, or waive this gap"),
    (
        (boto.NoCredentialsError, boto.PartialCredentialsError),
        "NoCredentials",
        f"{MISSING_CREDENTIALS}; sign in, or name --profile",
    ),
    (
        (boto.ConnectTimeoutError, boto.ReadTimeoutError, OutOfPatienceError),
        "Timeout",
        "no answer in time; check the network and proxy, then scan again",
    ),
)


_DISTRUSTED = (
    "the endpoint's certificate is not trusted; where a proxy presents its own, name the file of its certificate "
    "authority by AWS_CA_BUNDLE"
)


def _explained(error: Exception, action: str) -> tuple[str, str]:
    for kind, code, reason in _EXPLAINED:
        if isinstance(error, kind):
            return code, reason.format(error=error)
    match error:
        case CredentialsError():
            return error.code, str(error)
        case boto.ClientError():
            code, status = _code_and_status(error)
            return code, _why_refused(code, status, action, str(error))
        case MalformedAnswerError() | ResponseParserError():
            what = error if isinstance(error, MalformedAnswerError) else "the answer is malformed: it cannot be parsed"
            return "MalformedAnswer", f"{what}; asked again without success, scan again later"
        case boto.SSLError():
            return _name(error), _DISTRUSTED
        case boto.HTTPClientError() | boto.ConnectionError():
            reason = "the endpoint could not be reached; check network and proxy, and that the service exists here"
            return _name(error), reason
        case _:
            return _name(error), "the credentials or the AWS configuration cannot be used; check them"


def _code_and_status(error: boto.ClientError) -> tuple[str, int]:
    code = str(error.response.get("Error", {}).get("Code") or "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code if _PLAIN_CODE.fullmatch(code) else "Unknown", status


def _is_throttling(code: str, status: int) -> bool:
    return status == 429 or "Throttl" in code or code in THROTTLED


def _why_refused(code: str, status: int, action: str, message: str) -> str:
    if code in EXPIRED:
        return "the credentials have expired; sign in again"
    if code in REJECTED:
        return "AWS does not accept the credentials or their signature; check the keys and this machine's clock"
    if _is_throttling(code, status):
        return "AWS kept throttling the call until its retries were used up; scan again later, or with fewer at once"
    if status >= 500:
        return "the service failed until the retries were used up; scan again later"
    if status in {401, 403} or code in DENIED:
        return f"access denied{_by_policy(message)}; allow {action}"
    if status == 404:
        return "it no longer exists, or the endpoint does not know it; scan again"
    return f"AWS refused the request with status {status} and code {code}; check the options and their spelling"


def _by_policy(message: str) -> str:
    """The kind of policy that denied, from AWS's message; nothing else of the message is repeated."""
    policies = ("service control policy", "resource control policy", "permissions boundary", "session policy")
    policy = next((name for name in policies if name in message), None)
    explicit = "an explicit deny in " if "explicit deny" in message else ""
    if policy:
        return f" by {explicit}a {policy}"
    return " by an explicit deny" if explicit else ""


def _name(error: Exception) -> str:
    return type(error).__name__.removesuffix("Error")
