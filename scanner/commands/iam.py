"""``chimeaudit iam policy|role``: the permissions that a scan needs, and no more."""

from __future__ import annotations

import json

import click

from scanner.commands import access_policy
from scanner.commands.options import values
from scanner.commands.options.declaring import takes
from scanner.commands.options.scope import ROLE
from scanner.commands.options.shared import RuleOptions
from scanner.errors import UsageError
from scanner.language.rule import facets
from scanner.terminal import encoded, out


@click.group("iam")
def command() -> None:
    """Print the permissions that a scan needs, and no more."""


@command.command("policy")
@takes(RuleOptions)
@click.option("--org", is_flag=True, help="Instead, what the account needs that a scan with --org starts from.")
@click.option(
    "--role",
    default=ROLE,
    callback=values.role_name,
    metavar="NAME",
    show_default=True,
    help="With --org: the role assumed in each account.",
)
def policy(options: RuleOptions, *, org: bool, role: str) -> None:
    """Print the IAM policy for scanning one account with the chosen rules."""
    if role != ROLE and not org:
        raise UsageError("--role goes with --org, which is not given", hint="Add --org, or see chimeaudit iam role.")
    configured = options.configuration()
    read, bearer = facets(configured.rules), configured.bearer
    _print(access_policy.starting(read, bearer, role) if org else access_policy.reading(read, bearer))


@command.command("role")
@takes(RuleOptions)
@click.option(
    "--role", default=ROLE, callback=values.role_name, metavar="NAME", show_default=True, help="Name of the role."
)
def role(options: RuleOptions, role: str) -> None:
    """Print a CloudFormation template of the audit role, for a stack or a StackSet.

    Its parameters are AuditorArn, who may assume the role, and ExternalId, which a scan names with --external-id.
    """
    configured = options.configuration()
    _print(access_policy.role(facets(configured.rules), configured.bearer, role))


def _print(document: object) -> None:
    out(encoded(f"{json.dumps(document, indent=2)}\n"))
