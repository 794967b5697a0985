from __future__ import annotations

import re
from pathlib import Path

import botocore.loaders
import click
import pytest

from scanner.commands.options import values
from scanner.errors import UsageError
from tests.command import chimeaudit

CONTEXT = click.Context(click.Command("scan"))
OPTION = click.Option(["--accounts"])


def test_lists_may_be_given_in_one_option_or_several() -> None:
    assert values.listed(CONTEXT, OPTION, ("a, b", "c,")) == ("a", "b", "c")
    assert values.listed(CONTEXT, OPTION, ()) == ()


@pytest.mark.parametrize("value", ["", " ", ",", " , "])
def test_an_empty_list_is_a_usage_error_and_not_everything(value: str) -> None:
    with pytest.raises(UsageError, match="--accounts is given, but names nothing"):
        values.listed(CONTEXT, OPTION, (value,))


def test_account_ids_come_from_the_command_line_and_from_files(tmp_path: Path) -> None:
    file = tmp_path / "accounts.txt"
    file.write_text("# ours\n111122223333 # chat\n\n  444455556666\n")

    assert values.account_ids(CONTEXT, OPTION, (f"777788889999,{file}",)) == (
        "777788889999",
        "111122223333",
        "444455556666",
    )


def test_a_file_of_accounts_may_have_any_encoding(tmp_path: Path) -> None:
    file = tmp_path / "accounts.txt"
    file.write_text("# für uns\n111122223333\n", encoding="utf-16")

    assert values.account_ids(CONTEXT, OPTION, (str(file),)) == ("111122223333",)


@pytest.mark.parametrize("text", ["", "# nobody\n", "\n\n"])
def test_a_file_without_accounts_is_a_usage_error_and_not_every_account(tmp_path: Path, text: str) -> None:
    file = tmp_path / "accounts.txt"
    file.write_text(text)

    with pytest.raises(UsageError, match="names no account"):
        values.account_ids(CONTEXT, OPTION, (str(file),))


@pytest.mark.parametrize("text", ["1234", "1111-2222-3333", "arn:aws:iam::111122223333:root", "١١١١٢٢٢٢٣٣٣٣"])
def test_a_bad_line_of_a_file_is_an_error_with_its_number(tmp_path: Path, text: str) -> None:
    file = tmp_path / "accounts.txt"
    file.write_text(f"111122223333\n{text}\n", encoding="utf-8")

    with pytest.raises(UsageError, match=r"accounts\.txt:2: .* is not an account id"):
        values.account_ids(CONTEXT, OPTION, (str(file),))


def test_a_value_that_is_neither_an_id_nor_a_readable_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")

    for value in (str(tmp_path / "none"), str(tmp_path), str(tmp_path / "binary"), "12345"):
        with pytest.raises(UsageError, match="neither an account id nor a file"):
            values.account_ids(CONTEXT, OPTION, (value,))


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86400), (None, None)]
)
def test_durations_are_read(text: str | None, seconds: float | None) -> None:
    assert values.seconds(CONTEXT, OPTION, text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0h", "-1", "1.5h", "soon", "1w", "1h30m"])
def test_an_invalid_duration_is_an_error(text: str) -> None:
    with pytest.raises(UsageError, match="is not a duration"):
        values.seconds(CONTEXT, OPTION, text)


@pytest.mark.parametrize("value", ["ou-ab12-34567890", "r-ab12"])
def test_units_have_the_form_of_their_ids(value: str) -> None:
    assert values.units(CONTEXT, OPTION, (value,)) == (value,)
    for slip in (value.upper(), f"{value}!", value.replace("-", "_", 1), "Sandbox"):
        with pytest.raises(UsageError, match="is not the id of an organizational unit"):
            values.units(CONTEXT, OPTION, (value, slip))


def test_regions_have_the_form_of_all_there_are() -> None:
    loader = botocore.loaders.create_loader()
    regions = [name for part in loader.load_data("endpoints")["partitions"] for name in part["regions"]]

    assert len(regions) > 30
    for name in regions:
        assert values.region(CONTEXT, OPTION, name) == name
    for slip in ("us-est-1", "us-east", "useast-1", "us-east-1a"):
        with pytest.raises(UsageError, match="is not the name of a region"):
            values.region(CONTEXT, OPTION, slip)


@pytest.mark.parametrize(
    "arguments",
    [
        *(
            ("scan", option, "")
            for option in ("-o", "--baseline", "--run-dir", "--from", "--config", "--ou", "--regions")
        ),
        ("check", "--config", "", "."),
    ],
)
def test_an_empty_option_is_a_usage_error(arguments: tuple[str, ...], tmp_path: Path) -> None:
    ended = chimeaudit(*arguments, home=tmp_path)

    assert ended.code == 2
    assert re.search("is given, but names nothing|names no path", ended.error)


@pytest.mark.parametrize(
    ("arguments", "step"),
    [
        (("scan", "--baseline", "none.json"), "--allow-no-baseline"),
        (("iam", "policy", "--role", "audit"), "Add --org"),
    ],
)
def test_a_usage_error_has_a_next_step(arguments: tuple[str, ...], step: str, tmp_path: Path) -> None:
    ended = chimeaudit(*arguments, home=tmp_path)

    assert ended.code == 2
    assert step in ended.stderr
