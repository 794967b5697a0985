"""``scan --history`` and ``chimeaudit history``, as they are installed."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from scanner.render.html import page
from scanner.render.json import render
from tests import once
from tests.answers import Answer, Call, error
from tests.command import Ended, chimeaudit
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Flow
from tests.healthy import processor
from tests.history.nights import at, failing, report, waived
from tests.render import sample

DATABASE = "sqlite:///history.db"
OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])
CLOSED = Flow(name="closed", processors=[processor(FallbackAction="ABORT")])
SCAN = ("--regions", "us-east-1", "--select", "last-processor-fails-open", "-o", "json:-")


@pytest.fixture
def home(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the reports of four nights and their history."""
    return shutil.copytree(once.folder(tmp_path_factory, "four-nights", four_nights), tmp_path, dirs_exist_ok=True)


def four_nights(home: Path) -> None:
    """Make such a folder; the history names reports by their whole path."""
    nights = [
        report(0, failing("a", "b")),
        report(10, failing("a"), gaps=sample.incomplete().coverage.gaps),
        report(20, [*failing("a", "c"), *waived("d")]),
        report(30, failing("a")),
    ]
    for number, night in enumerate(nights):
        (home / f"{number}.json").write_text("".join(render(night)))
        ended = chimeaudit("report", f"{number}.json", "--history", DATABASE, "-o", f"nights/{number}.html", home=home)
        assert ended.code == 0, ended.stderr


def look(home: Path, *arguments: str) -> Ended:
    ended = chimeaudit("history", *arguments, home=home, variables={"CHIMEAUDIT_HISTORY": DATABASE})
    assert ended.code == 0, ended.stderr
    return ended


def look_json(home: Path, *arguments: str) -> Any:
    return json.loads(look(home, *arguments, "--format", "json").stdout)


def test_scans_on_several_nights_give_the_life_of_a_finding(aws: FakeAws, scan: Scan, tmp_path: Path) -> None:
    def denied(call: Call) -> Answer | None:
        return error(403, "ForbiddenException") if call.operation == "ListChannelFlows" else None

    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    first = scan(*SCAN, "--history", DATABASE)
    (found,) = first.report["findings"]
    assert found["first_seen"] == first.report["run"]["started_at"]
    assert "history" not in first.report["run"]["options"]

    aws.faults = [denied]
    scan(*SCAN, CHIMEAUDIT_HISTORY=DATABASE)
    (still,) = look_json(tmp_path, "trend")["oldest"]
    assert (still["first_seen"], still["rule_id"]) == (found["first_seen"], "last-processor-fails-open")

    aws.faults = []
    aws.inventory = {"us-east-1": {"support": [CLOSED]}}
    scan(*SCAN, "--history", DATABASE)
    trend = look_json(tmp_path, "trend")

    assert trend["oldest"] == []
    assert [time["fixed"] for time in trend["time_to_fix"]] == [1]
    assert sorted(run["complete"] for run in look_json(tmp_path, "list")) == [False, True, True]


def test_without_a_history_a_report_says_nothing_of_one(aws: FakeAws, scan: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}

    (found,) = scan(*SCAN).report["findings"]

    assert found["first_seen"] is None
    assert "Night by night" not in "".join(page.render(report(0, failing("a"))))


def test_what_cannot_be_recorded_can_be_recorded_later(aws: FakeAws, scan: Scan, tmp_path: Path) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}

    ended = scan(*SCAN, "--run-dir", "run", "--history", "sqlite:///nowhere/history.db")

    assert ended.code == 70
    assert len(ended.report["findings"]) == 1
    again = "--select last-processor-fails-open --output json:- --history ..."
    assert ended.stderr.splitlines()[-1] == f"hint: Record it again: chimeaudit scan --from run {again}"

    assert scan("--from", "run", *SCAN[2:], "--history", DATABASE).code == 1
    assert len(look_json(tmp_path, "list")) == 1


def test_the_list_has_a_row_for_each_run(tmp_path: Path) -> None:
    home = tmp_path
    four_nights(home)
    ended = look(home, "list")

    assert re.findall(r"^ (\S+) 03:00 ", ended.stdout, re.MULTILINE) == [at(n)[:10] for n in (0, 10, 20, 30)]
    assert "2 gaps" in ended.stdout
    last = look_json(home, "list")[-1]
    assert (last["id"], last["failed"]["high"], last["reports"]["html"]) == (
        "night-030",
        1,
        str(home / "nights/3.html"),
    )


def test_the_list_may_end_with_the_newest_runs(home: Path) -> None:
    every = look_json(home, "list")

    assert look_json(home, "list", "--limit", "2") == every[-2:]
    assert look_json(home, "list", "--limit", "9") == every


