"""scanner.language.selection: selecting by id, and by profile narrowed by topic, severity and framework."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.errors import UsageError
from scanner.language import rule
from scanner.language.selection import select
from tests.language.rule_files import rule_file

ALL = {"available-one", "high-one", "low-one", "other-high", "outage-only"}


@pytest.fixture
def rules(tmp_path: Path) -> tuple[rule.Rule, ...]:
    chat, sound = tmp_path / "chat", tmp_path / "sound"
    for folder in (chat, sound):
        folder.mkdir()
    rule_file(chat, id="low-one", frameworks={"soc2": ["CC6.1"]})
    rule_file(chat, id="high-one", severity="high")
    rule_file(chat, id="available-one", profiles=["availability"], severity="medium")
    (chat / "topic").rename(chat / "fallback")
    rule_file(sound, id="other-high", severity="high", profiles=["default", "availability"])
    (sound / "topic").rename(sound / "lambda")
    rule_file(sound, id="outage-only", profiles=["availability"])
    (sound / "topic").rename(sound / "outage")
    return rule.load([chat, sound])


@pytest.mark.parametrize(
    ("selectors", "ids"),
    [
        ([], {"high-one", "low-one", "other-high"}),
        (["profile:default"], {"high-one", "low-one", "other-high"}),
        (["profile:availability"], {"available-one", "other-high", "outage-only"}),
        (
            ["profile:default", "profile:availability"],
            {"available-one", "high-one", "low-one", "other-high", "outage-only"},
        ),
        (["topic:fallback"], {"high-one", "low-one"}),
        (["topic:fallback", "topic:lambda"], {"high-one", "low-one", "other-high"}),
        (["profile:availability", "topic:fallback"], {"available-one"}),
        (["topic:fallback", "profile:default", "profile:availability"], {"available-one", "high-one", "low-one"}),
        (["severity:high"], {"high-one", "other-high"}),
        (["severity:high", "topic:lambda"], {"other-high"}),
        (["framework:soc2"], {"low-one"}),
        (["available-one"], {"available-one"}),
        (["available-one", "topic:lambda"], {"available-one", "other-high"}),
        (["low-one", "severity:high", "low-one"], {"high-one", "low-one", "other-high"}),
        (["profile:availability", "low-one"], {"available-one", "low-one", "other-high", "outage-only"}),
    ],
)
def test_ids_add_rules_and_all_else_narrows_the_profiles(
    rules: tuple[rule.Rule, ...], selectors: list[str], ids: set[str]
) -> None:
    assert {each.info.id for each in select(rules, selectors)} == ids


def test_the_order_of_selectors_makes_no_difference(rules: tuple[rule.Rule, ...]) -> None:
    selectors = ["low-one", "topic:lambda", "profile:availability"]

    assert select(rules, selectors) == select(rules, selectors[::-1])


@pytest.mark.parametrize(
    ("selectors", "message", "hint"),
    [
        (["low-on"], '"low-on" selects no rule', 'did you mean "low-one"?'),
        (["available"], '"available" selects no rule', 'did you mean "available-one"?'),
        (["fallback"], '"fallback" selects no rule; no rule has that name', 'Did you mean "topic:fallback"?'),
        (
            ["topic:fallbak"],
            '"topic:fallbak" selects no rule',
            'lambda or outage; did you mean "fallback"?',
        ),
        (["severity:critical"], '"severity:critical" selects no rule', "There is high, low or medium"),
        (["severity:High"], '"severity:High" selects no rule', 'did you mean "high"?'),
        (["framework:pci-dss-4.0.1"], "selects no rule", "There is soc2"),
        (["topc:fallback"], 'unknown selector "topc:fallback"', 'did you mean "topic:"?'),
        (["TOPIC:fallback"], 'unknown selector "TOPIC:fallback"', 'did you mean "topic:"?'),
        ([""], '"" selects no rule', "There is available-one, high-one,"),
        (["topic:outage"], '"topic:outage" selects no rule of the profile default', "add profile:availability"),
        (["topic:fallback", "topic:outage"], '"topic:outage" selects no rule of the profile default', "add profile:"),
        (["topic:lambda", "framework:soc2"], '"topic:lambda,framework:soc2" selects no rule', "narrows the others"),
    ],
)
def test_selectors_that_pick_nothing_are_refused(
    rules: tuple[rule.Rule, ...], selectors: list[str], message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as raised:
        select(rules, selectors)

    assert message in raised.value.message
    assert hint in raised.value.hint


def test_rules_that_all_belong_to_other_profiles_have_to_be_selected(rules: tuple[rule.Rule, ...]) -> None:
    available = tuple(each for each in rules if each.info.profiles == ("availability",))

    with pytest.raises(UsageError, match="no rule belongs to the profile default") as raised:
        select(available, [])

    assert raised.value.hint == "Select profile:availability."
