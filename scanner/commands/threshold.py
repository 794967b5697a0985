"""``--fail-on``: the mildest severity that a pipeline stops at."""

from __future__ import annotations

import click
from click.core import ParameterSource

from scanner.model.report import Severity

_NONE = "none"

option = click.option(
    "--fail-on",
    type=click.Choice([*(severity.value for severity in Severity), _NONE]),
    default=Severity.HIGH.value,
    show_default=True,
    help="Mildest severity that gives exit code 1.",
)


def unsaid() -> bool:
    """Whether the command that runs was not told."""
    return click.get_current_context().get_parameter_source("fail_on") is ParameterSource.DEFAULT


def severity(given: str) -> Severity | None:
    """None where no finding is to fail."""
    return None if given == _NONE else Severity(given)
