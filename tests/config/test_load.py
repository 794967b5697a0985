"""scanner.config.load: what chimeaudit.yaml can hold, mistakes with their places, and what options override."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from scanner import config, resources
from scanner.config import schema
from scanner.errors import ChimeauditError, InvalidConfigurationError, InvalidRulesError, UsageError
from scanner.model.report import Severity, Waiver
from scanner.outcome.waivers import Pattern
from tests.command import chimeaudit
from tests.demo import SMALL
from tests.language.rule_files import mutated, rule_file

WAIVER = """\
waivers:
  - rule: {rule}
    resource: "*"
    reason: a reason
    owner: chat-platform
    expires: 2027-03-31
"""
FULL = """\
rules: default
select: [topic:lambda, last-processor-fails-open]
fail_on: medium
overrides:
  cross-account-lambda:
    severity: critical
    params: {trusted_accounts: ["444455556666"]}
waivers:
  - rule: [cross-account-lambda, cross-region-lambda]
    resource: {account: "111122223333", app_instance: 1a2b*, tags: {team: games}, arn: "arn:aws:chime:*"}
    reason: it moves in March
    owner: chat-platform
    expires: 2027-03-31
  - gap: GetPolicy
    resource: arn:aws:lambda:us-east-1:999988887777:*
    reason: the vendor does not let us
    owner: security
    expires: 2027-03-31
frameworks:
  acme-2026:
    MSG-1: {supports: messages are moderated, rules: [last-processor-fails-open, cross-account-lambda]}
  soc2:
    CC9.9: {rules: cross-account-lambda}
