from __future__ import annotations

import errno
import sys
from contextlib import nullcontext, suppress
from pathlib import Path

import msgspec
import portalocker
import pytest
from msgspec import structs

from scanner.errors import OutputError, UsageError
from scanner.model.report import Scope
from scanner.store.journal import Journal, RunHeader, Target
from scanner.store.target_file import TargetWriter
from tests.posix import mkfifo, mode

TARGET = Target(account_id="111122223333", region="us-east-1")


def header() -> RunHeader:
    scope = Scope(accounts=(TARGET.account_id,), regions=(TARGET.region,), chosen_by="a test")
    return RunHeader(id="run", started_at="2026-11-01T00:00:00Z", scope=scope, targets=(TARGET,), options={})


def test_a_run_directory_is_private_and_holds_one_run(tmp_path: Path) -> None:
    directory = tmp_path / "run"

    Journal.create(directory, header())

    assert mode(directory) == 0o700
    assert Journal.open(directory).header == header()
    with pytest.raises(UsageError, match="holds a run already"):
        Journal.create(directory, header())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"journal_version": 2}', "another version"),
        (b"{}", "another version"),
        (b"", "damaged"),
        (b'{"journal_version": 1}', "damaged"),
        (b"[]", "damaged"),
    ],
)
def test_a_header_that_is_no_json_object_is_an_error(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "run.json").write_bytes(content)

    with pytest.raises(UsageError, match=words):
        Journal.open(tmp_path)


def test_a_directory_without_a_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no run"):
        Journal.open(tmp_path)


def test_a_directory_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OutputError, match="cannot be written"):
        Journal.create(tmp_path / "file" / "run", header())


@pytest.mark.parametrize(
    "change",
    [
        {"targets": [{"account_id": "../../outside", "region": "us-east-1"}]},
        {"targets": [{"account_id": "/outside", "region": "us-east-1"}]},
        {"targets": [{"account_id": "111122223333\n", "region": "us-east-1"}]},
        {"targets": [{"account_id": "", "region": "us-east-1"}]},
        {"targets": [{"account_id": "111122223333", "region": "../../outside"}]},
        {"targets": [{"account_id": "111122223333", "region": "x/../../../outside"}]},
        {"targets": [{"account_id": "111122223333", "region": "a\0b"}]},
        {"targets": [{"account_id": "111122223333", "region": "x" * 65}]},
        {"started_at": "yesterday"},
        {"started_at": "2026-01-01T00:00:00"},
        {"started_at": ""},
        {"started_at": 20260101},
    ],
)
def test_a_header_with_invalid_values_is_damaged(tmp_path: Path, change: dict[str, object]) -> None:
    Journal.create(tmp_path, header())
    made = msgspec.json.decode((tmp_path / "run.json").read_bytes())
    (tmp_path / "run.json").write_bytes(msgspec.json.encode(made | change))

    with pytest.raises(UsageError, match=r"run\.json is damaged: "):
        Journal.open(tmp_path)


def touch_everything(directory: Path) -> None:
    """As the commands do that are given a run directory."""
    with suppress(UsageError, OutputError):
        Journal.create(directory, header())
    journal = Journal.open(directory)
    with journal.locked(), TargetWriter(journal.target_path(TARGET)) as writer:
        writer.target(())


def read_everything(directory: Path) -> None:
    """As those do that only judge."""
    list(Journal.open(directory).reader(TARGET).app_instances())


@pytest.mark.parametrize("what", ["run.json", "lock", "targets", "targets/111122223333.us-east-1.jsonl"])
@pytest.mark.parametrize("kind", ["link", "dangling link", "second name", "pipe", "folder"])
def test_links_in_a_run_directory_are_neither_read_nor_written(tmp_path: Path, what: str, kind: str) -> None:
    run, outside = tmp_path / "run", tmp_path / "outside"
    journal = Journal.create(run, structs.replace(header(), targets=(TARGET,)))
    with journal.locked(), TargetWriter(journal.target_path(TARGET)):
        pass
    place = run / what
    if place.is_dir():
        place.rename(outside)
    else:
        outside.write_bytes(place.read_bytes() or b"precious")
        place.unlink()
    if kind == "second name" and outside.is_file():
        place.hardlink_to(outside)
    elif kind == "pipe":
        mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to(outside if kind != "dangling link" else tmp_path / "new")
    before = sorted((path, path.is_file() and path.read_bytes()) for path in (outside, *outside.rglob("*")))

    may_be = {("targets", "folder"), ("run.json", "second name")}
    with nullcontext() if (what, kind) in may_be else pytest.raises((UsageError, OutputError)):
        touch_everything(run)
    if kind != "second name" and what not in {"lock", "targets"}:
        with pytest.raises(UsageError) if kind != "dangling link" or what == "run.json" else nullcontext():
            read_everything(run)

    assert sorted((path, path.is_file() and path.read_bytes()) for path in (outside, *outside.rglob("*"))) == before
    assert not (tmp_path / "new").exists()


def test_a_second_scan_is_told_that_the_first_one_is_writing(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "run", header())

    with journal.locked(), TargetWriter(journal.target_path(TARGET)) as writer:
        with pytest.raises(UsageError, match=r"another scan is writing to .*run$"), journal.locked():
            pass
        with pytest.raises(UsageError, match=r"another scan is writing to .*us-east-1\.jsonl$"):
            TargetWriter(journal.target_path(TARGET))
        writer.target(())

    with journal.locked(), TargetWriter(journal.target_path(TARGET)):
        pass


def test_a_file_system_that_cannot_lock_is_not_taken_for_another_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.create(tmp_path / "run", header())

    def refuse(*_: object) -> None:
        raise portalocker.LockException(OSError(errno.ENOLCK, "No locks available"))

    monkeypatch.setattr(portalocker, "lock", refuse)

    with pytest.raises(OutputError, match=r"run cannot be locked: .*No locks available"), journal.locked():
        pass


def test_a_target_can_be_read_while_it_is_written_on_windows_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock on Windows keeps readers out, so that only the run directory's file `lock` has one there."""
    journal = Journal.create(tmp_path / "run", header())
    locked: list[str] = []
    monkeypatch.setattr(portalocker, "lock", lambda file, _: locked.append(Path(file.name).name))
    monkeypatch.setattr(sys, "platform", "win32")

    with journal.locked(), TargetWriter(journal.target_path(TARGET)) as writer:
        writer.target(())
        assert journal.reader(TARGET).complete

    assert locked == ["lock"]
