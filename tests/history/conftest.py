"""The databases that a history is kept in: the same tests for each."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.history import address
from scanner.history.address import Address
from tests.history import postgresql
from tests.history.postgresql import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """PostgreSQL, as the system has it."""
    programs = postgresql.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed, and the tests of the history need it")
    with postgresql.running(programs) as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/history.db"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.create(f"history_{secrets.token_hex(4)}")


@pytest.fixture
def history(url: str) -> Address:
    return address.parse(url)
