"""scanner.aws.calls: the pages of a list."""

from __future__ import annotations

from scanner.aws.calls import new_items
from scanner.aws.hardening import IDENTITY
from scanner.aws.session import Aws
from scanner.aws.wire import ListAppInstances
from tests.fake_aws import FakeAws


def test_every_page_is_read_and_no_call_is_made_twice(aws_in_environment: FakeAws) -> None:
    aws_in_environment.inventory = {"us-east-1": {f"instance {number}": [] for number in range(101)}}

    pages = list(new_items(Aws().client(IDENTITY, "us-east-1"), ListAppInstances))

    assert [len(page) for page in pages] == [50, 50, 1]
    assert len(aws_in_environment.calls) == 3
