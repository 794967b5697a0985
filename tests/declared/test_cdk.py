"""Cloud assemblies that the CDK itself made (cdk/make): each flow of cdk/app.js is judged as its name says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.declared.checking import Check, findings, gaps

MADE = Path(__file__).parent / "cdk"
ASSEMBLIES = ("construct-0.1", "construct-3.2", "native")
HOME, OTHER, OPEN = ("111122223333", "us-east-1"), ("444455556666", "eu-central-1"), ("unknown", "unknown")
ASKED = {
    *("cross-account-lambda", "cross-region-lambda", "execution-order-not-contiguous", "last-processor-fails-open"),
    *("lambda-not-invocable-by-chime", "missing-lambda", "multiple-processors", "unpinned-lambda-version"),
}
FAILED = {
    ("open, with a gap", "execution-order-not-contiguous", *HOME),
    ("open, with a gap", "last-processor-fails-open", *HOME),
    ("open, with a gap", "multiple-processors", *HOME),
    ("open unless in prod", "last-processor-fails-open", *HOME),
    ("open in a nested stack", "last-processor-fails-open", *HOME),
    ("open, of another stack", "last-processor-fails-open", *HOME),
    ("open, by a call", "last-processor-fails-open", *HOME),
    ("of a foreign function", "cross-account-lambda", *OTHER),
    ("of a foreign function", "cross-region-lambda", *OTHER),
}
UNKNOWN = {
    ("of a foreign function", "cross-account-lambda", *OPEN),
    ("of a foreign function", "cross-region-lambda", *OPEN),
}


@pytest.mark.parametrize("name", ASSEMBLIES)
def test_every_flow_of_an_assembly_is_judged_where_it_is_deployed(check: Check, tmp_path: Path, name: str) -> None:
    shutil.copytree(MADE / name / "cdk.out", tmp_path / "cdk.out")

    ended = check("cdk.out")

    found: dict[str, set[tuple[str, ...]]] = {"fail": set(), "unknown": set()}
    for each in ended.report["findings"]:
        if each["rule_id"] in ASKED:
            resource = each["resource"]
            one = resource["name"], each["rule_id"], resource["account_id"], resource["region"]
            found[each["status"]].add(one)
    assert (ended.code, gaps(ended), found["fail"], found["unknown"]) == (1, [], FAILED, UNKNOWN), ended.stderr
    observed = ended.report["coverage"]["observed"]
    assert (observed["files"], observed["app_instances"], observed["channel_flows"]) == (6, 3, 8)


@pytest.mark.parametrize("name", ASSEMBLIES)
def test_what_cdk_synth_prints_as_yaml_is_judged_as_its_template(check: Check, tmp_path: Path, name: str) -> None:
    shutil.copyfile(MADE / name / "Chat.yaml", tmp_path / "Chat.yaml")
    shutil.copyfile(MADE / name / "cdk.out" / "Chat.template.json", tmp_path / "Chat.json")

    printed, kept = check("Chat.yaml"), check("Chat.json")

    assert set(findings(printed)) == set(findings(kept)) >= {"last-processor-fails-open"}
    assert [len(gaps(printed)), printed.code] == [1, kept.code], "the nested stack is in a file of its own"
