"""Asks git what it ignores and what has changed, without running a hook or any other program, and without network."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from scanner.errors import UsageError

_SECONDS = 120
_SAFELY = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "core.quotePath=false")
_HINT = "Name a branch, tag or commit that is there; in CI fetch it first, as with fetch-depth: 0."


def ignored(top: Path) -> frozenset[str]:
    """What git ignores in the repository with this top, by path from it; a folder stands for all that is in it.

    Empty if git cannot say. What git tracks is never among it.
    """
    found = _asked(top, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    return frozenset() if found.returncode else _paths(found)


def changed(top: Path, ref: str) -> frozenset[str]:
    """What differs from the commit at which the branch left `ref`, by path from the top, committed or not.

    What was deleted, and what git neither tracks nor ignores, is among it; for a submodule the folder stands.

    Raises:
        UsageError: git knows no such commit, or cannot say.
    """
    named = None if ref.startswith("-") else _asked(top, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    if named is None or (named.returncode and not named.stderr):
        raise UsageError(f"--changed-since: git knows no commit {ref!r}", hint=_HINT)
    since = _text(named, ref)
    left = _asked(top, "merge-base", since, "HEAD")
    base = since if left.returncode else _text(left, ref)
    options = ("--name-only", "-z", "--no-renames", "--no-relative", "--no-ext-diff", "--no-textconv")
    differing = _asked(top, "diff", *options, "--ignore-submodules=dirty", base, "--")
    untracked = _asked(top, "ls-files", "-z", "--others", "--exclude-standard")
    _text(differing, ref)
    _text(untracked, ref)
    return _paths(differing) | _paths(untracked)


def _asked(top: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run git at the top of a repository; 127 if there is no git or it does not answer."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or "CONFIG" in name}
    own = {
        "GIT_CEILING_DIRECTORIES": str(top.parent),
        "GIT_ALLOW_PROTOCOL": "none",  # a partial clone would fetch what it lacks
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }
    command = ["git", "-C", str(top), *_SAFELY, *arguments]
    try:
        return subprocess.run(  # noqa: S603 - no shell, and no argument that could be an option
            command, env={**kept, **own}, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 127, b"", f"git cannot be run: {error}".encode())


def _text(answer: subprocess.CompletedProcess[bytes], ref: str) -> str:
    """What git answered.

    Raises:
        UsageError: it failed; the message is the first line of what it said.
    """
    if answer.returncode:
        said = answer.stderr.decode(errors="replace").strip().partition("\n")[0].removeprefix("fatal: ")
        raise UsageError(f"--changed-since {ref}: git cannot say what has changed: {said or 'it failed'}", hint=_HINT)
    return answer.stdout.decode(errors="replace").strip()


def _paths(answer: subprocess.CompletedProcess[bytes]) -> frozenset[str]:
    return frozenset(os.fsdecode(each).rstrip("/") for each in answer.stdout.split(b"\0") if each)
