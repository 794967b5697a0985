"""The failures as annotations that a GitHub workflow shows on the lines of a pull request.

GitHub shows the first ten errors and the first ten warnings of a step. So the worst come first, and the last of each
says how many more there are. Waived and unknown findings get no annotation. Gaps are warnings, and half of the warnings
shown are reserved for them.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import UnsetType

from scanner.model.report import Finding, Location, Report, Severity, Status
from scanner.render.causes import Cause, by_cause
from scanner.render.text import visible, visible_lines
from scanner.render.wording import count, named

MOST = 10
_MOST_ACCOUNTS = 5
Level = Literal["error", "warning"]
_LEVELS: dict[Severity, Level] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "warning",
    Severity.INFO: "warning",
}


_BEGINS_A_COMMAND = re.compile(r"^(?P<indent>[^\S\n]*):(?=:)|#(?=#\[)", re.MULTILINE)


def render(report: Report) -> Iterator[str]:
    """A line for each annotation: the worst failures and gaps, as many as GitHub shows."""
    errors = count_of(report, "error")
    yield from _within(map(annotation, _worst(report, "error")), errors, "error")
    missed = [_missed(cause) for cause in by_cause(report.coverage.gaps, report.scope.names) if not cause.waiver]
    annotations = [*missed[: MOST // 2], *map(annotation, _worst(report, "warning")), *missed[MOST // 2 :]]
    yield from _within(annotations, count_of(report, "warning") + len(missed), "warning")
    for sentence in report.coverage.not_examined:
        yield inert(f"Not examined: {visible(sentence)}\n")


def count_of(report: Report, level: Level) -> int:
    """The number of failures that become annotations of a level."""
    return sum(report.summary.by_severity[severity] for severity, own in _LEVELS.items() if own == level)


def annotation(finding: Finding) -> str:
    """The annotation of a finding, on its file and line where they are known."""
    message = f"{visible(f'{named(finding.resource)}: {finding.message}')}\n{finding.remediation.strip()}"
    title = f"{finding.rule_id} ({finding.severity}): {finding.title}"
    return command(_LEVELS[finding.severity], message, **_place(finding.location), title=title)


def _missed(cause: Cause) -> str:
    message = f"Not observed: {cause.line}"
    if not cause.is_alone:
        message += f": {cause.places(_MOST_ACCOUNTS)}"
    return command("warning", message, **_place(cause.gaps[0].location), title="Coverage is NOT complete")


def _place(at: Location | UnsetType | None) -> dict[str, str]:
    return {"file": at.file, "line": str(at.line), "col": str(at.column)} if at else {}


def command(level: Level, message: str, **properties: str) -> str:
    """A workflow command, ``::error file=a,line=1::message``; no text in it can end it or start another."""
    named = ",".join(f"{name}={_escaped(visible(value), ':,')}" for name, value in properties.items())
    return f"::{level} {named}::{_escaped(visible_lines(message))}\n"


def inert(text: str) -> str:
    r"""The text, with every workflow command disarmed: ``::`` at the beginning of a line, or ``##[`` anywhere.

    One character of each is escaped, as ``\u003a`` or ``\u0023``, so JSON keeps its meaning.
    """
    return _BEGINS_A_COMMAND.sub(_spelled_out, text)


def _spelled_out(match: re.Match[str]) -> str:
    return "\\u0023" if match["indent"] is None else f"{match['indent']}\\u003a"


def _escaped(text: str, also: str = "") -> str:
    return "".join(f"%{ord(char):02X}" if char in f"%\r\n{also}" else char for char in text)


def _worst(report: Report, level: Level) -> list[Finding]:
    failed = (each for each in report.findings if each.status is Status.FAIL and _LEVELS[each.severity] == level)
    return heapq.nsmallest(MOST, failed, key=lambda finding: finding.severity.rank)


def _within(lines: Iterable[str], total: int, level: Level) -> Iterator[str]:
    """At most as many lines as GitHub shows; if there are more, the last one says how many."""
    shown = list(lines)[: MOST if total <= MOST else MOST - 1]
    yield from shown
    if total > len(shown):
        more = count(total - len(shown), f"more {level}")
        yield command(level, f"{more}; -o report.html or -o report.json has all of them.", title="chimeaudit")
