"""Puts values in place of the policy variables in a policy's resources.

Whoever is signed in has some value for each variable that tells who they are. Which value that is does not matter; but
whether two variables have the same value may.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import structs

from scanner.policy.globs import VALUES
from scanner.policy.statements import Policy, Statement

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_NEVER_IN_AN_ID = "$"
_PERSONAL = {
    *("sub", "id", "user_id", "email", "uid", "mail"),
    *("edupersonprincipalname", "edupersontargetedid", "x500uniqueidentifier"),
}
"""The claims that tell one person from another. Others may be alike for many, as of an app, a group or a provider."""


def worlds(policies: Sequence[Policy], role_arn: str) -> Iterator[Mapping[str, str]]:
    """What variables stand for in a session of a role, once for each way in which they may have equal values or not.

    Variables that tell who is signed in stand for a character of VALUES each; of too many, some have no value.
    """
    own = sorted({name for policy in policies for name in _variables(policy) if _tells_who(name)})[: len(VALUES)]
    account = role_arn.split(":")[4]
    fixed = {
        # Special characters, and the user name, which a role has not
        **dict.fromkeys(("*", "?", "$", "aws:username"), _NEVER_IN_AN_ID),
        **dict.fromkeys(("aws:principalaccount", "aws:resourceaccount"), account),
        "aws:principalarn": role_arn,
    }
    for numbers in _partitions(len(own)):
        yield {**fixed, **{name: VALUES[number] for name, number in zip(own, numbers, strict=True)}}


def with_values(policy: Policy, world: Mapping[str, str]) -> Policy:
    """The policy with values in place of variables in its resources; a variable without a value stays."""
    if not policy.variables:
        return policy
    return structs.replace(policy, statements=tuple(_filled(each, world) for each in policy.statements))


def _filled(statement: Statement, world: Mapping[str, str]) -> Statement:
    if statement.resources is None:
        return statement
    filled = (_VARIABLE.sub(lambda it: world.get(_name(it), it[0]), each) for each in statement.resources.values)
    return structs.replace(statement, resources=structs.replace(statement.resources, values=tuple(filled)))


def _variables(policy: Policy) -> Iterator[str]:
    """The names of the variables in a policy's resources, in lower case, since IAM ignores their case."""
    for statement in policy.statements if policy.variables else ():
        for pattern in statement.resources.values if statement.resources else ():
            yield from map(_name, _VARIABLE.finditer(pattern))


def _name(variable: re.Match[str]) -> str:
    return variable[1].strip().lower()


def _tells_who(name: str) -> bool:
    """Whether a variable tells who is signed in: a personal claim of an identity provider, or a tag of the session.

    What callers write themselves does not. `aws:userid` holds the name of the session, which whoever calls
    AssumeRoleWithWebIdentity chooses.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
    """
    key, _, claim = name.rpartition(":")
    if "," in name:  # a default value
        return False
    if key == "aws":
        return claim == "sourceidentity" or claim.startswith("principaltag/")
    return ("." in key or key == "saml") and claim in _PERSONAL


def _partitions(size: int) -> list[tuple[int, ...]]:
    """Each way to divide so many things into groups, as the number of each thing's group."""
    ways: list[tuple[int, ...]] = [()]
    for _ in range(size):
        ways = [(*way, number) for way in ways for number in range(max(way, default=-1) + 2)]
    return ways
