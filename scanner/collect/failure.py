"""Says in one code and one plain sentence why a call did not give an answer.

AWS's own message is left out of the sentence: it may repeat tokens, and its wording is nobody's contract.
"""

from __future__ import annotations

import re

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from msgspec import Struct

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
ASSUME_ROLE = "AssumeRole"


class MalformedAnswerError(Exception):
    """AWS answered, but not with what the operation promises."""


class EndlessPagesError(Exception):
    """A listing repeats itself instead of ending."""


class Failure(Struct, frozen=True, kw_only=True):
    """Why something was not observed."""

    code: str
    reason: str


CALL_ERRORS = (boto.BotoCoreError, boto.ClientError, ResponseParserError, MalformedAnswerError, EndlessPagesError)
"""Everything that a call to AWS may raise when the other side, the network or the credentials are at fault."""


def explain(error: Exception, action: str) -> Failure:
    """Put one of CALL_ERRORS into words. `action` is the IAM action, such as chime:ListChannelFlows."""
    match error:
        case boto.ClientError():
            return _refused(error, action)
        case MalformedAnswerError():
            return Failure(code="MalformedAnswer", reason=f"{error}; asked again without success, scan again later")
        case EndlessPagesError() | boto.PaginationError():
            return Failure(code="EndlessPages", reason="the pages of the list repeat and never end; scan again later")
        case boto.NoCredentialsError() | boto.PartialCredentialsError():
            return Failure(
                code="NoCredentials", reason="there are no complete AWS credentials; sign in, or name --profile"
            )
        case boto.ConnectTimeoutError() | boto.ReadTimeoutError():
            return Failure(code="Timeout", reason="no answer in time; check the network and proxy, then scan again")
        case boto.HTTPClientError() | boto.ConnectionError():
            return Failure(
                code=_name(error),
                reason="the endpoint could not be reached; check network and proxy, and that the service exists here",
            )
        case _:
            return Failure(code=_name(error), reason="the credentials or the AWS configuration cannot be used")


def may_pass(error: Exception) -> bool:
    """Whether a later try may well go better: an outage, throttling, a garbled answer, a credential to be renewed."""
    if isinstance(error, boto.ClientError):
        code, status = _code_and_status(error)
        return code in EXPIRED or _is_throttling(code, status) or status >= 500
    return isinstance(error, MalformedAnswerError | ResponseParserError | boto.HTTPClientError | boto.ConnectionError)


def is_not_found(error: Exception) -> bool:
    """Whether AWS itself says that the thing asked for does not exist; a proxy's 404 does not."""
    if not isinstance(error, boto.ClientError):
        return False
    code, status = _code_and_status(error)
    return status == 404 and code in NOT_FOUND


def denied_entry(error: Exception) -> bool:
    """Whether it was not the call that failed but the role that could not be assumed for it."""
    return isinstance(error, boto.ClientError) and error.operation_name == ASSUME_ROLE


def _refused(error: boto.ClientError, action: str) -> Failure:
    code, status = _code_and_status(error)
    return Failure(code=code, reason=_why_refused(code, status, action, str(error)))


def _code_and_status(error: boto.ClientError) -> tuple[str, int]:
    code = str(error.response.get("Error", {}).get("Code"))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code if _PLAIN_CODE.fullmatch(code) else "Unknown", status


def _is_throttling(code: str, status: int) -> bool:
    return status == 429 or "Throttl" in code


def _why_refused(code: str, status: int, action: str, message: str) -> str:
    if code in EXPIRED:
        return "the credentials have expired; sign in again"
    if code in REJECTED:
        return "AWS does not accept the credentials or their signature; check the keys and this machine's clock"
    if _is_throttling(code, status):
        return "AWS kept throttling the call until its retries were used up; scan again later, or with fewer at once"
    if status >= 500:
        return "the service failed until the retries were used up; scan again later"
    if status in {401, 403}:
        return f"access denied{_by_policy(message)}; allow {action}"
    if status == 404:
        return "it no longer exists, or the endpoint does not know it; scan again"
    return f"AWS refused the request with status {status}"


def _by_policy(message: str) -> str:
    """AWS says in its message which kind of policy denied; nothing else of the message is repeated."""
    policies = ("service control policy", "resource control policy", "permissions boundary", "session policy")
    policy = next((name for name in policies if name in message), None)
    explicit = "an explicit deny in " if "explicit deny" in message else ""
    if policy:
        return f" by {explicit}a {policy}"
    return " by an explicit deny" if explicit else ""


def _name(error: Exception) -> str:
    return type(error).__name__.removesuffix("Error")
