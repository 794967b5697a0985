"""Judges a condition of a policy statement in the context of a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping

from msgspec import UNSET, structs

from scanner.model.logic import Truth, agreed, any_of, negate
from scanner.policy.globs import FRESH, iam_glob, matches
from scanner.policy.statements import Clause

Context = Mapping[str, tuple[str | None, ...]]
"""Condition key -> the values that it may have; None means that it is not sent. Nothing is known of an absent key."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_OPERATOR = re.compile(r"(?:(forallvalues|foranyvalue):)?(.+?)(ifexists)?")


def holds(clause: Clause, context: Context, *, variables: bool) -> Truth:
    """Whether a condition holds: one of its values must match or, with a negated operator, none.

    `variables` tells whether ${...} in a value is a policy variable. Only the context may tell what its value is.
    """
    if clause.key not in context:
        return UNSET
    if variables:
        clause = structs.replace(clause, values=tuple(_filled(value, context) for value in clause.values))
    return agreed(_holds(clause, value, variables=variables) for value in context[clause.key])


def _filled(wanted: str, context: Context) -> str:
    """What a condition wants, with the values of those variables that have one for sure."""

    def value(variable: re.Match[str]) -> str:
        known = context.get(variable[1].strip().lower(), ())
        return known[0] if len(known) == 1 and known[0] and FRESH not in known[0] else variable[0]

    return _VARIABLE.sub(value, wanted) if "${" in wanted else wanted


def _holds(clause: Clause, value: str | None, *, variables: bool) -> Truth:
    parsed = _OPERATOR.fullmatch(clause.operator)
    quantifier, operator, if_exists = parsed.groups() if parsed else (None, "", None)
    if operator == "null":
        return UNSET if quantifier or if_exists else _is_null(clause.values, value)
    test, negated = _TESTS.get(operator, (None, False))
    if test is None:
        return UNSET
    if value is None:
        return _without_key(quantifier, negated=negated, if_exists=if_exists is not None)
    found = any_of(UNSET if variables and "${" in wanted else test(wanted, value) for wanted in clause.values)
    return negate(found) if negated else found


def _is_null(values: tuple[str, ...], value: str | None) -> Truth:
    wanted = {"true": True, "false": False}.get(values[0].lower()) if len(values) == 1 else None
    return UNSET if wanted is None else wanted is (value is None)


def _without_key(quantifier: str | None, *, negated: bool, if_exists: bool) -> Truth:
    """Whether a condition holds where its key is not sent.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    match quantifier:
        case "forallvalues":
            return True
        case "foranyvalue":
            return UNSET if if_exists else False
        case _:
            return negated or if_exists


def _equals(wanted: str, value: str) -> Truth:
    return wanted == value


def _equals_ignoring_case(wanted: str, value: str) -> Truth:
    return wanted.lower() == value.lower()


def _is_like(wanted: str, value: str) -> Truth:
    return matches(iam_glob(wanted), value)


def _is_like_arn(wanted: str, value: str) -> Truth:
    """Whether an ARN matches a pattern, component by component; ArnEquals and ArnLike do the same.

    A pattern with fewer than six components, such as `*`, is outside the grammar. It is unknown whether it matches,
    unless it does not match as plain text either.
    """
    parts, values = wanted.split(":", 5), value.split(":", 5)
    if len(parts) == len(values) == 6:
        return all(matches(iam_glob(part), of) for part, of in zip(parts, values, strict=True))
    return UNSET if matches(iam_glob(wanted), value) else False


def _is_address_in(wanted: str, value: str) -> Truth:
    """Whether a network holds a stranger's address; only the whole internet surely does. Other addresses: unknown."""
    if value != FRESH:
        return UNSET
    try:
        network = ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return UNSET
    if network.prefixlen == 0 and network.version == 4:
        return True
    # A few huge networks together can be the whole internet.
    return UNSET if network.prefixlen < 8 else False


_TESTS: dict[str, tuple[Callable[[str, str], Truth], bool]] = {
    "stringequals": (_equals, False),
    "stringnotequals": (_equals, True),
    "stringequalsignorecase": (_equals_ignoring_case, False),
    "stringnotequalsignorecase": (_equals_ignoring_case, True),
    "stringlike": (_is_like, False),
    "stringnotlike": (_is_like, True),
    "arnequals": (_is_like_arn, False),
    "arnnotequals": (_is_like_arn, True),
    "arnlike": (_is_like_arn, False),
    "arnnotlike": (_is_like_arn, True),
    "bool": (_equals_ignoring_case, False),
    "ipaddress": (_is_address_in, False),
    "notipaddress": (_is_address_in, True),
}


def is_negative(operator: str) -> bool:
    """Whether an operator excludes its values, so that they admit nobody."""
    return "not" in operator or operator == "null"
