"""The databases of a history, each of which runs the same tests."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner.history import address
from scanner.history.address import Address
from tests.history import postgresql
from tests.history.nights import save
from tests.history.postgresql import Cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The system's PostgreSQL."""
    programs = postgresql.binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed, and the tests of the history need it")
    with postgresql.running(programs) as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """A function that makes an empty database and returns its URL."""
    if request.param == "sqlite":
        return lambda name: f"sqlite:///{tmp_path}/{name}.db"
    cluster: Cluster = request.getfixturevalue("cluster")
    return lambda name: cluster.create(f"{name}_{secrets.token_hex(4)}")


@pytest.fixture
def url(new_database: Callable[[str], str]) -> str:
    return new_database("history")


@pytest.fixture
def history(url: str) -> Address:
    return address.parse(url)


@pytest.fixture
def another_history(new_database: Callable[[str], str]) -> Address:
    return address.parse(new_database("another"))


@pytest.fixture
def saved(tmp_path: Path) -> str:
    """A saved report with one finding."""
    return save(tmp_path / "report.json", 1, "a")
