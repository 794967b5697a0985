r"""The report as Markdown, for a step summary or a comment: coverage first, then failures, then how to fix them,
then controls and what passed.

Text from outside stands in code spans, where markup, HTML, links and mentions have no effect. Characters that could end
the span or a table cell are escaped, as ``\u0060``. Texts of rules are escaped prose.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator
from itertools import islice

from scanner.model.edits import Edit
from scanner.model.moments import moment
from scanner.model.report import CarriedOver, Control, Finding, Report, RuleCounts, RuleInfo, Severity, Status
from scanner.outcome.remediation import filled, has_commands, without_commands
from scanner.outcome.steps import Step, introduction, steps
from scanner.render import carried
from scanner.render.causes import Cause, by_cause, causes, total
from scanner.render.text import visible, visible_lines
from scanner.render.wording import (
    Names,
    account,
    aged,
    clipped,
    control_status,
    count,
    explained_at,
    gap_cause,
    named,
    place,
    seen,
)
from scanner.render.wording import waived as accepted

# GitHub refuses a step summary of more than 1,024 KiB. These budgets and the text around them stay below 900 KB.
_GAPS_BUDGET = 150_000
_FAILURES_BUDGET = 300_000
_CARRIED_BUDGET = 100_000
_WAIVED_BUDGET = 100_000
_EDITS_BUDGET = 50_000
_RULES_BUDGET = 150_000
_CONTROLS_BUDGET = 30_000
_PASSED_BUDGET = 15_000
_COUNTS = ("Passed", "Failed", "Unknown", "Waived", "Not applicable")
_MOST_ROWS = 5_000  # more rows never fit
_MOST_CHARACTERS = 1_000
_MOST_ACCOUNTS = 20
_ELSEWHERE = "The full report has them: `-o report.html` or `-o report.json`."
_ENDS_A_SPAN = {ord(char): f"\\u{ord(char):04x}" for char in "`|<"}
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~$&!:@=+]|^-|(?<=\d)[.)])")
# GitHub turns these into mentions or links even if they are escaped. A zero-width space prevents that.
_ACTS = re.compile(r"(?<=@)|(?<=#)|(?<=:)(?=/)|(?<=www)(?=\.)|(?<=GH)(?=-)", re.IGNORECASE)


def render(report: Report) -> Iterator[str]:
    """The sections, each cut to its share of the length that GitHub accepts."""
    told = (_coverage, _gaps, _not_examined, _counts, _failures, _waived, _carried)
    for section in (*told, _edits, _remedies, _controls, _passed):
        lines = list(section(report))
        if lines:
            yield "".join(f"{line}\n" for line in [*lines, ""])


def code(text: str) -> str:
    """Text from outside as a code span, in which nothing has an effect."""
    return f"`{visible(clipped(text, _MOST_CHARACTERS)).translate(_ENDS_A_SPAN) or '-'}`"


def prose(text: str) -> str:
    """Text of a rule, escaped so that it holds no markup, HTML, link or mention."""
    shown = visible(clipped(" ".join(text.split()), _MOST_CHARACTERS))
    return "&#8203;".join(_MARKUP.sub(r"\\\1", piece) for piece in _ACTS.split(shown))


def _coverage(report: Report) -> Iterator[str]:
    coverage = report.coverage
    found = by_cause(coverage.gaps)
    waived = [cause for cause in found if cause.waiver]
    yield "# chimeaudit"
    yield ""
    if coverage.complete:
        accepted = f" ({total(waived)} waived)" if waived else ""
        yield f"**Coverage is complete**{accepted}: {seen(report)}."
    else:
        open_gaps = total([cause for cause in found if not cause.waiver])
        yield f"> **Coverage is NOT complete**: {open_gaps}, so what is clean here may not be clean."
        yield ""
        yield f"Observed: {seen(report)}."


def _gaps(report: Report) -> Iterator[str]:
    if not report.coverage.gaps:
        return
    found = causes(report)
    yield "## Not observed"
    yield ""
    yield from _table(("What happened", "Where", "Findings unknown"), map(_cause_row, found), _GAPS_BUDGET, len(found))


def _cause_row(cause: Cause) -> str:
    waived = f" {code(accepted(cause.waiver))}" if cause.waiver else ""
    headline = gap_cause(cause.gaps[0]) if cause.is_alone else cause.line
    return f"| {code(headline)}{waived} | {code(cause.places(_MOST_ACCOUNTS))} | {cause.unknown:,} |"


def _not_examined(report: Report) -> Iterator[str]:
    if report.coverage.not_examined:
        yield "Not examined by this audit:"
        yield ""
    for sentence in report.coverage.not_examined:
        yield f"- {prose(sentence)}"


def _counts(report: Report) -> Iterator[str]:
    counts = report.summary
    yield "## Findings"
    yield ""
    if not any(counts.by_status.values()):
        yield "Nothing was judged."
        return
    yield f"| {' | '.join(Severity)} | unknown | waived |"
    yield f"|{' ---: |' * (len(Severity) + 2)}"
    cells = [counts.by_severity[level] for level in Severity] + [counts.by_status[key] for key in ("unknown", "waived")]
    yield f"| {' | '.join(f'{cell:,}' for cell in cells)} |"


def _failures(report: Report) -> Iterator[str]:
    failed = report.summary.by_status["fail"]
    worst = heapq.nsmallest(_MOST_ROWS, _with(report, Status.FAIL), key=lambda finding: finding.severity.rank)
    if worst:
        columns = ("Severity", "Rule", "Resource", *_where(report), "What was found")
        rows = (_failure_row(finding, report) for finding in worst)
        yield from _table(columns, rows, _FAILURES_BUDGET, failed)


def _failure_row(finding: Finding, report: Report) -> str:
    new = " **new**" if finding.change == "new" else ""
    old = f", {age}" if (age := aged(finding, report)) else ""
    cells = (finding.rule_id, named(finding.resource), *_place(finding, report.scope.names), finding.message)
    return f"| {finding.severity}{new}{old} | {' | '.join(map(code, cells))} |"


def _waived(report: Report) -> Iterator[str]:
    waived = list(_with(report, Status.WAIVED))
    if waived:
        yield "## Waived"
        yield ""
        columns = ("Rule", "Resource", "Until", "By", "Because")
        yield from _table(columns, map(_waived_row, waived[:_MOST_ROWS]), _WAIVED_BUDGET, len(waived))


def _waived_row(finding: Finding) -> str:
    waiver = finding.waiver
    why = (waiver.expires, waiver.owner, waiver.reason) if waiver else ("", "", "")
    return f"| {' | '.join(map(code, (finding.rule_id, named(finding.resource), *why)))} |"


def _carried(report: Report) -> Iterator[str]:
    entries = carried.shown(report)
    if entries:
        yield f"## {carried.TITLE}"
        yield ""
        yield f"{count(len(entries), 'finding')} that {carried.EXPLAINED}. They are neither fixed nor counted above."
        yield ""
        columns = (
            "Severity",
            "Rule",
            "Resource",
            *_where(report),
            "Last seen",
            "Not settled because",
        )
        rows = (_carried_row(entry, report.scope.names) for entry in entries[:_MOST_ROWS])
        yield from _table(columns, rows, _CARRIED_BUDGET, len(entries))


def _carried_row(entry: CarriedOver, names: Names) -> str:
    finding = entry.finding
    cells = (finding.rule_id, named(finding.resource), *_place(finding, names), moment(entry.last_seen), entry.reason)
    return f"| {finding.severity} | {' | '.join(map(code, cells))} |"


def _where(report: Report) -> tuple[str, ...]:
    """The columns that say where a finding is."""
    return ("File",) if report.coverage.in_scope.files else ("Account", "Region")


def _place(finding: Finding, names: Names) -> tuple[str, ...]:
    resource = finding.resource
    return (place(finding),) if finding.location else (account(resource.account_id, names), resource.region)


def _edits(report: Report) -> Iterator[str]:
    edits = dict.fromkeys(edit for finding in _with(report, Status.FAIL) for edit in finding.edits or ())
    if edits:
        yield "## Edits"
        yield ""
        yield f"`chimeaudit check --fix` makes {'this edit' if len(edits) == 1 else 'these edits'}:"
        yield ""
        parts = ("\n".join(_edit(edit)) for edit in islice(edits, _MOST_ROWS))
        yield from _within(parts, _EDITS_BUDGET, len(edits), "edit")


def _edit(edit: Edit) -> Iterator[str]:
    yield f"{code(f'{edit.file}:{edit.line}')}"
    yield ""
    yield "```diff"
    yield from (f"{sign}{visible(edit.name)}: {visible(text)}" for sign, text in (("-", edit.old), ("+", edit.new)))
    yield "```"
    yield ""


def _remedies(report: Report) -> Iterator[str]:
    by_command = _by_command(report)
    failing = sorted(
        (rule for rule in report.rules if report.summary.by_rule.get(rule.id)), key=lambda rule: rule.severity.rank
    )
    if failing:
        yield "## What to do"
        yield ""
        parts = ["\n".join(_remedy(rule, by_command=rule.id in by_command)) for rule in failing]
        yield from _within(parts, _RULES_BUDGET, len(parts), "rule")


def _by_command(report: Report) -> set[str]:
    """The rules by which something failed that is deployed, so that a command mends it, not an edit of a file."""
    if not report.coverage.in_scope.files:
        return {rule.id for rule in report.rules}
    failed = _with(report, Status.FAIL)
    return {each.rule_id for each in failed if has_commands(each.remediation)}


def _remedy(rule: RuleInfo, *, by_command: bool) -> Iterator[str]:
    yield f"### {prose(rule.title)}"
    yield ""
    yield f"{code(rule.id)} {rule.severity}: {prose(rule.rationale)}"
    yield ""
    for address in explained_at(rule):
        yield f"<{address}>"
        yield ""
    for step in steps(filled(rule.remediation if by_command else without_commands(rule.remediation))):
        yield prose(step.text) if step.kind == "text" else _command(step)
        yield ""


def _controls(report: Report) -> Iterator[str]:
    if report.controls:
        yield "## Controls"
        yield ""
        columns = ("Framework", "Control", "What of it the rules support", "Status", *_COUNTS, "Rules")
        rows = map(_control_row, report.controls)
        yield from _table(columns, rows, _CONTROLS_BUDGET, len(report.controls))


def _control_row(control: Control) -> str:
    own = (code(control.framework), code(control.control), prose(control.supports or ""), control_status(control))
    return f"| {' | '.join((*own, *_numbers(control), code(', '.join(control.rules))))} |"


def _passed(report: Report) -> Iterator[str]:
    counts = report.summary.rules or {}
    judged = [(rule.id, counts[rule.id]) for rule in report.rules if rule.id in counts and counts[rule.id].judged]
    if judged:
        yield "## What passed"
        yield ""
        rows = (f"| {code(id_)} | {' | '.join(_numbers(own))} |" for id_, own in judged)
        yield from _table(("Rule", *_COUNTS), rows, _PASSED_BUDGET, len(judged))


def _numbers(of: Control | RuleCounts) -> Iterator[str]:
    return (f"{number:,}" for number in (of.passed, of.failed, of.unknown, of.waived, of.not_applicable))


def _command(step: Step) -> str:
    """What a command changes and what is to be filled in, then the command as an indented block: nothing in that has
    an effect, and only the next paragraph ends it.
    """
    lines = (f"    {line}" for line in visible_lines(step.text).split("\n"))
    return "\n".join((prose(introduction(step)), "", *lines))


def _table(columns: Iterable[str], rows: Iterable[str], budget: int, total: int) -> Iterator[str]:
    columns = tuple(columns)
    yield f"| {' | '.join(columns)} |"
    yield f"|{' --- |' * len(columns)}"
    yield from _within(rows, budget, total, "row")


def _within(parts: Iterable[str], budget: int, total: int, noun: str) -> Iterator[str]:
    """As many parts as fit into `budget` bytes, then a line on how many of `total` were left out."""
    shown = 0
    for part in parts:
        budget -= len(part.encode()) + 1
        if budget < 0:
            break
        shown += 1
        yield part
    if shown < total:
        yield ""
        yield f"{count(total - shown, f'more {noun}')} left out. {_ELSEWHERE}"


def _with(report: Report, status: Status) -> Iterator[Finding]:
    return (finding for finding in report.findings if finding.status is status)
