"""`chimeaudit check` in this process: quick enough for long tables of small files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.declared.checking import Check, checking


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Writes files, and checks them, or the paths that are given."""
    return checking(tmp_path, monkeypatch, capsys)
