"""The command ``chimeaudit``: finds the subcommand, and turns every way of ending into one line and an exit code."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
import threading
import traceback
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn, TextIO

import click

from scanner import __version__
from scanner.errors import ChimeauditError, InterruptedScanError
from scanner.render.text import visible

FAULT = 70

_COMMANDS = {
    "scan": "scanner.commands.scan",
    "check": "scanner.commands.check",
    "report": "scanner.commands.report",
    "diff": "scanner.commands.diff",
    "history": "scanner.commands.history",
    "rules": "scanner.commands.rules",
    "iam": "scanner.commands.iam",
}


class _Commands(click.Group):
    """Imports a subcommand only when it is asked for, so that the others stay quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(_COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)  # noqa: S101 - for the type checker
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args[0] not in _COMMANDS:
            near = difflib.get_close_matches(args[0], _COMMANDS, 1)
            ctx.fail(f"there is no command {args[0]!r}{f'; did you mean {near[0]}?' if near else ''}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="chimeaudit")
def chimeaudit() -> None:
    """Audit Amazon Chime SDK channel flows: what happens to messages when moderation fails?"""


def main() -> NoReturn:
    """Run the command line and exit."""
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends
    code = run(sys.argv[1:]) if sys.stdout else _told("standard output is closed", "Send it somewhere.", FAULT)
    error = _flush(sys.stdout)
    if error and not isinstance(error, BrokenPipeError):
        code = _told(f"standard output: {error.strerror}", "Make room, or send it elsewhere.", FAULT)
    _flush(sys.stderr)
    if threading.active_count() > 1:
        # They may still wait for AWS, up to the read timeout; who pressed Ctrl-C or gave --max-runtime should not.
        os._exit(code)
    sys.exit(code)


def _flush(stream: TextIO | None) -> OSError | None:
    """Write what is left, or drop it: at its end Python would try again, and have an exit code of its own for it."""
    if stream is None:
        return None
    try:
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return error
    return None


def run(arguments: list[str]) -> int:
    """Run the command line; returns the exit code. Errors are told on stderr, each in a line and a hint."""
    verbose = {"-v", "--verbose"} & set(arguments)
    _tell = partial(_told, as_json=_wants_json(arguments))
    try:
        code = chimeaudit.main(arguments, prog_name="chimeaudit", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help(), err=True)
        return error.exit_code
    except click.ClickException as error:
        return _tell(error.format_message(), _usage_hint(error), error.exit_code)
    except ChimeauditError as error:
        return _tell(error.message, error.hint, error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _tell("interrupted", "Nothing was begun that could be resumed.", InterruptedScanError.exit_code)
    except (BrokenPipeError, SystemExit):
        return FAULT  # click, too, leaves when nobody reads on; its 1 would mean findings
    except OSError as error:
        if verbose:
            traceback.print_exc()
        where = f"{error.filename}: " if error.filename else ""
        return _tell(f"{where}{error.strerror or error}", "Make room or mend what it names; -v prints details.", FAULT)
    except Exception as error:  # noqa: BLE001 - the last fence: a fault of ours must not look like findings (1)
        if verbose:
            traceback.print_exc()
        hint = "This is a fault of chimeaudit; please report it, with what -v prints."
        return _tell(f"{type(error).__name__}: {error}", hint, FAULT)
    return int(code or 0)


def _usage_hint(error: click.ClickException) -> str:
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "chimeaudit"
    return f"See {path} --help."


def _wants_json(arguments: list[str]) -> bool:
    """Of whatever subcommand, and also where its options could not be read."""
    return "--log-format=json" in arguments or ("--log-format", "json") in pairwise(arguments)


def _told(message: str, hint: str, code: int, *, as_json: bool = False) -> int:
    from scanner.commands.github import inert

    with suppress(OSError):  # where it cannot be said, the code alone must
        if as_json:
            from scanner.commands.log import Log, LogFormat

            Log(form=LogFormat.JSON).tell("error", message, hint=hint, exit_code=code)
            return code
        for line in (*f"error: {message}".split("\n"), f"hint: {hint}"):
            click.echo(inert(visible(line)), err=True)
    return code
