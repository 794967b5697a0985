"""`chimeaudit check` in a repository: names of files in reports, and in former ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scanner import cli
from tests.command import Ended
from tests.declared.checking import custom, files, processor, request, template, write

BAD = request(processor(FallbackAction="CONTINUE"))
MENDED = request()
STACK = template(
    One=custom("ChannelFlow", request(processor(FallbackAction="CONTINUE"))),
    Two=custom("ChannelFlow", request(processor(FallbackAction="CONTINUE"), Name="other")),
)
Run = Callable[..., Ended]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(folder: Path, *arguments: str) -> Ended:
        monkeypatch.chdir(folder)
        code = cli.run(list(arguments))
        captured = capsys.readouterr()
        return Ended(code=code, stdout=captured.out, stderr=captured.err)

    return run


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository with a folder, and beside it the same folder outside a repository, named as in former reports."""
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    for folder in ("repository/infra", "outside/infra"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path / "repository"


def prints(ended: Ended) -> list[str]:
    return [each["fingerprint"] for each in ended.report["findings"]]


def changes(ended: Ended) -> list[str]:
    return [each["change"] for each in ended.report["findings"] if each["status"] == "fail"]


def test_from_wherever_it_is_called_the_report_is_the_same(run: Run, top: Path) -> None:
    write(top / "infra" / "a.json", STACK)
    (top / "link.json").symlink_to("infra/a.json")

    reports = [
        run(folder, "check", path, "-o", "json:-")
        for folder, path in (
            (top, "."),
            (top, "infra/a.json"),
            (top, "link.json"),
            (top / "infra", "."),
            (top / "infra", "../link.json"),
            (top.parent, "repository"),
            (top.parent / "outside", str(top)),
        )
    ]

    assert [files(each) for each in reports] == [{"infra/a.json"}] * len(reports)
    assert [each.report["scope"]["files"] for each in reports] == [["infra/a.json"]] * len(reports)
    assert len({tuple(prints(each)) for each in reports}) == 1


def test_every_format_names_files_from_the_top(run: Run, top: Path) -> None:
    write(top / "infra" / "a.json", BAD)
    write(top / "infra" / "cut.json", '{"AppInstanceArn": ')

    ended = run(top / "infra", "check", ".", "-o", "../a.sarif", "-o", "gitlab:../a.gitlab", "-o", "github:../a.github")

    assert ended.code == 2
    assert "error: infra/cut.json:1:" in ended.stderr
    (result,) = json.loads((top / "a.sarif").read_text())["runs"]
    broken = result["invocations"][0]["toolExecutionNotifications"][-1]
    for each, file in ((result["results"][0], "infra/a.json"), (broken, "infra/cut.json")):
        artifact = each["locations"][0]["physicalLocation"]["artifactLocation"]
        assert artifact == {"uri": file, "uriBaseId": "%SRCROOT%"}
    assert "%SRCROOT%" in result["originalUriBaseIds"]
    paths = [(each["check_name"], each["location"]["path"]) for each in json.loads((top / "a.gitlab").read_text())]
    assert ("last-processor-fails-open", "infra/a.json") in paths
    assert ("coverage", "infra/cut.json") in paths
    annotations = (top / "a.github").read_text()
    assert "::error file=infra/a.json," in annotations
    assert "::warning file=infra/cut.json," in annotations


def test_a_baseline_made_at_the_top_serves_in_a_folder(run: Run, top: Path) -> None:
    write(top / "infra" / "a.json", BAD)
    run(top, "check", ".", "-o", "baseline.json")

    assert run(top / "infra", "check", ".", "--baseline", "../baseline.json").code == 0


def of_before(report: Path) -> None:
    """Remove from a report what former ones did not have: paths from the top of the repository."""
    content = json.loads(report.read_text())
    del content["run"]["options"]["working_directory"]
    report.write_text(json.dumps(content))


@pytest.mark.parametrize("before", [True, False], ids=["of before", "made outside a repository"])
@pytest.mark.parametrize("content", [BAD, STACK], ids=["request", "template"])
def test_a_baseline_with_paths_from_the_folder_serves_there(
    run: Run, top: Path, content: dict[str, Any], before: bool
) -> None:
    old, infra = top.parent / "outside" / "infra", top / "infra"
    for folder in (old, infra):
        write(folder / "a.json", content)
    first = run(old, "check", "a.json", "-o", str(top / "baseline.json"))
    if before:
        of_before(top / "baseline.json")

    again = run(infra, "check", ".", "--baseline", "../baseline.json", "-o", "json:-")

    assert (first.code, again.code) == (1, 0)
    assert set(changes(again)) == {"existing"}


def test_a_former_baseline_does_not_hide_other_failures(run: Run, top: Path) -> None:
    old, infra = top.parent / "outside", top / "infra"
    write(old / "a.json", BAD)
    write(old / "infra" / "a.json", MENDED)
    write(infra / "a.json", BAD)
    run(old, "check", ".", "-o", str(top / "baseline.json"))

    again = run(infra, "check", ".", "--baseline", "../baseline.json", "-o", "json:-")

    assert again.code == 1, "the a.json of the baseline is the one at the top"
    assert changes(again) == ["new"]


def test_diff_matches_a_former_report(run: Run, top: Path) -> None:
    old, infra = top.parent / "outside" / "infra", top / "infra"
    for folder in (old, infra):
        write(folder / "a.json", STACK)
        write(folder / "b.json", BAD)
    write(infra / "b.json", MENDED)
    write(infra / "c.json", BAD)
    run(old, "check", ".", "-o", str(top / "old.json"))
    of_before(top / "old.json")
    run(infra, "check", ".", "-o", "../new.json")

    found = json.loads(run(top, "diff", "old.json", "new.json", "--format", "json").stdout)

    assert [each["location"]["file"] for each in found["new"]] == ["infra/c.json"]
    assert [each["location"]["file"] for each in found["fixed"]] == ["infra/b.json"]
    assert [each["location"]["file"] for each in found["still_open"]] == ["infra/a.json"] * 2
    assert found["no_longer_observed"] == []


def test_a_link_is_matched_by_its_former_name(run: Run, top: Path) -> None:
    old = top.parent / "outside"
    write(old / "link.json", BAD)
    write(top / "infra" / "a.json", BAD)
    (top / "link.json").symlink_to("infra/a.json")
    run(old, "check", "link.json", "-o", str(top / "baseline.json"))

    assert run(top, "check", "link.json", "--baseline", "baseline.json").code == 0


def test_a_waiver_in_a_template_waives_in_a_folder(run: Run, top: Path) -> None:
    waiver = {"rule": "last-processor-fails-open", "reason": "r", "owner": "o", "expires": "2999-01-01"}
    flow = custom("ChannelFlow", BAD, Metadata={"chimeaudit": {"waive": [waiver]}})
    write(top / "infra" / "a.json", template(One=flow))

    assert run(top / "infra", "check", ".").code == 0


def test_the_configuration_and_its_rules_are_named_from_the_top(run: Run, top: Path) -> None:
    write(top / "chimeaudit.yaml", "rules: [default, ours]\nfail_on: low\n")
    (top / "ours").mkdir()
    write(top / "ours" / "rule.yaml", "id: rule\n- broken\n")
    write(top / "infra" / "a.json", BAD)

    broken = run(top / "infra", "check", ".", "-o", "json:-")
    (top / "ours" / "rule.yaml").unlink()
    write(top / "chimeaudit.yaml", "fail_on: lowest\n")
    misspelt = run(top / "infra", "check", ".", "-o", "json:-")
    write(top / "chimeaudit.yaml", "fail_on: low\n")
    read = run(top / "infra", "check", ".", "-o", "json:-")
    named = run(top / "infra", "check", ".", "-o", "json:-", "--config", "../chimeaudit.yaml")

    assert broken.stderr.startswith("error: ours/rule.yaml:2:1: "), broken.stderr
    assert misspelt.stderr.startswith("error: chimeaudit.yaml:1:10: "), misspelt.stderr
    assert "Configuration: chimeaudit.yaml" in read.stderr
    assert read.report["run"]["options"]["config"] == named.report["run"]["options"]["config"] == "chimeaudit.yaml"
