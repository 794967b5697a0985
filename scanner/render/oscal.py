"""The report as OSCAL assessment results, for tools of governance that take evidence in NIST's form.

- An observation says what a rule came to on all resources, what it found on one of them, or what was not seen.
- A finding is a control, with the observations that it rests on. OSCAL knows satisfied and not satisfied alone: what is
  not determined is not satisfied, with the reason ``other``.
- A risk is a finding or gap that somebody waived: accepted until a day.

Its identifiers follow from what they name, so that the same thing has the same one in every run.

https://pages.nist.gov/OSCAL-Reference/models/v1.1.3/assessment-results/json-reference/
"""

from __future__ import annotations

import re
import uuid
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from typing import Any, Final

import msgspec
from msgspec import UnsetType

from scanner.model.moments import moment
from scanner.model.report import (
    UNKNOWN,
    CarriedOver,
    Control,
    Finding,
    Report,
    ReportedGap,
    Resource,
    RuleCounts,
    RuleInfo,
    Status,
    Waiver,
)
from scanner.render import carried
from scanner.render.text import visible, visible_lines
from scanner.render.wording import evidence_line, gap_line, seen

VERSION: Final = "1.1.3"
_NAMESPACE: Final = uuid.UUID("6f0c1a0e-5d0b-5a3e-9c52-0b7f1c6a2d41")
_OURS: Final = "urn:chimeaudit:oscal"
"""The namespace of properties that OSCAL does not define."""
_NIST: Final = "nist-800-53-r5"
_STATES: Final = {
    "satisfied": ("satisfied", "pass"),
    "not-satisfied": ("not-satisfied", "fail"),
    "not-determined": ("not-satisfied", "other"),
}
_BYTES: Final = 16
_NOT_OF_TOKENS: Final = re.compile(
    r"[^\w.-]|[^-._0-9A-Za-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u1FFF\u3001-\uD7FF]"
)
"""What no token of OSCAL may hold, by its definition or by that of names in XML, to which tools hold it."""

Json = dict[str, Any]


def render(report: Report) -> Iterator[str]:
    """The assessment results, one item on each line."""
    run = report.run
    document = {
        "uuid": _uuid("document", run.id, run.finished_at),
        "metadata": {
            "title": "Audit of Amazon Chime SDK channel flows",
            "last-modified": moment(run.finished_at),
            "version": _text(run.id),
            "oscal-version": VERSION,
            "props": [_prop("tool", f"{report.tool.name} {report.tool.version}")],
        },
        "import-ap": {"href": f"#{_plan_uuid(report)}"},
    }
    yield '{"assessment-results": {\n'
    for name, value in document.items():
        yield f'"{name}": {_encoded(value)},\n'
    yield '"results": [{\n'
    yield from _result(report)
    yield f'}}],\n"back-matter": {_encoded({"resources": [_plan(report)]})}\n}}}}\n'


def _result(report: Report) -> Iterator[str]:
    observed = _Observed(report)
    for name, value in {
        "uuid": _uuid("result", report.run.id, report.run.finished_at),
        "title": "What the rules came to",
        "start": moment(report.run.started_at),
        "end": moment(report.run.finished_at),
        "props": [_prop("coverage", "complete" if report.coverage.complete else "not-complete")],
        "reviewed-controls": _reviewed(report),
        "remarks": visible_lines("\n\n".join(f"Not examined: {each}" for each in report.coverage.not_examined)),
    }.items():
        if value:
            yield f'"{name}": {_encoded(value)},\n'
    yield f'"local-definitions": {{"components": [{_encoded(_tool(report))}]'
    yield from _listed("inventory-items", _items(report), before=", ", after="")
    yield "},\n"
    yield from _listed("observations", observed.all(), after=",\n")
    yield from _listed("risks", _risks(report), after=",\n")
    yield from _listed("findings", (observed.control(each) for each in _controls(report)), after=",\n")
    yield f'"description": {_encoded(_coverage(report))}\n'


def _listed(name: str, items: Iterable[Json], *, before: str = "", after: str) -> Iterator[str]:
    """A member with a list, one item a line. OSCAL has no empty lists: the member is left out."""
    opening = f'{before}"{name}": [\n'
    for item in items:
        yield f"{opening}{_encoded(item)}"
        opening = ",\n"
    if opening == ",\n":
        yield f"\n]{after}"


