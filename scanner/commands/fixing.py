"""``check --fix`` and ``check --diff``: edits in the files that declare what fails."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence

from scanner.declared.candidates import STDIN
from scanner.declared.source import Source
from scanner.errors import UsageError
from scanner.model import encoding
from scanner.model.edits import Edit
from scanner.model.report import Finding, Report
from scanner.outcome.edits import ChangedError, diff, edited, wanted
from scanner.render.text import visible
from scanner.store.files import write_whole
from scanner.terminal import Log, say

_CONTRADICTED = "two rules want different values"


def check_paths(paths: Sequence[str]) -> None:
    """Refuse what can be read only once.

    Raises:
        UsageError: standard input or a pipe is to be edited.
    """
    for path in paths:
        if path == STDIN or (os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path))):  # noqa: PTH110, PTH112, PTH113 - as the user names it
            said = "standard input" if path == STDIN else path
            raise UsageError(f"--fix and --diff: {said} is no file that can be edited", hint="Name files or folders.")


def fix(report: Report, sources: Mapping[str, Source], log: Log) -> bool:
    """Make the edits of a report in its files, and tell each; returns whether a file was written."""
    by_file, contradicted = wanted(report.findings)
    _tell_contradicted(contradicted)
    written = [_fixed(sources[file], own, log) for file, own in by_file.items()]
    return any(written)


def diffs(report: Report, sources: Mapping[str, Source]) -> Iterator[str]:
    """The lines of a unified diff of what `fix` would do."""
    by_file, contradicted = wanted(report.findings)
    _tell_contradicted(contradicted)
    for file, own in by_file.items():
        after = _after(sources[file], own)
        if after is not None:
            yield from (_shown(line) for line in diff(file, *after))


def tell_unedited(unedited: Sequence[tuple[Finding, str]]) -> None:
    """Tell which failures are not edited, though others of their kind are, and why."""
    for finding, why in unedited:
        if finding.location is not None:
            _tell(f"{finding.location.file}:{finding.location.line}", f"{finding.rule_id}: {why}")


def _fixed(source: Source, own: Sequence[Edit], log: Log) -> bool:
    after = _after(source, own)
    if after is None:
        return False
    try:
        if not os.access(source.path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            raise PermissionError(0, "it is not writable")
        write_whole(source.path, [after[1]])
    except OSError as error:
        _tell(own[0].file, f"the file cannot be written ({error.strerror})")
        return False
    for edit in own:
        log.tell("fixed", f"Fixed     {edit.file}:{edit.line}: {edit.name}: {edit.old} is now {edit.new}")
    return True


def _after(source: Source, own: Sequence[Edit]) -> tuple[bytes, bytes] | None:
    """The bytes of a file before and after the edits; None, and a line, if it is not what was judged."""
    try:
        before = source.path.read_bytes()
        if hashlib.sha256(encoding.utf8(before)).digest() != source.digest:
            raise ChangedError
        return before, edited(before, own)
    except ChangedError:
        _tell(own[0].file, "the file has changed since it was read")
    except OSError as error:
        _tell(own[0].file, f"the file cannot be read ({error.strerror})")
    return None


def _tell_contradicted(edits: Sequence[Edit]) -> None:
    for edit in edits:
        _tell(f"{edit.file}:{edit.line}", f"{edit.name}: {_CONTRADICTED}")


def _tell(where: str, why: str) -> None:
    say(f"Not fixed {where}: {why}")


def _shown(line: str) -> str:
    text = line.removesuffix("\r")
    return "\t".join(map(visible, text.split("\t"))) + line[len(text) :] + "\n"
