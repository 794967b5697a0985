"""`--inventory` and `-o inventory:PATH`, as they are installed."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from scanner.render import Format, render
from tests.command import chimeaudit
from tests.commands.test_check_runs import DENIED, run
from tests.render import sample
from tests.render.inventories import inventoried

REQUEST = {
    "AppInstanceArn": "arn:aws:chime:us-east-1:111122223333:app-instance/i",
    "Name": "moderation",
    "Processors": [
        {
            "Name": name,
            "ExecutionOrder": order,
            "FallbackAction": "CONTINUE",
            "Configuration": {
                "Lambda": {
                    "ResourceArn": f"arn:aws:lambda:us-east-1:111122223333:function:{name}:1",
                    "InvocationType": "ASYNC",
                }
            },
        }
        for order, name in enumerate(("redact", "moderate"), start=1)
    ],
}


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_a_run_is_judged_again_with_an_inventory_and_its_report_rendered_again(tmp_path: Path) -> None:
    run(tmp_path / "run", gaps=(DENIED,))
    judge = ("scan", "--from", "run", "--select", "last-processor-fails-open,app-instance-without-flow")

    plain = chimeaudit(*judge, "-o", "plain.json", home=tmp_path)
    whole = chimeaudit(*judge, "--inventory", "-o", "a.json", "-o", "inventory:a.csv", home=tmp_path)
    alone = chimeaudit(*judge, "-o", "inventory:b.jsonl", "-o", "b.json", home=tmp_path)
    again = chimeaudit("report", "a.json", "-o", "inventory:c.csv", "-o", "inventory:c.jsonl", home=tmp_path)
    printed = chimeaudit("report", "a.json", "-o", "inventory:-", home=tmp_path)

    assert [each.code for each in (plain, whole, alone, again, printed)] == [1, 1, 1, 0, 0], whole.stderr
    report = read(tmp_path / "a.json")
    items = report.pop("inventory")
    assert "inventory" not in read(tmp_path / "plain.json")
    assert report["run"]["options"].pop("inventory") is True
    expected = read(tmp_path / "plain.json")
    assert expected["run"]["options"].pop("inventory") is False
    assert report | {"run": None} == expected | {"run": None}
    assert [(item["type"], item["region"], item["verdicts"]) for item in items] == [
        ("app_instance", "eu-central-1", {"app-instance-without-flow": "passed"}),
        ("channel_flow", "eu-central-1", {"last-processor-fails-open": "failed"}),
        ("app_instance", "us-east-1", {"app-instance-without-flow": "passed"}),
        ("channel_flow", "us-east-1", {"last-processor-fails-open": "failed"}),
    ]
    assert items[1]["processors"][0].keys() == {"name", "execution_order", "fallback_action", "lambda_arn"}
    assert [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()] == items
    assert read(tmp_path / "b.json")["inventory"] == items
    assert (tmp_path / "c.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert (tmp_path / "c.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()
    with (tmp_path / "c.csv").open(newline="") as file:
        assert printed.stdout == file.read()
        file.seek(0)
        assert "ListAppInstances" in next(row["message"] for row in csv.DictReader(file) if row["type"] == "gap")


def test_what_a_run_does_not_tell_is_unknown_in_its_inventory(tmp_path: Path) -> None:
    run(tmp_path / "run")

    ended = chimeaudit("scan", "--from", "run", "--select", "missing-lambda", "-o", "inventory:x.jsonl", home=tmp_path)

    if ended.code != 2:
        items = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
        assert [item["verdicts"] for item in items if item["type"] == "channel_flow"] == [
            {"missing-lambda": "unknown"}
        ] * 2


def test_a_check_lists_what_files_declare_with_the_rules_that_were_applied(tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text(json.dumps(REQUEST))

    ended = chimeaudit("check", "request.json", "--inventory", "-o", "json:-", home=tmp_path)

    (flow,) = ended.report["inventory"]
    assert (flow["type"], flow["arn"], flow["name"]) == ("channel_flow", None, "moderation")
    assert [step["name"] for step in flow["processors"]] == ["redact", "moderate"]
    assert (flow["location"]["file"], flow["location"]["line"]) == ("request.json", 1)
    assert flow["verdicts"]["last-processor-fails-open"] == "failed"
    assert flow["verdicts"].keys() <= {rule["id"] for rule in ended.report["rules"]}
    for rule, counts in ended.report["summary"]["rules"].items():
        assert counts.get(flow["verdicts"].get(rule), 0) == (1 if rule in flow["verdicts"] else 0)


def test_a_saved_report_without_inventory_says_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("".join(render(sample.rich(), Format.JSON)))

    ended = chimeaudit("report", "old.json", "-o", "inventory:x.csv", "-o", "x.md", home=tmp_path)

    assert ended.code == 2
    assert ended.error == "error: old.json has no inventory"
    assert "--inventory" in ended.stderr
    assert not (tmp_path / "x.md").exists()


@pytest.mark.parametrize(
    ("item", "complaint"),
    [
        ({"type": "bucket"}, "Invalid enum value 'bucket'"),
        ({"arn": 7}, "Expected `str | null`, got `int`"),
        ({"processors": [{"name": "x"}]}, "missing required field"),
        ({"verdicts": {"last-processor-fails-open": "fine"}}, "Invalid enum value 'fine'"),
        ({"verdicts": {"made-up": "passed"}}, "an item names the rule 'made-up', but its rules do not"),
        ({"verdicts": ["passed"]}, "Expected `object`, got `array`"),
    ],
)
def test_a_hostile_item_of_a_saved_report_is_refused_in_one_line(
    tmp_path: Path, item: dict[str, Any], complaint: str
) -> None:
    report = json.loads("".join(render(inventoried(sample.rich()), Format.JSON)))
    report["inventory"][1] |= item
    (tmp_path / "bad.json").write_text(json.dumps(report))

    ended = chimeaudit("report", "bad.json", "-o", "inventory:x.csv", home=tmp_path)

    assert ended.code == 2
    assert complaint in ended.error
