"""`chimeaudit check` in this process, which is fast enough for many small files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.declared.checking import Check, checking


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Write files and check them, or the given paths."""
    return checking(tmp_path, monkeypatch, capsys)
