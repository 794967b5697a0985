"""scanner.judge.quantifiers: conditions on a list, which may be unknown as a whole or in part."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import UNSET, structs

from scanner.model.facts import FunctionAccess
from scanner.model.logic import Truth
from tests.judge.conditions import evidence, judge, step
from tests.judge.facts import flow, function


@pytest.mark.parametrize(
    ("quantifier", "empty"), [("each", True), ("none", True), ("some", False), ("first", False), ("last", False)]
)
def test_quantifiers_over_an_empty_list(quantifier: str, empty: bool) -> None:
    written = {"processors": {quantifier: {"name": "p"}}}

    judgement = judge(written, flow())

    assert judgement.holds is empty
    assert [(note.evidence.path, note.evidence.observed, note.empty) for note in judgement.notes] == (
        [] if empty else [("processors", (), "processors")]
    )


def test_a_list_that_is_unknown_is_unknown_under_every_matcher() -> None:
    for matcher in ({"each": {"name": "p"}}, {"some": {"name": "p"}}, {"count": 1}, {"unique": "name"}):
        assert judge({"processors": matcher}, flow(known=False)).holds is UNSET


def test_last_is_every_processor_that_shares_the_last_place() -> None:
    resource = flow(step(fallback_action="ABORT"), step(fallback_action="CONTINUE"))

    assert evidence({"processors": {"last": {"fallback_action": "ABORT"}}}, resource) == [
        ("processors[1].fallback_action", "CONTINUE", "equals ABORT")
    ]


def test_last_is_decided_without_knowing_which_one_it_is_where_all_agree() -> None:
    unplaced = {"is_last": UNSET, "fallback_action": "ABORT"}

    assert judge({"processors": {"last": {"fallback_action": "ABORT"}}}, flow(step(**unplaced))).holds is True
    assert judge({"processors": {"last": {"fallback_action": "CONTINUE"}}}, flow(step(**unplaced))).holds is UNSET


def test_where_narrows_each_some_none_and_count() -> None:
    resource = flow(step(name="a", is_last=False), step(name="b"))

    def verdict(matcher: dict[str, Any]) -> Truth:
        return judge({"processors": {"where": {"is_last": False}, **matcher}}, resource).holds

    assert verdict({"each": {"name": "a"}}) is True
    assert verdict({"some": {"name": "b"}}) is False
    assert verdict({"none": {"name": "b"}}) is True
    assert verdict({"count": 1}) is True


def test_count_in_doubt_is_decided_where_every_number_agrees() -> None:
    resource = flow(step(name="a"), step(name=UNSET))

    def verdict(count: object) -> Truth:
        return judge({"processors": {"where": {"name": "a"}, "count": count}}, resource).holds

    assert verdict({"gte": 1}) is True
    assert verdict({"gt": 1}) is UNSET
    assert verdict({"gt": 2}) is False


def test_texts_in_a_list_fail_one_by_one_and_belong_to_their_record() -> None:
    one = step(lambda_=structs.replace(function(), access=FunctionAccess(foreign_app_instances=("1", "2"))))
    written = {"processors": {"each": {"lambda.access.foreign_app_instances": {"none": {"starts_with": "2"}}}}}

    (note,) = judge(written, flow(one)).notes

    assert note.evidence.path == "processors[0].lambda.access.foreign_app_instances[1]"
    assert (note.evidence.observed, note.evidence.required) == ("2", "does not start with 2")
    assert (note.context.thing, note.context.part) == (one, function().unqualified_arn)


def test_a_list_of_texts_of_the_wrong_length_is_shown() -> None:
    one = step(lambda_=structs.replace(function(), access=FunctionAccess(foreign_app_instances=("1", "2"))))

    assert evidence({"processors": {"each": {"lambda.access.foreign_app_instances": {"count": 0}}}}, flow(one)) == [
        ("processors[0].lambda.access.foreign_app_instances", ("1", "2"), "count equals 0")
    ]


def test_evidence_of_a_unique_field_has_only_repeated_values() -> None:
    resource = flow(step(name="b"), step(name="a"), step(name="c"), step(name="a"), step(name="b"))

    assert evidence({"processors": {"unique": "name"}}, resource) == [
        ("processors", ("a", "b"), "name does not repeat")
    ]
