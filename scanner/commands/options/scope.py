"""The options that say what is looked at in AWS. ``scan`` and ``doctor`` have them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import click

from scanner.commands.options import completion, values
from scanner.commands.options.declaring import Group, Needs, Options, Repeat, either, option
from scanner.errors import UsageError

ROLE = "chimeaudit"
_BY_ROLE = ("org", "accounts")


@dataclass(frozen=True, kw_only=True)
class ScopeOptions(Options):
    """The accounts and regions to look at, the credentials for them, and how channels are listed."""

    demo: bool = option(
        "--demo",
        group=Group.SCOPE,
        repeat=Repeat.READING,
        recorded=True,
        excludes={**either("profile"), "securityhub": "Its findings are invented."},
        is_flag=True,
        help="Scan the simulated organisation that comes with chimeaudit[demo].",
    )
    profile: tuple[str, ...] = option(
        "--profile",
        group=Group.SCOPE,
        repeat=Repeat.NEVER,
        recorded=True,
        multiple=True,
        callback=values.listed,
        metavar="NAME",
        shell_complete=completion.profiles,
        help="Use the credentials of this AWS profile.",
    )
    org: bool = option(
        "--org",
        group=Group.SCOPE,
        repeat=Repeat.NEVER,
        recorded=True,
        excludes=either("accounts"),
        is_flag=True,
        help="Scan every account of the AWS Organization.",
    )
    ou: tuple[str, ...] = option(
        "--ou",
        group=Group.SCOPE,
        repeat=Repeat.NEVER,
        recorded=True,
        needs=Needs(one_of=("org",), unless=("resume",), verb="narrows"),
        multiple=True,
        callback=values.units,
        metavar="ID,...",
        help="With --org: only below these organizational units.",
    )
    accounts: tuple[str, ...] = option(
        "--accounts",
        group=Group.SCOPE,
        repeat=Repeat.NEVER,
        recorded=True,
        multiple=True,
        callback=values.account_ids,
        metavar="ID,...|FILE",
        shell_complete=completion.files,
        help="Scan these accounts.",
    )
    exclude: tuple[str, ...] = option(
        "--exclude",
        group=Group.SCOPE,
        repeat=Repeat.NEVER,
        recorded=True,
        needs=Needs(one_of=_BY_ROLE, unless=("demo", "resume")),
        multiple=True,
        callback=values.account_ids,
        metavar="ID,...|FILE",
        shell_complete=completion.files,
        help="Leave these accounts out.",
    )
    role: str = option(
        "--role",
        group=Group.SCOPE,
        repeat=Repeat.NEVER,
        recorded=True,
        needs=Needs(one_of=_BY_ROLE, unless=("demo", "resume")),
        default=ROLE,
        callback=values.role_name,
        metavar="NAME",
        show_default=True,
        help="Role to assume in each account of --org or --accounts.",
    )
    external_id: str | None = option(
        "--external-id",
        group=Group.SCOPE,
        repeat=Repeat.NEVER,
        needs=Needs(one_of=_BY_ROLE, unless=("resume",)),
        callback=values.external_id,
        metavar="ID",
        help="External id that the role asks for.",
    )
    session_name: str = option(
        "--session-name",
        group=Group.SCOPE,
        repeat=Repeat.NEVER,
        recorded=True,
        needs=Needs(one_of=_BY_ROLE, unless=("demo", "resume")),
        default=ROLE,
        callback=values.session_name,
        metavar="NAME",
        show_default=True,
        help="Name of the role's session, as CloudTrail shows it.",
    )
    regions: tuple[str, ...] = option(
        "--region",
        "--regions",
        group=Group.SCOPE,
        repeat=Repeat.NEVER,
        recorded=True,
        multiple=True,
        callback=values.listed,
        metavar="REGION,...",
        help="Look only here.  [default: every region where the service exists]",
    )
    channel_bearer: str | None = option(
        "--channel-bearer",
        group=Group.SCOPE,
        repeat=Repeat.READING,
        recorded=True,
        callback=values.bearer,
        metavar="USER_ID",
        help="For the profile channels: list channels as this app instance admin.  [default: as any admin]",
    )
    channel_rate: float = option(
        "--channel-rate",
        group=Group.SCOPE,
        repeat=Repeat.READING,
        recorded=True,
        type=click.FloatRange(0, 100, min_open=True),
        default=2.0,
        metavar="N",
        show_default=True,
        help="For the profile channels: at most so many calls a second as one admin, whose quota they use up.",
    )
    max_channels: int = option(
        "--max-channels",
        group=Group.SCOPE,
        repeat=Repeat.READING,
        recorded=True,
        type=click.IntRange(1),
        default=100_000,
        metavar="N",
        show_default=True,
        help="For the profile channels: list at most about so many channels of an app instance.",
    )

    def check(self) -> Self:
        super().check()
        if (self.org or self.accounts) and len(self.profile) > 1:
            raise UsageError("--org and --accounts take one --profile", hint="Name the one that may assume the role.")
        return self
