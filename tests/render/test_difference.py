from __future__ import annotations

import json

from scanner.model.report import Finding
from scanner.outcome.compare import compare
from scanner.render import difference
from tests.render import sample
from tests.render.test_table import CONTROL


def test_groups_that_need_attention_come_first() -> None:
    text = difference.table(compare(sample.rich(), sample.incomplete()), width=140, color=False)

    headings = [line.split(":")[0] for line in text.splitlines() if line.endswith(("finding", "findings"))]
    assert headings == ["New", "No longer observed, so not known to be fixed", "Still open", "Fixed"]


def test_hostile_names_do_not_reach_the_terminal_as_they_are() -> None:
    found = compare(sample.hostile(), sample.clean())

    assert found.no_longer_observed
    assert not CONTROL.search(difference.table(found, width=80, color=False))


def test_the_json_has_findings_as_the_report_has_them() -> None:
    found = json.loads(difference.json(compare(sample.clean(), sample.rich())))

    assert found["schema_version"] == "1.0"
    assert found["new"][0].keys() == set(Finding.__struct_fields__) - {"edits"}  # which only findings in files have
