"""Notes every resource that is judged, with the verdict of every rule on it, for the inventory of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Final

from msgspec import UNSET, UnsetType

from scanner.judge.evaluate import described, located
from scanner.language import vocabulary
from scanner.language.rule import Rule
from scanner.model.facts import ChannelFlow
from scanner.model.report import InventoryItem, Status, Verdict
from scanner.store.spool import Spool

_VERDICTS: Final[Mapping[Status, Verdict]] = {
    Status.FAIL: "failed",
    Status.UNKNOWN: "unknown",
    Status.WAIVED: "waived",
}


class Inventory:
    """Notes resources in any order; `keep` adds those that were noted to `items`, in the order of the report."""

    def __init__(self, rules: Sequence[Rule], items: Spool[InventoryItem]) -> None:
        self.items = items
        by_id = sorted((rule.info.id, rule.info.resource) for rule in rules)
        self._passed: dict[str, dict[str, Verdict]] = {
            kind: {id_: "passed" for id_, resource in by_id if resource == kind} for kind in vocabulary.ROOTS
        }
        self._noted: list[tuple[str, InventoryItem]] = []

    def note(
        self,
        resource: vocabulary.Resource,
        not_applicable: Iterable[str],
        verdicts: Mapping[str, Status],
        left_out: Iterable[str],
    ) -> None:
        """Note a resource with the verdicts of the rules that did not pass; those of `left_out` were not applied."""
        shown, location = described(resource), located(resource, "")
        came_to = self._passed[shown.type].copy()
        for id_ in not_applicable:
            came_to[id_] = "not_applicable"
        for id_, status in verdicts.items():
            came_to[id_] = _VERDICTS[status]
        for id_ in left_out:
            del came_to[id_]
        is_seen = not isinstance(resource, ChannelFlow) or not isinstance(resource.processors, UnsetType)
        item = InventoryItem(
            type=shown.type,
            arn=shown.arn,
            name=shown.name,
            account_id=shown.account_id,
            region=shown.region,
            app_instance_arn=shown.app_instance_arn,
            processors=shown.processors if is_seen else None,
            verdicts=came_to,
            location=UNSET if location is None else location,
        )
        place = "" if isinstance(resource, vocabulary.AppInstance) else vocabulary.key(resource)
        self._noted.append((place, item))

    def keep(self) -> None:
        """Keep what was noted of an app instance: first itself, then its channel flows by ARN.

        Raises:
            OutputError: there is no room on disk.
        """
        self._noted.sort(key=itemgetter(0))
        self.items.extend(item for _, item in self._noted)
        self._noted.clear()
