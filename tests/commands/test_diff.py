"""``chimeaudit diff``, as it is installed; and ``scan --baseline``, which knows the same new failures."""

from __future__ import annotations

import json
from pathlib import Path

from scanner.model.report import Finding, ReportedGap
from scanner.render import Format, render
from tests.command import Ended, chimeaudit
from tests.conftest import Scan
from tests.fake_aws import FakeAws, Flow
from tests.healthy import processor
from tests.render import sample

OPEN = Flow(name="left open", processors=[processor(FallbackAction="CONTINUE")])
FOUND = sample.fails_open(sample.flow())
OTHER = sample.fails_open(sample.flow("other"))
DENIED = ReportedGap(
    account_id=sample.PROD, region="us-east-1", operation="ListAppInstances", code="Denied", reason="access denied"
)


def diff(
    home: Path, old: list[Finding], new: list[Finding], *options: str, gaps: tuple[ReportedGap, ...] = ()
) -> Ended:
    (home / "old.json").write_text("".join(render(sample.report(old), Format.JSON)))
    (home / "new.json").write_text("".join(render(sample.report(new, gaps=gaps), Format.JSON)))
    return chimeaudit("diff", "old.json", "new.json", *options, home=home)


def test_0_when_nothing_is_new(tmp_path: Path) -> None:
    ended = diff(tmp_path, [FOUND, OTHER], [FOUND])

    assert ended.code == 0
    assert "New: 0 findings" in ended.stdout
    assert "Still open: 1 finding" in ended.stdout
    assert "Fixed: 1 finding" in ended.stdout
    assert not ended.stderr


def test_1_when_a_new_failure_reaches_the_threshold(tmp_path: Path) -> None:
    assert diff(tmp_path, [FOUND], [FOUND, OTHER]).code == 1
    assert diff(tmp_path, [FOUND], [FOUND, OTHER], "--fail-on", "critical").code == 0
    assert diff(tmp_path, [FOUND], [FOUND, OTHER], "--fail-on", "none").code == 0


def test_3_when_a_failure_is_no_longer_observed(tmp_path: Path) -> None:
    ended = diff(tmp_path, [FOUND], [], gaps=(DENIED,))

    assert ended.code == 3
    assert "No longer observed, so not known to be fixed: 1 finding" in ended.stdout
    assert "access denied" in ended.stdout
    assert "Fixed: 0 findings" in ended.stdout
    assert diff(tmp_path, [FOUND], [], "--allow-gaps", gaps=(DENIED,)).code == 0


def test_the_difference_as_json(tmp_path: Path) -> None:
    ended = diff(tmp_path, [FOUND], [OTHER], "--format", "json", gaps=(DENIED,))

    found = json.loads(ended.stdout)
    assert ended.code == 1
    assert [finding["fingerprint"] for finding in found["new"]] == [OTHER.fingerprint]
    assert found["fixed"] == found["still_open"] == []
    (unseen,) = found["no_longer_observed"]
    assert unseen["finding"]["fingerprint"] == FOUND.fingerprint
    assert "access denied" in unseen["reason"]


def test_2_for_what_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("{}")

    ended = chimeaudit("diff", "old.json", "new.json", home=tmp_path)

    assert ended.code == 2
    assert ended.stderr.startswith("error: old.json is not a report")
    assert chimeaudit("diff", "-", "-", home=tmp_path).code == 2


def test_a_baseline_lets_only_new_failures_give_1(aws: FakeAws, scan: Scan) -> None:
    aws.inventory = {"us-east-1": {"support": [OPEN]}}
    assert scan("-o", "before.json").code == 1

    same = scan("--baseline", "before.json", "-o", "json:-")
    aws.inventory = {"us-east-1": {"support": [OPEN, Flow(name="new", processors=OPEN.processors)]}}
    more = scan("--baseline", "before.json", "-o", "json:-")

    assert same.code == 0
    assert {finding["change"] for finding in same.report["findings"]} == {"existing"}
    assert more.code == 1
    assert {finding["change"] for finding in more.report["findings"]} == {"existing", "new"}


def test_2_for_a_bad_baseline_and_nothing_is_scanned(aws: FakeAws, scan: Scan, tmp_path: Path) -> None:
    (tmp_path / "before.json").write_text("[]")

    ended = scan("--baseline", "before.json")

    assert ended.code == 2
    assert "before.json is not a report" in ended.stderr
    assert not aws.calls
