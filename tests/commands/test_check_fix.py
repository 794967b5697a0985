"""`chimeaudit check --fix` and `--diff`: edits of the files, of which nothing else changes."""

from __future__ import annotations

import codecs
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.command import Ended
from tests.commands.test_check_paths import as_nobody
from tests.declared.checking import (
    APP,
    FUNCTION,
    Check,
    checking,
    custom,
    findings,
    processor,
    request,
    template,
    write,
)

OPEN = {"FallbackAction": "CONTINUE"}
FLOW = f"""\
AWSTemplateFormatVersion: "2010-09-09"  # é \U0001f600
Resources:

  Flow:
    Type: AWS::Chime::ChannelFlow
    Properties:
      AppInstanceArn: {APP}
      Name: moderated
      Processors:
        - Name: moderate \t
          ExecutionOrder: ORDER   # first
          FallbackAction: ACTION # says who?
          Configuration: {{Lambda: {{ResourceArn: "{FUNCTION}", InvocationType: ASYNC}}}}
"""


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    return checking(tmp_path, monkeypatch, capsys)


def flow(order: str = "1", action: str = "CONTINUE", **changed: str) -> str:
    text = FLOW.replace("ORDER", order).replace("ACTION", action)
    for old, new in changed.items():
        text = text.replace(old, new)
    return text


def not_fixed(ended: Ended) -> list[str]:
    return [line.removeprefix("Not fixed ") for line in ended.stderr.splitlines() if line.startswith("Not fixed")]


@pytest.mark.parametrize("orders", [("1", "1"), ("3", "1"), ("'2'", "'1'"), ('"07"', '"1"')])
@pytest.mark.parametrize("quote", ["", "'", '"'])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_yaml_file_is_edited_and_nothing_else_of_it(
    check: Check, tmp_path: Path, orders: tuple[str, str], quote: str, line_end: str
) -> None:
    order, fixed = orders
    before = flow(order, f"{quote}CONTINUE{quote}").replace("\n", line_end).encode()
    write(tmp_path / "a.yaml", before)

    ended = check("a.yaml", "--fix")

    assert ended.code == 0, ended.stderr
    after = (tmp_path / "a.yaml").read_bytes()
    assert after == flow(fixed, f"{quote}ABORT{quote}").replace("\n", line_end).encode()
    assert "Fixed     a.yaml:12: FallbackAction: " in ended.stderr
    assert not findings(ended)
    check("a.yaml", "--fix")
    assert (tmp_path / "a.yaml").read_bytes() == after


@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-16-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_the_encoding_and_its_mark_are_kept(check: Check, tmp_path: Path, mark: bytes, codec: str) -> None:
    write(tmp_path / "a.yaml", mark + flow().encode(codec))
    text = json.dumps(request(processor(**OPEN), Name="caf\u00e9 \U0001f600"), ensure_ascii=False)
    write(tmp_path / "b.json", mark + text.encode(codec))

    assert check(".", "--fix").code == 0
    assert (tmp_path / "a.yaml").read_bytes() == mark + flow(action="ABORT").encode(codec)
    assert (tmp_path / "b.json").read_bytes() == mark + text.replace("CONTINUE", "ABORT").encode(codec)


@pytest.mark.parametrize("indent", [None, 2, 0, "\t"])
@pytest.mark.parametrize("kind", ["request", "custom", "native"])
def test_a_json_file_is_edited_wherever_it_holds_the_flow(check: Check, tmp_path: Path, indent: Any, kind: str) -> None:
    own = request(processor(**OPEN, ExecutionOrder=5, Name="b"), processor(Name="CONTINUE", ExecutionOrder=2))
    content = {
        "request": own,
        "custom": template(F=custom("ChannelFlow", own)),
        "native": template(F={"Type": "AWS::Chime::ChannelFlow", "Properties": own}),
    }[kind]
    write(tmp_path / "a.json", json.dumps(content, indent=indent))

    ended = check("a.json", "--fix", "--fail-on=medium")

    want = json.dumps(content, indent=indent)
    for old, new in (('"CONTINUE", "Con', '"ABORT", "Con'),):
        want = want.replace(old, new)
    after = json.loads((tmp_path / "a.json").read_text())
    assert set(findings(ended)) == {"multiple-processors", "same-lambda-twice"}, ended.stderr
    text = json.dumps(after)
    assert text.count('"CONTINUE"') == 1, "that is a name"
    assert json.dumps(after, indent=indent) == (tmp_path / "a.json").read_text()


