"""scanner.render.html.island: the page's script gets every finding exactly, packed the same way each time."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from scanner.model.report import Finding, Report, Severity
from scanner.outcome.remediation import filled
from scanner.render.html.island import LINE, island
from tests.render import sample

SAMPLES = (sample.rich, sample.empty, sample.hostile, sample.roles)

each_sample = pytest.mark.parametrize("build", SAMPLES, ids=lambda build: build.__name__)


def unpacked(report: Report) -> Any:
    return msgspec.json.decode(gzip.decompress(base64.b64decode("".join(island(report)))))


def findings(data: Any) -> list[Finding]:
    """The findings, unpacked as the script does it."""
    whole = []
    rules = {rule["id"]: rule for rule in data["report"]["rules"]}
    for entry in data["resources"]:
        for packed in entry["findings"]:
            rule = rules.get(packed["rule_id"], {})
            said = {name: rule.get(name) for name in ("title", "remediation", "references", "frameworks")}
            whole.append(msgspec.convert({**said, **packed, "resource": entry["resource"]}, Finding))
    return whole


@each_sample
def test_every_finding_is_in_it_as_it_stands_in_the_report(build: Callable[[], Report]) -> None:
    report = build()
    assert findings(unpacked(report)) == list(report.findings)


@each_sample
def test_same_report_gives_the_same_bytes(build: Callable[[], Report]) -> None:
    assert list(island(build())) == list(island(build()))


def test_what_is_filled_into_a_remediation_is_not_written_again() -> None:
    text = "aws x --name FLOW_NAME"
    kept = sample.fails_open(sample.flow("support"))
    kept = msgspec.structs.replace(kept, remediation=filled(text, kept.resource, kept.evidence))
    rule = msgspec.structs.replace(sample.FAILS_OPEN, remediation=text)
    (packed,) = unpacked(sample.report([kept], rules=(rule,)))["resources"][0]["findings"]
    assert packed["filled"] is True
    assert "remediation" not in packed
    assert "remedy" not in packed


def test_the_gzip_header_has_no_time() -> None:
    packed = base64.b64decode("".join(island(sample.rich())))
    assert packed[4:8] == b"\0\0\0\0"


def test_a_finding_that_differs_from_its_rule_is_kept() -> None:
    rule = msgspec.structs.replace(sample.FAILS_OPEN, title="Another", references=(), severity=Severity.LOW)
    kept = sample.fails_open(sample.flow())
    report = sample.report([kept], rules=(rule,))
    assert findings(unpacked(report)) == [kept]


def test_finding_of_a_rule_that_the_report_does_not_know_is_kept() -> None:
    kept = sample.fails_open(sample.flow())
    assert findings(unpacked(sample.report([kept], rules=()))) == [kept]


def test_each_line_can_be_decoded_on_its_own() -> None:
    *lines, last = island(sample.many(3_000))
    assert len(lines) > 1
    assert LINE % 3 == 0
    assert {len(base64.b64decode(line)) for line in lines} == {LINE}
    assert 0 < len(base64.b64decode(last)) <= LINE


def test_each_resource_is_written_once_with_what_becomes_of_a_message() -> None:
    support = sample.flow("support", sample.step("a", 1, "ABORT"), sample.step("b", 2, "CONTINUE"))
    data = unpacked(sample.report([sample.fails_open(support, 1), sample.fails_open(support, 0)]))
    (entry,) = data["resources"]
    assert [outcome for outcome, _ in entry["outcomes"]] == ["blocked", "unprocessed"]
