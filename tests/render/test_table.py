from __future__ import annotations

import re
import tracemalloc
from pathlib import Path

import pytest
from msgspec import structs

from scanner.model.report import Finding, Report, Status
from scanner.render import table
from scanner.store.spool import Spool
from tests.render import sample

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


def test_what_was_not_observed_comes_before_the_findings() -> None:
    report = sample.incomplete()

    text = "".join(table.findings(report, width=140, color=False))

    assert text.startswith("Not observed")
    for gap in report.coverage.gaps:
        assert gap.code in re.sub(r"\s+", " ", text)


def test_unknown_findings_are_counted_under_their_gap() -> None:
    report = sample.rich()
    gap = next(item.gap for finding in report.findings for item in finding.evidence if item.gap)
    count = sum(gap in {item.gap for item in finding.evidence} for finding in report.findings)

    text = re.sub(r"\s+", " ", "".join(table.findings(report, width=1000, color=False)))

    assert f"({count} finding{'s' if count > 1 else ''} unknown)" in text


def test_the_worst_come_first_and_waived_ones_last() -> None:
    report = sample.rich()

    text = "".join(table.findings(report, width=200, color=False))

    found = re.findall(r"^ ?(critical|high|medium|low|info|waived)\b", text, re.MULTILINE)
    assert found == sorted(found, key=["critical", "high", "medium", "low", "info", "waived"].index)
    judged = [finding for finding in report.findings if finding.status is not Status.UNKNOWN]
    assert len(found) == len(judged)


def test_a_long_list_is_cut_where_a_report_has_the_rest() -> None:
    text = "".join(table.findings(sample.rich(), width=140, color=False, most=1))

    assert "more findings in the report" in text


@pytest.mark.parametrize("width", [20, 80, 140])
@pytest.mark.parametrize("color", [True, False])
def test_hostile_names_do_not_reach_the_terminal_as_they_are(width: int, color: bool) -> None:
    report = sample.hostile()

    text = "".join(table.findings(report, width=width, color=color)) + table.summary(report, width=width, color=color)

    assert not CONTROL.search(re.sub("\x1b\\[[0-9;]*m", "", text))
    assert color or "\x1b" not in text


def test_what_passed_of_each_rule_is_said_only_if_it_is_asked_for() -> None:
    told = table.summary(sample.rich(), width=140, color=False, verbose=True)

    assert "last-processor-fails-open  163 of 171 passed\n" in told
    assert "passed" not in table.summary(sample.rich(), width=140, color=False)


def test_the_summary_says_coverage_first() -> None:
    complete = table.summary(sample.clean(), width=140, color=False)
    incomplete = table.summary(sample.incomplete(), width=140, color=False)

    assert complete.startswith("Coverage  complete")
    assert incomplete.startswith("Coverage  NOT complete")


def test_a_clean_report_has_no_table() -> None:
    assert "".join(table.findings(sample.clean(), width=140, color=False)).startswith("Not examined\n")


@pytest.mark.parametrize(("most", "shown", "more"), [(None, 30, False), (25, 25, True), (30, 30, False)])
def test_what_is_not_examined_is_cut_only_where_a_report_has_the_rest(most: int | None, shown: int, more: bool) -> None:
    report = sample.clean()
    sentences = tuple(f"{number}.json: a loop." for number in range(30))
    report = structs.replace(report, coverage=structs.replace(report.coverage, not_examined=sentences))

    text = "".join(table.findings(report, width=140, color=False, most=most))

    assert text.count("a loop.") == shown
    assert ("and 5 more in the report" in text) is more


@pytest.mark.parametrize("width", [60, 140])
def test_a_very_long_name_does_not_flood_the_terminal(width: int) -> None:
    report = sample.rich()
    findings = tuple(
        structs.replace(each, message="x" * 100_000, resource=structs.replace(each.resource, name="x" * 100_000))
        for each in report.findings
    )

    text = "".join(table.findings(structs.replace(report, findings=findings), width=width, color=False))

    assert text.count("x") < 3_000 * len(findings)
    assert "…" in text


def test_a_long_table_is_one_table() -> None:
    text, _, _ = "".join(table.findings(sample.many(450), width=120, color=False)).partition("Not examined")
    lines = text.split("\n")

    assert sum("What was found" in line for line in lines) == 1
    assert len({line.index("tenant-") for line in lines if "tenant-" in line}) == 1
    assert sum("tenant-" in line for line in lines) == 450
    assert "" not in lines[:-2]


def test_memory_does_not_grow_with_the_findings(tmp_path: Path) -> None:
    def drain(report: Report) -> None:
        for _ in table.findings(report, width=120, color=False):
            pass

    def peak(count: int) -> int:
        report = structs.replace(sample.many(count), findings=(kept := Spool(tmp_path, Finding)))
        kept.extend(sample.many(count).findings)
        drain(report)  # fills rich's cache of text widths
        tracemalloc.start()
        drain(report)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(750) < 1.2 * peak(250)


@pytest.mark.parametrize("width", [70, 100, 140])
def test_an_arn_is_broken_behind_a_colon_or_a_slash(width: int) -> None:
    arn = "arn:aws:lambda:us-east-1:444455556666:function:moderation-of-the-support-chat:blue"
    finding = structs.replace(sample.fails_open(sample.flow()), message=f"processor moderate invokes {arn}, elsewhere")

    text, _, _ = "".join(table.findings(sample.report([finding]), width=width, color=False)).partition("Not examined")

    text = text.replace(f"{sample.PROD} us-east-1", "")  # it may stand beside a part of the ARN
    _, first, *rest = re.split("(arn:)", re.sub(r"\s+", " ", text))
    parts = (first + "".join(rest)).partition(", elsewhere")[0].split()
    assert "".join(parts) == arn
    assert len(parts) > 1
    assert all(part.endswith((":", "support-")) for part in parts[:-1])


def test_an_id_is_not_broken() -> None:
    arn = "arn:aws:chime:us-east-1:111122223333:app-instance/01234567-89ab-cdef-0123-456789abcdef"
    named = sample.fails_open(structs.replace(sample.flow(), name=f"{arn}/channel-flow/x", app_instance_name=None))

    text = "".join(table.findings(sample.report([named]), width=120, color=False))

    assert "01234567-89ab-cdef-0123-456789abcdef" in text
