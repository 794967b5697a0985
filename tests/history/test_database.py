"""Database errors: one line without secrets, nothing half recorded, and the scan still writes its report."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import quote_plus

import psycopg
import pytest
import sqlalchemy
from msgspec import structs

from scanner.errors import OutputError, UsageError
from scanner.history import database
from scanner.history.address import Address, parse
from scanner.model.report import InScope
from scanner.render.json import render
from tests.command import CHIMEAUDIT, Ended, chimeaudit, environment
from tests.history.nights import SECRET, at, failing, kept, lives, recorded, report, save, trend
from tests.history.postgresql import PASSWORD, Cluster
from tests.posix import geteuid
from tests.render import sample

_CAPABILITIES = "-dac_override,-dac_read_search"
WITHOUT_PRIVILEGE = (
    ("setpriv", f"--bounding-set={_CAPABILITIES}", f"--inh-caps={_CAPABILITIES}") if geteuid() == 0 else ()
)
"""Makes a command run so that file modes also apply to root."""


def told(ended: Ended) -> str:
    """The last two lines of a command: the error and its hint."""
    assert "Traceback" not in ended.stderr
    error, hint = ended.stderr.splitlines()[-2:]
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    return error


def test_a_file_that_is_no_database_is_an_error_and_unchanged(saved: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("these are notes, " * 99)

    ended = recorded(saved, "sqlite:///notes.txt", tmp_path)

    assert ended.code == 70
    assert len(ended.report["findings"]) == 1
    assert "the history in notes.txt could not be written: file is not a database" in told(ended)
    assert (tmp_path / "notes.txt").read_text().startswith("these are notes")
    assert chimeaudit("history", "list", "--history", "sqlite:///notes.txt", home=tmp_path).code == 2


@pytest.mark.parametrize(("encoding", "code", "names"), [("LATIN1", 70, {"café"}), ("SQL_ASCII", 0, {"café", "日本"})])
def test_a_server_of_another_encoding_is_written_or_gives_an_error(
    cluster: Cluster, encoding: str, code: int, names: set[str], tmp_path: Path
) -> None:
    url = cluster.create(f"kept_as_{encoding.lower()}", encoding)

    assert recorded(save(tmp_path / "1.json", 1, "café"), url, tmp_path).code == 0
    ended = recorded(save(tmp_path / "2.json", 2, "日本"), url, tmp_path)

    assert (ended.code, len(ended.report["findings"])) == (code, 1)
    assert code == 0 or 'has no equivalent in encoding "LATIN1"' in told(ended)
    assert set(lives(parse(url))) == names


@pytest.mark.parametrize(
    ("damage", "complaint", "code"),
    [
        ("run SET summary = '{'", "truncated", 0),
        ("run SET accounts = 'x'", "Expected `int`", 0),
        ("finding SET first_seen = 'x'", "'x'", 70),
    ],
)
def test_a_damaged_history_is_an_error_and_no_report_is_lost(
    damage: str, complaint: str, code: int, saved: str, tmp_path: Path
) -> None:
    recorded(saved, "sqlite:///history.db", tmp_path)
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        connection.execute(f"UPDATE {damage}")
        connection.commit()

    ended = recorded(save(tmp_path / "2.json", 2, "a"), "sqlite:///history.db", tmp_path)
    looked = chimeaudit("history", "site", ".", "--history", "sqlite:///history.db", home=tmp_path)

    assert (ended.code, len(ended.report["findings"])) == (code, 1)
    assert (looked.code, looked.error.startswith("error: the history in history.db cannot be read: ")) == (2, True)
    assert complaint in looked.error


def test_a_report_whose_name_is_no_text_is_written_and_the_run_recorded(saved: str, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.html")

    ended = chimeaudit("report", saved, "--history", "sqlite:///history.db", "-o", name, home=tmp_path)

    assert ended.code == 0, ended.stderr
    assert (tmp_path / name).exists()
    assert trend(parse(f"sqlite:///{tmp_path}/history.db")).nights[0].all_open == 1


def test_a_check_of_files_is_not_recorded(saved: str, tmp_path: Path) -> None:
    recorded(saved, "sqlite:///history.db", tmp_path)
    check = sample.report(in_scope=InScope(accounts=0, targets=0, files=1))
    (tmp_path / "check.json").write_text("".join(render(check)))

    ended = recorded("check.json", "sqlite:///history.db", tmp_path)

    assert (ended.code, ended.stdout) == (2, "")
    assert ended.error == "error: --history: found the report of a check, of files; expected one of a scan"
    variables = {"CHIMEAUDIT_HISTORY": "sqlite:///history.db"}
    assert chimeaudit("report", "check.json", "-o", "check.html", home=tmp_path, variables=variables).code == 0
    assert lives(parse(f"sqlite:///{tmp_path}/history.db")) == {"a": ("open", at(1), at(1))}


def test_a_folder_that_does_not_exist_is_an_error(saved: str, tmp_path: Path) -> None:
    ended = recorded(saved, "sqlite:///nowhere/history.db", tmp_path)

    assert ended.code == 70
    assert len(ended.report["findings"]) == 1
    assert "unable to open database file" in told(ended)


def test_a_server_that_is_gone_is_an_error_without_the_password(saved: str, tmp_path: Path) -> None:
    ended = recorded(saved, f"postgresql+psycopg://us:{SECRET}@127.0.0.1:1/history", tmp_path)

    assert ended.code == 70
    assert len(ended.report["findings"]) == 1
    assert "the history in postgresql://127.0.0.1:1/history could not be written: " in told(ended)
    assert SECRET not in ended.stderr + ended.stdout


def test_a_wrong_password_is_an_error_that_does_not_repeat_it(cluster: Cluster, saved: str, tmp_path: Path) -> None:
    ended = recorded(saved, cluster.url("postgres", SECRET), tmp_path)

    assert ended.code == 70
    assert len(ended.report["findings"]) == 1
    assert "password authentication failed" in told(ended)
    assert SECRET not in ended.stderr + ended.stdout


def test_a_server_with_a_stricter_isolation_takes_runs_that_are_recorded_at_once(cluster: Cluster) -> None:
    strict = cluster.create("strict")
    history = parse(strict)
    kept(history, report(1, failing("a")))
    plain = strict.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as admin, ThreadPoolExecutor(1) as another:
        admin.execute("ALTER DATABASE strict SET default_transaction_isolation = 'serializable'")
        with database.written(history) as connection:
            waiting = another.submit(kept, history, report(2, failing("a")))
            while not admin.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                assert not waiting.done()
            connection.execute(sqlalchemy.text("UPDATE finding SET last_seen = last_seen"))
        waiting.result()

    assert lives(history) == {"a": ("open", at(1), at(2))}


def test_a_reader_sees_one_snapshot_and_cannot_write(history: Address) -> None:
    kept(history, report(1, failing("a")))

    with database.read(history) as connection:
        before = connection.execute(sqlalchemy.text("SELECT count(*) FROM run")).scalar()
        kept(history, report(2))
        assert connection.execute(sqlalchemy.text("SELECT count(*) FROM run")).scalar() == before == 1
    if history.file is None:
        with pytest.raises(UsageError, match="read-only"), database.read(history) as connection:
            connection.execute(sqlalchemy.text("DELETE FROM run"))


def test_a_read_only_file_is_enough_for_list_and_trend(saved: str, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    url = f"sqlite:///{folder}/history.db"
    recorded(saved, url, tmp_path)
    (folder / "history.db").chmod(0o444)
    folder.chmod(0o555)

    for command in ("list", "trend"):
        ended = subprocess.run(
            [*WITHOUT_PRIVILEGE, CHIMEAUDIT, "history", command, "--history", url, "--format", "json"],
            env=environment(tmp_path),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        assert json.loads(ended.stdout)
    assert [path.name for path in folder.iterdir()] == ["history.db"]


def test_a_password_file_that_others_may_read_is_reported_by_chimeaudit_not_libpq(
    cluster: Cluster, saved: str, tmp_path: Path
) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text(f"*:*:*:*:{PASSWORD}")
    passwords.chmod(0o644)
    url = cluster.create("by_file")
    without = url.replace(f":{quote_plus(PASSWORD)}@", "@")

    ended = chimeaudit(
        *("report", saved, "--history", without, "-o", "json:r.json"),
        home=tmp_path,
        variables={"PGPASSFILE": str(passwords)},
    )

    assert ended.code == 70
    assert "WARNING" not in ended.stderr
    assert f"({passwords} is not used, since others may read it: chmod 600)" in told(ended)


def test_a_cut_connection_prints_no_lines_of_libraries(cluster: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    history = parse(cluster.create("cut"))

    with pytest.raises(OutputError, match="could not be written"), database.written(history) as connection:
        connection.execute(sqlalchemy.text("SELECT pg_terminate_backend(pg_backend_pid())"))

    assert "".join(capfd.readouterr()) == ""


def test_a_report_that_cannot_be_written_hides_no_failure_of_the_history(saved: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    ended = chimeaudit("report", saved, "-o", "file/r.html", "--history", "sqlite:///no/h.db", home=tmp_path)

    assert ended.code == 70
    assert "file/r.html could not be written" in ended.stderr
    assert "the history in no/h.db could not be written" in ended.stderr


def test_no_report_holds_the_url(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.create("confidential")
    saved = save(tmp_path / "report.json", 1, "a")
    out = [argument for suffix in ("html", "json", "md", "csv", "xml") for argument in ("-o", f"out/r.{suffix}")]

    ended = chimeaudit("report", saved, "-v", *out, home=tmp_path, variables={"CHIMEAUDIT_HISTORY": url})

    assert ended.code == 0, ended.stderr
    for text in (ended.stdout, ended.stderr, *(path.read_text() for path in (tmp_path / "out").iterdir())):
        assert PASSWORD not in text
        assert url not in text
    assert trend(parse(url)).nights[0].all_open == 1


def test_a_full_disk_records_nothing_and_keeps_what_was_there(saved: str, tmp_path: Path) -> None:
    recorded(saved, "sqlite:///history.db", tmp_path)
    big = save(tmp_path / "big.json", 2, *(f"flow {number}" for number in range(500)))
    limited = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)); "
        "from scanner import cli; cli.main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", limited, "report", big, "--history", "sqlite:///history.db", "-o", "json:-"],
        env=environment(tmp_path, {"PYTHONDONTWRITEBYTECODE": "1"}),  # a cut .pyc would break the next
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    found = Ended(code=ended.returncode, stdout=ended.stdout, stderr=ended.stderr)
    assert found.code == 70
    assert len(found.report["findings"]) == 500
    assert "the history in history.db could not be written: " in told(found)
    assert lives(parse(f"sqlite:///{tmp_path}/history.db")) == {"a": ("open", at(1), at(1))}


def test_a_run_is_recorded_whole_or_not_at_all(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    history = parse(url)
    kept(history, report(0, failing("a")))
    before = lives(history), trend(history)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("scanner.history.queries.trend", stop)
    with pytest.raises(KeyboardInterrupt):
        kept(history, report(1, failing("b")))
    monkeypatch.undo()

    assert (lives(history), trend(history)) == before


def test_two_scans_that_write_at_once_are_both_recorded(url: str, tmp_path: Path) -> None:
    every = [f"flow {number}" for number in range(300)]
    files = [save(tmp_path / f"{night}.json", night, *every[night * 50 :]) for night in range(4)]

    def reported(file: str) -> Ended:
        return chimeaudit("report", file, "--history", url, "-o", f"{file}.csv", home=tmp_path)

    with ThreadPoolExecutor(len(files)) as at_once:
        for ended in at_once.map(reported, files):
            assert ended.code == 0, ended.stderr

    nights = trend(parse(url)).nights
    assert [night.all_open for night in nights] == [300, 250, 200, 150]
    assert {life[:2] for name, life in lives(parse(url)).items() if int(name.split()[1]) >= 150} == {("open", at(0))}


def test_a_hostile_report_is_recorded_as_it_is(url: str, tmp_path: Path) -> None:
    hostile = sample.hostile()
    kept(parse(url), structs.replace(hostile, run=structs.replace(hostile.run, options={"role": sample.HOSTILE})))

    ended = chimeaudit("history", "trend", "--history", url, home=tmp_path)

    assert ended.code == 0
    assert "\u202e" not in ended.stdout
    assert "\\u202e" in ended.stdout


def test_a_new_database_is_for_its_owner_alone_and_an_existing_one_keeps_its_mode(saved: str, tmp_path: Path) -> None:
    database = tmp_path / "history.db"

    modes = []
    for given in (None, 0o640):
        if given:
            database.chmod(given)
        assert recorded(saved, f"sqlite:///{database}", tmp_path).code == 0
        modes.append(oct(database.stat().st_mode & 0o777))

    assert modes == ["0o600", "0o640"]


@pytest.mark.parametrize(("platform", "is_ignored"), [("linux", True), ("darwin", True), ("win32", False)])
def test_who_may_read_a_password_file_matters_to_libpq_except_on_windows(
    platform: str, is_ignored: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("secret")
    passwords.chmod(0o644)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setattr(sys, "platform", platform)

    ignored = database._ignored_password_file(sqlalchemy.make_url("postgresql+psycopg://us@db/history"))

    assert ignored == (str(passwords) if is_ignored else None)