class _Observed:
    """The observations of a report, and those that each control rests on, once `all` of them were given."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._of_rules: dict[str, bytearray] = {}
        self._risks: dict[str, bytearray] = {}

    def all(self) -> Iterator[Json]:
        report = self._report
        counts = {} if isinstance(report.summary.rules, UnsetType) else report.summary.rules
        for rule in report.rules:
            yield self._noted(rule.id, _rule(rule, counts.get(rule.id), report))
        for entry in carried.shown(report):
            yield self._noted(entry.finding.rule_id, _carried(entry, report))
        for finding in report.findings:
            yield self._noted(finding.rule_id, _finding(finding, report))
            if finding.waiver:
                self._risks.setdefault(finding.rule_id, bytearray()).extend(uuid.UUID(_risk_uuid(finding)).bytes)
        for gap in report.coverage.gaps:
            yield _gap(gap, report)

    def _noted(self, rule_id: str, observation: Json) -> Json:
        self._of_rules.setdefault(rule_id, bytearray()).extend(uuid.UUID(observation["uuid"]).bytes)
        return observation

    def control(self, control: Control) -> Json:
        """The finding of one control."""
        state, reason = _STATES[control.status]
        related = [each for rule in control.rules for each in _unpacked(self._of_rules.get(rule))]
        risks = [each for rule in control.rules for each in _unpacked(self._risks.get(rule))]
        if control.status == "not-determined":
            related += [_gap_uuid(gap) for gap in self._report.coverage.gaps]
        return {
            "uuid": _uuid("control", control.framework, control.control),
            "title": f"{control.framework} {visible(control.control)}",
            "description": visible(control.supports or "What the rules that name this control came to."),
            "props": [_prop("framework", control.framework), _prop("control", control.control)],
            "target": {
                "type": "statement-id",
                "target-id": f"{_control_id(control)}_smt",
                "status": {"state": state, "reason": reason, "remarks": _remarks(control)},
            },
            **({"related-observations": [{"observation-uuid": each} for each in related]} if related else {}),
            **({"related-risks": [{"risk-uuid": each} for each in risks]} if risks else {}),
        }


def _unpacked(packed: bytearray | None) -> Iterator[str]:
    for start in range(0, len(packed or b""), _BYTES):
        yield str(uuid.UUID(bytes=bytes((packed or b"")[start : start + _BYTES])))


def _remarks(control: Control) -> str:
    judged = f"{control.passed} passed, {control.failed} failed, {control.waived} waived, {control.unknown} unknown."
    if control.status == "not-determined":
        return f"Not determined: nothing failed, but not everything that it rests on was seen and judged. {judged}"
    return f"All failures are accepted as risks. {judged}" if control.accepted else judged


def _rule(rule: RuleInfo, counts: RuleCounts | None, report: Report) -> Json:
    """What a rule came to on all the resources that it was applied to."""
    verdicts = {} if counts is None else {name: getattr(counts, name) for name in counts.__struct_fields__}
    told = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in verdicts.items() if number)
    return {
        "uuid": _uuid("rule", rule.id),
        "title": _text(rule.title),
        "description": f"{rule.id}: {told or 'nothing to judge' if verdicts else 'not counted'}.",
        "props": [_prop("rule", rule.id), *(_prop(name.replace("_", "-"), n) for name, n in verdicts.items())],
        "methods": ["TEST"],
        "types": ["control-objective"],
        "origins": [_origin(report)],
        "collected": moment(report.run.finished_at),
        "remarks": visible_lines(rule.rationale.strip()),
    }


def _finding(finding: Finding, report: Report) -> Json:
    """What a rule found on one resource."""
    evidence = [{"description": visible(evidence_line(each))} for each in finding.evidence]
    return {
        "uuid": _uuid("finding", finding.fingerprint),
        "title": _text(finding.title),
        "description": _text(finding.message),
        "props": [
            _prop("rule", finding.rule_id),
            _prop("severity", finding.severity),
            _prop("status", finding.status),
            _prop("fingerprint", finding.fingerprint),
        ],
        "methods": ["TEST"],
        "types": ["finding"],
        "origins": [_origin(report)],
        "subjects": [{"subject-uuid": _item_uuid(finding), "type": "inventory-item", "title": _name(finding)}],
        **({"relevant-evidence": evidence} if evidence else {}),
        "collected": moment(report.run.finished_at),
        **({"remarks": "It could not be judged."} if finding.status is Status.UNKNOWN else {}),
    }


def _carried(entry: CarriedOver, report: Report) -> Json:
    """What an earlier run found, and this one did not settle."""
    return {
        **_finding(entry.finding, report),
        "uuid": _uuid("carried over", entry.finding.fingerprint),
        "types": ["historic", "finding"],
        "collected": moment(entry.last_seen),
        "remarks": visible(f"{carried.TITLE}, {carried.why(entry)}"),
    }


def _gap(gap: ReportedGap, report: Report) -> Json:
    """Something that was not seen."""
    told = {"account-id": gap.account_id, "region": gap.region, "asset-id": gap.resource_arn}
    return {
        "uuid": _gap_uuid(gap),
        "title": f"Not observed: {visible(gap.operation)}",
        "description": visible(gap_line(gap)),
        "props": [
            _prop("operation", gap.operation),
            _prop("code", gap.code),
            *(_prop(name, value) for name, value in told.items() if value),
        ],
        "methods": ["TEST"],
        "types": ["coverage-gap"],
        "origins": [_origin(report)],
        "collected": moment(report.run.finished_at),
    }


def _risks(report: Report) -> Iterator[Json]:
    """What somebody decided to live with."""
    for finding in report.findings:
        if finding.waiver:
            observation = _finding(finding, report)
            yield _risk(_risk_uuid(finding), observation, finding.waiver)
    for gap in report.coverage.gaps:
        if gap.waiver:
            yield _risk(_uuid("gap risk", *_gap_parts(gap)), _gap(gap, report), gap.waiver)


def _risk(id_: str, observation: Json, waiver: Waiver) -> Json:
    """The risk of what was observed, accepted until the waiver expires."""
    return {
        "uuid": id_,
        "title": observation["title"],
        "description": observation["description"],
        "statement": _text(waiver.reason),
        "props": [_prop("owner", waiver.owner), _prop("expires", waiver.expires)],
        "status": "deviation-approved",
        **_deadline(waiver.expires),
        "related-observations": [{"observation-uuid": observation["uuid"]}],
    }


def _deadline(expires: str) -> Json:
    """The last second of the day on which a waiver expires; nothing if a saved report names no day of the calendar."""
    try:
        return {"deadline": f"{date.fromisoformat(expires)}T23:59:59Z"}
    except ValueError:
        return {}


def _items(report: Report) -> Iterator[Json]:
    """The resources that findings are about, each once."""
    known: set[str] = set()
    for finding in chain((entry.finding for entry in carried.shown(report)), report.findings):
        if (item := _item_uuid(finding)) not in known:
            known.add(item)
            described = f"{finding.resource.type.replace('_', ' ')} {_name(finding)}"
            yield {"uuid": item, "description": described, "props": list(_of_resource(finding.resource))}


def _of_resource(resource: Resource) -> Iterator[Json]:
    yield {"name": "asset-id", "value": _text(resource.arn or resource.name or "not deployed")}
    yield _prop("resource-type", resource.type)
    for name, value in (("account-id", resource.account_id), ("region", resource.region)):
        if value != UNKNOWN:
            yield _prop(name, value)


def _name(finding: Finding) -> str:
    named = visible(finding.resource.name or "").strip() or finding.resource.arn or "without a name"
    return f"{named} ({visible(finding.location.file)})" if finding.location else named


def _reviewed(report: Report) -> Json:
    ids = dict.fromkeys(_control_id(control) for control in _controls(report))
    chosen: Json = {"include-controls": [{"control-id": each} for each in ids]} if ids else {"include-all": {}}
    return {"control-selections": [chosen]}


def _controls(report: Report) -> tuple[Control, ...]:
    return () if isinstance(report.controls, UnsetType) else report.controls


def _control_id(control: Control) -> str:
    """The id of a control: NIST's own in its catalog (si-4.5), else the framework's name before it."""
    name = control.control.lower() if control.framework == _NIST else f"{control.framework}_{control.control}"
    token = _NOT_OF_TOKENS.sub("_", re.sub(r"\((\d+)\)", r".\1", name))
    return token if re.match(r"[^\W\d]", token) else f"_{token}"


def _plan(report: Report) -> Json:
    """What stands for the assessment plan, which OSCAL's results have to name: the rules."""
    rules = "".join(f"{rule.id}\n" for rule in report.rules)
    return {
        "uuid": _plan_uuid(report),
        "title": "Rules that were applied",
        "description": "There is no assessment plan in OSCAL. What was assessed are these rules, one id on each line.",
        "props": [_prop("rules-digest", report.tool.rules_digest)],
        "base64": {
            "filename": "rules.txt",
            "media-type": "text/plain",
            "value": b64encode(rules.encode() or b"none\n").decode(),
        },
    }


