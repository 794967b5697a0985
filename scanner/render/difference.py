"""Two reports compared, as a table for the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import structs

from scanner.model.report import Finding
from scanner.outcome.compare import Difference
from scanner.render.table import sections


def json(difference: Difference) -> str:
    """The whole difference as JSON; findings look as in the JSON report."""
    return f"{msgspec.json.format(msgspec.json.encode(difference), indent=2).decode()}\n"


def table(difference: Difference, *, width: int, color: bool) -> str:
    """Each group of findings under its name and number; groups that need attention come first."""
    return sections(_groups(difference), difference.account_names or {}, width=width, color=color)


def _groups(difference: Difference) -> Iterator[tuple[str, Sequence[Finding]]]:
    unseen = [structs.replace(each.finding, message=each.reason) for each in difference.no_longer_observed]
    yield "New", difference.new
    yield "No longer observed, so not known to be fixed", unseen
    yield "Still open", difference.still_open
    yield "Fixed", difference.fixed
