"""scanner.outcome.remediation: facts are filled into commands if shell and AWS CLI read them as plain text."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from scanner.language import rule
from scanner.model.report import Evidence, Resource
from scanner.outcome.remediation import PLACEHOLDERS, filled
from scanner.resources import rules
from tests.posix import needs_posix
from tests.render import sample

COMMAND = (
    "aws chime-sdk-messaging update-channel-flow --region REGION --channel-flow-arn CHANNEL_FLOW_ARN --name FLOW_NAME "
    "--processors 'Name=PROCESSOR_NAME,ExecutionOrder=EXECUTION_ORDER,FallbackAction=ABORT,"
    "Configuration={Lambda={ResourceArn=FUNCTION_ARN,InvocationType=ASYNC}}' OTHER_PROCESSORS"
)
CONSTANTS = {"ABORT", "CONTINUE", "ASYNC", "AWS", "API"}
LEFT_TO_THE_READER = {
    *(
        "NEW_NAME",
        "NEW_FUNCTION_ARN",
        "TAG_KEY",
        "TAG_VALUE",
        "NEW_VERSION",
        "NEW_RUNTIME",
        "STATEMENT_ID",
        "POLICY_NAME",
    ),
    *("QUEUE_ARN", "TOPIC_ARN", "CHANNEL_ARN", "APP_INSTANCE_USER_ARN", "ALIAS_NAME"),
}
TWO = (sample.step("redact", 1, "CONTINUE"), sample.step("moderate", 2, "CONTINUE"))


def about(*places: int) -> tuple[Evidence, ...]:
    return tuple(Evidence(path=f"processors[{place}].name", observed="x", required="y") for place in places)


def words(text: str, resource: Resource, *places: int) -> list[str]:
    return shlex.split(filled(text, resource, about(*places)))


def test_command_can_be_run_as_it_is_and_keeps_the_other_processors() -> None:
    flow = sample.flow("support", *TWO)
    configuration = [f"Configuration={{Lambda={{ResourceArn={each.lambda_arn},InvocationType=ASYNC}}}}" for each in TWO]
    assert words(COMMAND, flow, 1)[3:] == [
        *("--region", "us-east-1", "--channel-flow-arn", flow.arn, "--name", "support", "--processors"),
        f"Name=moderate,ExecutionOrder=2,FallbackAction=ABORT,{configuration[1]}",
        f"Name=redact,ExecutionOrder=1,FallbackAction=CONTINUE,{configuration[0]}",
    ]


def test_a_region_that_a_file_does_not_tell_stays_a_placeholder() -> None:
    undeployed = structs.replace(sample.flow(), region="unknown", account_id="unknown")
    assert filled("--region REGION ACCOUNT_ID", undeployed, about(0)) == "--region <REGION> <ACCOUNT_ID>"


def test_a_single_processor_has_no_others() -> None:
    assert filled(COMMAND, sample.flow(), about(0)).endswith("InvocationType=ASYNC}}'")


def test_all_processors_stand_in_the_list() -> None:
    _, first, second = words("--processors PROCESSORS", sample.flow("support", *TWO))
    assert first.startswith("Name=redact,ExecutionOrder=1,FallbackAction=CONTINUE,")
    assert second.startswith("Name=moderate,ExecutionOrder=2,FallbackAction=CONTINUE,")


def test_a_name_of_several_words_is_one_argument() -> None:
    flow = sample.flow("Support chat 2", sample.step("look at it"))
    assert "Support chat 2" in words(COMMAND, flow, 0)
    assert words(COMMAND, flow, 0)[-1].startswith("Name=look at it,")


def test_function_is_named_without_qualifier_where_that_is_asked_for() -> None:
    flow = sample.flow("f", sample.step(function="moderate:live", region="eu-central-1"))
    assert words("FUNCTION_NAME FUNCTION_REGION FUNCTION_ARN", flow, 0) == [
        *("moderate", "eu-central-1", f"arn:aws:lambda:eu-central-1:{sample.PROD}:function:moderate:live"),
    ]


@pytest.mark.parametrize("places", [(), (0, 1), (7,)])
def test_placeholders_of_a_processor_stay_open_if_it_is_not_clear_which_one(places: tuple[int, ...]) -> None:
    text = "PROCESSOR_NAME FUNCTION_ARN OTHER_PROCESSORS"
    marked = "<PROCESSOR_NAME> <FUNCTION_ARN> <OTHER_PROCESSORS>"
    assert filled(text, sample.flow("f", *TWO), about(*places)) == marked


def test_placeholders_of_a_flow_stay_open_if_there_is_none() -> None:
    text = "CHANNEL_FLOW_ARN FLOW_NAME PROCESSORS"
    assert filled(text, sample.app_instance(), ()) == "<CHANNEL_FLOW_ARN> <FLOW_NAME> <PROCESSORS>"


def test_a_role_is_named_and_nothing_else_is_known_of_it() -> None:
    text = "aws iam get-role --role-name ROLE_NAME\naws x --region REGION --a APP_INSTANCE_ARN --b FLOW_NAME PROCESSORS"

    assert filled(text, sample.role("chat-user")).splitlines() == [
        "aws iam get-role --role-name chat-user",
        "aws x --region <REGION> --a <APP_INSTANCE_ARN> --b <FLOW_NAME> <PROCESSORS>",
    ]
    assert filled(text, sample.role("a'b")).startswith("aws iam get-role --role-name 'a'\\''b'\n")
    assert "--role-name <ROLE_NAME>\n" in filled(text, sample.flow())


def test_a_role_before_the_deployment_has_no_name_to_paste() -> None:
    undeployed = structs.replace(sample.role("ChatUsers"), arn=None)

    assert filled("aws iam get-role --role-name ROLE_NAME", undeployed).endswith(" <ROLE_NAME>")


def test_a_list_that_is_not_wholly_known_is_not_given() -> None:
    unknown = sample.step("deliver", 2, None)
    assert filled("PROCESSORS", sample.flow("f", TWO[0], unknown), ()) == "<PROCESSORS>"
    assert filled("x OTHER_PROCESSORS", sample.flow("f", TWO[0], unknown), about(0)) == "x <OTHER_PROCESSORS>"


def test_words_that_only_look_like_placeholders_stay() -> None:
    text = "AWS_REGION REGIONS MY_FUNCTION_ARN"
    assert filled(text, sample.flow(), about(0)) == text


def test_what_the_reader_has_to_choose_is_marked_in_commands_alone() -> None:
    text = "Set AWS_REGION and NEW_NAME:\naws x --name NEW_NAME \\\n  --qualifier NEW_VERSION 'K=TAG_KEY' ABORT"
    marked = (
        "Set AWS_REGION and NEW_NAME:\naws x --name <NEW_NAME> \\\n  --qualifier <NEW_VERSION> 'K='<TAG_KEY>'' ABORT"
    )
    assert filled(text) == marked


def test_a_rule_alone_has_everything_marked() -> None:
    assert filled("aws x --region REGION OTHER_PROCESSORS") == "aws x --region <REGION> <OTHER_PROCESSORS>"


def decoded(shorthand: str) -> str:
    """A double-quoted value of the AWS CLI's shorthand, as its parser reads it."""
    return shorthand[1:-1].replace('\\"', '"').replace("\\\\", "\\") if shorthand.startswith('"') else shorthand


