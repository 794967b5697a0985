"""scanner.history.address: which databases are accepted, and messages without passwords."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scanner.errors import UsageError
from scanner.history.address import parse
from tests.command import environment
from tests.history.nights import SECRET, recorded


@pytest.mark.parametrize(
    "url",
    [
        SECRET,
        f"mysql://us:{SECRET}@db/history",
        f"postgresql+psycopg2://us:{SECRET}@db/history",
        f"postgresql://us:{SECRET}@db",
        f"postgresql://us:{SECRET}@db:port/history",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite://history.db",
        f"sqlite://us:{SECRET}@db/history.db",
        "sqlite:///file:history.db?mode=memory&uri=true",
        "sqlite:///why?.db",
        f"postgresql://us:a@{SECRET}@db/history",
        f"postgresql://us:{SECRET}@db/history?row_factory=x",
        f"postgresql://us:{SECRET}@db/history?foo=x",
        "sqlite+aiosqlite:///history.db",
    ],
)
def test_a_bad_url_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(UsageError, match="--history") as refused:
        parse(url)

    assert SECRET not in f"{refused.value} {refused.value.hint}"


def test_a_bad_url_is_refused_before_anything_is_done(saved: str, tmp_path: Path) -> None:
    ended = recorded(saved, f"postgresql://us:{SECRET}@db", tmp_path)

    assert ended.code == 2
    assert not ended.stdout
    assert SECRET not in ended.stderr
    assert "--history" in ended.error


def test_without_the_extra_one_line_says_what_to_install(saved: str, tmp_path: Path) -> None:
    without = "import sys; sys.modules['sqlalchemy'] = None; from scanner import cli; cli.main()"
    for command in (["scan", "--demo"], ["report", saved], ["history", "list"]):
        ended = subprocess.run(
            [sys.executable, "-c", without, *command, "--history", "sqlite:///h.db"],
            env=environment(tmp_path),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr.splitlines() == [
            "error: --history needs sqlalchemy",
            "hint: Install it: pip install 'chimeaudit[history]'",
        ]


@pytest.mark.parametrize("arguments", [["--version"], ["scan", "--help"], ["report", "{saved}"]])
def test_without_a_history_its_libraries_are_not_imported(arguments: list[str], saved: str, tmp_path: Path) -> None:
    script = (
        "import sys; from scanner import cli; cli.run(sys.argv[1:]); "
        "sys.exit(bool({'sqlalchemy', 'alembic', 'psycopg'} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, *(each.format(saved=saved) for each in arguments)],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def test_an_error_of_the_database_repeats_no_password() -> None:
    address = parse(f"postgresql://us:{SECRET}@db/history?sslpassword=also-secret")

    assert address.name == "postgresql://db/history"
    assert address.without_secrets(f"no such option: {SECRET}, also-secret") == "no such option: ***, ***"
    assert SECRET not in repr(address)
