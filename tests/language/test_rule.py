"""scanner.language.rule: loading reports all mistakes at once; configuring; the digest."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from scanner import DOCUMENTATION, resources
from scanner.errors import InvalidRulesError
from scanner.language import rule
from scanner.language.conditions import constants
from scanner.model.report import Severity
from tests.language.rule_files import LEFT_OUT, PARAM, SOUND, loaded, messages, mistakes, mutated, rule_file


def each(body: dict[str, Any]) -> dict[str, Any]:
    return {"processors": {"each": body}}


def test_a_valid_rule_is_loaded(tmp_path: Path) -> None:
    found = loaded(tmp_path)

    assert found.info.id == "sound"
    assert found.info.topic == "topic"
    assert found.info.profiles == ("default",)
    assert found.facets == frozenset()


@pytest.mark.parametrize("test", [{"count": {"lte": 3}}, {"each": {"execution_order": {"lte": 3}}}])
def test_numbers_of_a_condition_are_found_where_it_chooses_elements_too(tmp_path: Path, test: dict[str, Any]) -> None:
    processors = {"where": {"execution_order": {"gt": 7}}, **test}
    found = loaded(tmp_path, require={"name": "flow", "processors": processors})

    assert set(constants(found.require)) == {"flow", 3, 7}


def test_a_rule_on_roles_has_them_read_even_if_it_asks_for_their_names_alone(tmp_path: Path) -> None:
    found = loaded(tmp_path, resource="role", require={"name": {"starts_with": "chat-"}}, message="{name}")

    assert found.facets == {"chat_roles"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"severty": "low"}, 'unknown rule key "severty"; expected id, title,'),
        ({"severty": "low"}, 'did you mean "severity"?'),
        ({"title": LEFT_OUT}, "found no title; expected it in every rule"),
        ({"title": "  "}, "found blank text; expected text"),
        ({"title": ["x"]}, "found a list; expected text"),
        (
            {"severity": "hihg"},
            'unknown severity "hihg"; expected critical, high, medium, low or info; did you mean "high"?',
        ),
        ({"status": "draft"}, 'unknown status "draft"; expected stable, experimental or deprecated'),
        ({"evidence": ["nam"]}, 'unknown field "nam"; expected '),
        ({"evidence": ["processors"]}, 'unknown field "processors"; expected '),
        ({"evidence": "name"}, "expected a list of fields"),
        (
            {"profiles": ["defualt"]},
            (
                'unknown profile "defualt"; expected default, availability, channels or chat-access;'
                ' did you mean "default"?'
            ),
        ),
        ({"profiles": []}, "found an empty list; expected a list of profiles"),
        (
            {"resource": "Channel-Flow"},
            (
                'unknown resource "Channel-Flow"; expected channel_flow, app_instance or role;'
                ' did you mean "channel_flow"?'
            ),
        ),
        (
            {"resource": "app"},
            'unknown resource "app"; expected channel_flow, app_instance or role; did you mean "app_instance"?',
        ),
        ({"references": []}, "found an empty list; expected a list of https addresses"),
        ({"references": ["http://aws.amazon.com/"]}, "expected an https address"),
        ({"frameworks": {"soc": ["CC6.1"]}}, 'unknown framework "soc"; expected nist-800-53-r5, soc2,'),
        ({"frameworks": {"pci-dss-4.0.1": [6.2]}}, 'found the number 6.2; expected a control in quotes: "6.2"'),
        ({"require": {}}, "found an empty mapping; expected a condition"),
        ({"require": {"nam": "x"}}, 'unknown field "nam"; expected a field of ChannelFlow; did you mean "name"?'),
        (
            {"require": {"processors.name": "x"}},
            'expected processors: with each, some, none, first or last, and "name" in it',
        ),
        ({"require": {"processors": {"each": {"flow.processors": {"count": 1}}}}}, "a list of the resource, inside a"),
        ({"require": {"processors": {"some": {"when": {"name": "x"}, "name": "y"}}}}, "found when inside some;"),
        ({"require": {"processors": {"each": {"when": {"name": "x"}}}}}, "found when alone; expected what each must"),
        ({"require": {"when": {"name": "x"}}}, "found when; expected it beside require, or in each, first or last"),
        ({"message": "{param.nope}"}, 'unknown parameter "nope"'),
        ({"params": PARAM, "message": "{params.wanted}"}, "expected {param.wanted} for the parameter"),
        ({"require": {"name": {"==": "x"}}}, 'unknown operator "=="; did you mean "equals"?'),
        ({"require": {"name": {"glob": "x"}}}, 'did you mean "like"?'),
        ({"require": {"or": [{"name": "x"}]}}, 'did you mean "any_of"?'),
        ({"require": {"processors": {"all": {"name": "x"}}}}, 'did you mean "each"?'),
        ({"require": {"processors": {"when": {"name": "x"}, "each": {"name": "y"}}}}, "expected it inside each, first"),
        ({"require": {"processors": {"each": {"require": {"name": "x"}}}}}, "found require in a condition"),
        ({"require": {"region": ["a", "b"]}}, "found a list; expected one value, or {in: [...]}"),
        ({"require": {"app_instance": "x"}}, "expected exists, or a field in it, such as app_instance.arn"),
        ({"require": {"name": {"gt": "x"}}}, "found gt, which does not fit name (text); expected equals, in,"),
        ({"require": {"name": {"equal": "x"}}}, 'unknown operator "equal"; expected equals,'),
        ({"require": {"name": {"older_than": "90d"}}}, "found older_than, which does not fit name (text)"),
        ({"require": {"name": {}}}, "found an empty mapping; expected an operator and a value"),
        (
            {"require": {"account_id": 111122223333}},
            'found the number 111122223333; expected text in quotes: "111122223333"',
        ),
        ({"require": {"name": True}}, 'found true; expected text in quotes: "true"'),
        ({"require": {"name": None}}, "found nothing; expected text (what is known to be absent is {exists: false})"),
        ({"require": {"name": {"in": "x"}}}, 'found "x"; expected a list of values'),
        ({"require": {"name": ["x"]}}, "found a list; expected one value"),
        (
            {"require": {"name": {"matches": "("}}},
            'found "("; expected a regular expression that RE2 takes (missing ): ()',
        ),
        ({"require": {"name": {"matches": "(?=x)"}}}, "expected a regular expression that RE2 takes"),
        ({"require": {"name": {"equals": {"feild": "x"}}}}, "expected a value, {param: name} or {field: path}"),
        ({"require": {"name": {"equals": {"param": "x"}}}}, 'unknown parameter "x"; there is none'),
        ({"require": {"name": {"equals": {"field": "x.y"}}}}, 'unknown field "x.y"'),
        ({"require": {"name": {"in": {"field": "region"}}}}, "found a field; expected a value or a parameter"),
        ({"require": {"app_instance": "x"}}, 'found "x" for a record; expected exists'),
        ({"require": {"not": "x"}}, 'found "x"; expected a condition'),
        ({"require": {"any_of": []}}, "found an empty list; expected a list of conditions"),
        ({"require": {"processors": 1}}, "found the number 1; expected a mapping with where, each,"),
        (
            {"require": {"processors": {"any_of": [{"name": "x"}]}}},
            'found "any_of" beside a list\'s matchers; did you mean each: {any_of: ...}, some: or none:?',
        ),
        ({"require": {"processors": {"fallback_action": "ABORT"}}}, "did you mean each: {fallback_action: ...}"),
        ({"require": {"processors": {"evry": {"name": "x"}}}}, 'unknown matcher of a list "evry"'),
        (
            {"require": {"processors": {"where": {"name": "x"}}}},
            "found where alone; expected each, some, none, count, unique or contiguous beside it",
        ),
        (
            {"require": {"processors": {"where": {"name": "x"}, "last": {"name": "x"}}}},
            "found last beside where; expected when in last, or each,",
        ),
        (
            {"require": {"processors": {"count": {"contains": "x"}}}},
            "found contains, which does not fit count (integer)",
        ),
        ({"require": {"processors": {"count": "x"}}}, 'found "x"; expected an integer'),
        (
            {"require": {"processors": {"unique": "is_last"}}},
            "found a field of type boolean; expected one of type text or",
        ),
        (
            {"require": {"processors": {"contiguous": "name"}}},
            "found a field of type text; expected one of type integer",
        ),
        ({"require": {"processors": {"exists": "yes"}}}, 'found "yes"; expected true or false'),
        ({"require": each({"fallback_action": "CONTINU"})}, 'expected CONTINUE or ABORT; did you mean "CONTINUE"?'),
        ({"require": each({"is_last": "yes"})}, 'found "yes"; expected true or false'),
        ({"require": each({"execution_order": "1"})}, 'found "1"; expected an integer'),
        (
            {"require": each({"execution_order": {"equals": {"field": "name"}}})},
            "found a field of type text; expected one of",
        ),
        ({"message": "{nam}"}, 'unknown placeholder "nam"; expected a field of ChannelFlow; did you mean "name"?'),
        ({"message": "{name!r}"}, "found the placeholder {name!r} with a format"),
        ({"message": "{name:>9}"}, "found the placeholder {name:>9} with a format"),
        ({"message": "{name"}, "found a brace that belongs to no placeholder"),
        ({"require": each({"name": "x"}), "message": "{account_id}"}, 'did you mean "flow.account_id"?'),
        ({"params": PARAM}, 'found parameter "wanted" unused; expected {param: wanted} in a condition'),
        ({"params": {"Wanted": {}}}, "expected a name of lower-case letters, digits and underscores"),
        ({"params": {"wanted": {"type": "text"}}}, "found no default; expected it in every parameter"),
        (
            {"params": {"wanted": {**PARAM["wanted"], "type": "text"}}},
            'unknown parameter type "text"; expected string,',
        ),
        (
            {"params": {"wanted": {**PARAM["wanted"], "default": 7}}},
            'found the number 7; expected text in quotes: "7"',
        ),
        ({"require": {"updated_at": {"older_than": "90 days"}}}, "expected a duration such as 90d or 12h"),
        ({"require": {"updated_at": {"older_than": "0d"}}}, "expected a duration such as 90d or 12h"),
        ({"require": {"updated_at": {"older_than": 90}}}, "found the number 90; expected a duration"),
        ({"require": {"updated_at": {"older_than": {"field": "created_at"}}}}, "expected a value or a parameter"),
        ({"require": {"updated_at": {"more_days_ahead_than": "90d"}}}, 'found "90d"; expected an integer'),
        (
            {"require": {"updated_at": {"more_days_ahead_than": {"field": "created_at"}}}},
            "expected a value or a parameter",
        ),
        ({"require": {"updated_at": "90d"}}, 'found "90d" for a time; expected'),
        ({"require": {"tags": "x"}}, 'found "x" for a tags; expected'),
        ({"require": {"tags": {"owner": "x"}}}, 'unknown operator "owner"; did you mean tags.owner in place of tags:?'),
        ({"require": each({"lambda": {"region": "x"}})}, "did you mean lambda.region in place of lambda:?"),
        ({"require": {"name": {"not_contains": "x"}}}, "did you mean not: {name: {contains: ...}}?"),
        ({"require": {"name": {"not": {"contains": "x"}}}}, "did you mean not: {name: {...}}?"),
        (
            {"resource": "app_instance", "require": {"flows": {"each": each({"flow.region": "x"})}}},
            "expected a field of Processor, or what is said of the flow in where beside each, some or none",
        ),
        ({"require": {"flow": {"name": "x"}}}, 'unknown field "flow"; expected a field of ChannelFlow'),
        ({"require": {"name": {"like": "?" * 250_000}}}, "expected a shorter text"),
        ({"require": {"tags.": "x"}}, 'unknown field "tags."'),
        ({"require": {"tags.a": {"gt": 1}}}, "found gt, which does not fit tags.a (text)"),
        ({"require": each({"lambda.access.foreign_app_instances": "x"})}, "expected a mapping with each, some, none,"),
        (
            {"require": each({"lambda.access.foreign_app_instances": {"ech": "x"}})},
            "unknown matcher of a list of texts",
        ),
        (
            {"require": each({"lambda.access.foreign_app_instances": {"each": {"gt": 1}}})},
            "found gt, which does not fit an element (text)",
        ),
        ({"off_unless": "wanted"}, 'unknown parameter "wanted"; there is none'),
        ({"off_unless": "wantd", "params": PARAM}, 'did you mean "wanted"?'),
        ({"require": {"has_channels": True}}, "found no test that expects unknown"),
        ({"tests": [{**SOUND["tests"][0], "given": {"updated_at": "long ago"}}]}, "expected a duration such as"),
        ({"tests": [{**SOUND["tests"][0], "given": {"tags": ["x"]}}]}, "found a list; expected tags by key"),
        ({"tests": []}, "found an empty list; expected a list of tests"),
        ({"tests": SOUND["tests"][:1]}, "found no test that expects fail; expected tests for pass and fail"),
        ({"tests": [{**SOUND["tests"][0], "expect": "ok"}]}, 'unknown verdict "ok"; expected pass, fail, unknown or'),
        (
            {"tests": [{**SOUND["tests"][0], "give": {}}]},
            'unknown test key "give"; expected name, given, params or expect',
        ),
        (
            {"tests": [SOUND["tests"][0]] * 2 + SOUND["tests"][1:]},
            'found two tests named "good"; expected a name for each',
        ),
        ({"tests": [{**SOUND["tests"][0], "params": {"x": 1}}]}, 'unknown parameter "x"; there is none'),
        ({"tests": [{**SOUND["tests"][0], "given": {"nam": "x"}}]}, 'unknown field of ChannelFlow "nam"'),
        ({"tests": [{**SOUND["tests"][0], "given": {"name": 7}}]}, "found the number 7; expected text in quotes"),
        ({"tests": [{**SOUND["tests"][0], "given": {"processors": {}}}]}, "found a mapping; expected a list"),
        (
            {"tests": [{**SOUND["tests"][0], "given": ["x"]}]},
            "found a list; expected a mapping with fields of ChannelFlow",
        ),
    ],
)
def test_each_mistake_says_what_was_found_and_expected(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    found = messages(tmp_path, **changes)

    assert any(message in each_ for each_ in found), found


def test_a_mistake_names_file_line_and_column(tmp_path: Path) -> None:
    path = rule_file(tmp_path, text=json.dumps(SOUND, indent=1).replace('"low"', '"lwo"'))

    (mistake,) = mistakes(path)

    assert (mistake.file, mistake.line, mistake.column) == (str(path), 4, 14)


def test_all_mistakes_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    rule_file(tmp_path, id="one", title=LEFT_OUT, severity="x", require={"nam": 1, "regio": 2}, message="{nope}")
    rule_file(tmp_path, id="two", text="a: 1\na: 2\n")
    rule_file(tmp_path, id="three")

    found = mistakes(tmp_path)

    assert {Path(each_.file).stem for each_ in found} == {"one", "two"}
    assert len([each_ for each_ in found if each_.file.endswith("one.yaml")]) == 5
    assert any("again" in each_.message for each_ in found)
    assert any("found no title" in each_.message for each_ in found if each_.file.endswith("two.yaml"))


def test_the_id_is_the_name_of_the_file(tmp_path: Path) -> None:
    path = rule_file(tmp_path)
    path.rename(path.with_stem("other"))

    (mistake,) = mistakes(path.with_stem("other"))

    assert mistake.message == 'found "sound" in a file of another name; expected "other"'


def test_an_id_occurs_once(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    first, second = rule_file(tmp_path), rule_file(tmp_path / "more")

    (mistake,) = mistakes(first, second)

    assert (mistake.file, mistake.line) == (str(second), 2)
    assert f'found the id "sound" again, after {first}' in mistake.message


def test_a_duplicate_id_is_reported_with_all_other_mistakes(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    first, second = rule_file(tmp_path, severity="x"), rule_file(tmp_path / "more", title="")

    assert [each_.message.partition(";")[0] for each_ in sorted(mistakes(first, second))] == [
        f'found the id "sound" again, after {first}',
        "found blank text",
        'unknown severity "x"',
    ]


def test_rules_are_sorted_by_id(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        rule_file(tmp_path, id=name)

    assert [each_.info.id for each_ in rule.load([tmp_path])] == ["a", "b", "c"]


@pytest.fixture
def three(tmp_path: Path) -> tuple[rule.Rule, ...]:
    rule_file(tmp_path, id="low-one", frameworks={"soc2": ["CC6.1"]})
    rule_file(tmp_path, id="high-one", severity="high")
    rule_file(tmp_path, id="available-one", profiles=["availability"])
    return rule.load([tmp_path])


def test_what_a_process_has_read_is_read_again_where_it_has_changed(tmp_path: Path) -> None:
    before = loaded(tmp_path, severity="low")
    changed = loaded(tmp_path, severity="high")
    moved = rule_file(tmp_path, severity="high").parent.rename(tmp_path / "other")
    (elsewhere,) = rule.load([moved])

    assert [each.info.severity for each in (before, changed)] == [Severity.LOW, Severity.HIGH]
    assert (changed.info.topic, elsewhere.info.topic) == ("topic", "other")
    assert mistakes(rule_file(tmp_path, severity="much"))
    assert mistakes(rule_file(tmp_path, severity="much")), "mistakes are told each time"


def test_the_digest_follows_the_content_not_the_layout(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    one = rule.load([rule_file(tmp_path)])
    text = "# a comment\r\n" + json.dumps(dict(reversed(SOUND.items())), indent=4).replace("\n", "\r\n")
    other = rule.load([rule_file(tmp_path / "x", text=text)])
    changed = rule.load([rule_file(tmp_path, title="Another")])

    assert rule.digest(one) == rule.digest(other)
    assert rule.digest(one) != rule.digest(changed)
    assert len(rule.digest(one)) == 64


def test_the_digest_does_not_depend_on_the_order_of_rules(three: tuple[rule.Rule, ...]) -> None:
    assert rule.digest(three) == rule.digest(three[::-1])
    assert rule.digest(three) != rule.digest(three[:2])


def test_what_evidence_shows_is_read(tmp_path: Path) -> None:
    assert loaded(tmp_path, evidence=["has_channels"]).facets == {"channels"}


def test_configuring_changes_severity_parameters_and_digest(tmp_path: Path) -> None:
    one = loaded(tmp_path, params=PARAM, require={"name": {"equals": {"param": "wanted"}}})

    own = rule.configured(one, severity=Severity.CRITICAL, settings={"wanted": "other"})

    assert own.info.severity is Severity.CRITICAL
    assert own.settings == {"wanted": "other"}
    assert one.settings == {"wanted": "flow"}
    assert rule.digest([own]) != rule.digest([one])


SHIPPED = sorted(path.read_bytes() for path in resources.rules().rglob("*.yaml"))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SHIPPED), st.integers(0, 2**32))
def test_a_damaged_rule_file_gives_mistakes_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, seed: int
) -> None:
    damaged = mutated(content, random.Random(seed))  # noqa: S311 - no secret depends on it

    path = rule_file(tmp_path_factory.getbasetemp(), text=damaged)

    with pytest.raises(InvalidRulesError):  # the file's name never matches the id
        rule.load([path])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_give_mistakes_and_nothing_else(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    with pytest.raises(InvalidRulesError):
        rule.load([rule_file(tmp_path_factory.getbasetemp(), text=content)])


def test_a_rule_leads_to_the_page_that_it_names(tmp_path: Path) -> None:
    assert loaded(tmp_path).info.help is UNSET
    assert (
        loaded(tmp_path, help="https://wiki.example.org/rules?id=1#a").info.help
        == "https://wiki.example.org/rules?id=1#a"
    )


@pytest.mark.parametrize(
    "address",
    ["wiki/page", "http://example.org/", "https://example.org", "https://a b/", 'https://a/"', "https://u@a/", ""],
)
def test_an_address_that_some_format_could_not_show_is_refused(tmp_path: Path, address: str) -> None:
    (message,) = messages(tmp_path, help=address)
    assert "expected an https address" in message


@pytest.mark.parametrize("changes", [{}, [], "new", {"1.1": ""}, {"1.1": 2}])
def test_changes_say_what_changed(tmp_path: Path, changes: object) -> None:
    assert len(messages(tmp_path, changes=changes)) == 1
    assert loaded(tmp_path, changes={"1.1": "More is found."}).changes == {"1.1": "More is found."}


def test_the_shipped_rules_lead_to_the_documentation_and_copies_of_them_nowhere(tmp_path: Path) -> None:
    file = next(resources.rules().rglob("last-processor-fails-open.yaml"))
    copy = tmp_path / "fallback" / file.name
    copy.parent.mkdir()
    copy.write_bytes(file.read_bytes())

    ((shipped,), (copied,)) = rule.load([file]), rule.load([copy])

    assert shipped.info.help == f"{DOCUMENTATION}rules/last-processor-fails-open.html"
    assert copied.info.help is UNSET


ASKED_FOR = {"lambda.function.maximum_retry_attempts": {"gte": 1}}
WITHOUT_QUEUE = {"lambda.function.dead_letter_queue": {"exists": False}}


@pytest.mark.parametrize(
    ("processors", "needed"),
    [
        ({"each": ASKED_FOR}, True),
        ({"where": WITHOUT_QUEUE, "each": ASKED_FOR}, False),
        ({"each": {"when": {**WITHOUT_QUEUE, "name": "x"}, **ASKED_FOR}}, False),
        ({"each": {"any_of": [WITHOUT_QUEUE, ASKED_FOR]}}, True),
        ({"each": {**WITHOUT_QUEUE, **ASKED_FOR}}, True),
        ({"where": {**WITHOUT_QUEUE, **ASKED_FOR}, "count": 0}, False),
        ({"where": ASKED_FOR, "count": 0}, True),
        ({"where": {"lambda.function.dead_letter_queue": {"exists": True}}, "each": ASKED_FOR}, True),
        ({"unique": "lambda.function.maximum_retry_attempts"}, True),
        ({"each": {"execution_order": {"equals": {"field": "lambda.function.maximum_retry_attempts"}}}}, True),
        ({"each": {"lambda.function.timeout_seconds": 1}}, False),
    ],
)
def test_retries_are_asked_for_where_a_verdict_hangs_on_them(
    processors: dict[str, Any], needed: bool, tmp_path: Path
) -> None:
    verdicts = ("pass", "fail", "unknown")
    tests = [{"name": verdict, "given": {"name": verdict}, "expect": verdict} for verdict in verdicts]

    read = loaded(tmp_path, require={"processors": processors}, tests=tests)
    within = loaded(
        tmp_path, resource="app_instance", require={"flows": {"none": {"processors": processors}}}, tests=tests
    )

    assert read.facets == within.facets == {"function", *["retries"] * needed}
