"""scanner.outcome.steps: commands are copied one at a time, with one option a line, and say what they change."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.language import rule
from scanner.outcome.remediation import filled
from scanner.outcome.steps import CHANGES_NOTHING, Step, introduction, pieces, steps
from scanner.resources import rules

RULES = rule.load([rules()])


def test_prose_and_each_command_are_steps_of_their_own() -> None:
    found = steps(
        "Do this,\nor that:\n  aws lambda get-policy --function-name x\n"
        "aws iam put-role-policy \\\n   --a b --c\nThen rest.\n"
    )

    assert found == (
        Step(kind="text", text="Do this, or that:"),
        Step(kind="code", text="aws lambda get-policy \\\n  --function-name x", effect=CHANGES_NOTHING),
        Step(
            kind="code",
            text="aws iam put-role-policy \\\n  --a b \\\n  --c",
            effect="Adds an inline policy to the role, or replaces the one of this name.",
        ),
        Step(kind="text", text="Then rest."),
    )
    assert steps("") == steps("\n \n") == ()
    assert steps("One.\n\nTwo.") == (Step(kind="text", text="One."), Step(kind="text", text="Two."))


@pytest.mark.parametrize("each", RULES, ids=lambda each: each.info.id)
def test_every_command_of_a_rule_says_what_it_changes_and_keeps_its_words(each: rule.Rule) -> None:
    text = filled(each.info.remediation)
    commands = [step for step in steps(text) if step.kind == "code"]

    assert all(step.effect and not step.effect.startswith("May change") for step in commands)
    flat = [line for line in text.replace("\\\n", " ").splitlines() if line.lstrip().startswith("aws ")]
    assert [shlex.split(step.text.replace("\\\n", "")) for step in commands] == [shlex.split(line) for line in flat]
    for step in commands:
        assert all(line.lstrip().startswith("--") for line in step.text.split("\n")[1:])
        assert step.open == len({piece for piece, is_open in pieces(step.text) if is_open})


@pytest.mark.parametrize(
    ("command", "found"),
    {
        "aws x y --name <NEW_NAME> --key <TAG_KEY> --again <NEW_NAME>": ("<NEW_NAME>", "<TAG_KEY>", "<NEW_NAME>"),
        "aws x y --name '<NEW_NAME>'": (),  # a name in AWS may look like this; filled in, it is quoted
        "aws x y --name 'it'\\''s <NEW_NAME>'": (),
        "aws x y --processors 'Name='<PROCESSOR_NAME>',Order=1'": ("<PROCESSOR_NAME>",),
        'aws x y --name "<NEW_NAME>"': (),
        "aws x y --name \\<NEW_NAME>": (),
        "aws x y --region <REGION>": ("<REGION>",),
        "aws x y --name <new_name> < FILE_NAME >": (),
        "aws x y --name 'no end <NEW_NAME>": ("<NEW_NAME>",),
    }.items(),
)
def test_values_to_fill_in_stand_outside_quotes(command: str, found: tuple[str, ...]) -> None:
    assert "".join(piece for piece, _ in pieces(command)) == command
    assert tuple(piece for piece, is_open in pieces(command) if is_open) == found
    assert steps(command)[0].open == len(set(found))


def test_it_is_counted_what_must_be_filled_in() -> None:
    none, one, two = (
        introduction(steps(f"aws iam get-role {more}")[0])
        for more in ("", "--a <A_B>", "--a <A_B> --c <C_D> --e <A_B>")
    )

    assert (none, one) == (CHANGES_NOTHING, f"{CHANGES_NOTHING} Fill in 1 value.")
    assert two == f"{CHANGES_NOTHING} Fill in 2 values."


def test_what_a_command_of_other_rules_does_is_not_guessed() -> None:
    unknown, short, cut = (steps(text)[0] for text in ("aws s3api put-object --x", "aws s3api", "aws lambda x \\"))

    assert unknown.effect == "May change something: it calls s3api put-object."
    assert short.effect == "May change something: it calls s3api."
    assert short.kind == cut.kind == "code"
    assert cut.text == "aws lambda x"


@given(
    st.lists(
        st.sampled_from(["'a b'", "--x", "it\\'s", '"q\\"r"', "plain", "$(x)", "|", "'--y'", "<A_B>", "é"]), max_size=8
    )
)
def test_layout_keeps_every_word_of_the_shell(given_words: list[str]) -> None:
    line = " ".join(("aws lambda get-x", *given_words))

    assert shlex.split(steps(line)[0].text.replace("\\\n", "")) == shlex.split(line)


@pytest.mark.parametrize("command", ["aws lambda x --a 'b --c", "aws lambda x --a b # not --c", "aws lambda x #--c"])
def test_a_command_whose_quotes_do_not_end_or_that_has_a_comment_stays_as_it_is(command: str) -> None:
    """Its words on lines of their own would not be the same command."""
    assert steps(command)[0].text == command


@pytest.mark.parametrize(
    "more", ["; aws iam delete-role --a", "&& x", "| x", "> x", "$(x)", "`x`", '"$(x)"', '"`x`"', "--x $(y)", "< x"]
)
def test_a_line_that_does_more_than_a_call_never_passes_for_one_that_only_reads(more: str) -> None:
    (step,) = steps(f"aws lambda get-policy --function-name x {more}")

    assert step.effect == "Runs more than this call: read it before you run it."


def test_what_is_quoted_or_left_open_is_no_further_command() -> None:
    assert {
        steps(f"aws lambda get-policy --a {value}")[0].effect
        for value in ("'$(x);|'", "<NEW_NAME>", "'Name='<NEW_NAME>';'", "\\;", '"a b"', "Id=a,Arn=b")
    } == {CHANGES_NOTHING}
