"""Golden files: outputs that people read, kept beside the tests, so that reviews show changes of them.

``CHIMEAUDIT_UPDATE_GOLDEN=1 pytest tests/render`` writes them again; look at the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    """Assert that a text equals its golden file, byte for byte."""
    file = _FOLDER / name
    if os.environ.get("CHIMEAUDIT_UPDATE_GOLDEN"):
        file.write_bytes(text.encode())
    assert text == file.read_bytes().decode(), f"{name} differs; see tests/render/golden.py"
