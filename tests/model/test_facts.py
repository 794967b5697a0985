"""scanner.model.facts: what the facts are marked with."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec import UNSET

from scanner.model.facts import AppInstance, ChannelFlow, Function, LambdaFunction, Role
from scanner.model.metadata import DERIVED_FROM, aws_only, facets_of, nearest_path
from scanner.model.operations import FACETS


def test_every_facet_has_facts_and_calls() -> None:
    marked = [facets_of(record).values() for record in (AppInstance, ChannelFlow, LambdaFunction, Role)]

    assert {facet for facets in marked for facet in facets} == FACETS.keys() - {"retries"}


def test_facts_are_known_by_their_names_in_rules() -> None:
    assert facets_of(LambdaFunction) == {"function": "function", "access": "function", "callback": "callback_role"}
    assert aws_only(ChannelFlow) == {"created_at", "updated_at", "has_channels"}
    assert aws_only(Function) == {"state", "last_update_status", "last_modified", "version"}


@pytest.mark.parametrize(
    ("runtime", "deprecated"),
    [
        ("python3.10", datetime(2026, 10, 31, tzinfo=UTC)),
        ("provided.al2", datetime(2026, 7, 31, tzinfo=UTC)),
        ("dotnet8", datetime(2026, 11, 10, tzinfo=UTC)),
        ("a runtime to come", None),
        (None, None),
        (UNSET, UNSET),
    ],
)
def test_the_dates_of_a_runtime_are_facts_of_the_function(runtime: object, deprecated: object) -> None:
    assert Function(exists=True, runtime=runtime).runtime_deprecated_at == deprecated  # type: ignore[arg-type]


def test_what_explains_a_fact_explains_those_that_are_derived_from_it() -> None:
    assert {hasattr(Function, name) for name in DERIVED_FROM} == {True}
    assert nearest_path(
        "processors[0].lambda.function.runtime_deprecated_at", {"processors[0].lambda.function.runtime"}
    )
    assert nearest_path("lambda.function.runtime_deprecated_at", {"lambda.function": 1}) == "lambda.function"
