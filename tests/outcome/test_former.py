"""scanner.outcome.former: former reports, with paths from the working directory, are matched with newer ones."""

from __future__ import annotations

from msgspec import structs

from scanner.model.report import Finding, Location, Report
from scanner.outcome.former import WORKING_DIRECTORY, aligned, is_former
from tests.render import sample

ONE = next(iter(sample.rich().findings))


def of_check(*findings: Finding, folder: str | None = None, files: tuple[str, ...] = ("a.json", "b.json")) -> Report:
    report = sample.rich()
    return structs.replace(
        report,
        run=structs.replace(report.run, options={WORKING_DIRECTORY: folder}),
        scope=structs.replace(report.scope, chosen_by="files", files=files),
        findings=findings,
    )


def found(file: str, fingerprint: str) -> Finding:
    return structs.replace(ONE, fingerprint=fingerprint, location=Location(file=file, line=1, column=1))


def test_equal_findings_are_paired_in_order_and_each_only_once() -> None:
    old = of_check(found("a.json", "1"), found("a.json", "2"), found("a.json", "3"))
    new = of_check(found("infra/a.json", "x"), found("infra/a.json", "y"), folder="infra", files=("infra/a.json",))

    now = aligned(old, new)

    assert [each.fingerprint for each in now.findings] == ["x", "y", "3"]
    assert now.scope.files == ("infra/a.json", "b.json")


def test_what_lies_in_a_file_of_the_same_name_keeps_its_fingerprint() -> None:
    old = of_check(found("a.json", "1"), found("a.json", "2"), found("b.json", "3"))
    new = of_check(
        found("a.json", "2"),
        found("infra/b.json", "z"),
        folder="infra",
        files=("a.json", "infra/a.json", "infra/b.json"),
    )

    assert [each.fingerprint for each in aligned(old, new).findings] == ["1", "2", "z"]


def test_a_report_with_paths_from_the_top_and_one_of_a_scan_stay_as_they_are() -> None:
    new = of_check(found("infra/a.json", "x"), folder="infra", files=("infra/a.json",))
    for old in (of_check(found("a.json", "1"), folder="."), sample.rich()):
        assert not is_former(old)
        assert aligned(old, new) is old
