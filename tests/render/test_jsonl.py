from __future__ import annotations

import json

from scanner.render import json as whole
from scanner.render import jsonl
from tests.render import sample


def test_each_line_is_a_finding_of_the_json_report() -> None:
    report = sample.hostile()

    lines = list(jsonl.render(report))

    assert [json.loads(line) for line in lines] == json.loads("".join(whole.render(report)))["findings"]
    assert all(line.count("\n") == 1 for line in lines)


def test_without_findings_there_is_no_line() -> None:
    assert list(jsonl.render(sample.clean())) == []
