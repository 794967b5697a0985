"""`chimeaudit check` from outside: paths, what cannot be read, exit codes, formats."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command import CHIMEAUDIT, chimeaudit, environment
from tests.declared.checking import Check, checking, files, findings, gaps, processor, request, write
from tests.declared.test_template import HERE, LIVE, flow, stack
from tests.demo import Demo

BAD = request(processor(FallbackAction="CONTINUE"))


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    return checking(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(("fail_on", "code"), [("critical", 0), ("high", 1), ("medium", 1), ("none", 0)])
def test_a_finding_at_the_threshold_gives_1(tmp_path: Path, fail_on: str, code: int) -> None:
    write(tmp_path / "create.json", BAD)

    assert chimeaudit("check", "create.json", "--fail-on", fail_on, home=tmp_path).code == code


def test_boto_is_never_imported(tmp_path: Path) -> None:
    write(tmp_path / "stack.json", stack())
    script = (
        "import sys; from scanner import cli; code = cli.run(['check', 'stack.json']);"
        "print(code, sorted({name.split('.')[0] for name in sys.modules} & {'boto3', 'botocore', 'moto', 'jinja2'}))"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout.splitlines()[-1] == "0 []"


def test_standard_input_is_a_file(tmp_path: Path) -> None:
    ended = subprocess.run(
        [CHIMEAUDIT, "check", "-", "-o", "json:-"],
        input=json.dumps(BAD),
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert json.loads(ended.stdout)["findings"][0]["location"]["file"] == "(standard input)"


def test_folders_and_patterns_are_looked_through_and_the_rest_is_counted(check: Check, tmp_path: Path) -> None:
    for name in ("deep/er/a.json", "b.template", ".hidden/c.json", "node_modules/d.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / name, BAD)
    for name, content in (("readme.md", "# ChannelFlow: [no"), ("values.yaml", "{{ .Values }}"), ("x.bin", b"\0\1")):
        write(tmp_path / name, content)
    write(tmp_path / ".package.json", "{}")

    folder, pattern = check("."), check("**/*.json")

    assert folder.code == 1, folder.stderr
    assert files(folder) == {"b.template", "deep/er/a.json"}
    assert "Skipped   1 file, in which no channel flow is declared" in folder.stderr
    assert "Not read  3 files" in folder.stderr
    assert files(pattern) == {"deep/er/a.json"}


def test_paths_lead_from_the_working_directory(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.json", BAD)
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")

    assert files(check("../a.json")) == files(check(str(tmp_path / "a.json"))) == {"../a.json"}


def test_a_file_that_is_named_twice_is_judged_once(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "a.json", BAD)

    ended = check(".", "a.json", "./a.json", str(tmp_path))

    assert ended.report["coverage"]["observed"]["files"] == 1


BROKEN: list[tuple[str, str | bytes | None, str]] = [
    ("missing.json", None, "missing.json: found nothing; expected a file"),
    ("empty.json", "", "empty.json:1:1: found an empty file"),
    ("cut.json", '{"Processors": [{"Name": "a', "cut.json:1:26: found a text that does not end"),
    ("other.json", '{"a": 1}', "other.json:1:1: found a mapping that declares no channel flow; expected a request"),
    ("list.yaml", "- a", "list.yaml:1:1: found a list; expected a request"),
    ("twice.json", '{"Name": 1,\n "Name": 2}', 'twice.json:2:2: found "Name" again'),
    ("two.yaml", "a: 1\n---\nb: 1", "two.yaml:2:1: found a second document"),
    ("binary.json", b"\x7fELF\x00\xff", "binary.json:1:"),
    ("big.json", b"[" + b"1," * (6 << 20), "big.json:1:1: found more than 10 MB"),
    ("half.yaml", "AWSTemplateFormatVersion: x", "half.yaml:1:1: found a template without Resources"),
]


@pytest.mark.parametrize(("name", "content", "line"), BROKEN, ids=[name for name, _, _ in BROKEN])
def test_an_unreadable_file_is_one_line_and_the_others_are_judged(
    check: Check, tmp_path: Path, name: str, content: str | bytes | None, line: str
) -> None:
    write(tmp_path / "good.json", BAD)
    if content is not None:
        write(tmp_path / name, content)

    ended = check("good.json", name)

    errors = [each for each in ended.stderr.splitlines() if each.startswith("error: ")]
    assert ended.code == 2
    assert len(errors) == 1
    assert errors[0].startswith(f"error: {line}")
    assert files(ended) == {"good.json"}
    assert [each["code"] for each in ended.gaps] == ["InvalidFile"]
    assert ended.gaps[0]["location"]["file"] == name
    assert (":{line}:{column}:".format(**ended.gaps[0]["location"]) in errors[0]) is (content is not None)


def test_an_unreadable_file_is_one_line(check: Check, tmp_path: Path) -> None:
    (tmp_path / "broken.json").symlink_to("/proc/self/mem")  # even root reads nothing there

    ended = check(".")

    assert ended.code == 2
    assert "error: broken.json: found a file that cannot be read (Input/output error)" in ended.stderr


IN_NO_KNOWN_FORM = {
    "wrapper": {"Parameters": BAD},
    "list in a list": [[BAD]],
    "Terraform": {"resource": {"x": {"y": {"processors": [{"fallback_action": "CONTINUE"}]}}}},
    "Serverless Framework": {"resources": {"Resources": {"Flow": {"Type": "AWS::Chime::ChannelFlow"}}}},
    "text in text": {"resource": {"aws_cloudformation_stack": {"y": {"template_body": json.dumps(BAD)}}}},
}


@pytest.mark.parametrize("content", IN_NO_KNOWN_FORM.values(), ids=IN_NO_KNOWN_FORM)
def test_a_file_in_a_folder_of_an_unknown_form_that_mentions_flows_is_reported(
    check: Check, tmp_path: Path, content: Any
) -> None:
    write(tmp_path / "good.json", request())
    write(tmp_path / "flows.json", json.dumps(content))
    write(tmp_path / "flows.py", f"# FLOWS = {content!r}")

    for paths in (["."], ["good.json", "flows.json", "--skip-others"]):
        ended = check(*paths)
        assert ended.code == 3, ended.stderr
        assert gaps(ended) == ["flows.json:1:1: channel flows in a form that is not known"]


def test_what_was_not_examined_is_printed_even_without_a_report(tmp_path: Path) -> None:
    write(tmp_path / "good.json", request())
    write(tmp_path / "flows.json", json.dumps([BAD]))

    ended = chimeaudit("check", ".", home=tmp_path)

    assert "flows.json:1:1: channel flows in a form that is not known" in ended.stdout
    assert "missing-lambda" in ended.stdout


def test_what_chimeaudit_has_written_itself_is_skipped_quietly(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "report.json", check("a.json", "b.json", a__json=BAD, b__json=BAD).stdout)
    formats = ("gitlab:gitlab.json", "asff:asff.json", "lines.jsonl", "ocsf:ocsf.jsonl", "inventory:i.jsonl")
    check("a.json", "b.json", *(word for form in formats for word in ("-o", form)))
    rule = Path("rules", "fallback", "last-processor-fails-open.yaml")
    write(tmp_path / "rule.yaml", (Path(__file__).parents[2] / rule).read_bytes())

    ended = check(".")

    assert not [each for each in ended.report["coverage"]["not_examined"] if "json" in each or "yaml" in each]
    assert "Skipped   4 files" in ended.stderr
    assert "Not read  3 files" in ended.stderr
    assert ended.gaps == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("text", [json.dumps(BAD), yaml.safe_dump(BAD)], ids=["JSON", "YAML"])
def test_a_file_of_a_folder_is_judged_in_whatever_unicode(
    check: Check, tmp_path: Path, text: str, encoding: str
) -> None:
    write(tmp_path / "flow.yaml", text.encode(encoding))

    assert check(".").code == 1


def test_a_too_large_file_in_a_folder_is_reported_in_any_encoding(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "good.json", request())
    write(tmp_path / "big.json", json.dumps([BAD] * 20_000).encode("utf-16"))

    ended = check(".")

    assert ended.code == 2
    assert "error: big.json:1:1: found more than 10 MB" in ended.stderr


def test_a_broken_file_in_a_folder_that_mentions_flows_is_reported(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "good.json", BAD)
    write(tmp_path / "cut.json", json.dumps(BAD)[:-20])

    ended = check(".")

    assert ended.code == 2
    assert "error: cut.json:1:" in ended.stderr


def test_nothing_recognised_is_2(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "a.json", "{}")

    ended = check(".")

    assert ended.code == 2
    assert "error: none of the files declares a channel flow" in ended.stderr


def test_a_saved_report_is_no_inventory(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "report.json", check(a__json=BAD).stdout)

    ended = check("report.json")

    assert ended.code == 2
    assert "`chimeaudit report`" in ended.stderr


def test_a_baseline_lets_only_what_is_new_fail(check: Check, tmp_path: Path) -> None:
    first = check(a__json=BAD)
    write(tmp_path / "baseline.json", first.stdout)

    same = check("a.json", "--baseline", "baseline.json")
    more = check("a.json", "b.json", "--baseline", "baseline.json", b__json=BAD)

    assert (first.code, same.code, more.code) == (1, 0, 1)


def test_a_file_that_cannot_be_read_keeps_what_failed_in_it_and_nothing_is_new_later(
    check: Check, tmp_path: Path
) -> None:
    write(tmp_path / "good.json", check("a.json", "b.json", a__json=BAD, b__json=BAD).stdout)

    broken = check("a.json", "b.json", "--baseline", "good.json", a__json="{", b__json=BAD)
    write(tmp_path / "broken.json", broken.stdout)
    left_out = check("b.json", "--baseline", "broken.json")
    write(tmp_path / "left_out.json", left_out.stdout)
    again = check("a.json", "b.json", "--baseline", "left_out.json", a__json=BAD)

    assert (broken.code, left_out.code, again.code) == (2, 0, 0)
    (entry,) = json.loads(broken.stdout)["carried_over"]
    assert entry["finding"]["location"]["file"] == "a.json"
    assert "not_looked_for" not in entry
    (entry,) = json.loads(left_out.stdout)["carried_over"]
    assert (entry["reason"], bool(entry["not_looked_for"])) == ("a.json was not judged", True)
    assert json.loads(again.stdout)["carried_over"] == []


def test_what_no_rule_is_there_for_any_more_is_left_out_of_the_baseline_and_said(check: Check, tmp_path: Path) -> None:
    first = json.loads(check(a__json=BAD).stdout)
    first["findings"][0]["rule_id"] = first["rules"][0]["id"] = "gone-rule"
    first["findings"][0]["fingerprint"] = "0" * 32
    write(tmp_path / "baseline.json", first)

    ended = check("a.json", "--baseline", "baseline.json")

    assert "1 finding of the baseline left out, new if seen again: there is no rule gone-rule any more" in ended.stderr
    assert json.loads(ended.stdout)["carried_over"] == []


def test_the_configuration_holds(check: Check, tmp_path: Path) -> None:
    waiver = {
        "rule": "last-processor-fails-open",
        "resource": {"account": "111122223333"},
        "reason": "r",
        "owner": "o",
        "expires": "2999-01-01",
    }
    of_what_is_deployed = {**waiver, "rule": "cross-region-lambda", "resource": "arn:aws:chime:*"}
    write(tmp_path / "chimeaudit.yaml", {"waivers": [waiver, of_what_is_deployed]})

    ended = check("a.json", a__json=BAD)

    assert ended.code == 0, ended.stderr
    assert "last-processor-fails-open" in findings(ended, "waived")
    assert "Warning" not in ended.stderr


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ("*", 0),
        ({"app_instance": "*"}, 0),
        ({"account": "1111*"}, 0),
        ("arn:aws:chime:us-east-1:111122223333:app-instance/*", 0),
        ("arn:aws:chime:us-east-1:111122223333:app-instance/0f1e2d3c/*", 1),
        ("arn:aws:chime:us-east-1:999988887777:app-instance/*", 1),
    ],
)
def test_a_waiver_fits_what_a_template_declares_whatever_the_deployment_will_settle(
    check: Check, tmp_path: Path, resource: Any, code: int
) -> None:
    waiver = {"rule": "last-processor-fails-open", "reason": "r", "owner": "o", "expires": "2999-01-01"}
    write(tmp_path / "chimeaudit.yaml", {"waivers": [{**waiver, "resource": resource}]})
    write(tmp_path / "stack.json", stack(Flow=flow(processor(function=LIVE, FallbackAction="CONTINUE"))))

    ended = check("stack.json", *HERE)

    assert ended.code == code, ended.stderr
    assert ("last-processor-fails-open" in findings(ended, "waived")) is (code == 0)


def test_journals_are_judged_as_the_scan_did(demo_run: Demo, tmp_path: Path) -> None:
    shutil.copytree(demo_run.run, tmp_path / "run")

    ended = chimeaudit("check", "run", "-o", "json:-", home=tmp_path)

    assert ended.code == 1
    assert prints(ended.report) == prints(demo_run.report)
    for found in ended.report["findings"]:
        at = found["location"]
        assert (tmp_path / at["file"]).read_text().split("\n")[at["line"] - 1][at["column"] - 1 :]
    whole = (tmp_path / "run" / "targets" / "111122223333.us-east-1.jsonl").read_bytes()
    (tmp_path / "cut.jsonl").write_bytes(whole[: len(whole) // 2])
    assert "Interrupted" in {
        each["code"] for each in chimeaudit("check", "cut.jsonl", "-o", "json:-", home=tmp_path).gaps
    }


def prints(report: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["fingerprint"], each["status"]) for each in report["findings"]]


@pytest.mark.parametrize(
    "form", ["html", "json", "jsonl", "sarif", "junit", "csv", "markdown", "ocsf", "asff", "oscal", "github", "gitlab"]
)
def test_every_format_takes_findings_without_arn(tmp_path: Path, form: str) -> None:
    write(tmp_path / "stack.json", stack(Flow=flow(processor(FallbackAction="CONTINUE"))))

    ended = chimeaudit("check", "stack.json", "-o", f"{form}:out", home=tmp_path)

    text = (tmp_path / "out").read_text()
    assert ended.code == 1, ended.stderr
    assert ("lacks" in ended.stderr) is (form == "asff")
    assert form in ("asff", "html") or ("last-processor-fails-open" in text and "None" not in text)


def test_sarif_and_annotations_point_at_the_line(tmp_path: Path) -> None:
    write(tmp_path / "create.json", BAD)
    line = next(n for n, text in enumerate((tmp_path / "create.json").read_text().split("\n"), 1) if "CONTINUE" in text)

    sarif = json.loads(chimeaudit("check", "create.json", "-o", "sarif:-", home=tmp_path).stdout)
    github = chimeaudit("check", "create.json", "-o", "github:-", home=tmp_path).stdout

    physical = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "create.json"
    assert physical["region"]["startLine"] == line
    assert github.startswith(f"::error file=create.json,line={line},col=")


def test_a_check_can_be_saved_and_rendered_and_compared(tmp_path: Path) -> None:
    write(tmp_path / "a.json", BAD)
    chimeaudit("check", "a.json", "-o", "old.json", home=tmp_path)
    write(tmp_path / "a.json", request())
    chimeaudit("check", "a.json", "-o", "new.json", home=tmp_path)

    rendered = chimeaudit("report", "old.json", home=tmp_path)
    fixed = chimeaudit("diff", "old.json", "new.json", "--format", "json", home=tmp_path)

    assert "1 file: 0 app instances, 1 channel flow" in rendered.stderr
    assert [each["rule_id"] for each in json.loads(fixed.stdout)["fixed"]] == ["last-processor-fails-open"]


def test_what_was_not_judged_again_is_not_fixed(tmp_path: Path) -> None:
    write(tmp_path / "a.json", BAD)
    write(tmp_path / "b.json", request())
    chimeaudit("check", "a.json", "-o", "old.json", home=tmp_path)
    chimeaudit("check", "b.json", "-o", "new.json", home=tmp_path)

    ended = chimeaudit("diff", "old.json", "new.json", "--format", "json", home=tmp_path)

    assert json.loads(ended.stdout)["fixed"] == []
    assert "a.json was not judged" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((), "Missing argument"),
        (("a.json", "--account", "1"), "is not an account id"),
        (("a.json", "--region", "here"), "is not the name of a region"),
        (("a.json", "-o", "report"), "names no format"),
        (("a.json", "--select", "nothing"), "selects no rule"),
    ],
)
def test_a_bad_option_is_2(tmp_path: Path, arguments: tuple[str, ...], error: str) -> None:
    write(tmp_path / "a.json", BAD)

    ended = chimeaudit("check", *arguments, home=tmp_path)

    assert ended.code == 2
    assert error in ended.error
