"""About how many calls a scan makes and how long they take, from what was listed for a trial."""

from __future__ import annotations

from collections.abc import Sequence

from scanner.collect.task import ChannelTerms
from scanner.model.moments import about
from scanner.model.trial import Estimate, TargetTrial

_PAGE = 50
_A_SECOND_IN_AN_ACCOUNT = 50
"""What AWS allows of identity calls: https://docs.aws.amazon.com/general/latest/gr/chime-sdk.html"""
_A_SECOND = 400
"""About what one process sends."""
_OF_A_FLOW = {"tags": 1, "detail": 1, "channels": 1, "all_channels": 1}
_OF_A_FUNCTION = {"function": 3, "callback_role": 6}
"""Calls besides GetFunctionConfiguration, which both facets share."""
_OF_AN_APP_INSTANCE = {"tags": 1, "all_channels": 2}
_ALERTS = 4
"""Calls for the event rules of a target: a page or two, and targets of the rules that match."""


def estimate(targets: Sequence[TargetTrial], facets: frozenset[str], channels: ChannelTerms) -> Estimate:
    """The estimate for these targets; those that could not be listed are left out."""
    seen = [target for target in targets if target.app_instances is not None]
    accounts = {target.account_id for target in seen}
    calls = sum(_of_target(target, facets) for target in seen) + 2 * len(accounts)
    if "chat_roles" in facets:
        calls += 2 * len(accounts)
    rate = min(_A_SECOND, _A_SECOND_IN_AN_ACCOUNT * max(1, len(accounts)))
    rests_on = [f"what was listed, and {rate} calls a second"]
    if missing := len(targets) - len(seen):
        rests_on.append(f"without {missing} of {len(targets)} targets, which could not be listed")
    if "all_channels" in facets:
        rests_on.append(_on_channels(channels))
    return Estimate(
        calls=calls,
        seconds=max(1, round(calls / rate)),
        at_least=any(target.more for target in seen) or bool(missing) or "all_channels" in facets,
        rests_on="; ".join(rests_on),
    )


def _on_channels(terms: ChannelTerms) -> str:
    """What listing channels adds, as one admin of their app instance."""
    longest = about(terms.most / _PAGE / terms.calls_per_second)
    return (
        f"listing the channels of an app instance takes more, for {terms.most:,} (--max-channels) at "
        f"{terms.calls_per_second:g} a second (--channel-rate) {longest}"
    )


def _of_target(target: TargetTrial, facets: frozenset[str]) -> int:
    app_instances, flows, functions = target.app_instances or 0, target.likely_flows, target.likely_functions
    if not app_instances:
        return 2  # an empty list, and whose it is
    lists = max(1, -(-target.channel_flows // (_PAGE * max(1, target.sampled))))
    pages = -(-app_instances // _PAGE) + app_instances * lists
    of_functions = sum(number for facet, number in _OF_A_FUNCTION.items() if facet in facets)
    of_functions += 1 if of_functions else 0
    of_flows = sum(number for facet, number in _OF_A_FLOW.items() if facet in facets)
    own = sum(number for facet, number in _OF_AN_APP_INSTANCE.items() if facet in facets)
    alerts = _ALERTS if "alerts" in facets else 0
    return pages + app_instances * own + flows * of_flows + functions * of_functions + alerts
