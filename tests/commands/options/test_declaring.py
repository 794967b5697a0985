"""scanner.commands.options.declaring: what follows from the declaration of an option."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
import pytest
from click.testing import CliRunner

from scanner.commands.options.declaring import Group, GroupedCommand, Needs, Options, Repeat, either, option, takes
from scanner.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Some(Options):
    """A few options that have everything that can be declared."""

    here: bool = option("--here", group=Group.SCOPE, repeat=Repeat.READING, recorded=True, is_flag=True, help="Here.")
    there: bool = option(
        "--there",
        group=Group.SCOPE,
        repeat=Repeat.NEVER,
        recorded=True,
        excludes=either("here"),
        is_flag=True,
        help="There.",
    )
    deep: str | None = option("--deep", group=Group.JUDGING, needs=Needs(one_of=("here", "there")), help="How deep.")
    key: tuple[str, ...] = option("-k", "--key", secret=True, multiple=True, help="A secret.")
    words: tuple[str, ...] = option("--words", recorded=True, multiple=True, help="Words.")
    mark: bool = option(
        "--mark/--no-mark", needs=Needs(one_of=("deep",), unless=("words",)), default=True, help="Mark."
    )


Run = Callable[..., Some]


@pytest.fixture
def run() -> Run:
    """What a command is given for a command line."""

    def parse(*arguments: str) -> Some:
        given: list[Some] = []

        @click.command(cls=GroupedCommand)
        @takes(Some)
        def command(options: Some) -> None:
            given.append(options)

        CliRunner().invoke(command, arguments, catch_exceptions=False)
        return given[0]

    return parse


def test_options_come_as_one_struct_with_their_types(run: Run) -> None:
    options = run("--here", "--deep", "x", "-k", "a", "--key", "b")

    assert (options.here, options.there, options.deep, options.key, options.mark) == (
        True,
        False,
        "x",
        ("a", "b"),
        True,
    )


def test_what_is_not_given_has_the_value_that_its_field_has(run: Run) -> None:
    assert run() == Some()


def test_the_command_line_is_known_as_it_was_written_but_for_secrets(run: Run) -> None:
    options = run("--words", "a b", "--no-mark", "-k", "p", "--here", "--words", "c")

    assert options.given == {
        "words": "--words 'a b' --words c",
        "mark": "--no-mark",
        "key": "--key ...",
        "here": "--here",
    }


def test_options_are_repeated_where_they_are_wanted_again(run: Run) -> None:
    options = run("--there", "--words", "a")
    reading = run("--here", "--words", "a")

    assert options.repeated(Repeat.READING, Repeat.ALWAYS) == " --words a"
    assert reading.repeated(Repeat.READING, Repeat.ALWAYS) == " --here --words a"
    assert reading.repeated(Repeat.ALWAYS) == " --words a"


def test_reports_tell_what_was_looked_at_before_how_it_is_judged(run: Run) -> None:
    options = run("--words", "a", "--here")

    assert list(options.recorded.items()) == [("here", True), ("there", False), ("words", ("a",))]
    assert options.judging == {"words": ("a",)}


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("--here", "--there"), "--there and --here contradict each other", "Leave one of them out."),
        (("--deep", "x"), "--deep goes with --here or --there, and neither is given", "Add one of them."),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    run: Run, arguments: tuple[str, ...], message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as refused:
        run(*arguments)

    assert (refused.value.message, refused.value.hint) == (message, hint)


@pytest.mark.parametrize("arguments", [("--no-mark",), ("--mark",), ("--no-mark", "--words", "a")])
def test_a_value_that_is_the_default_or_nothing_needs_no_other(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).given


def test_help_lists_the_options_in_groups_each_once() -> None:
    @click.command(cls=GroupedCommand)
    @takes(Some)
    def command(**_: Any) -> None:
        pass

    text = CliRunner().invoke(command, ["--help"]).output

    starts = [text.index(f"{group.value}:") for group in (Group.SCOPE, Group.JUDGING, Group.RUNNING)]
    assert starts == sorted(starts)
    assert text.index("--there") < starts[1] < text.index("--deep") < starts[2] < text.index("--help")
    assert f"{Group.STOPPING.value}:" not in text
    assert text.count("--here ") == 1
