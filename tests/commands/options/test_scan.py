"""scanner.commands.options.scan: the table of the options of `scan`, as its help shows them."""

from __future__ import annotations

import re

import pytest

from scanner.commands.options.declaring import Group, Repeat
from scanner.commands.options.scan import ScanOptions
from scanner.commands.scan import command
from tests.command import chimeaudit


@pytest.fixture(scope="module")
def helped(tmp_path_factory: pytest.TempPathFactory) -> str:
    return chimeaudit("scan", "--help", home=tmp_path_factory.mktemp("home")).stdout


def test_help_shows_every_option_once_in_the_group_that_it_declares(helped: str) -> None:
    parts = re.split(rf"^({'|'.join(group.value for group in Group)}):$", helped, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))

    assert list(sections) == [group.value for group in Group]
    for declared in ScanOptions.declared().values():
        line = re.compile(rf"^  (-., |--region, )?{declared.flag}\b", re.MULTILINE)
        shown = [title for title, text in sections.items() if line.search(text)]
        assert shown == [declared.group.value]


def test_each_example_of_the_help_is_a_command_line_that_is_understood(helped: str) -> None:
    examples = re.findall(r"^ +chimeaudit (scan .*)$", helped, flags=re.MULTILINE)

    assert len(examples) == 3
    for example in examples:
        _, *arguments = example.split()
        ScanOptions(**command.make_context("scan", arguments).params).check()


def test_reports_do_not_tell_what_is_secret() -> None:
    declared = ScanOptions.declared()

    assert not [name for name, own in declared.items() if own.recorded and own.secret]
    assert not declared["external_id"].recorded


def test_what_a_run_has_from_its_beginning_is_not_repeated() -> None:
    never = {name for name, own in ScanOptions.declared().items() if own.repeat is Repeat.NEVER}

    assert never == {
        *("profile", "org", "ou", "accounts", "exclude", "role", "external_id", "session_name", "regions"),
        *("from_", "run_dir", "resume", "max_age"),
    }
