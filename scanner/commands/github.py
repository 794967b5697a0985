"""What GitHub Actions gets without being asked: annotations and a step summary.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from scanner.commands import outputs
from scanner.commands.outputs import Output
from scanner.errors import Mistake
from scanner.model.report import Report
from scanner.render import Format, render
from scanner.render import github as rendered
from scanner.terminal import encoded, err, on_github, printed

MOST_BYTES = 1024 * 1024
"""GitHub drops the summary of a step that is larger."""


def annotate(error: str, mistakes: Sequence[Mistake] = ()) -> None:
    """Show the error that ended a step on the page of the workflow's run; a mistake on its line, if that is known."""
    if not on_github():
        return
    placed = [each for each in mistakes if each.line]
    if len(placed) < len(mistakes) or not placed:
        err(rendered.command("error", error, title="chimeaudit"))
        return
    for each in placed[: rendered.MOST]:
        place = {"file": each.file, "line": str(each.line), "col": str(each.column)}
        err(rendered.command("error", f"{each}\n{error.splitlines()[-1]}", **place, title="chimeaudit"))


def tell(report: Report, wanted: Sequence[Output], warn: Callable[[str], None], *, annotated: bool = True) -> list[str]:
    """Write annotations and the step summary; returns a line for each that could not be written."""
    unprinted = None
    if annotated and not any(output.path == outputs.STDOUT for output in wanted):
        unprinted = printed(map(encoded, render(report, Format.GITHUB)))
    failures = [f"the annotations on {unprinted}"] if unprinted else []
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    try:
        if summary and not _appended(Path(summary), b"".join(map(encoded, render(report, Format.MARKDOWN)))):
            warn("Warning: the step summary is full; this report is left out of it")
    except OSError as error:
        failures.append(f"the step summary {summary} could not be written: {error.strerror}")
    return failures


def _appended(path: Path, text: bytes) -> bool:
    """Append the text to the step summary. Returns False if the summary has no room for it."""
    with path.open("ab") as file:
        lines = b"\n" + text if file.tell() else text
        if file.tell() + len(lines) > MOST_BYTES:
            return False
        file.write(lines)
    return True
