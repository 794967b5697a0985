"""What ``doctor`` finds out: who calls, what can be entered, which calls are allowed, how long a scan takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

from msgspec import Struct, structs

from scanner.model.facts import Gap
from scanner.model.report import Scope


class Verdict(StrEnum):
    """What came of trying a call."""

    ALLOWED = "allowed"
    DENIED = "denied"
    FAILED = "failed"
    WAIVED = "waived"
    NOT_TRIED = "not_tried"


class Call(Struct, frozen=True, kw_only=True):
    """A call that a scan makes, by its IAM action. `reason` says why it was denied, failed or was not tried.

    `made_up`: it was tried on a name that does not exist, for want of a real one. `resource_arn`: it was tried on a
    function in another account or region.
    """

    action: str
    verdict: Verdict
    reason: str = ""
    made_up: bool = False
    resource_arn: str | None = None

    def gap(self, target: TargetTrial) -> Gap:
        """The gap that a scan would have, without an error code."""
        return Gap(
            account_id=target.account_id,
            region=target.region,
            resource_arn=self.resource_arn,
            operation=self.action.partition(":")[2],
            code="",
            reason=self.reason,
        )


class TargetTrial(Struct, frozen=True, kw_only=True):
    """What was tried in one account and region.

    `app_instances` counts what was listed (`more`: a list goes on); None: they could not be listed. `channel_flows`
    and `functions` count those of as many app instances as were `sampled`, `functions_of_first` those of the first
    alone.
    """

    account_id: str
    region: str
    app_instances: int | None = None
    more: bool = False
    sampled: int = 0
    channel_flows: int = 0
    functions: int = 0
    functions_of_first: int = 0
    calls: tuple[Call, ...] = ()

    @property
    def likely_flows(self) -> int:
        """The channel flows of all app instances that were counted, if the sampled ones are like the others."""
        return round((self.app_instances or 0) * self.channel_flows / self.sampled) if self.sampled else 0

    @property
    def likely_functions(self) -> int:
        """The functions that these flows invoke, if each app instance adds as many as the sampled ones did."""
        others = max(1, self.sampled - 1)
        growth = (self.functions - self.functions_of_first) / others if self.sampled > 1 else self.functions
        return round(self.functions + max(0, (self.app_instances or 0) - self.sampled) * growth)


class Estimate(Struct, frozen=True, kw_only=True):
    """About how many calls and seconds a scan takes. `at_least`: something that costs calls was not counted.

    `rests_on` says in words what was counted and assumed.
    """

    calls: int
    seconds: int
    at_least: bool
    rests_on: str


class Trial(Struct, frozen=True, kw_only=True):
    """What ``doctor`` found. `callers` has the ARNs of those whose credentials are used by profile ("" for none).

    `gaps` are accounts that could not be found out, listed or entered; `waived` those of them that somebody accepted.
    """

    callers: dict[str, str]
    scope: Scope
    rules: int
    facets: tuple[str, ...]
    targets: tuple[TargetTrial, ...]
    gaps: tuple[Gap, ...]
    notes: tuple[str, ...]
    estimate: Estimate
    waived: tuple[Gap, ...] = ()

    def accepting(self, is_waived: Callable[[Gap], object]) -> Trial:
        """The trial without what a waiver accepts as a gap, which stops nobody."""

        def judged(target: TargetTrial, call: Call) -> Call:
            amiss = call.verdict in {Verdict.DENIED, Verdict.FAILED}
            return structs.replace(call, verdict=Verdict.WAIVED) if amiss and is_waived(call.gap(target)) else call

        return structs.replace(
            self,
            targets=tuple(
                structs.replace(target, calls=tuple(judged(target, call) for call in target.calls))
                for target in self.targets
            ),
            gaps=tuple(gap for gap in self.gaps if not is_waived(gap)),
            waived=tuple(gap for gap in self.gaps if is_waived(gap)),
        )

    def calls(self, *verdicts: Verdict) -> Iterator[tuple[TargetTrial, Call]]:
        """The calls that came to one of these verdicts, each with where it was tried."""
        return ((target, call) for target in self.targets for call in target.calls if call.verdict in verdicts)

    @property
    def saw_nothing(self) -> bool:
        """Whether no target's app instances could be listed."""
        return all(target.app_instances is None for target in self.targets)

    @property
    def is_ready(self) -> bool:
        """Whether every account was entered and no call that was tried was denied or failed."""
        return not (self.gaps or self.saw_nothing or any(self.calls(Verdict.DENIED, Verdict.FAILED)))
