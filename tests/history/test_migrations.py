"""Every schema that was released becomes today's, with what is in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import alembic.command
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from scanner.errors import ChimeauditError
from scanner.history import database
from scanner.history.address import Address
from scanner.history.schema import VERSIONS, metadata
from tests.history.nights import failing, kept, lives, report, trend

RELEASED = Path(__file__).with_name("released")
REVISIONS = sorted(script.revision for script in ScriptDirectory.from_config(database._scripts()).walk_revisions())


def old_schema(history: Address, revision: str) -> None:
    """A database as the version of chimeaudit left it that had this schema, with rows in every table."""
    scripts = database._scripts()
    with database._engine(history, writes=True).begin() as connection:
        scripts.attributes["connection"] = connection
        alembic.command.upgrade(scripts, revision)
        for statement in (RELEASED / f"{revision}.sql").read_text().splitlines():
            connection.exec_driver_sql(statement)


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_older_history_goes_on(history: Address, revision: str) -> None:
    old_schema(history, revision)

    assert [night.all_open for night in trend(history).nights] == [1]

    kept(history, report(3, failing("a")))

    assert {name: life[:2] for name, life in lives(history).items()} == {
        "kept": ("fixed", "2026-11-01T03:00:00Z"),
        "a": ("open", "2026-11-04T03:00:00Z"),
    }
    assert_no_drift(history)


def test_a_new_history_has_the_tables_of_the_schema(history: Address) -> None:
    kept(history, report(0))

    assert_no_drift(history)


def assert_no_drift(history: Address) -> None:
    with database.read(history) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSIONS, "compare_type": True})
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize("use", [database.read, database.written])
def test_a_newer_history_is_refused_and_left_alone(
    history: Address, use: Callable[[Address], AbstractContextManager[Connection]]
) -> None:
    kept(history, report(0, failing("a")))
    with database.written(history) as connection:
        connection.execute(text(f"UPDATE {VERSIONS} SET version_num = '9999'"))

    with pytest.raises(ChimeauditError, match="of a newer chimeaudit") as refused, use(history):
        pass

    assert "9999" in refused.value.message
    with database._engine(history, writes=True).begin() as connection:
        assert connection.scalar(text("SELECT COUNT(*) FROM finding")) == 1


def test_a_database_without_a_history_is_told_when_it_is_read(history: Address) -> None:
    if history.file:
        history.file.touch()

    with pytest.raises(ChimeauditError, match="there is no history in"), database.read(history):
        pass
