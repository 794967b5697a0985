"""scanner.declared.candidates: which files paths lead to."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.declared.candidates import find
from scanner.errors import Mistake


def test_a_working_directory_that_was_deleted_is_no_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    mistakes: list[Mistake] = []

    found = find(["."], mistakes)

    assert not found
    assert [str(each) for each in mistakes] == [
        ".: leads from the working directory, which was deleted; expected one that is there"
    ]