PRINTABLE = [
    *("a, b", "$(id)", "`id`", "a;b", "a'b", 'a"b', "a\\", 'a\\"', "{a}", "ä"),
    *("Name=x,y", "a  b", " a", "!!", "~", "*", "a//b"),
]


@pytest.mark.parametrize("name", PRINTABLE)
def test_any_name_that_can_be_printed_is_quoted(name: str) -> None:
    given = words(COMMAND, sample.flow(name, sample.step(name)), 0)

    assert given[given.index("--name") + 1] == name
    whole, rest = given[-1].partition(",ExecutionOrder=1,FallbackAction=ABORT,")[::2]
    assert decoded(whole.removeprefix("Name=")) == name
    assert rest.startswith("Configuration={Lambda=")


@pytest.mark.parametrize("name", ["a\nb", "a\tb", "\u202e", "\u00a0", "", sample.HOSTILE])
def test_a_name_that_cannot_be_printed_is_left_to_be_filled_in(name: str) -> None:
    given = filled(COMMAND, sample.flow(name, sample.step(name)), about(0))

    assert "--name <FLOW_NAME> --" in given
    assert "'Name='<PROCESSOR_NAME>',ExecutionOrder=1," in given


@pytest.mark.parametrize("name", ["-x", "--endpoint-url", "file://a", "fileb://a", "https://a"])
def test_a_name_that_the_cli_takes_for_something_else_is_left_to_be_filled_in(name: str) -> None:
    given = filled(COMMAND, sample.flow(name, sample.step(name)), about(0))

    assert "--name <FLOW_NAME> --" in given
    assert f'\'Name="{name}",ExecutionOrder=1,' in given


@pytest.mark.parametrize(
    ("flow", "processor", "runs"), [("a, b", "it's", True), ("-x", "a", False), ("a", "\t", False)]
)
def test_a_command_with_something_open_does_not_run(tmp_path: Path, flow: str, processor: str, runs: bool) -> None:
    needs_posix("/bin/sh")
    aws = tmp_path / "aws"
    aws.write_text('#!/bin/sh\necho "$@" > ran\n')
    aws.chmod(0o755)

    subprocess.run(
        ["/bin/sh", "-c", filled(COMMAND, sample.flow(flow, sample.step(processor, function="f")), about(0))],
        cwd=tmp_path,
        env={"PATH": str(tmp_path)},
        check=False,
        capture_output=True,
    )

    assert {path.name for path in tmp_path.iterdir()} == ({"aws", "ran"} if runs else {"aws"})


@given(st.text(st.sampled_from("ab1-_.:/ '\"$`\\\n=,{}@"), max_size=12), st.text(max_size=8))
def test_whatever_a_flow_is_called_the_command_stays_the_same(name: str, processor: str) -> None:
    flow = sample.flow(name, sample.step(processor), TWO[1])
    before, after = shlex.split(COMMAND), words(COMMAND, flow, 0)
    assert len(after) == len(before)
    assert [word for word in after if word.startswith("-")] == [word for word in before if word.startswith("-")]
    assert after[8] in (name, "<FLOW_NAME>")
    assert not re.match("(file|fileb|https?)://", after[8])


@pytest.mark.parametrize("each", rule.load([rules()]), ids=lambda each: each.info.id)
def test_shipped_rules_spell_placeholders_as_they_are_known(each: rule.Rule) -> None:
    text = each.info.remediation.replace("\\\n", " ")
    commands = "\n".join(line for line in text.splitlines() if line.startswith("aws "))
    assert set(re.findall(r"\b[A-Z][A-Z_]+\b", commands)) <= {*PLACEHOLDERS, *LEFT_TO_THE_READER, *CONSTANTS}


def test_contributing_explains_each_placeholder() -> None:
    text = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(PLACEHOLDERS) <= set(re.findall(r"`([A-Z_]+)`", text))
