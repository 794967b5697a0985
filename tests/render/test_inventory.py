"""scanner.render.inventory: a row a processor, or an item a line, with what was not observed in front."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from msgspec import structs

from scanner.model.report import InventoryItem
from scanner.render import json
from scanner.render.inventory import COLUMNS, render
from scanner.store.spool import Spool
from tests.render import golden, sample
from tests.render.inventories import inventoried, unseen

RICH = inventoried(sample.rich())


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_and_json_lines_are_as_people_know_them() -> None:
    golden.check("inventory.csv", "".join(render(RICH)))
    golden.check("inventory.jsonl", "".join(render(RICH, lines=True)))


def test_the_csv_has_a_row_for_each_processor_and_one_for_what_has_none() -> None:
    items = list(RICH.inventory or ())
    found = rows("".join(render(RICH)))

    seen = [row for row in found if row["type"] not in ("gap", "not_examined")]
    assert [row["arn"] for row in seen] == [item.arn for item in items for _ in item.processors or (None,)]
    two = [row for row in seen if row["name"] == "support-moderation"]
    assert [(row["execution_order"], row["processor"]) for row in two] == [("1", "redact"), ("2", "moderate")]
    assert {row["verdict"] for row in two} == {"failed"}
    assert {row["app_instance_name"] for row in two} == {"support"}


def test_what_was_not_observed_stands_in_front_and_is_never_blank() -> None:
    found = rows("".join(render(unseen())))

    kinds = [row["type"] for row in found]
    assert kinds == sorted(kinds, key=["not_examined", "gap", "app_instance", "channel_flow"].index)
    assert kinds.count("gap") == len(sample.incomplete().coverage.gaps) > 0
    app, flow = found[-2:]
    assert (app["verdict"], app["passed"]) == ("not_judged", "")
    assert flow["message"] == "Its processors were not observed."


def test_a_report_without_inventory_says_so() -> None:
    assert rows("".join(render(sample.clean())))[-1]["message"] == "This report has no inventory."


@pytest.mark.parametrize("for_excel", [False, True])
def test_no_cell_is_a_formula_that_a_name_made(for_excel: bool) -> None:
    text = "".join(render(inventoried(sample.hostile()), for_excel=for_excel))

    found = rows(text.removeprefix("\ufeff"))
    names = {row[column] for row in found for column in ("name", "processor", "app_instance_name")} - {"", "support"}
    assert names
    assert all(name.startswith("'=1+1<script>") for name in names)
    assert "\u202e" not in text
    assert text.startswith("\ufeff") is for_excel
    assert list(found[0]) == list(COLUMNS)


def test_what_a_spool_keeps_is_rendered_as_what_is_in_memory(tmp_path: Path) -> None:
    items = Spool(tmp_path, InventoryItem)
    items.extend(RICH.inventory or ())
    kept = structs.replace(RICH, inventory=items)

    assert "".join(json.render(kept)) == "".join(json.render(RICH))
    assert "".join(render(kept, lines=True)) == "".join(render(RICH, lines=True))
