"""scanner.render.pipeline: the picture of a flow says what happens to a message."""

from __future__ import annotations

import pytest

from scanner.model.report import Evidence
from scanner.render.pipeline import StepOutcome, bypass, failing_indexes, is_last, stages
from tests.render.sample import app_instance, flow, step


def evidence(*paths: str) -> tuple[Evidence, ...]:
    return tuple(Evidence(path=path, observed=None, required="exists") for path in paths)


@pytest.mark.parametrize(
    ("fallbacks", "outcomes"),
    [
        (["CONTINUE"], [StepOutcome.UNPROCESSED]),
        (["ABORT"], [StepOutcome.BLOCKED]),
        ([None], [StepOutcome.NOT_CLEAR]),
        (["RETRY"], [StepOutcome.NOT_CLEAR]),
        (["CONTINUE", "ABORT"], [StepOutcome.SKIPPED, StepOutcome.BLOCKED]),
        (["ABORT", "CONTINUE"], [StepOutcome.BLOCKED, StepOutcome.UNPROCESSED]),
    ],
)
def test_outcome_follows_fallback_and_place(fallbacks: list[str | None], outcomes: list[StepOutcome]) -> None:
    steps = [step(f"p{n}", n, fallback) for n, fallback in enumerate(fallbacks, 1)]
    drawn = stages(flow("f", *steps), ())
    assert [s.outcome for stage in drawn for s in stage.steps] == outcomes


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([(1, "CONTINUE")], "if unreachable: delivered unread"),
        ([(1, "ABORT"), (2, "CONTINUE")], "if unreachable: delivered unread"),
        ([(1, "ABORT"), (2, "CONTINUE"), (2, "ABORT")], "if unreachable and last: delivered unread"),
        ([(1, "CONTINUE"), (2, "ABORT")], None),
        ([(1, None)], None),
        ([(None, "CONTINUE"), (None, "CONTINUE")], None),  # either may be the last
        ([], None),
    ],
)
def test_the_way_past_the_last_processor_is_told_where_it_is_known(
    steps: list[tuple[int | None, str | None]], words: str | None
) -> None:
    drawn = stages(flow("f", *(step(f"p{n}", *each) for n, each in enumerate(steps))), ())
    assert bypass(drawn) == words


def test_steps_that_share_an_order_are_in_one_stage_with_an_uncertain_outcome() -> None:
    drawn = stages(flow("f", step("a", 1, "ABORT"), step("b", 2, "CONTINUE"), step("c", 2, "CONTINUE")), ())
    assert [len(stage.steps) for stage in drawn] == [1, 2]
    assert drawn[1].steps[0].consequence.startswith("If it runs last")


def test_steps_of_unknown_order_do_not_stand_together() -> None:
    drawn = stages(flow("f", step("a", None), step("b", None)), ())
    assert [len(stage.steps) for stage in drawn] == [1, 1]


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ((1,), [True]),
        ((None,), [True]),
        ((1, 2), [False, True]),
        ((2, 2), [True, True]),
        ((1, None), [None, None]),
        ((1, 3, None), [False, None, None]),
    ],
)
def test_last_is_unknown_where_an_order_is(orders: tuple[int | None, ...], expected: list[bool | None]) -> None:
    processors = tuple(step(f"p{n}", order) for n, order in enumerate(orders))
    assert [is_last(processors, index) for index in range(len(processors))] == expected


def test_failing_steps_are_those_that_evidence_points_at() -> None:
    assert failing_indexes(evidence("processors[1].lambda.region", "name", "processors", "tags.processors[0]")) == {1}


def test_failing_step_is_marked_by_position() -> None:
    drawn = stages(flow("f", step("a", 1), step("b", 2)), evidence("processors[1].fallback_action", "processors[7].x"))
    assert [s.failing for stage in drawn for s in stage.steps] == [False, True]


def test_function_is_named_with_its_qualifier() -> None:
    (stage,) = stages(flow("f", step("a", 1, function="moderate:live")), ())
    assert stage.steps[0].function == "moderate:live"


def test_app_instance_has_no_picture() -> None:
    assert stages(app_instance(), ()) == ()
