from __future__ import annotations

from typing import Any

import pytest

from scanner.aws.hardening import ALLOWED, IDENTITY, MESSAGING
from scanner.aws.session import Aws
from scanner.errors import ChimeauditError
from scanner.model.operations import OBTAINING_CREDENTIALS
from tests.fake_aws import FakeAws


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        (IDENTITY, "create_app_instance", {"Name": "n", "ClientRequestToken": "token"}),
        (IDENTITY, "delete_app_instance", {"AppInstanceArn": "arn:aws:chime"}),
        (IDENTITY, "describe_app_instance", {"AppInstanceArn": "arn:aws:chime"}),
        (MESSAGING, "delete_channel_flow", {"ChannelFlowArn": "arn:aws:chime"}),
        ("sts", "get_session_token", {}),
        ("s3", "list_buckets", {}),
        ("iam", "create_user", {"UserName": "x"}),
    ],
)
def test_an_operation_that_is_not_declared_is_stopped_before_it_is_sent(
    aws_in_environment: FakeAws, service: str, method: str, arguments: dict[str, str]
) -> None:
    client = Aws().client(service, "us-east-1")

    with pytest.raises(ChimeauditError, match="refused to call"):
        getattr(client, method)(**arguments)

    assert not aws_in_environment.calls


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("s3", "put_object", {"Bucket": "bucket", "Key": "key", "Body": b"x"}),
        ("securityhub", "enable_security_hub", {}),
        ("lambda", "invoke", {"FunctionName": "f"}),
    ],
)
def test_a_client_that_others_make_from_the_session_is_fenced_too(
    aws_in_environment: FakeAws, service: str, method: str, arguments: dict[str, Any]
) -> None:
    client = Aws()._boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]  # a name in a variable

    with pytest.raises(ChimeauditError, match="refused to call"):
        getattr(client, method)(**arguments)

    assert not aws_in_environment.calls


def test_every_declared_operation_only_reads() -> None:
    observing = ALLOWED - OBTAINING_CREDENTIALS

    assert all(operation.name.startswith(("List", "Get", "Describe")) for operation in observing)
    assert {operation.service for operation in OBTAINING_CREDENTIALS} == {"sts", "sso", "sso-oidc", "signin"}
