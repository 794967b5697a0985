from __future__ import annotations

from tests.deliver.conftest import cloud, home, run

__all__ = ["cloud", "home", "run"]
