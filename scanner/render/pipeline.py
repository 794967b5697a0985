"""The picture of a channel flow: its processors in order, and what happens to a message if one cannot be reached.

https://docs.aws.amazon.com/chime-sdk/latest/dg/using-channel-flows.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from scanner.model.report import Evidence, PipelineStep, Resource

_PROCESSOR = re.compile(r"processors\[(\d{1,9})\]")


class StepOutcome(StrEnum):
    """What happens to a message if a processor cannot be reached."""

    BLOCKED = "blocked"
    SKIPPED = "skipped"
    UNPROCESSED = "unprocessed"
    NOT_CLEAR = "not-clear"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One processor in the picture; `failing` if the finding's evidence points at it."""

    name: str | None
    function: str | None
    lambda_arn: str | None
    fallback_action: str | None
    outcome: StepOutcome
    consequence: str
    failing: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """The processors of one execution order, usually just one. `order` is None where it was not observed."""

    order: int | None
    steps: tuple[Step, ...]


def stages(resource: Resource, evidence: Iterable[Evidence]) -> tuple[Stage, ...]:
    """A flow's processors, grouped by execution order, in the resource's order; empty for an app instance."""
    processors = resource.processors
    failing = failing_indexes(evidence)
    drawn = [
        (processor.execution_order, _step(processor, outcome, index in failing))
        for index, (processor, outcome) in enumerate(zip(processors, outcomes(processors), strict=True))
    ]
    stages: list[Stage] = []
    for order, group in groupby(drawn, key=lambda pair: pair[0]):
        steps = tuple(step for _, step in group)
        if order is None:  # two unknown orders may differ
            stages.extend(Stage(order=None, steps=(step,)) for step in steps)
        else:
            stages.append(Stage(order=order, steps=steps))
    return tuple(stages)


def bypass(stages: Sequence[Stage]) -> str | None:
    """The way past the last processors to the channel, in words; None where there is none, or it is not known.

    The page's script says the same (reports/html/script/flow.js).
    """
    last = stages[-1].steps if stages else ()
    if not any(step.outcome is StepOutcome.UNPROCESSED for step in last):
        return None
    return "if unreachable: delivered unread" if len(last) == 1 else "if unreachable and last: delivered unread"


def outcomes(processors: tuple[PipelineStep, ...]) -> tuple[tuple[StepOutcome, str], ...]:
    """For each processor: what happens to a message if it cannot be reached, and a sentence that says so."""
    return tuple(
        _outcome(processor.fallback_action, is_last(processors, index), _is_tied(processors, index))
        for index, processor in enumerate(processors)
    )


def failing_indexes(evidence: Iterable[Evidence]) -> frozenset[int]:
    """The indices of the processors in evidence paths: 1 for ``processors[1].fallback_action``."""
    matches = (_PROCESSOR.match(item.path) for item in evidence)
    return frozenset(int(match[1]) for match in matches if match)


def is_last(processors: tuple[PipelineStep, ...], index: int) -> bool | None:
    """Whether no other processor comes later; None where an unknown execution order leaves it open."""
    own = processors[index].execution_order
    others = [p.execution_order for i, p in enumerate(processors) if i != index]
    if not others:
        return True
    if own is not None and any(order is not None and order > own for order in others):
        return False
    return None if own is None or None in others else True


def _step(processor: PipelineStep, outcome: tuple[StepOutcome, str], failing: bool) -> Step:
    return Step(
        name=processor.name,
        function=_function_name(processor.lambda_arn),
        lambda_arn=processor.lambda_arn,
        fallback_action=processor.fallback_action,
        outcome=outcome[0],
        consequence=outcome[1],
        failing=failing,
    )


def _is_tied(processors: tuple[PipelineStep, ...], index: int) -> bool:
    own = processors[index].execution_order
    return own is not None and sum(p.execution_order == own for p in processors) > 1


def _outcome(fallback_action: str | None, last: bool | None, tied: bool) -> tuple[StepOutcome, str]:
    match fallback_action, last:
        case "ABORT", _:
            return StepOutcome.BLOCKED, "If it cannot be reached, the message fails: nobody receives it."
        case "CONTINUE", True if tied:
            return (
                StepOutcome.UNPROCESSED,
                "If it runs last and cannot be reached, the message is delivered unprocessed.",
            )
        case "CONTINUE", True:
            return StepOutcome.UNPROCESSED, "If it cannot be reached, the message is delivered unprocessed."
        case "CONTINUE", False:
            return StepOutcome.SKIPPED, "If it cannot be reached, this step is skipped and the message goes on."
        case "CONTINUE", _:
            return (
                StepOutcome.NOT_CLEAR,
                "If it cannot be reached, the message goes on; it is not known where to.",
            )
        case None, _:
            return StepOutcome.NOT_CLEAR, "What happens when it cannot be reached is not known."
        case _:
            return StepOutcome.NOT_CLEAR, "This version does not know what that means for a message."


def _function_name(lambda_arn: str | None) -> str | None:
    """The part of the ARN after ``function:``: the name and, if there is one, the qualifier."""
    return None if lambda_arn is None else lambda_arn.partition(":function:")[2] or lambda_arn
