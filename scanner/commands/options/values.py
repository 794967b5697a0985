"""Reads and checks the values of options: lists, files of account ids, durations, names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from scanner.config.schema import BEARER
from scanner.errors import UsageError
from scanner.model import encoding, moments

_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)*-(central|(north|south)?(east|west)|north|south)-[0-9]")
_UNIT = re.compile(r"(r|ou)-[0-9a-z-]+")
_DAYS = re.compile(r"([1-9][0-9]{0,4})(d)", re.ASCII)
_DURATION = re.compile(r"(\d+)([smhd]?)")


def listed(_context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Values separated by commas, given any number of times.

    Raises:
        UsageError: the option is given, but names nothing.
    """
    parts = tuple(part.strip() for value in values for part in value.split(",") if part.strip())
    if values and not parts:
        raise _nothing_named(option)
    return parts


def named(_context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """A value that is not empty. An unset shell variable makes an empty one.

    Raises:
        UsageError: the value is empty.
    """
    if value == "":
        raise _nothing_named(option)
    return value


class _Named(click.Path):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "" and param:
            raise _nothing_named(param)
        if isinstance(value, str) and param:
            _refuse_url(value, param)
        return super().convert(value, param, ctx)


PATH = _Named(path_type=Path)
"""A path, to something or nothing yet; an empty one would be the working directory."""


def _nothing_named(option: click.Parameter) -> UsageError:
    return UsageError(f"{option.opts[-1]} is given, but names nothing", hint="Name something, or leave it out.")


def units(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Ids of organizational units, or of a root.

    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListOrganizationalUnitsForParent.html

    Raises:
        UsageError: a value is not such an id.
    """
    found = listed(context, option, values)
    for each in found:
        if not _UNIT.fullmatch(each):
            message = f"{option.opts[0]}: {each!r} is not the id of an organizational unit"
            raise UsageError(message, hint="It is written as ou-ab12-34567890, the root's as r-ab12.")
    return found


def account_ids(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Account ids, or files with one a line and comments after ``#``.

    Raises:
        UsageError: a value is neither an account id nor such a file.
    """
    if context.resilient_parsing:  # at a TAB nothing is read
        return ()
    return tuple(found for value in listed(context, option, values) for found in _ids(value, option))


def account_id(_context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """One account id.

    Raises:
        UsageError: the value is not an account id.
    """
    if value is not None and not _ACCOUNT_ID.fullmatch(value):
        message = f"{option.opts[0]}: {value!r} is not an account id"
        raise UsageError(message, hint="An account id has 12 digits.")
    return value


def region(_context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """The name of one region.

    Raises:
        UsageError: the value is not the name of a region.
    """
    if value is not None and not _REGION.fullmatch(value):
        message = f"{option.opts[-1]}: {value!r} is not the name of a region"
        raise UsageError(message, hint="A region is named as in us-east-1.")
    return value


def _ids(value: str, option: click.Parameter) -> list[str]:
    if _ACCOUNT_ID.fullmatch(value):
        return [value]
    try:
        lines = encoding.utf8(Path(value).read_bytes()).decode().splitlines()
    except (OSError, UnicodeDecodeError):
        hint = "An account id has 12 digits; a file holds one a line."
        raise UsageError(f"{option.opts[0]}: {value!r} is neither an account id nor a file", hint=hint) from None
    named = [(number, line.partition("#")[0].strip()) for number, line in enumerate(lines, 1)]
    for number, text in named:
        if text and not _ACCOUNT_ID.fullmatch(text):
            raise UsageError(f"{value}:{number}: {text!r} is not an account id", hint="An account id has 12 digits.")
    if not any(text for _, text in named):
        raise UsageError(f"{option.opts[0]}: {value} names no account", hint="Write one account id a line.")
    return [text for _, text in named if text]


def local(_context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Paths of this machine.

    Raises:
        UsageError: a value is a URL.
    """
    for value in values:
        _refuse_url(value, parameter)
    return values


def _refuse_url(value: str, parameter: click.Parameter) -> None:
    if "://" in value:
        name = parameter.opts[-1] if isinstance(parameter, click.Option) else parameter.human_readable_name
        raise UsageError(f"{name}: {value} is a URL", hint="Name a file or folder of this machine.")


def _matching(
    pattern: str, what: str, *, secret: bool = False
) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """A check for what AWS would refuse in every account: https://docs.aws.amazon.com/STS/latest/APIReference/"""
    allowed = re.compile(pattern, re.ASCII)

    def check(_context: click.Context, option: click.Parameter, value: str | None) -> str | None:
        if value is not None and not allowed.fullmatch(value):
            hint = f"AWS takes what matches {pattern}."
            said = "that" if secret else repr(value)
            raise UsageError(f"{option.opts[0]}: {said} is not {what}", hint=hint)
        return value

    return check


role_name = _matching(r"([\w+=,.@-]+/)*[\w+=,.@-]{1,64}", "the name of a role")
session_name = _matching(r"[\w+=,.@-]{2,64}", "the name of a session")
kms_key = _matching(
    r"(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/)?[\w/-]{1,256}", "the id, alias or ARN of a KMS key"
)
bearer = _matching(BEARER, "the id of an app instance user, or bot/ and that of a bot")
external_id = _matching(r"[\w+=,.@:/-]{2,1224}", "an external id", secret=True)


def patterns(_context: click.Context, option: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Patterns of files.

    Raises:
        UsageError: a pattern is empty.
    """
    if any(not each.strip("./ ") for each in value):
        raise UsageError(
            f"{option.opts[0]}: a pattern is empty", hint="Name files or folders, as vendor or infra/*.json."
        )
    return value


def days(_context: click.Context, option: click.Parameter, value: str) -> int:
    """A number of days such as ``400d``.

    Raises:
        UsageError: the value is not a number of days.
    """
    length = moments.seconds(value, _DAYS)
    if length is None:
        raise UsageError(f"{option.opts[0]}: {value!r} is not a number of days", hint="Write it as 400d.")
    return timedelta(seconds=length).days


def seconds(_context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """A duration such as ``90s``, ``30m`` or ``2h``, in seconds; a number without a unit is seconds.

    Raises:
        UsageError: the value is not a duration.
    """
    if value is None:
        return None
    length = moments.seconds(value, _DURATION)
    if not length:
        raise UsageError(f"{option.opts[0]}: {value!r} is not a duration", hint="Write it as 90s, 30m or 2h.")
    return length
