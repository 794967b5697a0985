"""Reads JSON reports that were saved earlier, by this version or another of the same major schema version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
from msgspec import Struct, structs

from scanner.errors import UsageError
from scanner.finding import SCHEMA_VERSION, Report, Severity, Status, Summary

_MAJOR = SCHEMA_VERSION.partition(".")[0]


class _Header(Struct):
    """What every report has said of itself since the first schema version."""

    schema_version: str
    tool: dict[str, object]


def decode(content: bytes, name: str) -> Report:
    """The report in this text; `name` is what errors call it.

    Members that we do not know are passed over, and those that a later minor version added have defaults.

    Raises:
        UsageError: it is no JSON, no report, one of another major schema version, or contradicts itself.
    """
    try:
        header = msgspec.json.decode(content, type=_Header)
        if header.schema_version.partition(".")[0] != _MAJOR:
            raise _other_version(name, header.schema_version)
        report = msgspec.json.decode(content, type=Report)
    except msgspec.ValidationError as error:
        raise _refused(name, f"is not a report of chimeaudit: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refused(name, f"is not JSON, or not all of it: {error}") from error
    except RecursionError as error:
        raise _refused(name, "is nested too deeply to be a report") from error
    _check(report, name)
    return structs.replace(report, summary=_every_count(report.summary))


def _check(report: Report, name: str) -> None:
    """What the formats rely on, and the types cannot say."""
    bad = next((time for time in _times(report) if not _is_time(time)), None)
    if bad is not None:
        raise _refused(name, f"is not a report of chimeaudit: {bad!r:.80} is not a time")
    described = {rule.id for rule in report.rules}
    stray = next((finding.rule_id for finding in report.findings if finding.rule_id not in described), None)
    if stray is not None:
        raise _refused(name, f"contradicts itself: a finding names the rule {stray!r:.80}, but its rules do not")


def _times(report: Report) -> Iterator[str]:
    yield report.run.started_at
    yield report.run.finished_at
    for finding in report.findings:
        if finding.first_seen is not None:
            yield finding.first_seen


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _every_count(summary: Summary) -> Summary:
    """Counts that are left out are zero."""
    return structs.replace(
        summary,
        by_severity={**_zeros(Severity), **summary.by_severity},
        by_status={**_zeros((*Status, "pass", "not_applicable")), **summary.by_status},
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
