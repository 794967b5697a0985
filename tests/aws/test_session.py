"""What botocore is taught; an upgrade that learns it by itself must not break it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scanner.aws.calls import new_items
from scanner.aws.hardening import IDENTITY, MESSAGING
from scanner.aws.session import Aws
from scanner.aws.wire import ListAppInstances
from tests.fake_aws import FakeAws, serve


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    with serve(FakeAws()) as aws:
        for name, value in aws.variables.items():
            monkeypatch.setenv(name, value)
        yield aws


@pytest.mark.parametrize(("service", "method"), [(IDENTITY, "list_app_instances"), (MESSAGING, "list_channel_flows")])
def test_both_listings_page(fake: FakeAws, service: str, method: str) -> None:
    assert fake.url
    assert Aws().client(service, "us-east-1").can_paginate(method)


@pytest.mark.parametrize("service", [IDENTITY, MESSAGING])
def test_throttling_counts_as_throttling(fake: FakeAws, service: str) -> None:
    assert fake.url
    shape = Aws().client(service, "us-east-1").meta.service_model.shape_for("ThrottledClientException")

    assert shape.metadata["retryable"] == {"throttling": True}


def test_every_page_is_read_and_no_call_is_made_twice(fake: FakeAws) -> None:
    fake.inventory = {"us-east-1": {f"instance {number}": [] for number in range(101)}}

    pages = list(new_items(Aws().client(IDENTITY, "us-east-1"), ListAppInstances))

    assert [len(page) for page in pages] == [50, 50, 1]
    assert len(fake.calls) == 3


def test_the_service_exists_where_botocore_lists_both() -> None:
    assert Aws().regions() == ("eu-central-1", "us-east-1")


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_region_variable_says_where_sts_is_asked(
    fake: FakeAws, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "ap-southeast-2")

    assert Aws().identity().account_id == fake.account
    assert [call.region for call in fake.calls] == ["ap-southeast-2"]
