from __future__ import annotations

import pytest
from botocore.session import Session

from scanner.model.operations import FACETS, LISTS, ORGANIZATION, Operation, needed


def test_without_a_facet_only_the_lists_are_needed() -> None:
    assert needed(()) == LISTS


@pytest.mark.parametrize("facet", FACETS)
def test_a_facet_adds_its_operations_to_the_lists(facet: str) -> None:
    assert needed([facet]) == LISTS | FACETS[facet]


def test_both_chime_services_have_the_same_prefix_in_iam() -> None:
    assert {
        Operation(service, "ListTagsForResource").action for service in ("chime-sdk-identity", "chime-sdk-messaging")
    } == {"chime:ListTagsForResource"}
    assert Operation("lambda", "GetPolicy").action == "lambda:GetPolicy"


def test_every_operation_exists() -> None:
    session = Session()

    for operation in needed(FACETS) | ORGANIZATION:
        assert operation.name in session.get_service_model(operation.service).operation_names