@pytest.mark.parametrize("command", ["list", "trend"])
def test_a_narrow_terminal_shows_when_what_was_seen_and_what_was_open(home: Path, command: str) -> None:
    variables = {"CHIMEAUDIT_HISTORY": DATABASE, "COLUMNS": "80"}

    lines = chimeaudit("history", command, home=home, variables=variables).stdout.splitlines()

    assert (
        len(
            [
                line
                for line in lines
                if re.match(r" 2026-1[12]-\d\d 03:00 .*(complete|gaps).* [12]\s(high|critical)", line)
            ]
        )
        == 4
    )
    assert max(map(len, lines)) <= 80


def test_the_trend_tells_what_was_open_new_and_fixed(home: Path) -> None:
    nights = look_json(home, "trend")["nights"]

    assert [night["open"]["high"] for night in nights] == [2, 1, 2, 1]
    assert [(night["new"], night["fixed"], night["waived"]) for night in nights] == [
        (2, 0, 0),
        (0, 1, 0),
        (1, 0, 1),
        (0, 2, 0),
    ]
    text = look(home, "trend").stdout
    assert "Open  █▅█▅  1 finding" in text
    assert re.search(r"high +3 +10 days +10 days", text)
    assert re.search(r"last-processor-fails-open +a +.* 30 days", text)


def test_the_page_shows_nights_and_ages(home: Path) -> None:
    page = (home / "nights/3.html").read_text()

    assert "1 open finding after the last of 4 nights; 2 open findings after the first, 2026-11-01 03:00 UTC" in page
    assert "(30 days ago)" in page
    assert page.count("<title>") == 5, "one of the page, and one a night"


def test_pruning_keeps_younger_runs(home: Path) -> None:
    assert look_json(home, "prune", "--keep", "99999d") == {"runs": 0, "findings": 0, "changes": 0}
    assert look(home, "prune", "--keep", "99999d").stdout.startswith("Removed 0 runs from before ")
    assert len(look_json(home, "list")) == 4


@pytest.mark.parametrize("keep", ["", "0d", "12", "-1d", "1y"])
def test_how_long_to_keep_is_a_number_of_days(keep: str, home: Path) -> None:
    ended = chimeaudit("history", "prune", f"--keep={keep}", "--history", DATABASE, home=home)

    assert ended.code == 2
    assert "is not a number of days" in ended.error


def test_the_site_leads_to_the_reports_that_are_still_those_of_their_nights(tmp_path: Path) -> None:
    home = tmp_path
    four_nights(home)
    (home / "nights/0.html").unlink()
    (home / "nights/1.html").write_text("something else")

    look(home, "site", "nights")

    page = (home / "nights/index.html").read_text()
    assert re.findall(r'href="([^"]*)"', page) == [
        "chimeaudit.css",
        *("./2.html", "./3.html"),  # the trend, then the nights
        *("./3.html", "./2.html"),
    ]
    assert (home / "nights/chimeaudit.css").read_text().startswith(":root")
    assert "script-src" not in page
    assert "default-src 'none'; style-src 'self' file:;" in unescape(page)


def test_no_text_acts_on_the_site(home: Path) -> None:
    hostile = sample.hostile()
    run = structs.replace(hostile.run, id=sample.HOSTILE, options={sample.HOSTILE: sample.HOSTILE})
    (home / "hostile.json").write_text("".join(render(structs.replace(hostile, run=run))))
    name = "nights/javascript:alert(1)'\"<b>.html"
    assert chimeaudit("report", "hostile.json", "--history", DATABASE, "-o", f"html:{name}", home=home).code == 0

    look(home, "site", "nights")

    page = (home / "nights/index.html").read_text()
    assert "<script" not in page
    assert "<b>" not in page
    assert "\u202e" not in page
    assert all(link.startswith("./") for link in re.findall(r'<a href="([^"]*)"', page))


def test_the_site_says_where_it_cannot_be_written(home: Path) -> None:
    (home / "file").touch()

    ended = chimeaudit("history", "site", "file/below", "--history", DATABASE, home=home)

    assert ended.code == 70
    assert "file/below/index.html could not be written" in ended.error


@pytest.mark.parametrize("command", [["list"], ["trend"], ["prune", "--keep", "1d"], ["site", "nights"]])
def test_looking_back_needs_a_history(command: list[str], tmp_path: Path) -> None:
    unnamed = chimeaudit("history", *command, home=tmp_path)
    assert (unnamed.code, unnamed.error) == (2, "error: no history is named")

    missing = chimeaudit("history", *command, "--history", DATABASE, home=tmp_path)
    assert (missing.code, missing.error) == (2, "error: there is no history in history.db")
    assert not (tmp_path / "history.db").exists()
