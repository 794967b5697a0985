"""The repository that a folder lies in, told by its ``.git`` alone: git itself is never run."""

from __future__ import annotations

import os
from pathlib import Path


def top(folder: Path) -> Path | None:
    """The nearest folder, this one or one above it, that holds ``.git``; None outside a repository.

    Links in the path are followed first. A worktree and a submodule have ``.git`` as a file, and are repositories too.
    """
    try:
        real = folder.resolve()
    except (OSError, RuntimeError):  # the working directory is gone, or links lead in circles
        return None
    return next((each for each in (real, *real.parents) if os.path.lexists(each / ".git")), None)
