"""The command ``chimeaudit``: runs a subcommand, and turns every error into one line, a hint and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from scanner import __version__
from scanner.commands.options import completion
from scanner.errors import (
    BrokenInstallationError,
    ChimeauditError,
    InterruptedScanError,
    InvalidConfigurationError,
    InvalidRulesError,
    Mistake,
    NothingJudgedError,
    NothingScannedError,
    UsageError,
)
from scanner.model.phrases import nearest_name
from scanner.render.text import visible
from scanner.terminal import Log, LogFormat, drop, encoded, err, inert, is_unread, masked, out, prepare

FAULT = 70

_COMMANDS = {
    "scan": "scanner.commands.scan",
    "doctor": "scanner.commands.doctor",
    "check": "scanner.commands.check",
    "report": "scanner.commands.report",
    "diff": "scanner.commands.diff",
    "history": "scanner.commands.history",
    "rules": "scanner.commands.rules",
    "iam": "scanner.commands.iam",
}

_EXTRA_ARGUMENT = "Got unexpected extra argument"  # as click begins
_JUDGING = {"scan", "check", "report", "diff"}
_HELP = ("-h", "--help")
_ENDS_A_STEP = (UsageError.exit_code, NothingScannedError.exit_code, FAULT)


class _Commands(click.Group):
    """A group that imports a subcommand only when it is used, so that the others start quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(_COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)  # noqa: S101 - for the type checker
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Complete the names of commands without importing them."""
        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name) for name in _COMMANDS if name.startswith(incomplete)]

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args[0] not in _COMMANDS and not ctx.resilient_parsing:
            near = nearest_name(args[0], _COMMANDS)
            ctx.fail(f"there is no command {args[0]!r}{f'; did you mean {near}?' if near else ''}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": list(_HELP)})
@click.version_option(__version__, prog_name="chimeaudit")
def chimeaudit() -> None:
    """Audit Amazon Chime SDK channel flows: what happens to messages when moderation fails?"""


def main() -> NoReturn:
    """Run the command line and exit."""
    prepare()
    code = run(sys.argv[1:])
    error = drop(sys.stdout)
    if error and not is_unread(error):
        code = _print_error(f"standard output: {error.strerror}", "Make room, or send it elsewhere.", FAULT)
    drop(sys.stderr)
    if threading.active_count() > 1:
        # These threads may wait for AWS until the read timeout. Nobody who pressed Ctrl-C should have to.
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line and return the exit code. An error is printed on standard error, with a hint."""
    try:
        if instruction := os.environ.get(completion.VARIABLE):
            out(encoded(completion.answer(chimeaudit, instruction)))
            return 0
        code = chimeaudit.main(arguments, prog_name="chimeaudit", standalone_mode=False, obj=arguments[1:])
    except click.exceptions.NoArgsIsHelpError as error:
        err(f"{error.ctx.get_help()}\n")
        return error.exit_code
    except (KeyboardInterrupt, SystemExit, Exception) as error:  # noqa: BLE001 - a fault must not look like findings (1)
        if isinstance(error, SystemExit) or is_unread(error):
            # The reader has gone, and click exits, too. A list was complete enough; a judgement was not.
            return FAULT if set(arguments[:1]) & _JUDGING and not set(_HELP) & set(arguments) else 0
        if isinstance(error, click.UsageError) and error.ctx is None and arguments[0] in _COMMANDS:
            error.ctx = click.Context(click.Command(arguments[0]), info_name=f"chimeaudit {arguments[0]}")
        message, hint, code, is_fault = _explained(error)
        if code == UsageError.exit_code:
            message, hint = masked(message, arguments), masked(hint, arguments)
        if is_fault and {"-v", "--verbose"} & set(arguments):
            traceback.print_exc()
        if code in _ENDS_A_STEP and "--no-github" not in arguments:
            from scanner.commands.github import annotate

            annotate(f"{message}\n{hint}", _unreported(error))
        return _print_error(message, hint, code, as_json=_wants_json(arguments))
    return int(code or 0)


def _explained(error: BaseException) -> tuple[str, str, int, bool]:
    """The message, the hint, the exit code, and whether the error is a fault whose details help."""
    match error:
        case click.Abort() | KeyboardInterrupt():
            return "interrupted", "Nothing was begun that could be resumed.", InterruptedScanError.exit_code, False
        case click.UsageError(message=message) if message.startswith(_EXTRA_ARGUMENT):
            hint = f"An option takes one value; repeat it for more. {_usage_hint(error)}"
            return "unexpected extra argument, not repeated here: it may hold a secret", hint, error.exit_code, False
        case click.ClickException():
            return error.format_message(), _usage_hint(error), error.exit_code, False
        case ChimeauditError():
            return error.message, error.hint, error.exit_code, False
        case OSError():
            what = f"{error.filename}: {error.strerror}" if error.filename else f"{error.strerror or error}"
            return what, "Make room or mend what it names; -v prints details.", FAULT, True
        case ImportError():
            broken = BrokenInstallationError(f"{type(error).__name__}: {error}")
            return broken.message, broken.hint, FAULT, True
        case MemoryError() | RuntimeError() if missing := _missing(error):
            return *missing, FAULT, False
        case _:
            hint = "This is a fault of chimeaudit; please report it, with what -v prints."
            return f"{type(error).__name__}: {error}", hint, FAULT, True


def _unreported(error: BaseException) -> Sequence[Mistake]:
    """The mistakes of an error that ended a command before there was a report."""
    kinds = InvalidRulesError, InvalidConfigurationError, NothingJudgedError
    return error.mistakes if isinstance(error, kinds) else ()


def _missing(error: Exception) -> tuple[str, str] | None:
    """What this machine lacks, and the hint."""
    if isinstance(error, MemoryError):
        return "there is not enough memory", "Free some, or give it less to read."
    if "start new thread" in str(error):
        return "no thread can be started", "Raise the limit on processes: ulimit -u, or that of the container."
    return None


def _usage_hint(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption) and error.ctx and not error.ctx.parent:
        return "Options follow their command, such as scan or check; see chimeaudit scan --help."
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "chimeaudit"
    return f"See {path} --help."


def _wants_json(arguments: list[str]) -> bool:
    """Whether messages are JSON. It is read from the arguments, because their options may be invalid."""
    return "--log-format=json" in arguments or ("--log-format", "json") in pairwise(arguments)


def _print_error(message: str, hint: str, code: int, *, as_json: bool = False) -> int:
    if as_json:
        Log(form=LogFormat.JSON).tell("error", message, hint=hint, exit_code=code)
        return code
    for line in (*f"error: {message}".split("\n"), f"hint: {hint}"):
        err(f"{inert(visible(line))}\n")
    return code
