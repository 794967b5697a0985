"""Fixtures for tests that drive the installed command against an AWS on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command import Ended, chimeaudit
from tests.fake_aws import FakeAws, serve

Scan = Callable[..., Ended]


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    """An AWS with nothing in it yet."""
    with serve(FakeAws()) as fake:
        yield fake


@pytest.fixture
def scan(aws: FakeAws, tmp_path: Path) -> Scan:
    """`chimeaudit scan` against that AWS."""

    def run(*arguments: str, **variables: str) -> Ended:
        return chimeaudit("scan", *arguments, home=tmp_path, variables={**aws.variables, **variables})

    return run
