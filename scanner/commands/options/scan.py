"""The options that say what a scan looks at, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from msgspec import Struct

from scanner.commands.options import completion, values
from scanner.errors import UsageError

ROLE = "chimeaudit"
_MAX_AGE = timedelta(hours=24)
_SCOPE = ("profile", "org", "ou", "accounts", "exclude", "role", "session_name", "regions")
_SHOWN = 3
_OPTIONS = (
    click.option("--demo", is_flag=True, help="Scan the simulated organisation that comes with chimeaudit[demo]."),
    click.option(
        "--profile",
        multiple=True,
        callback=values.listed,
        metavar="NAME",
        shell_complete=completion.profiles,
        help="Use the credentials of this AWS profile.",
    ),
    click.option("--org", is_flag=True, help="Scan every account of the AWS Organization."),
    click.option(
        "--ou",
        multiple=True,
        callback=values.units,
        metavar="ID,...",
        help="With --org: only below these organizational units.",
    ),
    click.option(
        "--accounts",
        multiple=True,
        callback=values.account_ids,
        metavar="ID,...|FILE",
        shell_complete=completion.files,
        help="Scan these accounts.",
    ),
    click.option(
        "--exclude",
        multiple=True,
        callback=values.account_ids,
        metavar="ID,...|FILE",
        shell_complete=completion.files,
        help="Leave these accounts out.",
    ),
    click.option(
        "--role",
        default=ROLE,
        callback=values.role_name,
        metavar="NAME",
        show_default=True,
        help="Role to assume in each account of --org or --accounts.",
    ),
    click.option(
        "--external-id", callback=values.external_id, metavar="ID", help="External id that the role asks for."
    ),
    click.option(
        "--session-name",
        default=ROLE,
        callback=values.session_name,
        metavar="NAME",
        show_default=True,
        help="Name of the role's session, as CloudTrail shows it.",
    ),
    click.option(
        "--regions",
        multiple=True,
        callback=values.listed,
        metavar="REGION,...",
        help="Look only here.  [default: every region where the service exists]",
    ),
    click.option(
        "--max-runtime",
        callback=values.seconds,
        metavar="TIME",
        help="Stop in time (90s, 30m, 2h), report, and say what is left.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(0, 64),
        default=0,
        metavar="N",
        help="Read targets in N processes.  [default: in threads of one]",
    ),
    click.option(
        "--cluster",
        metavar="ADDRESS",
        help="Read targets on the Dask cluster of this scheduler; local starts one here.",
    ),
    click.option(
        "--run-dir",
        type=values.PATH,
        metavar="DIR",
        shell_complete=completion.directories,
        help="Where the journal of the run is kept.",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Go on with the run in --run-dir. Without --run-dir: with the newest unfinished one of the same scope; "
        "where there is none, scan anew.",
    ),
    click.option(
        "--max-age",
        callback=values.seconds,
        metavar="TIME",
        help="With --resume: go on with no run that began longer ago (90m, 12h, 2d).  [default: 24h]",
    ),
    click.option(
        "--from",
        "from_",
        type=values.PATH,
        metavar="DIR",
        shell_complete=completion.directories,
        help="Judge the run in this directory again, without AWS.",
    ),
)
AnyCommand = TypeVar("AnyCommand", bound=Callable[..., Any])


def options(command: AnyCommand) -> AnyCommand:
    """The options that say what to look at, and how."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def named() -> frozenset[str]:
    """Those options of the scope that the command line names."""
    source = click.get_current_context().get_parameter_source
    return frozenset(name for name in _SCOPE if source(name) is ParameterSource.COMMANDLINE)


