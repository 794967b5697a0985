"""The findings as one JSON array in the AWS Security Finding Format, for Security Hub's BatchImportFindings.

One call takes up to 100 findings and 6 MB, all of one region and account. Nothing else checks the format before it is
sent, so this module keeps the limits. Each account gets a finding on its coverage, before all others. Security Hub has
no region "global": findings on roles go to the first region in scope, as those on coverage do. A finding whose account
or region is unknown, as in some templates, is left out.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import msgspec

from scanner.model.facts import GLOBAL, partition_of
from scanner.model.moments import moment
from scanner.model.report import UNKNOWN, Finding, Report, Resource, Severity, Status
from scanner.render import carried, coverage
from scanner.render.causes import lines
from scanner.render.coverage import AccountCoverage
from scanner.render.text import visible
from scanner.render.wording import clipped, evidence_line, gap_line, requirements

TITLE, DESCRIPTION, RECOMMENDATION, URL = 256, 1024, 512, 2048
RESOURCE_ID, VALUE, PRODUCT_VALUE = 512, 1023, 2048
REQUIREMENTS, FIELDS = 32, 50
_ID = "chimeaudit/"
_TYPE = "Software and Configuration Checks/AWS Security Best Practices"
_ACCOUNT_DIGITS = 12
_LABELS = {
    Severity.CRITICAL: "CRITICAL",
    Severity.HIGH: "HIGH",
    Severity.MEDIUM: "MEDIUM",
    Severity.LOW: "LOW",
    Severity.INFO: "INFORMATIONAL",
}
# For UNKNOWN, PASSED would close a finding that was not checked, and WARNING would count as a failure of the resource.
_COMPLIANCE = {Status.FAIL: "FAILED", Status.WAIVED: "FAILED", Status.UNKNOWN: "NOT_AVAILABLE"}


def render(report: Report) -> Iterator[str]:
    """The JSON array, one finding on each line."""
    yield "["
    separator = "\n"
    for finding in findings(report):
        yield f"{separator}{msgspec.json.encode(finding).decode()}"
        separator = ",\n"
    yield "\n]\n"


def findings(report: Report) -> Iterator[dict[str, Any]]:
    """The findings on coverage, then those of the rules, as ASFF objects."""
    yield from coverage_findings(report)
    yield from rule_findings(report)


def coverage_findings(report: Report) -> Iterator[dict[str, Any]]:
    """A finding on the coverage of each account whose id is known."""
    for account in coverage.by_account(report):
        if _is_account(account.account_id):
            yield build_coverage(account, report)


def rule_findings(report: Report) -> Iterator[dict[str, Any]]:
    """The findings of rules whose account and region are known, and what is carried over."""
    findings = chain(report.findings, carried.unknown(report))
    return (build_finding(finding, report) for finding in findings if _has_place(finding))


def left_out(report: Report) -> int:
    """How many findings are left out, since their account or region is unknown."""
    return sum(not _has_place(finding) for finding in report.findings)


def is_global(finding: Finding) -> bool:
    """Whether a finding is of no region: Security Hub takes it where it takes those on the account's coverage."""
    return finding.resource.region == GLOBAL


def home_region(report: Report) -> str:
    """The region whose Security Hub takes what concerns an account as a whole: the first region in scope."""
    return next((each for each in report.scope.regions if each != UNKNOWN), "us-east-1")


def _has_place(finding: Finding) -> bool:
    """Whether the account and region of a finding are known."""
    return _is_account(finding.resource.account_id) and finding.resource.region != UNKNOWN


def _is_account(account_id: str) -> bool:
    return len(account_id) == _ACCOUNT_DIGITS and account_id.isdecimal()


def build_finding(finding: Finding, report: Report) -> dict[str, Any]:
    resource, waived = finding.resource, finding.status is Status.WAIVED
    region = home_region(report) if is_global(finding) else resource.region
    return {
        **_base(report, finding.fingerprint, finding.rule_id, resource.account_id, region),
        "FirstObservedAt": moment(finding.first_seen or report.run.started_at),
        **_graded(finding.severity),
        "Title": _text(finding.title, TITLE),
        "Description": _text(finding.message, DESCRIPTION),
        "Remediation": {"Recommendation": build_recommendation(finding)},
        "ProductFields": build_product_fields(map(evidence_line, finding.evidence)),
        "Resources": [build_resource(resource, region)],
        "Compliance": {
            "Status": _COMPLIANCE[finding.status],
            "RelatedRequirements": list(requirements(finding))[:REQUIREMENTS],
        },
        "Workflow": {"Status": "SUPPRESSED" if waived else "NEW"},
    }


