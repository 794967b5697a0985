"""Phrases that several formats share. Nothing is escaped here: each format escapes in its own way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import TypeAlias

import msgspec
from msgspec import UnsetType

from scanner.model.facts import READ_FILE
from scanner.model.moments import age
from scanner.model.phrases import named_account
from scanner.model.report import (
    HELP,
    UNKNOWN,
    Control,
    Coverage,
    Evidence,
    Finding,
    GapReference,
    Location,
    Report,
    ReportedGap,
    Resource,
    RuleInfo,
    Status,
    Waiver,
)

Names: TypeAlias = Mapping[str, str]
"""The names of accounts, by id."""
NO_NAMES: Names = {}


def count(number: int, noun: str) -> str:
    """``1 finding``, ``2,000 findings``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listing(parts: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *head, last = [*parts] or [""]
    return f"{', '.join(head)} and {last}" if head else last


_NAME = re.compile(r"(?:Amazon|Chime|Cognito|Lambda)\b|\S+[A-Z0-9]")
"""The beginning of a title that keeps its capital letter."""


def doubt(title: str) -> str:
    """What to say of an unknown finding instead of its rule's title, which is a sentence that says what is wrong."""
    whether = title if _NAME.match(title) else f"{title[:1].lower()}{title[1:]}"
    return f"Could not tell whether {whether}"


def explained_at(rule: RuleInfo | None) -> tuple[str, ...]:
    """The address of the page that explains the rule, alone; empty if there is none, or no plain https address."""
    known = rule is not None and isinstance(rule.help, str) and re.fullmatch(HELP, rule.help)
    return (known.string,) if known else ()


def passed(report: Report) -> dict[str, str]:
    """How much passed of each rule that was applied to something, as ``166 of 178 passed``, by the rule's id.

    Empty for a report of an older version, which does not say.
    """
    counts = report.summary.rules or {}
    own = ((rule.id, counts[rule.id]) for rule in report.rules if rule.id in counts)
    return {id_: f"{each.passed:,} of {each.judged:,} passed" for id_, each in own if each.judged}


def control_status(control: Control) -> str:
    """The status of a control, marked if all its failures are waived."""
    return f"{control.status} (accepted)" if control.accepted else control.status


def account(account_id: str, names: Names, also: str = "") -> str:
    """An account by its id and, where it is known, its name."""
    return named_account(account_id, names.get(account_id), also)


def gap_place(gap: ReportedGap, names: Names = NO_NAMES) -> str:
    """The gap's account, region and resource, as far as known; nothing for a file, which the reason names."""
    account_id = None if gap.account_id == UNKNOWN else account(gap.account_id, names)
    return " ".join(filter(None, (account_id, gap.region, gap.resource_arn)))


def gap_cause(gap: ReportedGap) -> str:
    """Which operation failed and why; for files only why."""
    tried = "" if gap.operation == READ_FILE else f"{gap.operation}: "
    return f"{tried}{gap.reason} [{gap.code}]"


def gap_line(gap: ReportedGap) -> str:
    """Where a gap is, which operation failed and why, and who accepted it."""
    description = ": ".join(filter(None, (gap_place(gap), gap_cause(gap))))
    return "; ".join(filter(None, (description, waived(gap.waiver))))


def waived(waiver: Waiver | None) -> str:
    """Who accepted a finding or gap, until when and why; empty without a waiver."""
    return f"waived until {waiver.expires} by {waiver.owner}: {waiver.reason}" if waiver else ""


def evidence_line(evidence: Evidence) -> str:
    """The condition and the observed value, in JSON's notation, so that "true" differs from true."""
    if isinstance(evidence.gap, GapReference):
        return f"{evidence.path} was not observed ({evidence.gap.code}), required: {evidence.required}"
    return f"{evidence.path} is {msgspec.json.encode(evidence.observed).decode()}, required: {evidence.required}"


def requirements(of: Finding | RuleInfo) -> Iterator[str]:
    """The framework controls of a finding or rule, as ``soc2 CC6.1``."""
    for framework, controls in of.frameworks.items():
        for control in controls:
            yield f"{framework} {control}"


def seen(report: Report) -> str:
    """How much of the scope was observed: accounts and regions for a scan, files for a check."""
    return f"{_where(report)}: {contents(report.coverage)}"


def _where(report: Report) -> str:
    observed, scope = report.coverage.observed, report.coverage.in_scope
    if scope.files:
        all_files = count(scope.files, "file")
        return all_files if observed.files == scope.files else f"{observed.files:,} of {all_files}"
    if not scope.accounts:
        return "nothing was in scope"
    accounts = f"{observed.accounts:,} of {count(scope.accounts, 'account')}"
    regions = f" in {count(len(report.scope.regions), 'region')}" if report.scope.regions else ""
    left = f" ({observed.targets:,} of {count(scope.targets, 'account × region')})"
    return f"{accounts}{regions}{left if observed.targets < scope.targets else ''}"


def contents(coverage: Coverage) -> str:
    """How many resources of each kind were observed; roles only where a rule on roles ran."""
    observed = coverage.observed
    kinds = {
        "app instance": observed.app_instances,
        "channel flow": observed.channel_flows,
        "processor": observed.processors,
        "role": observed.roles,
    }
    return ", ".join(count(number, kind) for kind, number in kinds.items() if not isinstance(number, UnsetType))


def named(resource: Resource) -> str:
    """The resource's app instance and channel flow, by name or ARN; of a role, that it is one."""
    name = resource.name or resource.arn or "unnamed"
    if resource.type == "role":
        return f"role {name}"
    app_instance = resource.app_instance_name or resource.app_instance_arn
    return f"{app_instance} / {name}" if app_instance and resource.type == "channel_flow" else name


def place(finding: Finding, names: Names = NO_NAMES) -> str:
    """Where a finding is: a file and line, or an account and region."""
    at, resource = finding.location, finding.resource
    return f"{at.file}:{at.line}:{at.column}" if at else f"{account(resource.account_id, names)} {resource.region}"


def file_and_line(finding: Finding, topic: str) -> Location:
    """A location for formats that need one: the finding's, or the file of its rule."""
    return finding.location or Location(file=f"rules/{topic}/{finding.rule_id}.yaml", line=1, column=1)


def from_top(file: str) -> str:
    """A path relative to the top of the repository, as code hosts need it."""
    return "/".join(part for part in PurePosixPath(file).parts if part not in ("/", "//", ".."))


def is_open(finding: Finding) -> bool:
    """Whether the finding is unknown because a file leaves a value to the deployment, not because of a gap."""
    explained = any(isinstance(item.gap, GapReference) for item in finding.evidence)
    return finding.status is Status.UNKNOWN and finding.location is not None and not explained


def age_days(finding: Finding, report: Report) -> int | None:
    """The finding's age in days when the run began; None where no history is kept."""
    return None if finding.first_seen is None else age(finding.first_seen, report.run.started_at)


def aged(finding: Finding, report: Report) -> str:
    """The finding's age, as ``23 days``; empty where it is new or no history is kept."""
    old = age_days(finding, report)
    return count(old, "day") if old else ""


def clipped(text: str, most: int) -> str:
    """The text, cut to at most `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