def test_a_diff_is_a_patch_and_nothing_is_written(
    check: Check, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from scanner import cli

    for name, text in (("a.yaml", flow("2")), ("b.yaml", flow("2").replace("\n", "\r\n").rstrip("\r\n"))):
        write(tmp_path / name, text)
    check("a.yaml")

    code = cli.run(["check", "a.yaml", "b.yaml", "--diff", "--fix"])

    patch = capsys.readouterr().out
    assert code == 1
    assert (tmp_path / "a.yaml").read_text() == flow("2")
    subprocess.run(["git", "apply", "-"], input=patch.encode(), cwd=tmp_path, check=True)
    assert (tmp_path / "a.yaml").read_text() == flow("1", "ABORT")
    assert (tmp_path / "b.yaml").read_bytes() == flow("1", "ABORT").replace("\n", "\r\n").rstrip().encode()


IN_A_PARAMETER = flow(action="!Ref Action") + "Parameters: {Action: {Type: String, Default: CONTINUE}}\n"
IN_A_MAP = flow(action="!FindInMap [M, prod, fallbackAction]") + "Mappings: {M: {prod: {fallbackAction: CONTINUE}}}\n"
BEHIND_AN_ALIAS = flow(action="*action").replace("Type: AWS", "DeletionPolicy: &action CONTINUE\n    Type: AWS")
TAGGED = flow(action="!!str CONTINUE")
ANCHORED = flow(action="&action CONTINUE")
MERGED = (
    flow()
    .replace("          FallbackAction: CONTINUE # says who?\n", "          <<: *own\n")
    .replace("    Type: AWS", "    Metadata: {own: &own {FallbackAction: CONTINUE}}\n    Type: AWS")
)
FOLDED = flow(action=">-\n            CONTINUE").replace("CONTINUE # says who?", "CONTINUE")
IN_A_CONDITION = flow(action="!If [C, CONTINUE, ABORT]") + (
    "Parameters: {P: {Type: String, AllowedValues: [a, b]}}\nConditions: {C: !Equals [!Ref P, a]}\n"
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (IN_A_PARAMETER, "its value comes from elsewhere in the file, or from another"),
        (IN_A_MAP, "its value comes from elsewhere in the file, or from another"),
        (IN_A_CONDITION, "its value comes from elsewhere in the file, or from another"),
        (BEHIND_AN_ALIAS, "it has an anchor, alias or tag"),
        (ANCHORED, "it has an anchor, alias or tag"),
        (TAGGED, "it has an anchor, alias or tag"),
        (flow().replace("Resources:\n\n", "Resources:\r"), "a line of the file ends in a way that is not edited"),
        (FOLDED, "it is written in a way that is not edited"),
        (MERGED, "the value stands in several places, by an alias or a merge key"),
        (flow() + "# aws:cdk:path\n", "the CDK made the file; change what it is made from"),
    ],
)
def test_what_is_not_a_value_in_its_place_is_told_and_left_alone(
    check: Check, tmp_path: Path, text: str, why: str
) -> None:
    write(tmp_path / "a.yaml", text)

    ended = check("a.yaml", "--fix")

    assert ended.code == 1, ended.stderr
    assert (tmp_path / "a.yaml").read_bytes() == text.encode()
    (told,) = not_fixed(ended)
    assert told.startswith("a.yaml:")
    assert why in told
    failing = findings(ended)["last-processor-fails-open"]
    assert "edits" not in failing
    assert "FallbackAction has to be ABORT; not by --fix: " in failing["remediation"]


