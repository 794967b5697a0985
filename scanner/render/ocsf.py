"""The findings as OCSF 1.6.0 events, one on each line: class Compliance Finding (2003), profiles cloud and datetime.

Events on the coverage of each account come first, so that an incomplete stream without findings does not look clean.

https://schema.ocsf.io/1.6.0/classes/compliance_finding?profiles=cloud,datetime
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import msgspec

from scanner.model.moments import moment, utc
from scanner.model.report import UNKNOWN, Evidence, Finding, Report, Resource, RuleInfo, Severity, Status
from scanner.render import carried, coverage
from scanner.render.coverage import AccountCoverage
from scanner.render.text import visible, visible_lines
from scanner.render.wording import evidence_line, explained_at, gap_line, place, requirements

_VERSION = "1.6.0"
_CLASS = 2003
_CREATE, _UPDATE = 1, 2
_UNKNOWN, _PASS, _FAIL = (0, "Unknown"), (1, "Pass"), (3, "Fail")
_NEW, _SUPPRESSED = (1, "New"), (3, "Suppressed")
_AWS_ACCOUNT = 10
_SEVERITIES = {
    Severity.CRITICAL: (5, "Critical"),
    Severity.HIGH: (4, "High"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.LOW: (2, "Low"),
    Severity.INFO: (1, "Informational"),
}


def render(report: Report) -> Iterator[str]:
    """One event on each line: coverage first, then the findings."""
    for event in _events(report):
        yield f"{msgspec.json.encode(event).decode()}\n"


def _events(report: Report) -> Iterator[dict[str, Any]]:
    rules = {rule.id: rule for rule in report.rules}
    for account in coverage.by_account(report):
        yield {**_base(report, account.fingerprint), **build_coverage(account)}
    for finding in chain(report.findings, carried.unknown(report)):
        yield {**_base(report, finding.fingerprint), **build_finding(finding, rules)}


def build_finding(finding: Finding, rules: Mapping[str, RuleInfo]) -> dict[str, Any]:
    """The event of one finding."""
    activity = _UPDATE if finding.change == "existing" else _CREATE
    return {
        **_activity(activity),
        **_named("severity", _SEVERITIES[finding.severity]),
        **_named("status", _SUPPRESSED if finding.status is Status.WAIVED else _NEW),
        "message": visible(finding.message),
        "cloud": build_cloud(finding.resource.account_id, finding.resource.region),
        "resources": [build_resource(finding.resource)],
        "compliance": build_compliance(finding, rules.get(finding.rule_id)),
        "finding_info": build_finding_info(finding),
        "evidences": list(map(build_evidence, finding.evidence)),
        "remediation": {
            "desc": visible_lines(finding.remediation.strip()),
            "references": [*explained_at(rules.get(finding.rule_id)), *finding.references],
        },
        **({"comment": visible(finding.waiver.reason)} if finding.waiver else {}),
    }


def build_coverage(account: AccountCoverage) -> dict[str, Any]:
    """The event on one account's coverage."""
    details = [f"Not observed: {gap_line(gap)}" for gap in account.gaps]
    details += [f"Not examined: {sentence}" for sentence in account.not_examined]
    return {
        **_activity(_CREATE),
        **_named("severity", _SEVERITIES[Severity.INFO]),
        **_named("status", _NEW),
        "message": account.message,
        "cloud": build_cloud(account.account_id),
        "compliance": {
            "control": coverage.RULE_ID,
            **_named("status", _PASS if account.complete else _UNKNOWN),
            "status_details": list(map(visible, details)),
        },
        "finding_info": {"uid": account.fingerprint, "title": coverage.TITLE, "desc": account.message},
    }


def build_compliance(finding: Finding, rule: RuleInfo | None) -> dict[str, Any]:
    """The verdict. What is carried over from a file that cannot be read may be by a rule that did not run."""
    return {
        "control": finding.rule_id,
        **({"category": rule.topic, "desc": visible_lines(rule.rationale.strip())} if rule else {}),
        **_named("status", _UNKNOWN if finding.status is Status.UNKNOWN else _FAIL),
        "status_details": [
            *([visible(f"declared at {place(finding)}")] if finding.location else []),
            *(visible(evidence_line(evidence)) for evidence in finding.evidence),
        ],
        "standards": list(finding.frameworks),
        "requirements": list(requirements(finding)),
    }


def build_finding_info(finding: Finding) -> dict[str, Any]:
    return {
        "uid": finding.fingerprint,
        "title": visible(finding.title),
        "desc": visible(finding.message),
        **(_time("first_seen_time", finding.first_seen) if finding.first_seen else {}),
    }


def build_resource(resource: Resource) -> dict[str, Any]:
    """The resource of a finding. One that was judged before deployment has no ARN and may have no name."""
    name = visible(resource.name or resource.arn or "unnamed")
    partition = _partition(resource.arn)
    return {
        "name": name,
        "type": resource.type,
        **_region(resource.region),
        **({"uid": resource.arn} if resource.arn else {}),
        **({"cloud_partition": partition} if partition else {}),
        **({"namespace": resource.app_instance_arn} if resource.app_instance_arn else {}),
    }


def build_evidence(evidence: Evidence) -> dict[str, Any]:
    return {"name": evidence.path, "data": {"observed": evidence.observed, "required": evidence.required}}


def build_cloud(account_id: str, region: str | None = None) -> dict[str, Any]:
    account = {"uid": account_id, "type": "AWS Account", "type_id": _AWS_ACCOUNT}
    return {
        "provider": "AWS",
        **({} if account_id == UNKNOWN else {"account": account}),
        **_region(region),
    }


def _region(region: str | None) -> dict[str, str]:
    return {"region": region} if region and region != UNKNOWN else {}


def _base(report: Report, uid: str) -> dict[str, Any]:
    """The fields that all events of a run share."""
    tool = report.tool
    return {
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "category_uid": _CLASS // 1000,
        "category_name": "Findings",
        **_time("time", report.run.finished_at),
        "metadata": {
            "version": _VERSION,
            "profiles": ["cloud", "datetime"],
            "product": {"name": tool.name, "vendor_name": tool.name, "version": tool.version},
            "uid": f"{report.run.id}/{uid}",
            "correlation_uid": report.run.id,
        },
    }


def _activity(activity: int) -> dict[str, Any]:
    return {
        **_named("activity", (activity, "Update" if activity == _UPDATE else "Create"), label="activity_name"),
        "type_uid": _CLASS * 100 + activity,
    }


def _named(attribute: str, value: tuple[int, str], *, label: str | None = None) -> dict[str, Any]:
    number, name = value
    return {f"{attribute}_id": number, label or attribute: name}


def _time(attribute: str, time: str) -> dict[str, Any]:
    """A time as two attributes: milliseconds since 1970 and, for the profile datetime, text."""
    return {attribute: int(utc(time).timestamp() * 1000), f"{attribute}_dt": moment(time)}


def _partition(arn: str | None) -> str:
    return (arn or "").removeprefix("arn:").partition(":")[0]
