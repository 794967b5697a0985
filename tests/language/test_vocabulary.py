"""scanner.language.vocabulary: the structs of facts decide what rules can read."""

from __future__ import annotations

import keyword
from typing import Annotated

import pytest
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from scanner.language.vocabulary import ROOTS, attributes, facets, fields, lookup, part, paths, read
from scanner.model.facts import ChannelFlow, Processor
from tests.judge.facts import flow, function


class Costly(Struct, frozen=True, kw_only=True):
    """A record with facets, that is with facts that cost extra calls."""

    arn: str
    has_channels: Annotated[bool | UnsetType, Meta(extra={"facet": "channels"})] = UNSET


def test_paths_lead_through_records_but_not_into_lists() -> None:
    assert "app_instance.name" in paths(ChannelFlow)
    assert "processors" in paths(ChannelFlow)
    assert not [path for path in paths(ChannelFlow) if path.startswith("processors.")]


def test_a_path_leads_to_a_single_tag_whatever_its_key() -> None:
    tag = lookup(ChannelFlow, "tags.aws:cloudformation.stack-name")

    assert tag is not None
    assert (tag.kind, tag.absent, tag.unknown, tag.facet) == ("text", True, True, "tags")
    assert lookup(ChannelFlow, "tags.") is None
    assert lookup(ChannelFlow, "name.x") is None
    assert read(structs.replace(flow(), tags={"a.b": "c"}), attributes("tags.a.b")) == "c"


@pytest.mark.parametrize(
    ("path", "kind"),
    [("updated_at", "time"), ("tags", "tags"), ("has_channels", "boolean"), ("processors", "list")],
)
def test_the_kind_of_a_fact_follows_from_its_type(path: str, kind: str) -> None:
    assert paths(ChannelFlow)[path].kind == kind


def test_a_fact_inside_a_facet_belongs_to_it() -> None:
    assert paths(Processor)["lambda.function.runtime"].facet == "function"
    assert paths(Processor)["lambda.access.foreign_app_instances"].kind == "texts"
    assert paths(Processor)["lambda.callback.excessive"].facet == "callback_role"


def test_gaps_are_no_facts() -> None:
    assert "gaps" not in paths(ChannelFlow)


def test_a_path_through_an_unknown_record_can_be_unknown() -> None:
    assert paths(Processor)["lambda.account_id"].unknown
    assert not paths(ChannelFlow)["account_id"].unknown


def test_choices_come_from_the_literal_type() -> None:
    assert paths(Processor)["fallback_action"].choices == ("CONTINUE", "ABORT")


def test_a_scalar_property_is_a_derived_fact() -> None:
    fact = paths(Processor)["lambda.unqualified_arn"]

    assert fact.kind == "text"
    assert fact.derived


@pytest.mark.parametrize("root", ROOTS.values(), ids=lambda root: root.name)
def test_every_path_names_attributes_that_exist(root: type) -> None:
    record = root.type  # type: ignore[attr-defined]  # parametrised with Root
    for path in paths(record):
        owner = record
        for name in path.split("."):
            assert hasattr(owner, attributes(name)[0])
            owner = fields(owner)[name].record or owner


def test_only_keywords_differ_from_their_attributes() -> None:
    for name in paths(Processor):
        assert attributes(name) == tuple(f"{step}_" if keyword.iskeyword(step) else step for step in name.split("."))


def test_reading_past_something_unknown_is_unknown() -> None:
    assert read(Processor(), attributes("lambda.account_id")) is UNSET


def test_reading_past_something_absent_is_absent() -> None:
    assert read(function(qualifier=None), attributes("qualifier.anything")) is None


def test_a_field_names_the_facet_that_must_be_collected() -> None:
    assert facets([paths(Costly)["has_channels"]]) == {"channels"}
    assert facets([paths(Costly)["arn"]]) == frozenset()
    assert paths(Costly)["has_channels"].unknown


def test_a_processor_is_identified_by_its_function_whatever_the_version() -> None:
    assert part(Processor(lambda_=function(qualifier="1"))) == part(Processor(lambda_=function(qualifier="2")))
    assert part(Processor()) == "unknown-function"


def test_a_flow_is_identified_by_its_arn() -> None:
    assert part(flow()) == flow().arn


def test_other_records_have_no_identity() -> None:
    with pytest.raises(TypeError):
        part(function())
