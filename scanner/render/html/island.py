"""Every finding of the report, packed for the page's script: JSON, gzipped, as base64 text.

The report comes first, without its findings and its inventory. What many findings share is written once: a resource
before its findings, and a rule's texts with the rule. The pieces
are made on demand, so that neither the findings nor the text are ever held as a whole.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType, structs

from scanner.model.edits import Edit
from scanner.model.report import Evidence, Finding, Location, Report, Resource, RuleInfo, Severity, Status, Waiver
from scanner.outcome.remediation import filled
from scanner.outcome.steps import Step, steps
from scanner.render.causes import Causes
from scanner.render.html.values import Link, link
from scanner.render.pipeline import StepOutcome, outcomes
from scanner.render.wording import age_days, doubt, explained_at

LEVEL = 7
RESOURCES_A_PIECE = 256
LINE = 49_152
"""Bytes that one line of base64 encodes: a multiple of three, so that each line can be decoded on its own."""


class PackedRule(Struct, frozen=True, kw_only=True):
    """The texts of a rule as the page shows them; as they were written, they are among the report's rules."""

    doubt: str
    rationale: tuple[Step, ...]
    remedy: tuple[Step, ...]
    links: tuple[Link, ...]


class PackedFinding(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A finding without its resource. A field that is left out is the same as its rule's, or null.

    `filled`: its remediation is its rule's with the placeholders filled in, which the page's script does. Of an unknown
    finding, `doubt` stands in place of the title, and `causes` are the places of what closes its gaps, in `closing`.
    """

    rule_id: str
    severity: Severity
    status: Status
    message: str
    evidence: tuple[Evidence, ...]
    fingerprint: str
    title: str | None = None
    doubt: str | None = None
    causes: tuple[int, ...] = ()
    filled: bool = False
    remediation: str | None = None
    remedy: tuple[Step, ...] | None = None
    references: tuple[str, ...] | None = None
    links: tuple[Link, ...] | None = None
    frameworks: dict[str, tuple[str, ...]] | None = None
    waiver: Waiver | None = None
    change: Literal["new", "existing"] | None = None
    first_seen: str | None = None
    age_days: int | None = None
    location: Location | None = None
    edits: tuple[Edit, ...] | UnsetType = UNSET


class PackedResource(Struct, frozen=True, kw_only=True, gc=False):
    """A resource with its findings; `outcomes` says for each processor what happens to a message if it fails."""

    resource: Resource
    outcomes: tuple[tuple[StepOutcome, str], ...]
    findings: list[PackedFinding]


def island(report: Report) -> Iterator[str]:
    """Lines of base64, which decode and unzip to one JSON object. The same report gives the same text."""
    return zipped(_json(report))


def zipped(pieces: Iterable[bytes]) -> Iterator[str]:
    """Lines of base64, which decode and unzip to the pieces."""
    pending = b""
    for piece in _gzipped(pieces):
        pending += piece
        whole = len(pending) - len(pending) % LINE
        for start in range(0, whole, LINE):
            yield f"{base64.b64encode(pending[start : start + LINE]).decode()}\n"
        pending = pending[whole:]
    yield f"{base64.b64encode(pending).decode()}\n"


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    gzip = zlib.compressobj(LEVEL, wbits=31)  # gzip with no time in its header
    for piece in pieces:
        yield gzip.compress(piece)
    yield gzip.flush()


def _json(report: Report) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode
    rules, causes = {rule.id: rule for rule in report.rules}, Causes(report)
    head = {
        "report": structs.replace(report, findings=(), inventory=UNSET),
        "rules": {rule.id: _packed_rule(rule) for rule in report.rules},
        "closing": [cause.step for cause in causes.all],
    }
    yield encode(head)[:-1] + b',"resources":['
    separator = b""
    resources = (
        PackedResource(
            resource=resource,
            outcomes=outcomes(resource.processors),
            findings=[_packed(finding, rules.get(finding.rule_id), report, causes) for finding in findings],
        )
        for resource, findings in groupby(report.findings, key=lambda finding: finding.resource)
    )
    while several := list(islice(resources, RESOURCES_A_PIECE)):
        yield separator + encode(several)[1:-1]
        separator = b","
    yield b"]}"


def _packed_rule(rule: RuleInfo) -> PackedRule:
    return PackedRule(
        doubt=doubt(rule.title),
        rationale=steps(rule.rationale),
        remedy=steps(rule.remediation),
        links=tuple(map(link, (*explained_at(rule), *rule.references))),
    )


def _packed(finding: Finding, rule: RuleInfo | None, report: Report, causes: Causes) -> PackedFinding:
    own_title = rule is None or finding.title != rule.title
    remedy = None if rule is None else rule.remediation
    is_filled = (
        remedy is not None
        and finding.remediation != remedy
        and finding.remediation == filled(remedy, finding.resource, finding.evidence)
    )
    own_remedy = not is_filled and finding.remediation != remedy
    own_links = rule is None or finding.references != rule.references
    own_frameworks = rule is None or finding.frameworks != rule.frameworks
    return PackedFinding(
        rule_id=finding.rule_id,
        severity=finding.severity,
        status=finding.status,
        message=finding.message,
        evidence=finding.evidence,
        fingerprint=finding.fingerprint,
        title=finding.title if own_title else None,
        doubt=doubt(finding.title) if own_title and finding.status is Status.UNKNOWN else None,
        causes=tuple(sorted(causes.behind(finding))) if finding.status is Status.UNKNOWN else (),
        filled=is_filled,
        remediation=finding.remediation if own_remedy else None,
        remedy=steps(finding.remediation) if own_remedy else None,
        references=finding.references if own_links else None,
        links=tuple(map(link, finding.references)) if own_links else None,
        frameworks=finding.frameworks if own_frameworks else None,
        waiver=finding.waiver,
        change=finding.change,
        first_seen=finding.first_seen,
        age_days=age_days(finding, report),
        location=finding.location,
        edits=finding.edits,
    )
