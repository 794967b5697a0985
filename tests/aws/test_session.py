"""scanner.aws.session: what botocore lacks is added, also if a later botocore has it itself."""

from __future__ import annotations

import pytest

from scanner.aws.hardening import IDENTITY, MESSAGING
from scanner.aws.session import Aws
from tests.fake_aws import FakeAws


@pytest.mark.parametrize(("service", "method"), [(IDENTITY, "list_app_instances"), (MESSAGING, "list_channel_flows")])
def test_both_listings_page(aws_in_environment: FakeAws, service: str, method: str) -> None:
    assert aws_in_environment.url
    assert Aws().client(service, "us-east-1").can_paginate(method)


@pytest.mark.parametrize("service", [IDENTITY, MESSAGING])
def test_throttling_counts_as_throttling(aws_in_environment: FakeAws, service: str) -> None:
    assert aws_in_environment.url
    shape = Aws().client(service, "us-east-1").meta.service_model.shape_for("ThrottledClientException")

    assert shape.metadata["retryable"] == {"throttling": True}


def test_the_service_exists_where_botocore_lists_both() -> None:
    assert Aws().regions() == ("eu-central-1", "us-east-1")


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_region_variable_says_where_sts_is_asked(
    aws_in_environment: FakeAws, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "ap-southeast-2")

    assert Aws().identity().account_id == aws_in_environment.account
    assert [call.region for call in aws_in_environment.calls] == ["ap-southeast-2"]