class Where(Struct, frozen=True, kw_only=True):
    """What the user wants looked at and how, by the names of the options; `named` are those of the scope.

    Of what is not named the defaults hold, or with --resume what the run was begun with.
    """

    demo: bool
    profile: tuple[str, ...]
    org: bool
    ou: tuple[str, ...]
    accounts: tuple[str, ...]
    exclude: tuple[str, ...]
    role: str
    external_id: str | None
    session_name: str
    regions: tuple[str, ...]
    max_runtime: float | None
    workers: int
    cluster: str | None
    run_dir: Path | None
    resume: bool
    max_age: float | None
    from_: Path | None
    named: frozenset[str] = frozenset()

    @property
    def recorded(self) -> dict[str, Any]:
        """What decides what is looked at, for the report; the external id is nobody else's business."""
        return {name: getattr(self, name) for name in ("demo", *_SCOPE, "max_runtime")}

    @property
    def oldest(self) -> timedelta:
        """How long ago a run may have begun that --resume finds."""
        return _MAX_AGE if self.max_age is None else timedelta(seconds=self.max_age)

    def differs_from(self, recorded: Mapping[str, Any]) -> tuple[str, str] | None:
        """How the scope of a run, by its recorded options, was asked for, and how it is now; None where that is one.

        Both name only what differs.
        """
        default = {"role": ROLE, "session_name": ROLE, "org": False}
        theirs = {name: recorded.get(name, default.get(name, ())) for name in _SCOPE}
        ours = {name: getattr(self, name) for name in _SCOPE}
        names = [name for name in _SCOPE if _comparable(theirs[name]) != _comparable(ours[name])]
        return (_words(theirs, names), _words(ours, names)) if names else None

    def check(self) -> None:
        """Refuse what contradicts itself, before anything is done.

        Raises:
            UsageError: it does.
        """
        by_role = {"--org": self.org, "--accounts": self.accounts}
        choosing = {
            **by_role,
            "--ou": self.ou,
            "--exclude": self.exclude,
            "--regions": self.regions,
            "--profile": self.profile,
        }
        clashes: dict[str, tuple[object, dict[str, object]]] = {
            "--from": (
                self.from_,
                {
                    **choosing,
                    "--demo": self.demo,
                    "--resume": self.resume,
                    "--max-age": self.max_age,
                    "--run-dir": self.run_dir,
                    "--workers": self.workers,
                    "--cluster": self.cluster,
                    "--max-runtime": self.max_runtime,
                    "--external-id": self.external_id,
                },
            ),
            "--demo": (self.demo, {"--profile": self.profile, "--cluster": self.cluster not in {None, "local"}}),
            "--workers": (self.workers, {"--cluster": self.cluster}),
            "--org": (self.org, {"--accounts": self.accounts}),
        }
        for option, (given, others) in clashes.items():
            clash = next((name for name, value in others.items() if given and value), None)
            if clash:
                raise UsageError(f"{option} and {clash} contradict each other", hint="Leave one of them out.")
        if self.cluster is not None:
            from scanner.cluster.coordinator import check_address

            check_address(self.cluster)
        if self.max_age is not None and not self.resume:
            raise UsageError("--max-age goes with --resume, which is not given", hint="Add --resume.")
        if self.ou and not self.org and not self.resume:
            raise UsageError("--ou narrows --org, which is not given", hint="Add --org.")
        with_role = {
            "--exclude": self.exclude and not self.demo,
            "--external-id": self.external_id,
            "--role": self.role != ROLE and not self.demo,
            "--session-name": self.session_name != ROLE and not self.demo,
        }
        idle = next((name for name, value in with_role.items() if value), None)
        if idle and not any(by_role.values()) and not self.resume:
            raise UsageError(f"{idle} goes with --org or --accounts, and neither is given", hint="Add one of them.")
        if any(by_role.values()) and len(self.profile) > 1:
            raise UsageError("--org and --accounts take one --profile", hint="Name the one that may assume the role.")


def _comparable(value: object) -> object:
    return frozenset(value) if isinstance(value, tuple) else value


def _words(scope: Mapping[str, Any], names: list[str]) -> str:
    """As one would give these options."""
    return " ".join(_word(f"--{name.replace('_', '-')}", scope[name]) for name in names)


def _word(option: str, value: Any) -> str:
    if isinstance(value, tuple) and value:
        more = f" and {len(value) - _SHOWN} more" if len(value) > _SHOWN else ""
        return f"{option} {','.join(value[:_SHOWN])}{more}"
    if value is True:
        return option
    return f"{option} {value}" if value else f"no {option}"
