"""``--config``, ``--rules``, ``--select``: which rules a command works with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from scanner import config
from scanner.commands.options import completion, values
from scanner.config import Configuration

Command = TypeVar("Command", bound=Callable[..., Any])


def options(command: Command) -> Command:
    """The options; what they give goes to `chosen`."""
    return _with(command, "default")


def options_of_a_list(command: Command) -> Command:
    """The options of a command that shows every rule where none is selected."""
    return _with(command, "every profile")


def _with(command: Command, otherwise: str) -> Command:
    for option in reversed((*_OPTIONS, _select(otherwise))):
        command = option(command)
    return command


def chosen(config_file: Path | None, rules: tuple[str, ...], select: tuple[str, ...]) -> Configuration:
    """What the options and the configuration file say together."""
    return config.load(config.find(config_file), rules=rules, select=select)


_OPTIONS = (
    click.option(
        "--config",
        "config_file",
        type=values.PATH,
        metavar="FILE",
        help=f"Configuration; other options win over it.  [default: {config.FILE} here, or above in the repository]",
    ),
    click.option(
        "--rules",
        multiple=True,
        callback=values.local,
        metavar="PATH",
        shell_complete=completion.files,
        help=f"Rule file or folder to use instead of the shipped ones; '{config.SHIPPED}' names those.",
    ),
)


def _select(otherwise: str) -> Callable[[Command], Command]:
    rules = "Rules to apply: ids; profile:P, narrowed by topic:T, severity:S and framework:F."
    return click.option(
        "--select",
        multiple=True,
        callback=values.listed,
        metavar="WHAT,...",
        shell_complete=completion.selectors,
        help=f"{rules}  [default: {otherwise}]",
    )
