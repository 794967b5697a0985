"""scanner.store.target_file: what one target's file keeps, however its writer ended, and what of it is damage."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.errors import OutputError, UsageError
from scanner.model.facts import GLOBAL, AppInstance, ChannelFlow, Gap, Role
from scanner.store.journal import Target
from scanner.store.target_file import AppInstanceRead, RolesRead, TargetRead, TargetReader, TargetWriter
from tests.posix import needs_posix

TARGET = Target(account_id="111122223333", region="us-east-1")


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
    needs_posix("lock that readers pass")
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


def roles() -> RolesRead:
    account = TARGET.account_id
    gap = Gap(account_id=account, region=GLOBAL, operation="GetAccountAuthorizationDetails", code="c", reason="r")
    role = Role(arn="arn:role", name="chat", account_id=account, partition="aws", gaps={"acts_as_anyone": gap})
    return RolesRead(roles=(role,), left_out=3, gaps=(gap,))


@pytest.mark.parametrize("close", [True, False])
def test_the_roles_of_the_account_are_kept_whether_or_not_the_target_was_finished(tmp_path: Path, close: bool) -> None:
    path = tmp_path / "target.jsonl"
    with TargetWriter(path) as writer:
        assert not writer.has_roles
        writer.roles(roles())
    write(path, "a", close=close)
    with TargetWriter(path) as writer:
        assert writer.has_roles
    assert TargetReader(path).roles == roles()
    assert TargetReader(path).complete is close


def test_a_target_without_roles_has_none_and_its_closing_line_does_not_name_them(tmp_path: Path) -> None:
    path = tmp_path / "target.jsonl"
    write(path, "a")
    assert TargetReader(path).roles is None
    assert b"roles" not in path.read_bytes()


def test_roles_come_along_from_another_journal(tmp_path: Path) -> None:
    with TargetWriter(tmp_path / "part.jsonl") as part:
        part.roles(roles())
    write(tmp_path / "part.jsonl", "b")
    path = tmp_path / "target.jsonl"
    write(path, "a", close=False)
    with TargetWriter(path) as writer:
        closing = writer.absorb((tmp_path / "part.jsonl").read_bytes().splitlines(keepends=True))
        assert closing
        writer.target(closing.gaps)
    assert TargetReader(path).roles == roles()
    assert [name for name, _ in read(path)] == ["a", "b"]


def test_a_wrong_place_of_the_roles_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "target.jsonl"
    write(path, "a", close=False)
    path.write_bytes(path.read_bytes() + msgspec.json.encode(TargetRead(index={}, roles=0)) + b"\n")
    with pytest.raises(UsageError, match="the account's roles should be here"):
        TargetReader(path).roles  # noqa: B018 - reading it is the test
