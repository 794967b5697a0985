"""``chimeaudit rules`` from outside: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest

from scanner import resources
from scanner.language import schema
from tests.command import CHIMEAUDIT, Ended, chimeaudit, environment
from tests.language.rule_files import SOUND, rule_file
from tests.posix import cpu_seconds_of_children

ROOT = Path(__file__).parents[2]
IDS = sorted(path.stem for path in resources.rules().rglob("*.yaml"))


def rules(*arguments: str, home: Path) -> Ended:
    return chimeaudit("rules", *arguments, home=home)


def test_all_rules_are_listed_whatever_their_profile(tmp_path: Path) -> None:
    ended = rules("list", home=tmp_path)
    explained = rules("list", "--help", home=tmp_path)

    assert "[default: every profile]" in explained.stdout
    assert ended.code == 0
    assert sorted(line.split()[0] for line in ended.stdout.splitlines()[1:]) == IDS
    assert "(profile availability)" in ended.stdout
    assert "(off until required_tags is given)" in ended.stdout


def test_a_list_can_be_narrowed_and_configured(tmp_path: Path) -> None:
    text = "overrides: {missing-required-tags: {severity: high, params: {required_tags: [owner]}}}"
    (tmp_path / "chimeaudit.yaml").write_text(text)

    (one,) = json.loads(rules("list", "--select", "missing-required-tags", "--format", "json", home=tmp_path).stdout)

    assert (one["severity"], one["off"], one["facets"]) == ("high", False, ["tags"])
    assert one["params"]["required_tags"]["value"] == ["owner"]
    assert one["actions"] == ["chime:ListAppInstances", "chime:ListChannelFlows", "chime:ListTagsForResource"]


def test_the_page_of_controls_is_what_the_command_prints(tmp_path: Path) -> None:
    ended = rules("list", "--format", "frameworks", home=tmp_path)

    assert (ROOT / "docs" / "frameworks.md").read_text(encoding="utf-8") == ended.stdout


def test_the_pages_of_rules_are_what_the_command_writes(tmp_path: Path) -> None:
    ended = rules("pages", "written", home=tmp_path)

    docs, written = ROOT / "docs", tmp_path / "written"
    assert ended.stdout == f"written has the pages of {len(IDS)} rules.\n"
    assert {path.stem for path in (docs / "rules").iterdir()} == set(IDS)
    for path in (docs / "rules.md", *(docs / "rules").iterdir()):
        assert (written / path.relative_to(docs)).read_text("utf-8") == path.read_text("utf-8"), path


def test_pages_are_written_of_rules_that_others_wrote(tmp_path: Path) -> None:
    changes = {"1.2": "Names are compared whole.", "1.1": "It is *new*."}
    rule_file(tmp_path, changes=changes, rationale="a | b", message="<b>{name}</b>", title="<i>x")

    assert rules("pages", ".", "--rules", "topic", home=tmp_path).code == 0

    page = (tmp_path / "rules" / "sound.md").read_text()
    assert "| [`sound`](rules/sound.md) | low | \\<i\\>x |" in (tmp_path / "rules.md").read_text()
    assert "\na \\| b\n" in page
    assert "\n> \\<b\\>other\\</b\\>\n" in page
    assert "\n| `name` | `other` | `equals flow` |\n" in page
    assert page.endswith("\n- 1.2: Names are compared whole.\n- 1.1: It is \\*new\\*.\n")


def test_a_list_leads_to_the_pages_that_the_rules_name(tmp_path: Path) -> None:
    rule_file(tmp_path, help="https://wiki.example.org/x")
    rule_file(tmp_path, id="other")

    listed = rules("list", "--format", "markdown", "--rules", "topic", home=tmp_path).stdout

    assert "\n| [`sound`](https://wiki.example.org/x) |" in listed
    assert "\n| `other` |" in listed
    assert "https://wiki.example.org/x" in rules("show", "sound", "--rules", "topic", home=tmp_path).stdout


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "rules.md").mkdir()

    ended = rules("pages", ".", home=tmp_path)

    assert ended.code == 70
    assert ended.stderr.startswith("error: rules.md cannot be written: ")


@pytest.mark.parametrize("id_", IDS)
def test_every_rule_can_be_explained(id_: str, tmp_path: Path) -> None:
    ended = rules("show", id_, home=tmp_path)

    assert ended.code == 0
    for part in ("Severity", "IAM actions", "require:", "What to do:", "  aws ", "https://docs.aws.amazon.com/"):
        assert part in ended.stdout


@pytest.mark.parametrize(
    ("id_", "field"),
    [
        ("chat-role-acts-as-anyone", "role.may_remove_flow: Whether it lets its users disassociate"),
        ("missing-lambda", "flow.processors[].lambda.function.exists: Whether there is a function"),
        ("no-failure-alert", "app_instance.flows[].name: The name of the channel flow"),
    ],
)
def test_a_rule_is_explained_with_the_fields_that_such_rules_may_read(tmp_path: Path, id_: str, field: str) -> None:
    assert f"\n  {field}" in rules("show", id_, home=tmp_path).stdout


def test_a_rule_is_explained_with_the_facets_and_actions_that_it_needs(tmp_path: Path) -> None:
    ended = rules("show", "unused-channel-flow", home=tmp_path)

    assert "Facets          channels\n" in ended.stdout
    assert "chime:ListChannelsAssociatedWithChannelFlow" in ended.stdout


def test_an_unknown_rule_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    ended = rules("show", "mising-lambda", home=tmp_path)

    assert ended.code == 2
    assert 'there is no rule "mising-lambda"; did you mean "missing-lambda"?' in ended.stderr


def test_tests_that_agree_are_counted(tmp_path: Path) -> None:
    ended = rules("test", home=tmp_path)

    assert ended.code == 0
    assert ended.stdout.endswith(f"tests in {len(IDS)} rules (those that ship) agree.\n")


def test_without_a_path_the_rules_of_the_configuration_are_tested(tmp_path: Path) -> None:
    rule_file(tmp_path)
    (tmp_path / "chimeaudit.yaml").write_text("rules: ./topic")

    ended = rules("test", home=tmp_path)

    assert ended.stdout == "2 tests in 1 rule (./topic, as chimeaudit.yaml says) agree.\n"


@pytest.mark.parametrize(
    "command", [("test", "topic"), ("list", "--rules", "topic"), ("show", "sound", "--rules", "topic")]
)
def test_rules_of_another_profile_are_tested_and_shown(command: tuple[str, ...], tmp_path: Path) -> None:
    rule_file(tmp_path, profiles=["availability"])

    ended = rules(*command, home=tmp_path)

    assert (ended.code, ended.stderr) == (0, "")


def test_a_test_that_disagrees_is_shown_as_a_difference(tmp_path: Path) -> None:
    wrong = {"name": "hostile \u202e", "given": {"name": "x"}, "expect": "pass"}
    path = rule_file(tmp_path, tests=[*SOUND["tests"], wrong])

    ended = rules("test", str(path), home=tmp_path)

    place, *difference = ended.stdout.splitlines()
    assert ended.code == 1
    assert place.startswith(f"{path}:")
    assert place.endswith("sound: hostile \\u202e")
    assert difference == ["  - pass", "  + fail", "      name is x, required: equals flow"]
    assert "1 of 3 tests in 1 rule disagree" in ended.stderr


def test_all_mistakes_in_rules_are_reported(tmp_path: Path) -> None:
    rule_file(tmp_path, severity="x")

    ended = rules("test", "topic", home=tmp_path)

    assert ended.code == 2
    assert 'topic/sound.yaml:4:14: unknown severity "x"' in ended.stderr


@pytest.mark.parametrize("judges", ["channel_flow", "app_instance"])
def test_a_new_rule_is_sound_and_passes_its_tests(judges: str, tmp_path: Path) -> None:
    ended = rules("new", "ours/named-after-stage", "--resource", judges, home=tmp_path)

    assert ended.code == 0
    assert rules("test", "ours", home=tmp_path).stdout == "3 tests in 1 rule agree.\n"
    beside = json.loads((tmp_path / "ours" / "rule-1.1.json").read_text())
    assert beside == schema.rule_schema()
    written = (tmp_path / "ours" / "named-after-stage.yaml").read_text()
    assert "#" in written
    assert "title: Named after stage\n" in written


def test_a_new_rule_replaces_nothing(tmp_path: Path) -> None:
    rules("new", "ours/mine.yaml", home=tmp_path)

    again = rules("new", "ours/mine", home=tmp_path)

    assert again.code == 2
    assert "ours/mine.yaml is there already" in again.stderr


def test_a_new_rule_has_the_topic_and_the_title_that_options_give(tmp_path: Path) -> None:
    title = """Name: isn't <RESOURCE> #1, "quoted" {name}"""
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "rule-1.1.json").write_text("mine")

    ended = rules("new", "mine", "--topic", "ours", "--resource", "role", "--title", title, home=tmp_path)

    assert ended.code == 0
    (listed,) = json.loads(rules("list", "--rules", "ours", "--format", "json", home=tmp_path).stdout)
    assert (listed["topic"], listed["title"], listed["resource"]) == ("ours", title, "role")
    assert (tmp_path / "ours" / "rule-1.1.json").read_text() == "mine"


