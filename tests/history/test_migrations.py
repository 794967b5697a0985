"""Databases of all released schemas are upgraded to the current one, with their rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from scanner.errors import ChimeauditError
from scanner.history import database
from scanner.history.address import Address
from scanner.history.database import VERSIONS
from tests.history.nights import failing, kept, lives, report, trend

RELEASED = Path(__file__).with_name("released")
REVISIONS = sorted(script.revision for script in ScriptDirectory.from_config(database._scripts()).walk_revisions())


def old_schema(history: Address, revision: str) -> None:
    """Make a database with an older schema, as its version of chimeaudit left it, with rows in every table."""
    with database._engine(history, writes=True).begin() as connection:
        for statement in (RELEASED / f"{revision}.sql").read_text().split(";\n"):
            connection.exec_driver_sql(statement)


def tables(history: Address) -> dict[str, Any]:
    """The tables of a database, as it describes them."""
    with database.read(history) as connection:
        found = inspect(connection)
        return {
            table: (
                [(column["name"], str(column["type"]), column["nullable"]) for column in found.get_columns(table)],
                found.get_pk_constraint(table)["constrained_columns"],
                found.get_foreign_keys(table),
                found.get_indexes(table),
            )
            for table in found.get_table_names()
        }


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_older_history_is_upgraded_and_continued(history: Address, revision: str) -> None:
    old_schema(history, revision)

    assert [night.all_open for night in trend(history).nights] == [1]

    kept(history, report(3, failing("a")))

    assert {name: life[:2] for name, life in lives(history).items()} == {
        "kept": ("fixed", "2026-11-01T03:00:00Z"),
        "a": ("open", "2026-11-04T03:00:00Z"),
    }


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_upgraded_history_has_the_tables_of_a_new_one(
    history: Address, another_history: Address, revision: str
) -> None:
    old_schema(history, revision)

    kept(history, report(3))
    kept(another_history, report(3))

    assert tables(history) == tables(another_history)


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


def test_reading_a_database_without_a_history_is_an_error(history: Address) -> None:
    if history.file:
        history.file.touch()

    with pytest.raises(ChimeauditError, match="there is no history in"), database.read(history):
        pass