def build_archived(finding: Finding, was: Report, report: Report) -> dict[str, Any]:
    """The archived form of a finding in the earlier report `was` that `report` looked for and did not find."""
    before = build_finding(finding, was)
    return {
        **before,
        "UpdatedAt": moment(report.run.finished_at),
        "Compliance": {**before["Compliance"], "Status": "PASSED"},
        "Workflow": {"Status": "RESOLVED"},
        "RecordState": "ARCHIVED",
    }


def fingerprint_of(finding: dict[str, Any]) -> str:
    """The fingerprint of the finding from which an ASFF object was made."""
    return str(finding["Id"]).removeprefix(_ID)


def build_coverage(account: AccountCoverage, report: Report) -> dict[str, Any]:
    unexamined = [f"Not examined: {sentence}" for sentence in account.not_examined]
    region = home_region(report)
    return {
        **_base(report, account.fingerprint, coverage.RULE_ID, account.account_id, region),
        **_graded(Severity.INFO),
        "Title": coverage.TITLE,
        "Description": _text(" ".join((account.message, *lines(account.gaps), *unexamined)), DESCRIPTION),
        "ProductFields": build_product_fields([*map(gap_line, account.gaps), *unexamined]),
        "Resources": [
            {
                "Type": "Other",
                "Id": f"AWS::::Account:{account.account_id}",
                "Partition": partition_of(region),
                "Region": region,
            }
        ],
        "Compliance": {"Status": "PASSED" if account.complete else "NOT_AVAILABLE"},
    }


def build_recommendation(finding: Finding) -> dict[str, str]:
    url = next((link for link in finding.references if link.startswith("https://") and len(link) <= URL), None)
    return {"Text": _text(finding.remediation, RECOMMENDATION), **({"Url": url} if url else {})}


def build_product_fields(lines: Iterable[str]) -> dict[str, str]:
    """Evidence lines as ProductFields: ASFF has no field of its own for evidence."""
    return {
        f"chimeaudit/{number}": _text(line, PRODUCT_VALUE)
        for number, line in zip(range(1, FIELDS + 1), lines, strict=False)
    }


def build_resource(resource: Resource, region: str) -> dict[str, Any]:
    """The resource of a finding that goes to the Security Hub of a region."""
    identity = {
        "Id": _text(resource.arn or resource.name or "", RESOURCE_ID),
        "Partition": partition_of(region),
        "Region": region,
    }
    if resource.type == "role":
        named = {"Details": {"AwsIamRole": {"RoleName": _text(resource.name, VALUE)}}} if resource.name else {}
        return {"Type": "AwsIamRole", **identity, **named}
    details = {
        "Kind": resource.type,
        "Name": resource.name,
        "AppInstanceArn": resource.app_instance_arn,
        "AppInstanceName": resource.app_instance_name,
    }
    return {
        "Type": "Other",
        **identity,
        "Details": {"Other": {key: _text(value, VALUE) for key, value in details.items() if value}},
    }


def _base(report: Report, fingerprint: str, generator: str, account_id: str, region: str) -> dict[str, Any]:
    """The fields that all findings of a run share."""
    product = f"arn:{partition_of(region)}:securityhub:{region}:{account_id}:product/{account_id}/default"
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"{_ID}{fingerprint}",
        "ProductArn": product,
        "ProductName": report.tool.name,
        "CompanyName": report.tool.name,
        "Region": region,
        "GeneratorId": f"chimeaudit/{generator}",
        "AwsAccountId": account_id,
        "Types": [_TYPE],
        "CreatedAt": moment(report.run.started_at),
        "UpdatedAt": moment(report.run.finished_at),
        "RecordState": "ACTIVE",
    }


def _graded(severity: Severity) -> dict[str, Any]:
    """Severity and types, twice: Security Hub updates them in a known finding only from FindingProviderFields."""
    graded = {"Label": _LABELS[severity], "Original": severity}
    return {"Severity": graded, "FindingProviderFields": {"Severity": graded, "Types": [_TYPE]}}


def _text(text: str, most: int) -> str:
    """The text on one line, cut to `most` characters; never blank, which the format refuses."""
    return clipped(visible(" ".join(text.split())), most) or "-"