@pytest.mark.parametrize("option", [("--topic", "../x"), ("--topic", ""), ("--title", " "), ("--title", "a\nb")])
def test_topics_and_titles_that_no_rule_can_have_are_refused(option: tuple[str, str], tmp_path: Path) -> None:
    ended = rules("new", "mine", *option, home=tmp_path)

    assert (ended.code, list(tmp_path.glob("**/*.yaml"))) == (2, [])


def test_a_topic_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    ended = rules("new", "ours/mine", "--topic", "ours", home=tmp_path)

    assert (ended.code, list(tmp_path.glob("**/*.yaml"))) == (2, [])
    assert ended.error == 'error: "ours/mine" names a topic, and so does --topic'


def test_a_name_that_is_no_id_is_refused(tmp_path: Path) -> None:
    assert rules("new", "ours/My Rule", home=tmp_path).code == 2


@pytest.mark.parametrize(("which", "file"), [("rule", "rule-1.1.json"), ("config", "config-1.1.json")])
def test_printed_schemas_equal_the_files_in_the_repository(which: str, file: str, tmp_path: Path) -> None:
    printed = rules("schema", which, home=tmp_path).stdout

    assert printed == (resources.reports() / "schema" / file).read_text(encoding="utf-8")
    jsonschema.Draft202012Validator.check_schema(json.loads(printed))


def test_listing_rules_is_quick_and_asks_aws_for_nothing(tmp_path: Path) -> None:
    before = cpu_seconds_of_children()
    subprocess.run([CHIMEAUDIT, "rules", "list"], env=environment(tmp_path), cwd=tmp_path, check=True, stdout=-3)
    assert cpu_seconds_of_children() - before < 0.8
