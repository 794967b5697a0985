"""Gives sample reports an inventory: what their findings are about, and the app instances of that."""

from __future__ import annotations

from itertools import groupby

from msgspec import structs

from scanner.model.report import Finding, InventoryItem, Report, Resource, Verdict
from tests.render import sample

_VERDICTS: dict[str, Verdict] = {"fail": "failed", "unknown": "unknown", "waived": "waived"}


def inventoried(report: Report) -> Report:
    """The report with an inventory; every rule passed where it has no finding."""
    items: list[InventoryItem] = []
    for _, group in groupby(sorted(report.findings, key=_place), key=_place):
        findings = list(group)
        own = findings[0].resource
        if own.app_instance_arn and own.app_instance_arn not in [item.arn for item in items[-9:]]:
            name, arn = own.app_instance_name, own.app_instance_arn
            items.append(
                _item(report, structs.replace(own, type="app_instance", name=name, arn=arn, processors=()), [])
            )
        if own.type == "app_instance":
            items[-1] = _item(report, own, findings)
        else:
            items.append(_item(report, own, findings))
    return structs.replace(report, inventory=items)


def unseen() -> Report:
    """A report with a flow of which nothing but its ARN is known, and an app instance that no rule judged."""
    flow = _item(sample.incomplete(), sample.flow(None), [])
    app = structs.replace(_item(sample.incomplete(), sample.app_instance("support"), []), verdicts={})
    return structs.replace(sample.incomplete(), inventory=[app, structs.replace(flow, processors=None)])


def _item(report: Report, resource: Resource, findings: list[Finding]) -> InventoryItem:
    own = {finding.rule_id: _VERDICTS[finding.status] for finding in findings}
    passed: dict[str, Verdict] = {rule.id: "passed" for rule in report.rules if rule.resource == resource.type}
    shared = {name: getattr(resource, name) for name in InventoryItem.__struct_fields__ if hasattr(resource, name)}
    return InventoryItem(**shared, verdicts=passed | own)


def _place(finding: Finding) -> tuple[str, ...]:
    where = finding.resource
    own = "" if where.type == "app_instance" else where.arn or ""
    return where.account_id, where.region, where.app_instance_arn or "", own
