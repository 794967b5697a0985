"""Templates that others wrote, to test cfn-lint: none makes a crash or a word about Chime; a flow in any is found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests import installed
from tests.declared.checking import APP, Check, files, gaps, processor, write

FLOW = {
    "Type": "AWS::Chime::ChannelFlow",
    "Properties": {"Name": "put in", "AppInstanceArn": APP, "Processors": [processor(FallbackAction="CONTINUE")]},
}
SECTION = re.compile(r"^(?:Resources|\"Resources\"):[ \t]*(?:#.*)?\n((?:[ \t]*(?:#.*)?\n)*)( +)(?=\S)", re.MULTILINE)
REFUSED = re.compile(r"(?:error: )?\S+:[0-9]+:[0-9]+: found .*; expected .")


@pytest.fixture(scope="module")
def corpus() -> Path:
    return installed.folder("TEMPLATES", "unpacks cfn-lint")


def test_nothing_is_said_about_chime_in_templates_without_it(check: Check, corpus: Path) -> None:
    ended = check(str(corpus))

    refused = [line for line in ended.stderr.splitlines() if REFUSED.match(line)]
    observed, said = ended.report["coverage"]["observed"], ended.report["coverage"]["not_examined"]
    assert (ended.code, "Traceback" in ended.stderr) == (2, False)
    assert (observed["channel_flows"], observed["app_instances"], ended.report["findings"]) == (0, 0, [])
    assert observed["files"] > 200
    assert len(refused) == len(gaps(ended)) < 20
    assert not [each for each in said if corpus.name in each or ".yaml" in each or ".json" in each]


def test_a_flow_in_any_template_is_found(check: Check, corpus: Path, tmp_path: Path) -> None:
    names = set()
    for number, path in enumerate(sorted(corpus.rglob("*.*"))):
        text = with_flow(path)
        if text is not None:
            names.add(write(tmp_path / f"{number}{path.suffix}", text))

    ended = check(".")

    assert "Traceback" not in ended.stderr
    refused = {each.partition(":")[0] for each in gaps(ended) if "; expected " in each}
    assert files(ended) == names - refused
    assert (len(names) > 200, len(refused) < 6, ended.code) == (True, True, 2)


def with_flow(path: Path) -> str | None:
    """The template in a file with a flow put in; None if it is none."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.suffix in (".json", ".yaml", ".yml") else ""
    if path.suffix == ".json":
        try:
            template = json.loads(text)
        except ValueError:
            return None
        if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
            return None
        template["Resources"]["PutIn"] = FLOW
        return json.dumps(template, indent=1)
    section = SECTION.search(text)
    if section is None or "Resources:" not in text:
        return None
    return f"{text[: section.start(2)]}{section[2]}PutIn: {json.dumps(FLOW)}\n{text[section.start(2) :]}"