"""


def damaged(seed: int) -> bytes:
    """The full file with some random pieces replaced."""
    return mutated(FULL.encode(), random.Random(seed))  # noqa: S311 - no secret depends on it


def written(folder: Path, text: str) -> Path:
    path = folder / "chimeaudit.yaml"
    path.write_text(text)
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(InvalidConfigurationError) as raised:
        config.load(written(folder, text))
    return [f"{each.line}:{each.column} {each.message}" for each in raised.value.mistakes]


def test_without_a_file_the_shipped_rules_of_the_default_profile_run() -> None:
    found = config.load(None)

    assert found.named == ("default",)
    assert {each.info.profiles for each in found.rules} == {("default",)}
    assert (found.fail_on, found.waivers) == (None, ())


def test_a_file_may_have_every_key(tmp_path: Path) -> None:
    found = config.load(written(tmp_path, FULL))

    rules = {each.info.id: each for each in found.rules}
    assert rules["cross-account-lambda"].info.severity is Severity.CRITICAL
    assert rules["cross-account-lambda"].settings == {"trusted_accounts": ("444455556666",)}
    assert {each.info.topic for each in found.rules} == {"lambda", "fallback"}
    assert found.fail_on == "medium"
    one, other = found.waivers
    assert one.rules == ("cross-account-lambda", "cross-region-lambda")
    assert one.resource == Pattern(
        arn="arn:aws:chime:*", account="111122223333", app_instance="1a2b*", tags={"team": "games"}
    )
    assert one.waiver == Waiver(reason="it moves in March", owner="chat-platform", expires="2027-03-31")
    assert one.place == f"{tmp_path / 'chimeaudit.yaml'}:9"
    assert (other.gaps, other.resource.arn) == (("GetPolicy",), "arn:aws:lambda:us-east-1:999988887777:*")
    assert rules["cross-account-lambda"].info.frameworks["acme-2026"] == ("MSG-1",)
    assert rules["cross-account-lambda"].info.frameworks["soc2"][-1] == "CC9.9"
    assert found.supports["acme-2026"] == {"MSG-1": "messages are moderated"}


def test_rules_of_ones_own_may_name_a_framework_of_ones_own_by_which_rules_are_selected(tmp_path: Path) -> None:
    rule_file(tmp_path, frameworks={"acme": ["MSG-2"], "soc2": ["CC6.1"]})
    own = "frameworks: {acme: {MSG-2: {supports: it is so}}}\n"

    found = config.load(written(tmp_path, f"rules: topic\nselect: framework:acme\n{own}"))

    assert [each.info.frameworks for each in found.rules] == [{"acme": ("MSG-2",), "soc2": ("CC6.1",)}]
    assert found.supports["acme"] == {"MSG-2": "it is so"}
    assert found.supports["soc2"]["CC6.1"]
    with pytest.raises(InvalidRulesError, match="goes under frameworks in"):
        config.load(written(tmp_path, "rules: topic"))


def test_the_command_line_overrides_the_file(tmp_path: Path) -> None:
    own = rule_file(tmp_path)

    found = config.load(written(tmp_path, "rules: ./nowhere\nselect: nothing"), rules=[str(own)], select=["sound"])

    assert [each.info.id for each in found.rules] == ["sound"]


def test_rule_files_are_looked_for_beside_the_file_that_names_them(tmp_path: Path) -> None:
    rule_file(tmp_path)

    found = config.load(written(tmp_path, "rules: [default, topic]\nselect: sound"))

    assert [each.info.id for each in found.rules] == ["sound"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1 found an empty file; expected a mapping that starts with rules"),
        ("- a", "1:1 found a list; expected a mapping that starts with rules"),
        ("fail-on: high", '1:1 unknown configuration key "fail-on"; expected rules, select, fail_on,'),
        ("fail_on: bad", '1:10 unknown severity "bad"; expected critical, high, medium, low, info or none'),
        ("rules: []", "1:8 found an empty list; expected rule files or folders"),
        ("frameworks: [acme]", "1:13 found a list; expected controls by framework"),
        ("frameworks: {Acme: {A: {rules: x}}}", '1:14 found "Acme"; expected lower-case words and numbers'),
        ("frameworks: {acme: {A: {}}}", "1:24 found an empty mapping; expected a mapping with supports or rules"),
        ("frameworks: {acme: {6.2: {supports: x}}}", '1:21 found the number 6.2; expected a control in quotes: "6.2"'),
        ("frameworks: {acme: {A: {rule: x}}}", '1:25 unknown key of a control "rule"; expected supports or rules'),
        ("frameworks: {acme: {A: {rules: cross-acount-lambda}}}", 'did you mean "cross-account-lambda"?'),
        ("select: cross-acount-lambda", 'did you mean "cross-account-lambda"?'),
        ("select: [sverity:high]", '1:10 unknown selector "sverity:high"'),
        ("overrides: {cross-acount-lambda: {severity: low}}", 'did you mean "cross-account-lambda"?'),
        ("overrides: {cross-account-lambda: {severity: bad}}", '1:46 unknown severity "bad"'),
        (
            "overrides: {cross-acount-lambda: {severity: low}}",
            '1:13 unknown rule "cross-acount-lambda"; did you mean "cross-account-lambda"?',
        ),
        ("overrides: {cross-account-lambda: {params: {trusted: [x]}}}", '1:45 unknown parameter "trusted"'),
        ("overrides: {cross-account-lambda: {params: {trusted_accounts: x}}}", '1:63 found "x"; expected a list'),
        (
            "overrides: {cross-account-lambda: {params: {trusted_accounts: [a, 444455556666]}}}",
            '1:67 found the number 444455556666; expected text in quotes: "444455556666"',
        ),
        (
            "overrides: {cross-account-lambda: {params: {trusted_accounts: [{a: b}]}}}",
            "1:64 found a mapping; expected text",
        ),
        ("rules: [default, nope]", '1:18 "nope": found nothing to read ('),
        ("rules: https://example.com/r.yaml", '1:8 "https://example.com/r.yaml": found nothing to read'),
        (WAIVER.format(rule="x").replace("rule: x", "gap: GetPolcy"), '2:10 unknown operation "GetPolcy"; expected'),
        (WAIVER.format(rule="x").replace("rule: x", "gap: [GetPolcy]"), 'did you mean "GetPolicy"?'),
        ("overrides: {cross-account-lambda: {serious: low}}", '1:36 unknown override key "serious"'),
        (WAIVER.format(rule="cross-acount-lambda"), '2:11 unknown rule "cross-acount-lambda"'),
        (WAIVER.format(rule="missing-lambda").replace("owner", "onwer"), "2:5 found no owner; expected it in every"),
        (WAIVER.format(rule="missing-lambda").replace("2027-03-31", "31.3.2027"), '6:14 found "31.3.2027"; expected a'),
        (WAIVER.format(rule="missing-lambda").replace("2027-03-31", "2027-02-30"), '6:14 found "2027-02-30"'),
        (WAIVER.format(rule="missing-lambda").replace("a reason", "''"), "4:13 found blank text"),
        (WAIVER.format(rule="missing-lambda").replace("rule", "rules"), "neither or both of rule and gap"),
        (WAIVER.format(rule="missing-lambda\n    gap: x"), "found neither or both of rule and gap"),
        (WAIVER.format(rule="missing-lambda").replace('"*"', "{account: 111122223333}"), "expected text in quotes"),
        (WAIVER.format(rule="missing-lambda").replace('"*"', "{name: x}"), '3:16 unknown key of a resource "name"'),
        (WAIVER.format(rule="missing-lambda").replace('"*"', "{}"), "3:15 found an empty mapping; expected an ARN"),
        (
            WAIVER.format(rule="x").replace("rule: x", "gap: GetPolicy").replace('"*"', "{tags: {a: b}}"),
            "found tags for a gap; expected arn, account or app_instance",
        ),
    ],
)
def test_each_mistake_says_where_it_is_and_what_was_expected(tmp_path: Path, text: str, message: str) -> None:
    found = mistakes(tmp_path, text)

    assert any(message in each for each in found), found


def test_all_mistakes_are_reported_at_once_including_those_of_rules(tmp_path: Path) -> None:
    rule_file(tmp_path, severity="x")
    text = "rules: topic\nfail_on: bad\nselect: nothing-known-yet\nwaivers: []\n"

    found = mistakes(tmp_path, text)

    assert len(found) == 3
    assert any("unknown severity" in each and "x" in each for each in found)


def test_mistakes_in_rules_alone_are_those_of_rules(tmp_path: Path) -> None:
    rule_file(tmp_path, severity="x")

    with pytest.raises(InvalidRulesError):
        config.load(written(tmp_path, "rules: topic"))


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "nothing.yml").touch()

    with pytest.raises(InvalidConfigurationError, match=r'yaml: found nothing there; .* did you mean "nothing.yml"\?'):
        config.load(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.symlink_to("gone"), "chimeaudit.yaml: found a link that leads nowhere; expected a file"),
        (Path.mkdir, "chimeaudit.yaml: found a folder; expected a file"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make(Path("chimeaudit.yaml"))

    with pytest.raises(InvalidConfigurationError, match=f"^{told}"):
        config.load(config.find(None))


def test_rules_of_the_command_line_that_are_not_there_have_no_place() -> None:
    with pytest.raises(InvalidRulesError, match=r"^nope: found nothing to read"):
        config.load(None, rules=["nope"])


def test_the_file_in_the_working_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert config.find(None) is None
    written(tmp_path, FULL)
    assert config.find(None) == Path("chimeaudit.yaml")
    assert config.find(Path("other.yaml")) == Path("other.yaml")


@pytest.mark.parametrize("name", ["chimeaudit.yaml", "chimeaudit.yml"])
@pytest.mark.parametrize("repository", [True, False])
def test_the_nearest_file_up_to_the_top_of_the_repository_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, repository: bool
) -> None:
    below = tmp_path / "top" / "infra" / "stacks"
    below.mkdir(parents=True)
    (tmp_path / name).write_text("fail_on: none")
    (tmp_path / "top" / name).write_text("fail_on: low")
    if repository:
        (tmp_path / "top" / ".git").write_text("gitdir: elsewhere")
    monkeypatch.chdir(below)

    found = config.find(None)

    assert found == (Path("..", "..", name) if repository else None)
    (below.parent / name).write_text("fail_on: low")
    assert config.find(None) == (Path("..", name) if repository else None)


def test_both_names_in_one_folder_are_refused(tmp_path: Path) -> None:
    for name in ("chimeaudit.yaml", "chimeaudit.yml"):
        (tmp_path / name).write_text("fail_on: low")

    ended = chimeaudit("rules", "list", home=tmp_path)

    assert ended.code == 2
    assert "error: both chimeaudit.yaml and chimeaudit.yml are there" in ended.stderr


def test_a_selector_of_the_command_line_that_selects_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="selects no rule"):
        config.load(None, select=["nothing"])


def test_waivers_of_rules_that_do_not_run_are_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, WAIVER.format(rule="missing-lambda"))

    assert config.load(path, select=["multiple-processors"]).waivers == ()


@pytest.mark.parametrize(
    ("of", "select", "reached"),
    [
        ("rule: multiple-processors", "multiple-processors", True),
        ("rule: [multiple-processors, missing-lambda]", "multiple-processors", False),
        ("rule: missing-required-tags", "missing-required-tags", False),
        ("gap: GetPolicy", "multiple-processors", False),
        ("gap: GetPolicy", "public-lambda-policy", True),
        ("gap: [GetPolicy, ListRules]", "public-lambda-policy", False),
        ("gap: [ListChannelFlows, AssumeRole, ListAccounts]", "multiple-processors", True),
    ],
)
def test_a_waiver_is_reached_if_the_selected_rules_can_produce_all_that_it_names(
    tmp_path: Path, of: str, select: str, reached: bool
) -> None:
    path = written(tmp_path, WAIVER.replace("rule: {rule}", of))

    (entry,) = config.load(path, select=[select]).waivers

    assert entry.reached is reached


def test_selectors_of_the_file_that_pick_nothing_together_are_a_mistake_in_it(tmp_path: Path) -> None:
    path = written(tmp_path, "select: [topic:governance, severity:critical]")

    with pytest.raises(InvalidConfigurationError) as raised:
        config.load(path)

    assert "chimeaudit.yaml:1:9: " in str(raised.value)
    assert "narrows the others" in str(raised.value)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.integers(0, 2**32).map(damaged))
def test_random_bytes_and_damaged_files_give_mistakes_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "chimeaudit.yaml"
    path.write_bytes(content)

    with suppress(ChimeauditError):
        config.load(path, rules=[str(resources.rules() / "fallback")])


def test_the_schema_file_is_up_to_date_and_accepts_what_the_loader_accepts() -> None:
    path = resources.reports() / "schema" / "config-1.1.json"
    read: Any = yaml.load(FULL, Loader=yaml.BaseLoader)  # noqa: S506 - it makes text of everything

    assert path.read_text(encoding="utf-8") == schema.render()
    Draft202012Validator.check_schema(json.loads(schema.render()))
    Draft202012Validator(schema.config_schema()).validate(read)
    assert not Draft202012Validator(schema.config_schema()).is_valid({"waivers": [{"rule": "x"}]})


def test_a_scan_takes_the_file_in_the_working_directory(tmp_path: Path) -> None:
    written(tmp_path, "fail_on: bad")

    ended = chimeaudit("scan", "--demo", home=tmp_path)

    assert ended.code == 2
    assert "chimeaudit.yaml:1:10: unknown severity" in ended.stderr


def test_a_scan_waives_shows_what_it_waived_and_warns_of_unused_waivers(tmp_path: Path) -> None:
    rule = "last-processor-fails-open"
    waived = WAIVER.format(rule=rule).replace("2027-03-31", "2999-12-31")
    idle = waived.partition("\n")[2].replace('"*"', "arn:aws:nothing")
    expired = waived.partition("\n")[2].replace("2999", "1999")
    written(tmp_path, f"select: {rule}\n{waived}{idle}{expired}")

    ended = chimeaudit("scan", "--demo", *SMALL, "-o", "json:-", home=tmp_path)

    assert ended.code == 0
    findings = ended.report["findings"]
    assert {finding["status"] for finding in findings} == {"waived"}
    assert {finding["waiver"]["owner"] for finding in findings} == {"chat-platform"}
    assert ended.report["summary"]["by_status"]["waived"] == len(findings)
    assert ended.report["summary"]["by_status"]["fail"] == 0
    assert "chimeaudit.yaml:8: the waiver for last-processor-fails-open (chat-platform) matches nothing" in ended.stderr
    assert "chimeaudit.yaml:13: the waiver for last-processor-fails-open (chat-platform) expired on" in ended.stderr


def of_the_documentation(name: str, folder: Path) -> config.Configuration:
    page = (Path(__file__).parents[2] / "docs" / name).read_text()
    return config.load(written(folder, page.partition("```yaml\n")[2].partition("```")[0]))


def test_the_controls_in_the_documentation_are_valid(tmp_path: Path) -> None:
    assert of_the_documentation("controls.md", tmp_path).supports["acme-2026"].keys() == {"MSG-1"}


def test_the_examples_on_the_pages_of_rules_are_valid(tmp_path: Path) -> None:
    pages = sorted((Path(__file__).parents[2] / "docs" / "rules").glob("*.md"))
    examples = [page.read_text("utf-8").partition("```yaml\noverrides:\n")[2].partition("```")[0] for page in pages]

    loaded = config.load(written(tmp_path, "overrides:\n" + "".join(examples)))

    with_params = {rule.info.id for rule in loaded.loaded if rule.params}
    assert {page.stem for page, example in zip(pages, examples, strict=True) if example} == with_params
    assert not any(rule.off for rule in loaded.loaded)


def test_the_example_of_the_documentation_is_valid(tmp_path: Path) -> None:
    loaded = of_the_documentation("configuration.md", tmp_path)

    assert loaded.fail_on == "medium"
    assert len(loaded.waivers) == 2
    assert "missing-required-tags" in {rule.info.id for rule in loaded.rules if not rule.off}
