from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from scanner.model.report import Scope
from scanner.store import runs
from scanner.store.journal import Journal, RunHeader, Target
from scanner.store.target_file import TargetWriter
from tests.posix import mkfifo, mode, unix_socket

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD = NOW - timedelta(days=20)
TARGET = Target(account_id="111122223333", region="us-east-1")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    place = tmp_path / "chimeaudit" / "runs"
    place.mkdir(parents=True)
    return place


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user without a home directory, whose temporary files are in the test's folder."""

    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", home)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def run(directory: Path, began: datetime, *, finished: bool) -> Journal:
    scope = Scope(accounts=(), regions=(), chosen_by="the test")
    started_at = f"{began:%Y-%m-%dT%H:%M:%SZ}"
    header = RunHeader(id="run", started_at=started_at, scope=scope, targets=(TARGET,), options={})
    journal = Journal.create(directory, header)
    if finished:
        with TargetWriter(journal.target_path(TARGET)) as writer:
            writer.target(())
    return journal


def test_whatever_lies_among_the_runs_only_old_finished_ones_are_pruned(state: Path) -> None:
    old = run(state / "5 old", OLD, finished=True)
    left = [run(state / "4 young", NOW, finished=True), run(state / "3 unfinished", OLD, finished=False)]
    odd = [run(state / f"2 odd {number}", OLD, finished=True) for number in range(4)]
    header = odd[0].directory / "run.json"
    header.write_bytes(msgspec.json.encode(msgspec.json.decode(header.read_bytes()) | {"started_at": "once"}))
    for number, journal in enumerate(odd[1:3]):
        place = (journal.directory / "run.json", journal.target_path(TARGET))[number]
        place.unlink()
        mkfifo(place)
    odd[3].target_path(TARGET).unlink()
    odd[3].target_path(TARGET).mkdir()
    mkfifo(state / "9 pipe")
    (state / "8 folder" / "run.json").mkdir(parents=True)
    (state / "7 link").symlink_to(state)
    with unix_socket() as listening:
        listening.bind(str(state / "6"))

        runs.prune(NOW)
        unfinished = [journal.directory for journal in runs.unfinished(OLD, timedelta(hours=1))]

    assert not old.directory.exists()
    assert all(journal.directory.exists() for journal in (*left, *odd))
    assert unfinished == [left[1].directory]


def test_without_a_home_directory_a_run_has_a_private_temporary_one(homeless: None, tmp_path: Path) -> None:  # noqa: ARG001
    assert runs.home() is None
    runs.prune(NOW)
    assert not list(runs.unfinished(NOW, runs.KEPT))

    made = runs.make("run")

    assert made.parent == tmp_path
    assert mode(made) == 0o700


def test_where_the_state_directory_cannot_be_made_a_run_has_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert runs.make("run").is_dir()