@pytest.mark.parametrize("folder", ["cdk.out", ".aws-sam/build", ".serverless", "assembly"])
def test_generated_files_are_left_alone(check: Check, tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    write(tmp_path / folder / "t.yaml", flow())
    if folder == "assembly":
        (tmp_path / folder / "cdk.out").write_text('{"version":"36.0.0"}')

    ended = check(f"{folder}/t.yaml", "--fix")

    assert (tmp_path / folder / "t.yaml").read_text() == flow()
    assert "made the file; change what it is made from" in not_fixed(ended)[0]


def test_two_rules_that_want_opposite_values_leave_the_file_alone(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", flow())

    ended = check("a.yaml", "--fix", "--select", "profile:default,profile:availability")

    assert ended.code == 1
    assert (tmp_path / "a.yaml").read_text() == flow()
    assert not_fixed(ended) == ["a.yaml:12: last-processor-fails-open: last-processor-fails-closed would fail then"]
    check("a.yaml", "--fix", "--select", "profile:availability")
    assert (tmp_path / "a.yaml").read_text() == flow()


@pytest.mark.parametrize("orders", [(1, 1), (2, 2), (1, 3, 3)])
def test_orders_with_repeats_are_left_alone(check: Check, tmp_path: Path, orders: tuple[int, ...]) -> None:
    own = [processor(ExecutionOrder=order, Name=f"p{index}") for index, order in enumerate(orders)]
    name = write(tmp_path / "a.json", request(*own))
    before = (tmp_path / name).read_bytes()

    ended = check(name, "--fix", "--fail-on=medium")

    assert ended.code == 1
    assert (tmp_path / name).read_bytes() == before
    assert "edits" not in findings(ended)["execution-order-not-contiguous"]


def test_a_branch_that_would_fail_then_forbids_the_edit(check: Check, tmp_path: Path) -> None:
    text = flow("2", "ABORT").replace(
        "        - Name",
        "        - !If\n          - C\n          - {Name: one, ExecutionOrder: 1, FallbackAction: ABORT,\n"
        f"             Configuration: {{Lambda: {{ResourceArn: '{FUNCTION}x', InvocationType: ASYNC}}}}}}\n"
        "          - !Ref AWS::NoValue\n        - Name",
    )
    text += "Parameters: {P: {Type: String, AllowedValues: [a, b]}}\nConditions: {C: !Equals [!Ref P, a]}\n"
    write(tmp_path / "a.yaml", text)

    ended = check("a.yaml", "--fix", "--fail-on=medium", "--select", "execution-order-not-contiguous")

    assert ended.code == 1
    assert (tmp_path / "a.yaml").read_text() == text
    assert "execution-order-not-contiguous would fail then" in not_fixed(ended)[0]


def test_every_branch_that_fails_is_edited(check: Check, tmp_path: Path) -> None:
    function = f"{{Lambda: {{ResourceArn: '{FUNCTION}', InvocationType: ASYNC}}}}"
    own = f"{{Name: x, ExecutionOrder: 1, FallbackAction: CONTINUE, Configuration: {function}}}"
    head = flow().partition("        - Name")[0]
    text = f"{head}        - !If\n          - C\n          - {own}\n          - {own}\n"
    text += "Parameters: {P: {Type: String, AllowedValues: [a, b]}}\nConditions: {C: !Equals [!Ref P, a]}\n"
    write(tmp_path / "a.yaml", text)

    assert check("a.yaml", "--fix").code == 0
    assert (tmp_path / "a.yaml").read_text() == text.replace("CONTINUE", "ABORT")


def test_what_aws_answered_is_never_edited(check: Check, tmp_path: Path) -> None:
    arn = f"{APP}/channel-flow/1"
    name = write(
        tmp_path / "a.json", {"ChannelFlows": [{"ChannelFlowArn": arn, "Name": "n", "Processors": [processor(**OPEN)]}]}
    )
    before = (tmp_path / name).read_bytes()

    ended = check(name, "--fix")

    assert (tmp_path / name).read_bytes() == before
    assert "aws chime-sdk-messaging update-channel-flow" in findings(ended)["last-processor-fails-open"]["remediation"]


def test_a_file_that_may_not_be_written_or_has_changed_is_told(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scanner.commands import fixing

    path = tmp_path / "a.yaml"
    write(path, flow())
    check("a.yaml")
    tmp_path.chmod(0o755)
    path.chmod(0o444)
    with as_nobody():
        ended = check("a.yaml", "--fix")
    assert not_fixed(ended) == ["a.yaml: the file cannot be written (it is not writable)"]
    assert ended.code == 1

    fix = fixing.fix
    monkeypatch.setattr(fixing, "fix", lambda *given: path.write_text(flow() + "# later\n") and fix(*given))
    ended = check("a.yaml", "--fix")
    assert not_fixed(ended) == ["a.yaml: the file has changed since it was read"]
    assert path.read_text() == flow() + "# later\n"


@pytest.mark.parametrize("option", ["--fix", "--diff"])
def test_standard_input_cannot_be_edited(check: Check, option: str) -> None:
    ended = check("-", option)

    assert ended.code == 2
    assert "error: --fix and --diff: standard input is no file that can be edited" in ended.stderr


def test_waived_failures_are_not_edited(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", flow())
    waiver = {
        "rule": "last-processor-fails-open",
        "resource": "*",
        "reason": "r",
        "owner": "o",
        "expires": "2999-01-01",
    }
    write(tmp_path / "chimeaudit.yaml", json.dumps({"waivers": [waiver]}))

    assert check("a.yaml", "--fix").code == 0
    assert (tmp_path / "a.yaml").read_text() == flow()


def test_the_remediation_is_the_edit_in_every_format(check: Check, tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", flow("2"))

    ended = check("a.yaml", "-o", "a.sarif", "-o", "a.md")

    failing = findings(ended)["last-processor-fails-open"]
    assert failing["remediation"].startswith("line 12: FallbackAction: ABORT\n\nLet the last processor fall back")
    assert "aws " not in failing["remediation"]
    (edit,) = failing["edits"]
    assert edit == {
        "file": "a.yaml",
        "line": 12,
        "column": 27,
        "end_column": 35,
        "name": "FallbackAction",
        "old": "CONTINUE",
        "new": "ABORT",
    }
    result = next(
        each
        for each in json.loads((tmp_path / "a.sarif").read_text())["runs"][0]["results"]
        if each["ruleId"] == "last-processor-fails-open"
    )
    (fix,) = result["fixes"]
    assert fix["artifactChanges"] == [
        {
            "artifactLocation": {"uri": "a.yaml", "uriBaseId": "%SRCROOT%"},
            "replacements": [
                {
                    "deletedRegion": {"startLine": 12, "startColumn": 27, "endLine": 12, "endColumn": 35},
                    "insertedContent": {"text": "ABORT"},
                }
            ],
        }
    ]
    markdown = (tmp_path / "a.md").read_text()
    assert "`a.yaml:12`\n\n```diff\n-FallbackAction: CONTINUE\n+FallbackAction: ABORT\n```" in markdown
    assert "aws chime" not in markdown


def test_a_qualifier_is_advised_and_never_edited(check: Check, tmp_path: Path) -> None:
    text = flow(action="ABORT").replace(":live", "")
    write(tmp_path / "a.yaml", text)

    ended = check("a.yaml", "--fix")

    failing = findings(ended)["unpinned-lambda-version"]
    assert failing["remediation"].startswith("line 13: Publish a version")
    assert "aws lambda" not in failing["remediation"]
    assert (tmp_path / "a.yaml").read_text() == text


PROCESSORS = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from(["CONTINUE", "ABORT"])),
    min_size=1,
    max_size=3,
    unique_by=lambda own: own[0],
)
COMMENTS = st.sampled_from(["# FallbackAction: CONTINUE", "#", "# \u00e9 \U0001f600"])


@given(
    flows=st.lists(PROCESSORS, min_size=1, max_size=3),
    indent=st.sampled_from([None, 1, 4]),
    comment=COMMENTS | st.none(),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_edits_change_nothing_else_and_are_made_once(
    check: Check, flows: list[list[tuple[int, str]]], indent: int | None, comment: str | None
) -> None:
    def written(*, fixed: bool) -> str:
        resources = {}
        for index, own in enumerate(flows):
            ranks = {order: rank for rank, order in enumerate(sorted(order for order, _ in own), 1)}
            processors = (
                processor(
                    function=f"{FUNCTION}{index}{order}",
                    ExecutionOrder=ranks[order] if fixed else order,
                    FallbackAction="ABORT" if fixed else action,
                    Name=f"CONTINUE {order}",
                )
                for order, action in own
            )
            resources[f"F{index}"] = {"Type": "AWS::Chime::ChannelFlow", "Properties": request(*processors)}
        text = json.dumps(template(**resources), indent=indent)
        return text if comment is None else f"{comment}\n--- {text} {comment}\n"

    path = Path("a.json" if comment is None else "a.yaml")
    path.write_text(written(fixed=False))

    once = check(path.name, "--fix")
    after = path.read_text()
    check(path.name, "--fix")

    edited = {"last-processor-fails-open", "processor-fails-open", "execution-order-not-contiguous"}
    assert after == path.read_text() == written(fixed=True)
    assert not edited & {*findings(once)}
