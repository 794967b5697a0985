"""The command ``chimeaudit``, also ``python -m scanner``. A broken installation ends with exit code 70.

Nothing but the standard library is imported first: an uncaught ImportError would end with 1, which means findings.
"""

from __future__ import annotations

import sys
from typing import NoReturn

FAULT = 70
INTERRUPTED = 130


def main() -> NoReturn:
    """Load the command line, run it and exit."""
    try:
        from scanner.cli import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a dependency of another version may fail in any way
        _tell(error)
        sys.exit(FAULT)
    run()


def _tell(error: Exception) -> None:
    if sys.stderr is None:  # it was closed before the start
        return
    what = " ".join(f"{type(error).__name__}: {error}".split())
    hint = "Install chimeaudit again, with Python 3.11 or newer and what it depends on."
    try:
        sys.stderr.write(f"error: the installation is broken: {what}\nhint: {hint}\n")
        sys.stderr.flush()
    except OSError:
        sys.stderr = None  # nobody reads it; otherwise Python would exit with another code


if __name__ == "__main__":
    main()
