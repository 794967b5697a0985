"""The keys of a rule file, and reading those that describe the rule rather than hold its logic and tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, get_args

from scanner.language import checks
from scanner.language.frameworks import shipped
from scanner.model.phrases import quote, unknown
from scanner.model.report import HELP, ResourceType, RuleInfo, Severity
from scanner.model.yamltree import Mistakes, Node, Table, found

DEFAULT_PROFILE: Final = "default"
PROFILES: Final[Mapping[str, str]] = {
    DEFAULT_PROFILE: "What every scan checks unless told otherwise.",
    "availability": "For those to whom an outage of the conversation is worse than an unprocessed message.",
    "channels": "For those who want every channel checked; it lists channels as an app instance admin, by many calls.",
    "chat-access": "For those who ask what the roles of signed-in users allow; it reads every role of an account.",
}
STATUSES: Final = ("stable", "experimental", "deprecated")
RESOURCES: Final = get_args(ResourceType)

KEYS: Final[Mapping[str, str]] = {
    "id": "The rule's name in reports and on the command line; the file is called the same.",
    "title": "What is wrong where the rule fails, in a few words.",
    "severity": "How bad that is.",
    "status": "stable, experimental (its verdicts may change) or deprecated (another rule replaces it).",
    "profiles": "The sets of rules it belongs to; left out: default.",
    "resource": "What it judges.",
    "rationale": "Why it matters: what can happen, and to whom.",
    "remediation": "What to do, with the exact command where there is one.",
    "references": "Pages that say so.",
    "help": "The address of a page that explains the rule. Reports link it; the shipped rules have one without it.",
    "frameworks": "Controls of compliance frameworks that ask for it.",
    "params": "What an organisation may set without writing a rule of its own.",
    "off_unless": "The parameter without which the rule is off: it applies to nothing then, and asks AWS for nothing.",
    "when": "Where the rule applies; elsewhere its verdict is not_applicable.",
    "require": "What must hold; where it does not, the rule fails.",
    "evidence": "Fields of the resource that the evidence of a finding shows, besides those that did not hold.",
    "message": "What a finding says, with placeholders such as {name}.",
    "changes": "What changed in what the rule finds, by version or date, the newest first.",
    "tests": "Resources with the verdict that is expected of them; at least one passes and one fails.",
}
_OPTIONAL = ("profiles", "help", "frameworks", "params", "off_unless", "when", "evidence", "changes")
REQUIRED: Final = tuple(key for key in KEYS if key not in _OPTIONAL)

_URL = re.compile(r"https://[^\s/]+\.[^\s/]+/\S*")


def read(table: Table, topic: str, stem: str, mistakes: Mistakes, frameworks: Collection[str] = ()) -> RuleInfo | None:
    """The description of a rule in the file `stem`.yaml in the folder `topic`; None if there are mistakes.

    `frameworks` are names of frameworks that it may name besides those that ship.
    """
    checks.keys(table, KEYS, REQUIRED, "rule key", mistakes)
    before = len(mistakes.found)
    readers: dict[str, Callable[[Node], Any]] = {
        "id": lambda node: _id(node, stem, mistakes),
        "title": lambda node: checks.text(node, mistakes),
        "severity": lambda node: checks.word(node, checks.words(Severity), "severity", mistakes),
        "status": lambda node: checks.word(node, STATUSES, "status", mistakes),
        "profiles": lambda node: _profiles(node, mistakes),
        "resource": lambda node: checks.word(node, RESOURCES, "resource", mistakes),
        "rationale": lambda node: checks.text(node, mistakes),
        "remediation": lambda node: checks.text(node, mistakes),
        "references": lambda node: _references(node, mistakes),
        "help": lambda node: _help(node, mistakes),
        "frameworks": lambda node: _frameworks(node, [*shipped(), *frameworks], mistakes),
    }
    values = {key: readers[key](node) for key, node in table.entries.items() if key in readers}
    complete = all(key in values for key in REQUIRED if key in readers)
    if not complete or len(mistakes.found) > before:
        return None
    values["severity"] = Severity(values["severity"])
    return RuleInfo(**{"profiles": (DEFAULT_PROFILE,), "frameworks": {}, **values, "topic": topic})


def _id(node: Node, stem: str, mistakes: Mistakes) -> str | None:
    written = checks.text(node, mistakes)
    if written is None:
        return None
    if not checks.SLUG.fullmatch(written):
        mistakes.add(node, f"found {quote(written)}; expected lower-case words joined by hyphens")
    elif written != stem:
        mistakes.add(node, f"found {quote(written)} in a file of another name; expected {quote(stem)}")
    return written


def _profiles(node: Node, mistakes: Mistakes) -> tuple[str | None, ...]:
    items = checks.items(node, "a list of profiles", mistakes)
    return tuple(checks.word(item, PROFILES, "profile", mistakes) for item in items)


def _references(node: Node, mistakes: Mistakes) -> tuple[str | None, ...]:
    return tuple(_reference(item, mistakes) for item in checks.items(node, "a list of https addresses", mistakes))


def _reference(node: Node, mistakes: Mistakes) -> str | None:
    address = checks.text(node, mistakes, "an https address")
    if address is not None and not _URL.fullmatch(address):
        mistakes.add(node, f"{found(node)}; expected an https address")
    return address


def _help(node: Node, mistakes: Mistakes) -> str | None:
    address = checks.text(node, mistakes, "an https address")
    if address is not None and not re.fullmatch(HELP, address):
        wanted = "an https address such as https://wiki.example.com/rules, without spaces, quotes and brackets"
        mistakes.add(node, f"{found(node)}; expected {wanted}")
    return address


def changes(node: Node, mistakes: Mistakes) -> dict[str, str]:
    """What changed in what a rule finds, by version or date, in the order in which it stands there."""
    table = checks.table(node, "what changed, by version or date", mistakes)
    read = {} if table is None else {key: checks.text(value, mistakes) for key, value in table.entries.items()}
    return {key: text for key, text in read.items() if text is not None}


def _frameworks(node: Node, known: Collection[str], mistakes: Mistakes) -> dict[str, tuple[str | None, ...]]:
    table = checks.table(node, "controls by framework", mistakes)
    if table is None:
        return {}
    for key in table.keys.values():
        if key.text not in known:
            wanted = unknown("framework", key.text, known)
            mistakes.add(key, f"{wanted}; a framework of your own goes under frameworks in chimeaudit.yaml")
    return {name: _controls(value, mistakes) for name, value in table.entries.items()}


def _controls(node: Node, mistakes: Mistakes) -> tuple[str | None, ...]:
    return tuple(
        checks.text(item, mistakes, "a control") for item in checks.items(node, "a list of controls", mistakes)
    )
