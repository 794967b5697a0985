from __future__ import annotations

import itertools
import os
from contextlib import nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from scanner.errors import OutputError, UsageError
from scanner.model.facts import AppInstance, ChannelFlow, Gap
from scanner.model.report import Scope
from scanner.store.journal import Journal, RunHeader, Target
from scanner.store.target_file import AppInstanceRead, TargetRead, TargetReader, TargetWriter

TARGET = Target(account_id="111122223333", region="us-east-1")


def header() -> RunHeader:
    scope = Scope(accounts=(TARGET.account_id,), regions=(TARGET.region,), chosen_by="a test")
    return RunHeader(id="run", started_at="2026-11-01T00:00:00Z", scope=scope, targets=(TARGET,), options={})


def app_instance(name: str) -> AppInstance:
    return AppInstance(
        arn=f"arn:{name}",
        id=name,
        name=name,
        account_id=TARGET.account_id,
        region=TARGET.region,
        partition="aws",
    )


def flow(owner: AppInstance, number: int) -> ChannelFlow:
    return ChannelFlow(
        arn=f"{owner.arn}/{number}",
        name="n",
        account_id=owner.account_id,
        region=owner.region,
        partition="aws",
        app_instance=owner.ref,
        processors=(),
    )


def write(path: Path, *names: str, close: bool = True) -> None:
    """Two pages an app instance, the pages of all interleaved."""
    with TargetWriter(path) as writer:
        owners = [app_instance(name) for name in names]
        pages = [[writer.page(owner.arn, (flow(owner, number),)) for owner in owners] for number in (1, 2)]
        for owner, offsets in zip(owners, zip(*pages, strict=True), strict=True):
            writer.app_instance(AppInstanceRead(app_instance=owner, pages=offsets))
        if close:
            writer.target(())


def read(path: Path) -> list[tuple[str, list[str]]]:
    reader = TargetReader(path)
    return [(each.app_instance.id, [flow.arn for flow in reader.flows(each)]) for each in reader.app_instances()]


def test_what_was_written_is_read_in_order_of_arns(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"

    write(path, "b", "c", "a")

    assert TargetReader(path).complete
    assert read(path) == [(name, [f"arn:{name}/1", f"arn:{name}/2"]) for name in "abc"]


def test_without_its_closing_line_a_target_is_incomplete_and_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"

    write(path, "b", "a", close=False)

    assert not TargetReader(path).complete
    assert [name for name, _ in read(path)] == ["a", "b"]


def test_a_file_that_was_never_begun_reads_as_empty(tmp_path: Path) -> None:
    reader = TargetReader(tmp_path / "none.jsonl")

    assert not reader.complete
    assert list(reader.app_instances()) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.data())
def test_a_file_cut_off_anywhere_keeps_its_complete_part_and_can_be_continued(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "t.jsonl"
    path.unlink(missing_ok=True)
    write(path, "a", "b")
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])

    before = read(path)
    with TargetWriter(path) as writer:
        missing = [name for name in ("a", "b") if f"arn:{name}" not in writer.app_instances]
    write(path, *missing)

    assert [name for name, _ in before] == [name for name in ("a", "b") if name not in missing]
    assert read(path) == [(name, [f"arn:{name}/1", f"arn:{name}/2"]) for name in ("a", "b")]


def test_a_damaged_line_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write(path, "a", close=False)
    path.write_bytes(b"garbage\n" + path.read_bytes())

    with pytest.raises(UsageError, match="damaged at byte 0"):
        TargetReader(path)


def test_gaps_survive(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    gap = Gap(account_id="1", region="r", operation="ListAppInstances", code="AccessDenied", reason="access denied")
    with TargetWriter(path) as writer:
        writer.app_instance(AppInstanceRead(app_instance=app_instance("a"), pages=(), gaps=(gap,)))
        writer.target((gap,))

    reader = TargetReader(path)

    assert reader.gaps == (gap,)
    assert next(reader.app_instances()).gaps == (gap,)


def test_a_run_directory_is_private_and_holds_one_run(tmp_path: Path) -> None:
    directory = tmp_path / "run"

    Journal.create(directory, header())

    assert directory.stat().st_mode & 0o777 == 0o700
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


TARGET = Target(account_id="111122223333", region="us-east-1")


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
        os.mkfifo(place)
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


@pytest.mark.parametrize("offset", [-1, 1 << 40, 1 << 63])
def test_an_offset_that_no_file_has_is_damage(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "target.jsonl"
    path.write_bytes(msgspec.json.encode(TargetRead(index={"arn:a": offset})) + b"\n")

    with pytest.raises(UsageError, match="damaged at byte"):
        read(path)


@pytest.mark.parametrize(
    "index", [{"arn:a": 0}, {"arn:b": 2}], ids=("a page in the place of an app instance", "another app instance")
)
def test_a_wrong_index_is_damage_and_not_an_empty_answer(tmp_path: Path, index: dict[str, int]) -> None:
    path = tmp_path / "target.jsonl"
    write(path, "a", close=False)
    lines = path.read_bytes().splitlines(keepends=True)
    offsets = [0, *itertools.accumulate(map(len, lines))]
    closing = TargetRead(index={arn: offsets[line] for arn, line in index.items()})
    path.write_bytes(b"".join(lines) + msgspec.json.encode(closing) + b"\n")
    with pytest.raises(UsageError, match="damaged at byte"):
        read(path)


def test_a_page_of_another_app_instance_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "target.jsonl"
    owner, other = app_instance("a"), app_instance("b")
    with TargetWriter(path) as writer:
        writer.app_instance(AppInstanceRead(app_instance=owner, pages=(writer.page(other.arn, (flow(other, 1),)),)))
    with pytest.raises(UsageError, match="channel flows of arn:a should be here"):
        read(path)


def test_two_writers_never_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "target.jsonl"
    with TargetWriter(path), pytest.raises(UsageError, match="another scan is writing"):
        TargetWriter(path)
    write(path, "a")


def test_nothing_is_written_after_half_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "target.jsonl"
    owner = app_instance("a")
    with TargetWriter(path) as writer:
        whole = writer._file.write
        monkeypatch.setattr(
            writer, "_file", SimpleNamespace(write=lambda line: whole(line[:10]), close=writer._file.close)
        )
        for _ in range(2):
            with pytest.raises(OutputError, match="No space left"):
                writer.page(owner.arn, (flow(owner, 1),))
    assert path.stat().st_size == 10
