"""``--manifest FILE``: the SHA-256 of what a command wrote and went by, in the form that ``sha256sum -c`` checks.

Paths within the manifest's folder are relative to it, others absolute. What is no file, such as a report on standard
output or in S3, has a line that starts with ``#``, which ``sha256sum -c`` passes over.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from scanner.commands.inputs import STDIN
from scanner.commands.outputs import STDOUT, Output
from scanner.config import Configuration
from scanner.errors import UsageError
from scanner.model.report import Report
from scanner.store import files
from scanner.store.journal import Journal
from scanner.terminal import Log

Digests = dict[Path, str]
"""The SHA-256 of files, by path."""


def of_sources(manifest: Path | None, configured: Configuration, baseline: str | None) -> Digests:
    """What the configuration and the rules are now, before they are applied; nothing if no manifest is wanted.

    Raises:
        UsageError: one cannot be read any more, or is where the manifest goes.
    """
    rules = sorted({Path(rule.file) for rule in configured.loaded})
    sources = [*([configured.path] if configured.path else []), *rules]
    return _digests(sources, manifest, [Path(baseline)] if baseline else []) if manifest else {}


def of_file(manifest: Path | None, path: str) -> Digests:
    """What a saved report is that is reported on again, unless it is no file of this machine."""
    return _digests([Path(path)], manifest) if manifest and path != STDIN and Path(path).is_file() else {}


def write(  # noqa: PLR0913 - each is named in the manifest, but for the log
    path: Path | None,
    report: Report,
    written: Mapping[Output, str],
    sources: Digests,
    *,
    log: Log,
    journal: Journal | None = None,
) -> list[str]:
    """Write a manifest if a path is given; returns a line if it could not be written.

    `written` has the SHA-256 of each report as it was written.
    """
    if path is None:
        return []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = path.parent.resolve()
        run = {each: _digest(each) for each in _files(journal)} if journal else {}
        replaced = {Path(output.path).resolve() for output in written if output.is_file}
        rest = {each.resolve(): digest for each, digest in (sources | run).items()}
        listed = (_line(digest, each, folder) for each, digest in rest.items() if each not in replaced)
        files.write_whole(path, [os.fsencode("".join([*_head(report), *_reports(written, folder), *listed]))])
    except OSError as error:
        return [f"the manifest {path} could not be written: {error.strerror}"]
    log.tell("manifest", f"Manifest  {path}")
    return []


def _digests(paths: Sequence[Path], manifest: Path, beside: Sequence[Path] = ()) -> Digests:
    """The digests of files, of which none, and none `beside` them, may be replaced by the manifest."""
    if manifest.resolve() in {path.resolve() for path in (*paths, *beside)}:
        raise UsageError(f"--manifest {manifest}: this file is read, and would be lost", hint="Name another file.")
    try:
        return {path: _digest(path) for path in paths}
    except OSError as error:
        hint = "Let it stay there until the command ends."
        raise UsageError(f"{error.filename} cannot be read for the manifest: {error.strerror}", hint=hint) from None


def _files(journal: Journal) -> list[Path]:
    """The files of a run that hold what was observed, sorted."""
    return sorted(each for each in journal.directory.rglob("*.json*") if each.is_file())


def _head(report: Report) -> Iterator[str]:
    yield f"# {report.tool.name} {report.tool.version}, run {report.run.id}\n".replace("\\", "\\\\")
    yield "# check with: sha256sum -c, in this file's folder\n"


def _reports(written: Mapping[Output, str], folder: Path) -> Iterator[str]:
    for output, digest in written.items():
        if output.path == STDOUT:
            yield f"# {digest}  standard output ({output.form.value})\n"
        elif output.is_file:
            yield _line(digest, Path(output.path).resolve(), folder)
        else:
            yield f"# {_escaped(f'{digest}  {output.path}')}\n"


def _line(digest: str, path: Path, folder: Path) -> str:
    """A line as sha256sum writes it: one with an escaped name starts with a backslash."""
    name = (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()
    escaped = _escaped(name)
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