def _plan_uuid(report: Report) -> str:
    return _uuid("plan", report.tool.rules_digest)


def _tool(report: Report) -> Json:
    tool = report.tool
    return {
        "uuid": _tool_uuid(report),
        "type": "software",
        "title": tool.name,
        "description": "The scanner that judged what is reported here.",
        "props": [{"name": "version", "value": _text(tool.version)}],
        "status": {"state": "operational"},
    }


def _origin(report: Report) -> Json:
    return {"actors": [{"type": "tool", "actor-uuid": _tool_uuid(report)}]}


def _tool_uuid(report: Report) -> str:
    return _uuid("tool", report.tool.name, report.tool.version)


def _coverage(report: Report) -> str:
    verdict = "Everything in scope was observed" if report.coverage.complete else "Not everything in scope was observed"
    return f"{verdict}. {seen(report)}."


def _item_uuid(finding: Finding) -> str:
    resource = finding.resource
    if resource.arn:
        return _uuid("resource", resource.arn)
    return _uuid("declared", finding.location.file if finding.location else "", resource.type, resource.name or "")


def _risk_uuid(finding: Finding) -> str:
    return _uuid("risk", finding.fingerprint)


def _gap_uuid(gap: ReportedGap) -> str:
    return _uuid("gap", *_gap_parts(gap))


def _gap_parts(gap: ReportedGap) -> tuple[str, ...]:
    return (gap.account_id, gap.region or "", gap.resource_arn or "", gap.operation, gap.code, gap.reason)


def _uuid(*parts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\n".join(parts)))


def _prop(name: str, value: object) -> Json:
    return {"name": name, "ns": _OURS, "value": _text(str(value))}


def _text(value: str) -> str:
    """A value as OSCAL's strings are: not empty, and without space at either end."""
    return visible(value).strip() or "-"


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()
