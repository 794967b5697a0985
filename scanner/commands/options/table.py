"""The command line as it was given, to be given again: a next step that is printed can be pasted."""

from __future__ import annotations

import shlex
from collections.abc import Container, Iterator
from typing import Any

import click

_SECRET = {"notify", "history"}
"""Options whose values may hold a password or the key of a webhook; what is printed may be logged."""


def options(besides: Container[str]) -> str:
    """The options of the command that runs, besides some by name; each with a space in front."""
    context = click.get_current_context()
    values, _, given = context.command.make_parser(context).parse_args(list(context.obj))
    words = [
        word
        for option in dict.fromkeys(given)
        if isinstance(option, click.Option) and option.name and option.name not in besides
        for word in _words(option, values[option.name])
    ]
    return "".join(f" {word}" for word in words)


def _words(option: click.Option, value: Any) -> Iterator[str]:
    name = option.opts[-1]
    if option.is_flag:
        yield name if value else option.secondary_opts[-1]
        return
    for each in value if option.multiple else (value,):
        yield name
        yield "..." if option.name in _SECRET else shlex.quote(each)
