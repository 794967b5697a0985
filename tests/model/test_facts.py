"""scanner.model.facts: what the facts are marked with."""

from __future__ import annotations

from scanner.model.facts import AppInstance, ChannelFlow, Function, LambdaFunction, aws_only, facets_of
from scanner.model.operations import FACETS


def test_every_facet_has_facts_and_calls() -> None:
    marked = [facets_of(record).values() for record in (AppInstance, ChannelFlow, LambdaFunction)]

    assert {facet for facets in marked for facet in facets} == FACETS.keys()


def test_facts_are_known_by_their_names_in_rules() -> None:
    assert facets_of(LambdaFunction) == {"function": "function", "access": "function", "callback": "callback_role"}
    assert aws_only(ChannelFlow) == {"created_at", "updated_at", "has_channels"}
    assert aws_only(Function) == {"state", "last_update_status", "last_modified"}
