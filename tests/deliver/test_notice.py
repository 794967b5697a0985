from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec import structs

from scanner.deliver.notice import notice
from scanner.model.report import Report
from tests.deliver.conftest import Cloud, Run, one_line
from tests.render import sample

OPEN = sample.fails_open(sample.flow("left open"))
NEW = sample.fails_open(sample.flow("opened tonight"))
GAP = sample.rich().coverage.gaps[0]


def against(report: Report, baseline: Report) -> str | None:
    told = notice(sample.compared(report, baseline), baseline, [])
    return told.headline if told else None


def test_a_clean_report_gives_no_notice() -> None:
    assert notice(sample.clean(), None, []) is None


def test_without_a_baseline_a_notice_has_everything() -> None:
    told = notice(sample.report([OPEN], gaps=(GAP,)), None, ["s3://audit/r.html"])

    assert told
    assert told.headline == "chimeaudit: 1 finding (1 high), 1 gap"
    assert "left open" in told.text
    assert "Not observed: " in told.text
    assert told.lines[-1] == "Report: s3://audit/r.html"


def test_with_a_baseline_a_notice_has_only_what_is_new() -> None:
    before = sample.report([OPEN], gaps=(GAP,))
    other = structs.replace(GAP, operation="GetRole")

    assert against(before, before) is None
    assert against(sample.report([OPEN, NEW], gaps=(GAP,)), before) == "chimeaudit: 1 new finding (1 high)"
    assert against(sample.report([OPEN], gaps=(GAP, other)), before) == "chimeaudit: no new findings, 1 new gap"


def test_a_waived_finding_is_not_in_a_notice_and_is_new_once_its_waiver_ends() -> None:
    waived = sample.report(gaps=(structs.replace(GAP, waiver=sample.rich().coverage.gaps[2].waiver),))

    assert waived.coverage.gaps[0].waiver
    assert notice(waived, None, []) is None
    assert against(sample.report(gaps=(GAP,)), waived) == "chimeaudit: no new findings, 1 new gap"


@pytest.mark.parametrize("build", [sample.rich, sample.hostile, sample.incomplete, lambda: sample.many(3000)])
def test_a_notice_keeps_to_the_limits_of_sns(build: Callable[[], Report]) -> None:
    told = notice(build(), None, ["s3://bucket/" + "k" * 1000] * 20)

    assert told
    assert 0 < len(told.subject) <= 100
    assert told.subject.isascii()
    assert told.subject.isprintable()
    assert len(told.text.encode()) < 256 * 1024
    assert len(told.lines) <= 45
    assert all(line.isprintable() and len(line) <= 500 for line in told.lines)


def test_what_does_not_fit_is_counted() -> None:
    told = notice(sample.many(3000), None, [])

    assert told
    assert "and 2,980 more findings" in told.lines


def test_a_topic_gets_the_notice(cloud: Cloud, run: Run) -> None:
    topic = cloud.topic()

    ended = run("report", "rich.json", "--notify", topic.arn)

    (message,) = topic.messages()
    assert ended.code == 0, ended.stderr
    assert f"Notified  SNS topic {topic.arn}" in ended.stderr
    assert message["Subject"].startswith("chimeaudit: ")
    assert message["Message"].startswith(message["Subject"])
    assert "support-moderation" in message["Message"]


def test_that_nothing_is_new_is_printed_only_with_verbose(cloud: Cloud, run: Run) -> None:
    topic = cloud.topic()

    quiet = run("report", "clean.json", "--notify", topic.arn)
    verbose = run("report", "clean.json", "--notify", topic.arn, "-v")

    assert quiet.code == verbose.code == 0
    assert "Nothing is new: nobody was notified" in verbose.stderr
    assert "notified" not in quiet.stderr
    assert not topic.messages()


def test_70_for_a_topic_that_is_not_there(run: Run) -> None:
    ended = run("report", "rich.json", "--notify", "arn:aws:sns:us-east-1:111122223333:nobody")

    assert ended.code == 70
    one_line(ended, "the SNS topic arn:aws:sns:us-east-1:111122223333:nobody was not notified: ")
