"""Reads saved JSON reports of any version of chimeaudit with the same major schema version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import UNSET, Struct, UnsetType, structs

from scanner.errors import UsageError
from scanner.model import encoding
from scanner.model.moments import utc
from scanner.model.report import SCHEMA_VERSION, Finding, Report, RuleCounts, Severity, Status, Summary

_MAJOR = SCHEMA_VERSION.partition(".")[0]
_MOST = 2**31 - 1
"""The largest number that a count in a report may have."""


class _Header(Struct):
    """The members that reports of all schema versions have."""

    schema_version: str
    tool: dict[str, object]


class _Unlisted(Report, frozen=True, kw_only=True):
    """A report whose inventory is not decoded."""

    inventory: msgspec.Raw | UnsetType = UNSET  # type: ignore[assignment]  # left out at once


def decode(content: bytes, name: str, *, inventory: bool = True) -> Report:
    """Decode a JSON report; `name` is its name in errors. Without `inventory` that of the report is left out.

    Unknown members are ignored, and members that a later minor version added have defaults. Counts of findings and
    completeness are worked out again, so that findings and gaps may be removed from the file by hand. What the report
    says of rules and controls stays as it was written: findings do not tell what passed.

    Raises:
        UsageError: it is no JSON or no report, is of another major schema version, or contradicts itself.
    """
    content = encoding.utf8(content)
    try:
        header = msgspec.json.decode(content, type=_Header)
        if header.schema_version.partition(".")[0] != _MAJOR:
            raise _other_version(name, header.schema_version)
        report = msgspec.json.decode(content, type=Report if inventory else _Unlisted)
    except msgspec.ValidationError as error:
        raise _refused(name, f"is not a report of chimeaudit: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refused(name, f"is not JSON, or not all of it: {error}") from error
    except RecursionError as error:
        raise _refused(name, "is nested too deeply to be a report") from error
    if isinstance(report, _Unlisted):
        report = Report(**(structs.asdict(report) | {"inventory": UNSET}))
    _check(report, name)
    coverage = report.coverage
    is_complete = coverage.complete and all(gap.waiver for gap in coverage.gaps)
    return structs.replace(report, summary=counted(report), coverage=structs.replace(coverage, complete=is_complete))


def _check(report: Report, name: str) -> None:
    """Check what formats rely on and types cannot express: times, references to rules, counts."""
    bad = next((time for time in _times(report) if not _is_time(time)), None)
    if bad is not None:
        raise _refused(name, f"is not a report of chimeaudit: {bad!r:.80} is not a time")
    described = {rule.id for rule in report.rules}
    stray = next((each.rule_id for each in _of_own_rules(report) if each.rule_id not in described), None)
    if stray is not None:
        raise _refused(name, f"contradicts itself: a finding names the rule {stray!r:.80}, but its rules do not")
    for item in report.inventory or ():
        if not item.verdicts.keys() <= described:
            stray = min(item.verdicts.keys() - described)
            raise _refused(name, f"contradicts itself: an item names the rule {stray!r:.80}, but its rules do not")
    uncountable = next((number for number in _numbers(report) if not 0 <= number <= _MOST), None)
    if uncountable is not None:
        raise _refused(name, f"is not a report of chimeaudit: {uncountable!s:.80} does not count anything")


def _of_own_rules(report: Report) -> Iterator[Finding]:
    """The findings whose rules the report has to describe.

    A rule that tells of a file that could not be read did not run, and neither did one that was not asked for.
    """
    yield from report.findings
    for each in report.carried_over or ():
        if not each.not_looked_for and not each.finding.location:
            yield each.finding


def _times(report: Report) -> Iterator[str]:
    yield report.run.started_at
    yield report.run.finished_at
    if report.baseline:
        yield report.baseline.started_at
    carried = report.carried_over or ()
    for finding in (*report.findings, *(each.finding for each in carried)):
        if finding.first_seen is not None:
            yield finding.first_seen
    for each in carried:
        yield each.last_seen
        if each.not_looked_for is not UNSET:
            yield each.not_looked_for


def _is_time(text: str) -> bool:
    try:
        utc(text)
    except (ValueError, OverflowError):
        return False
    return True


def _numbers(report: Report) -> Iterator[int]:
    for counts in (report.coverage.in_scope, report.coverage.observed):
        yield from (number for number in structs.asdict(counts).values() if number is not UNSET)
    yield from report.summary.by_status.values()
    if report.baseline and report.baseline.fixed is not UNSET:
        yield report.baseline.fixed
    for each in (*(report.summary.rules or {}).values(), *(report.controls or ())):
        yield from (getattr(each, name) for name in RuleCounts.__struct_fields__)


def counted(report: Report) -> Summary:
    """A summary counted from the findings. Counts of what passed or did not apply, and those of judgements by rule, are
    the report's own, since findings do not tell them."""
    summary = report.summary
    failed = [finding for finding in report.findings if finding.status is Status.FAIL]
    passed = {key: number for key, number in summary.by_status.items() if key in ("pass", "not_applicable")}
    return Summary(
        by_severity={**_zeros(Severity), **Counter(finding.severity.value for finding in failed)},
        by_status={**_zeros(Status), **Counter(finding.status.value for finding in report.findings), **passed},
        by_rule={**_zeros(summary.by_rule), **Counter(finding.rule_id for finding in failed)},
        by_account={**_zeros(summary.by_account), **Counter(finding.resource.account_id for finding in failed)},
        rules=summary.rules,
    )


def _zeros(names: Iterable[str]) -> dict[str, int]:
    return dict.fromkeys(map(str, names), 0)


def _refused(name: str, complaint: str) -> UsageError:
    return UsageError(f"{name} {complaint}", hint="Name a report that -o wrote as JSON.")


def _other_version(name: str, version: str) -> UsageError:
    return UsageError(
        f"{name} follows version {version!r:.80} of the report's schema, and this chimeaudit reads {_MAJOR}.x",
        hint="Read it with the version of chimeaudit that wrote it, or scan anew.",
    )
