from __future__ import annotations

import pytest
from botocore import exceptions as boto

from scanner.aws.failure import EndlessPagesError, FailedCallError, MalformedAnswerError
from scanner.model.facts import Gap

ACTION = "chime:ListChannelFlows"


def explain(error: Exception) -> Gap:
    return FailedCallError("chime-sdk-messaging", "ListChannelFlows", error).gap("111122223333")


def refusal(status: int, code: object, message: str = "") -> boto.ClientError:
    return boto.ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  # a hostile server's code may be anything
        "ListChannelFlows",
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refusal(403, "ForbiddenException"), f"access denied; allow {ACTION}"),
        (refusal(403, "AccessDeniedException"), "access denied"),
        (refusal(401, "UnauthorizedClientException"), "access denied"),
        (refusal(403, "ExpiredTokenException"), "expired"),
        (refusal(403, "InvalidSignatureException"), "clock"),
        (refusal(429, "ThrottledClientException"), "throttling"),
        (refusal(400, "ThrottlingException"), "throttling"),
        (refusal(503, "ServiceUnavailableException"), "the service failed"),
        (refusal(404, "NotFoundException"), "no longer exists"),
        (refusal(400, "BadRequestException"), "status 400"),
        (boto.NoCredentialsError(), "no complete AWS credentials"),
        (boto.EndpointConnectionError(endpoint_url="http://x"), "could not be reached"),
        (boto.ReadTimeoutError(endpoint_url="http://x"), "no answer in time"),
        (boto.PaginationError(message="The same next token was received twice: {'NextToken': 'secret'}"), "never end"),
        (boto.ParamValidationError(report="Invalid length"), "does not accept"),
        (EndlessPagesError(), "never end"),
        (MalformedAnswerError("the answer is malformed: cut off"), "cut off"),
        (boto.TokenRetrievalError(provider="sso", error_msg="expired"), "cannot be used"),
    ],
)
def test_every_failure_has_a_plain_reason_with_a_next_step(error: Exception, words: str) -> None:
    failure = explain(error)

    assert words in failure.reason
    assert failure.code
    assert "secret" not in failure.reason


def test_aws_own_message_is_not_repeated() -> None:
    failure = explain(refusal(400, "BadRequestException", "NextToken 'secret' is bad"))

    assert "secret" not in failure.reason + failure.code


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("... with an explicit deny in a service control policy", "by an explicit deny in a service control policy"),
        ("... because no permissions boundary allows the action", "by a permissions boundary"),
        ("... with an explicit deny", "by an explicit deny"),
    ],
)
def test_a_denial_names_the_kind_of_policy(message: str, words: str) -> None:
    assert words in explain(refusal(403, "AccessDenied", message)).reason


@pytest.mark.parametrize("code", [None, 7, ["x"], "a b\n<script>", "x" * 1000])
def test_a_code_of_odd_characters_is_not_repeated(code: object) -> None:
    assert explain(refusal(400, code)).code in {"Unknown", "7"}
