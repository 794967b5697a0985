"""How options are declared: a field of a struct holds an option's flags and help, and all that follows from it.

From the declarations follow what a command is given, its help in groups, what reports record, which options contradict
or need each other, and the command line to go on with. A command takes its options as one struct:

    @click.command(cls=GroupedCommand)
    @takes(ScanOptions)
    def command(options: ScanOptions) -> int: ...
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from functools import wraps
from typing import Any, Self

import click
from click.core import ParameterSource

from scanner.errors import UsageError

_DECLARATION = "declaration"
_WORDS = "scanner.words"
_LEAVE_OUT = "Leave one of them out."


class Group(Enum):
    """The groups in which `scan --help` lists its options, in their order."""

    SCOPE = "What to look at"
    JUDGING = "What to judge by"
    RESULTS = "Where results go"
    STOPPING = "When to stop"
    RUNNING = "How it runs"


class Repeat(Enum):
    """When an option is repeated in a command line that goes on with a run."""

    NEVER = "the run has it"
    READING = "where reading goes on, with --resume"
    ALWAYS = "also where the run is judged again, with --from"


@dataclass(frozen=True, kw_only=True)
class Needs:
    """An option has no meaning without one of others (`one_of`), unless one of `unless` is given."""

    one_of: tuple[str, ...]
    unless: tuple[str, ...] = ()
    verb: str = "goes with"


@dataclass(frozen=True, kw_only=True)
class OptionDeclaration:
    """What is declared of an option besides its type. Other options are named by their fields.

    `recorded`: reports contain its value. `secret`: its value is never printed. `excludes`: options that it
    contradicts, each with the hint of the error. `clicks`: further arguments of `click.option`.
    """

    flags: tuple[str, ...]
    group: Group
    repeat: Repeat
    recorded: bool
    secret: bool
    excludes: Mapping[str, str]
    needs: Needs | None
    clicks: Mapping[str, Any]

    @property
    def flag(self) -> str:
        """The long flag, which names the option in messages."""
        return self.flags[-1].partition("/")[0]

    @property
    def judges(self) -> bool:
        """Whether the option is about judging and reporting a run, not about what the run looks at."""
        return self.repeat is Repeat.ALWAYS

    @property
    def unset(self) -> Any:
        """The value of the option if it is not given."""
        if self.clicks.get("multiple"):
            return ()
        return self.clicks.get("default", False if self.clicks.get("is_flag") else None)


def option(
    *flags: str,
    group: Group = Group.RUNNING,
    repeat: Repeat = Repeat.ALWAYS,
    recorded: bool = False,
    secret: bool = False,
    excludes: Mapping[str, str] | None = None,
    needs: Needs | None = None,
    **clicks: Any,
) -> Any:
    """Declare a field of an options struct as an option. A short flag stands first; `clicks` goes to `click.option`."""
    declaration = OptionDeclaration(
        flags=flags,
        group=group,
        repeat=repeat,
        recorded=recorded,
        secret=secret,
        excludes=excludes or {},
        needs=needs,
        clicks=clicks,
    )
    return field(default=declaration.unset, metadata={_DECLARATION: declaration})


def either(*others: str) -> Mapping[str, str]:
    """Options that contradict another one, where either of the two may be left out."""
    return dict.fromkeys(others, _LEAVE_OUT)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a command. `given` has those that the command line names, each as one would write it again."""

    given: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def declared(cls) -> Mapping[str, OptionDeclaration]:
        """The declarations of the options by their fields."""
        return {each.name: each.metadata[_DECLARATION] for each in fields(cls) if _DECLARATION in each.metadata}

    @property
    def recorded(self) -> dict[str, Any]:
        """The options that reports contain: first what is looked at, then how it is judged."""
        recorded = {name: declared for name, declared in self.declared().items() if declared.recorded}
        return {name: getattr(self, name) for name in sorted(recorded, key=lambda name: recorded[name].judges)}

    @property
    def judging(self) -> dict[str, Any]:
        """The recorded options that say how a run is judged. They may differ each time a run is judged."""
        declared = self.declared()
        return {name: value for name, value in self.recorded.items() if declared[name].judges}

    def repeated(self, *when: Repeat) -> str:
        """The given options to be repeated in these cases, each with a space in front."""
        declared = self.declared()
        return "".join(f" {words}" for name, words in self.given.items() if declared[name].repeat in when)

    def check(self) -> Self:
        """Refuse options that contradict each other, or that have no meaning without others.

        Raises:
            UsageError: there are such options.
        """
        declared = self.declared()
        used = {name: own for name, own in declared.items() if self._is_used(name, own)}
        for own in used.values():
            clash = next((other for other in own.excludes if other in used), None)
            if clash:
                message = f"{own.flag} and {declared[clash].flag} contradict each other"
                raise UsageError(message, hint=own.excludes[clash])
        for own in used.values():
            if own.needs and not any(other in used for other in (*own.needs.one_of, *own.needs.unless)):
                raise _lacking(own.flag, own.needs.verb, [declared[other].flag for other in own.needs.one_of])
        return self

    def _is_used(self, name: str, declared: OptionDeclaration) -> bool:
        value = getattr(self, name)
        return bool(value) and value != declared.unset


def _lacking(flag: str, verb: str, others: list[str]) -> UsageError:
    if len(others) == 1:
        return UsageError(f"{flag} {verb} {others[0]}, which is not given", hint=f"Add {others[0]}.")
    return UsageError(f"{flag} {verb} {' or '.join(others)}, and neither is given", hint="Add one of them.")


def takes(kind: type[Options]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command these options as its first argument. Its other parameters come by name, from click."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def gathered(context: click.Context, /, **values: Any) -> Any:
            own = {name: values.pop(name) for name in kind.declared()}
            return command(kind(**own, given=_given(context, kind)).check(), **values)

        taken: Callable[..., Any] = click.pass_context(gathered)
        for name, declared in reversed(list(kind.declared().items())):
            taken = click.option(*declared.flags, name, cls=_Option, declared=declared, **declared.clicks)(taken)
        return taken

    return decorate


def _given(context: click.Context, kind: type[Options]) -> dict[str, str]:
    words: Mapping[str, str] = context.meta.get(_WORDS, {})
    source = context.get_parameter_source
    named = [name for name in kind.declared() if source(name) is ParameterSource.COMMANDLINE]
    return {name: words.get(name, "") for name in sorted(named, key=list(words).index if words else None)}


class _Option(click.Option):
    def __init__(self, *args: Any, declared: OptionDeclaration, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.declared = declared


class GroupedCommand(click.Command):
    """A command that lists its options in groups, and keeps the command line as it was written."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        values, _, order = self.make_parser(ctx).parse_args(list(args))
        ctx.meta[_WORDS] = {
            each.name: " ".join(_words(each, values[each.name]))
            for each in dict.fromkeys(order)
            if isinstance(each, _Option) and each.name
        }
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for group in Group:
            shown = (each.get_help_record(ctx) for each in self.get_params(ctx) if _group(each) is group)
            rows = [row for row in shown if row]
            if rows:
                with formatter.section(group.value):
                    formatter.write_dl(rows)


def _group(parameter: click.Parameter) -> Group:
    return parameter.declared.group if isinstance(parameter, _Option) else Group.RUNNING


def _words(option: _Option, value: Any) -> Iterator[str]:
    name = option.opts[-1]
    if option.is_flag:
        yield name if value else option.secondary_opts[-1]
        return
    for each in value if option.multiple else (value,):
        yield name
        yield "..." if option.declared.secret else shlex.quote(each)
