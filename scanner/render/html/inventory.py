"""The page's inventory: how much was seen, and the first items of it, packed for the page's script."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

import msgspec
from markupsafe import Markup
from msgspec import Struct, UnsetType

from scanner.model.report import InventoryItem, Report, ResourceType
from scanner.render.html.island import zipped
from scanner.render.pipeline import StepOutcome, outcomes

ITEMS = 50_000
ITEMS_A_PIECE = 1_000

Value = TypeVar("Value", bound=Hashable)


@dataclass(frozen=True, kw_only=True, slots=True)
class InventoryView:
    """How many resources were seen, how many of them the page lists, and whether more may be there."""

    total: int
    listed: int
    is_whole: bool
    island: Iterable[str]


def inventory(report: Report) -> InventoryView | None:
    """The inventory as the page shows it; None if the report has none."""
    if isinstance(report.inventory, UnsetType):
        return None
    return InventoryView(
        total=len(report.inventory),
        listed=min(len(report.inventory), ITEMS),
        is_whole=not report.coverage.gaps,
        island=map(Markup, zipped(_json(report, report.inventory))),
    )


class _PackedStep(Struct, frozen=True, array_like=True, gc=False):
    """A processor; `outcome` is the place of what happens if it fails."""

    name: str | None
    execution_order: int | None
    fallback_action: str | None
    lambda_arn: str | None
    outcome: int


class _PackedItem(Struct, frozen=True, array_like=True, gc=False):
    """An item; `verdicts` is the place of its verdicts among the different ones. `location` is text, or null."""

    type: ResourceType
    arn: str | None
    name: str | None
    account_id: str
    region: str
    app_instance_arn: str | None
    verdicts: int
    processors: tuple[_PackedStep, ...] | None
    location: str | None


class _Places(Generic[Value]):
    """The place of each distinct value, in order of their first use."""

    def __init__(self) -> None:
        self.of: dict[Value, int] = {}

    def place(self, value: Value) -> int:
        return self.of.setdefault(value, len(self.of))


def _json(report: Report, items: Collection[InventoryItem]) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode
    verdicts: _Places[tuple[tuple[str, str], ...]] = _Places()
    ends: _Places[tuple[StepOutcome, str]] = _Places()
    head = {"account_names": report.scope.names, "rules": {rule.id: rule.title for rule in report.rules}}
    yield encode(head)[:-1] + b',"items":['
    separator = b""
    packed = (_packed(item, verdicts, ends) for item in islice(items, ITEMS))
    while several := list(islice(packed, ITEMS_A_PIECE)):
        yield separator + encode(several)[1:-1]
        separator = b","
    yield b'],"verdicts":' + encode([dict(each) for each in verdicts.of]) + b',"outcomes":' + encode([*ends.of]) + b"}"


def _packed(
    item: InventoryItem, verdicts: _Places[tuple[tuple[str, str], ...]], ends: _Places[tuple[StepOutcome, str]]
) -> _PackedItem:
    steps = item.processors
    location = None if isinstance(item.location, UnsetType) else item.location
    return _PackedItem(
        item.type,
        item.arn,
        item.name,
        item.account_id,
        item.region,
        item.app_instance_arn,
        verdicts.place(tuple(item.verdicts.items())),
        None
        if steps is None
        else tuple(
            _PackedStep(step.name, step.execution_order, step.fallback_action, step.lambda_arn, ends.place(end))
            for step, end in zip(steps, outcomes(steps), strict=True)
        ),
        f"{location.file}:{location.line}:{location.column}" if location else None,
    )
