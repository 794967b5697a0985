from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, structs

from scanner.errors import UsageError
from scanner.model.report import Report
from scanner.render import Format, render
from scanner.render import json as format_json
from scanner.store import saved
from tests.render import sample
from tests.render.inventories import inventoried

SAMPLES = [
    sample.rich,
    sample.clean,
    sample.incomplete,
    sample.nothing_observed,
    sample.empty,
    sample.hostile,
    sample.carrying,
]
MACHINES = [form for form in Format if form is not Format.HTML]


def text(report: Report, form: Format = Format.JSON) -> str:
    return "".join(render(report, form))


def decode(content: str | bytes) -> Report:
    return saved.decode(content.encode() if isinstance(content, str) else content, "old.json")


def changed(change: Callable[[dict[str, Any]], None]) -> str:
    document = json.loads(text(sample.rich()))
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize("form", MACHINES)
@pytest.mark.parametrize("build", SAMPLES)
def test_a_saved_report_says_in_every_format_what_it_said_before(build: Callable[[], Report], form: Format) -> None:
    report = build()

    assert text(decode(text(report)), form) == text(report, form)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_report_that_an_editor_or_powershell_wrote_again_is_the_same(encoding: str) -> None:
    written = text(sample.hostile())

    assert text(decode(written.encode(encoding))) == text(decode(written))


def test_members_of_a_later_minor_version_are_ignored() -> None:
    def later(document: dict[str, Any]) -> None:
        document["schema_version"] = "1.7"
        document["novelty"] = {"deep": [[[{}]]]}
        document["findings"][0]["novelty"] = 1

    report = decode(changed(later))

    assert len(list(report.findings)) == len(list(sample.rich().findings))


def test_what_an_earlier_minor_version_did_not_know_has_defaults() -> None:
    def earlier(document: dict[str, Any]) -> None:
        for finding in document["findings"]:
            for name in ("waiver", "change", "first_seen", "location"):
                del finding[name]
            del finding["resource"]["processors"]
        for counts in document["summary"].values():
            counts.clear()

    report = decode(changed(earlier))

    assert {finding.change for finding in report.findings} == {None}
    assert text(report, Format.MARKDOWN)
    assert report.summary.by_severity == sample.rich().summary.by_severity


def carried(change: Callable[[dict[str, Any]], None]) -> str:
    """A report in which something of the first entry that is carried over was changed."""
    document = json.loads(text(sample.carrying()))
    change(document["carried_over"][0])
    return json.dumps(document)


def compared(change: Callable[[dict[str, Any]], None]) -> str:
    """A report that was compared with another, in which something of what it says of that was changed."""
    document = json.loads(text(sample.compared(sample.rich(), sample.clean())))
    change(document["baseline"])
    return json.dumps(document)


def write(document: dict[str, Any], *path: str | int, value: object) -> None:
    *parents, last = path
    place: Any = document
    for name in parents:
        place = place[name]
    place[last] = value


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is not JSON"),
        ("not json", "is not JSON"),
        (b"\xff\xfe\x00", "is not"),
        (text(sample.rich())[:2000], "is not JSON, or not all of it"),
        ("[]", "is not a report of chimeaudit"),
        ("{}", "is not a report of chimeaudit"),
        ('"a"', "is not a report of chimeaudit"),
        ('{"schema_version": "1.0", "tool": {}}', "is not a report of chimeaudit"),
        ('{"x": ' + "[" * 200_000, "nested too deeply"),
        ('{"schema_version": "1.0", "tool": {"x": ' + "[" * 200_000, "nested too deeply"),
        (changed(lambda it: write(it, "schema_version", value="2.0")), "version '2.0'"),
        (changed(lambda it: write(it, "findings", 0, "severity", value="awful")), "severity"),
        (changed(lambda it: write(it, "findings", 0, "rule_id", value="stray")), "contradicts itself"),
        (changed(lambda it: write(it, "findings", 0, "first_seen", value="\u202eyesterday")), "is not a time"),
        (changed(lambda it: write(it, "run", "started_at", value="")), "is not a time"),
        (changed(lambda it: write(it, "run", "started_at", value="0001-01-01T00:00:00+01:00")), "is not a time"),
        (changed(lambda it: write(it, "run", "finished_at", value="9999-12-31T23:59:59-01:00")), "is not a time"),
        (changed(lambda it: write(it, "coverage", "observed", "accounts", value=-1)), "-1 does not count anything"),
        (changed(lambda it: write(it, "coverage", "in_scope", "targets", value=2**63)), "does not count anything"),
        (changed(lambda it: write(it, "summary", "by_status", "pass", value=-1)), "-1 does not count anything"),
        (carried(lambda it: write(it, "finding", "rule_id", value="")), "contradicts itself: a finding names the rule"),
        (carried(lambda it: write(it, "last_seen", value="\u202eyesterday")), "is not a time"),
        (carried(lambda it: write(it, "not_looked_for", value="never")), "is not a time"),
        (carried(lambda it: write(it, "finding", "first_seen", value="")), "is not a time"),
        (compared(lambda it: write(it, "started_at", value="last night")), "is not a time"),
        (compared(lambda it: write(it, "fixed", value=-3)), "-3 does not count anything"),
        (carried(lambda it: it.pop("reason")), "missing required field `reason`"),
        (changed(lambda it: write(it, "carried_over", value=None)), "is not a report of chimeaudit"),
    ],
)
def test_what_is_no_report_is_refused_in_a_line_that_names_the_file(content: str | bytes, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        decode(content)

    assert caught.value.message.startswith("old.json ")
    assert complaint in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "place",
    [
        ("coverage", "complete"),
        ("summary", "by_status", "fail"),
        ("summary", "by_severity", "high"),
        ("summary", "by_account", sample.PROD),
    ],
)
def test_counts_and_completeness_are_worked_out_again(place: tuple[str, ...]) -> None:
    assert decode(changed(lambda it: write(it, *place, value=True if place[-1] == "complete" else 0))) == decode(
        text(sample.rich())
    )


@given(st.binary() | st.text().map(str.encode))
def test_random_bytes_give_nothing_but_a_usage_error(content: bytes) -> None:
    with pytest.raises(UsageError):
        decode(content)


@given(st.integers(0), st.integers(1, 60))
def test_a_damaged_report_gives_nothing_but_a_usage_error(start: int, length: int) -> None:
    whole = "".join(format_json.render(sample.rich())).encode()
    start %= len(whole)

    try:
        decode(whole[:start] + whole[start + length :])
    except UsageError as error:
        assert error.message.startswith("old.json ")  # noqa: PT017 - most damage, but not all of it, is noticed


def test_an_inventory_is_left_out_where_nobody_asks_for_it() -> None:
    whole = inventoried(sample.rich())
    content = text(whole).encode()

    assert len(saved.decode(content, "x").inventory or ()) == len(whole.inventory or ()) > 0
    assert saved.decode(content, "x", inventory=False) == structs.replace(saved.decode(content, "x"), inventory=UNSET)
