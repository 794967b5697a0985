"""The options that say what a scan looks at, and how."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from msgspec import Struct

from scanner.commands import completion, values
from scanner.errors import UsageError

ROLE = "chimeaudit"
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
    click.option("--resume", is_flag=True, help="Go on with the run in --run-dir, or with the newest unfinished one."),
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


class Where(Struct, frozen=True, kw_only=True):
    """What the user wants looked at and how, by the names of the options."""

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
    from_: Path | None

    @property
    def recorded(self) -> dict[str, Any]:
        """What decides what is looked at, for the report; the external id is nobody else's business."""
        names = (
            "demo",
            "profile",
            "org",
            "ou",
            "accounts",
            "exclude",
            "role",
            "session_name",
            "regions",
            "max_runtime",
        )
        return {name: getattr(self, name) for name in names}

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
                    "--run-dir": self.run_dir,
                    "--workers": self.workers,
                    "--cluster": self.cluster,
                    "--max-runtime": self.max_runtime,
                    "--external-id": self.external_id,
                },
            ),
            "--resume": (self.resume, dict(choosing)),
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
        if self.ou and not self.org:
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
