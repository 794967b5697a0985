"""Golden files: what people read, kept beside the tests, so that a change to it is seen in review.

Write them anew with ``CHIMEAUDIT_UPDATE_GOLDEN=1 pytest tests/render``, and look at the difference before it goes in.
"""

from __future__ import annotations

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    """The text is that of the golden file, byte for byte."""
    file = _FOLDER / name
    if os.environ.get("CHIMEAUDIT_UPDATE_GOLDEN"):
        file.write_bytes(text.encode())
    assert text == file.read_bytes().decode(), f"{name} differs; see tests/render/golden.py"
