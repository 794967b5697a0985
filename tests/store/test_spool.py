"""scanner.store.spool: findings come back as they were added, any number of times."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from scanner.errors import OutputError
from scanner.model.report import Finding
from scanner.store import spool
from scanner.store.spool import Spool
from tests.posix import needs_posix
from tests.render import sample

FINDINGS = [*sample.rich().findings, *sample.hostile().findings, *sample.incomplete().findings]


@pytest.fixture(params=["in memory", "on disk"])
def kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Spool[Finding]:
    if request.param == "on disk":
        monkeypatch.setattr(spool, "_IN_MEMORY", 1)
        monkeypatch.setattr(spool, "_AT_ONCE", 1)
    findings = Spool(tmp_path, Finding)
    for finding in FINDINGS:
        findings.extend([finding])
    return findings


def test_findings_come_back_equal_and_in_order(kept: Spool[Finding]) -> None:
    assert list(kept) == list(kept) == FINDINGS
    assert len(kept) == len(FINDINGS)
    assert FINDINGS[-1] in kept


def test_two_readers_and_a_writer_do_not_disturb_each_other(kept: Spool[Finding]) -> None:
    one, other = iter(kept), iter(kept)
    first = [next(one), next(other), next(one)]
    kept.extend(FINDINGS[:1])

    assert [*first[::2], *one] == [first[1], *other] == [*FINDINGS, FINDINGS[0]]


@pytest.mark.parametrize("at_once", [1, 1 << 16])
@pytest.mark.parametrize("in_memory", [1, 1 << 20])
def test_findings_can_be_rearranged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, in_memory: int
) -> None:
    monkeypatch.setattr(spool, "_IN_MEMORY", in_memory)
    monkeypatch.setattr(spool, "_AT_ONCE", at_once)
    findings, spans = Spool(tmp_path, Finding), []
    for some in (FINDINGS[:2], [], FINDINGS[2:5], FINDINGS[5:]):
        start = findings.end
        findings.extend(some)
        spans.append((start, findings.end))

    findings.arrange(spans[::-1])

    assert list(findings) == list(findings) == [*FINDINGS[5:], *FINDINGS[2:5], *FINDINGS[:2]]
    assert len(findings) == len(FINDINGS)


def test_the_lines_of_another_spool_can_be_appended(kept: Spool[Finding], tmp_path: Path) -> None:
    findings = Spool(tmp_path, Finding)
    findings.extend(FINDINGS[:1])
    findings.append(kept.lines, len(kept))
    kept.append(b"", 0)

    assert list(findings) == [FINDINGS[0], *FINDINGS]
    assert len(findings) == len(FINDINGS) + 1
    assert list(kept) == FINDINGS


def test_nothing_is_left_in_the_directory(kept: Spool[Finding], tmp_path: Path) -> None:
    needs_posix("files without a name")
    assert list(kept)
    assert not list(tmp_path.iterdir())


def test_a_new_spool_is_empty(tmp_path: Path) -> None:
    assert not Spool(tmp_path, Finding)
    assert list(Spool(tmp_path, Finding)) == []


def test_a_full_disk_is_an_error_of_one_line(kept: Spool[Finding], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(kept._file, "write", full)
    found: list[Finding] = FINDINGS[:1]

    with pytest.raises(OutputError, match="No space left on device"):
        kept.extend(found)
