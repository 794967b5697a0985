from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from scanner import resources
from scanner.model.report import Report
from scanner.render import json as format_json
from scanner.render.json import schema
from tests.render import sample


def render(report: Report) -> str:
    return "".join(format_json.render(report))


SCHEMA = resources.reports() / "schema" / "report-1.1.json"


@pytest.mark.parametrize("build", sample.ALL)
def test_every_report_fits_the_published_schema(build: Callable[[], Report]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))

    validator.validate(json.loads(render(build())))


def test_the_published_schema_is_derived_from_the_types() -> None:
    published, of_types = map(in_one_order, (json.loads(SCHEMA.read_text()), schema()))

    assert published == of_types, "a published schema is not changed in place: raise its version"


def in_one_order(node: Any) -> Any:
    """The schema with sorted alternatives, whose order depends on the release of msgspec."""
    if isinstance(node, list):
        return sorted(map(in_one_order, node), key=json.dumps)
    return {key: in_one_order(value) for key, value in node.items()} if isinstance(node, dict) else node


def test_the_schema_is_a_valid_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_members_that_are_always_written_are_required() -> None:
    finding = schema()["$defs"]["Finding"]

    assert set(finding["required"]) == set(finding["properties"]) - {"edits"}
    assert "gap" not in schema()["$defs"]["Evidence"]["required"]


def test_a_report_without_a_finding_member_does_not_fit() -> None:
    broken = json.loads(render(sample.rich()))
    del broken["findings"][0]["fingerprint"]

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema())


def test_the_same_report_gives_the_same_text() -> None:
    assert render(sample.rich()) == render(sample.rich())
    assert render(sample.rich()).endswith("}\n")
