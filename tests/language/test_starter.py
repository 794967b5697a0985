"""scanner.language.starter: the file is a rule, whatever it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.language import rule, starter


@pytest.mark.parametrize("id_", ["null", "true", "on", "007", "12", "1e5", "0x1f", "2024-01-01", "a-1", "no-null"])
def test_an_id_that_yaml_would_take_for_something_else_is_text(id_: str, tmp_path: Path) -> None:
    file = tmp_path / f"{id_}.yaml"
    file.write_text(starter.rendered(id_, "channel_flow", "Größe ✓ fehlt"), encoding="utf-8")

    (read,) = rule.load([file])

    assert (read.info.id, read.info.title) == (id_, "Größe ✓ fehlt")
    assert "Größe ✓" in file.read_text(encoding="utf-8")
