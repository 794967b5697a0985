"""Runs the tests inside rule files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from scanner.engine.conditions import show
from scanner.engine.evaluate import compiled
from scanner.engine.examples import Example
from scanner.engine.given import NOW
from scanner.engine.judgement import Note
from scanner.engine.rule import Rule
from scanner.engine.words import quote
from scanner.errors import Mistake


def run(rules: Iterable[Rule]) -> list[Mistake]:
    """A mistake, where the test stands, for each test whose verdict is another than it expects."""
    return [mistake for rule in rules for mistake in _run(rule)]


def _run(rule: Rule) -> Iterator[Mistake]:
    for example in rule.examples:
        verdict, notes = compiled(given(rule, example), NOW).verdict(example.given)
        if verdict != example.expect:
            yield _mistake(rule, example, verdict, notes)


def given(rule: Rule, example: Example) -> Rule:
    """The rule with the parameters that the test sets."""
    return replace(rule, settings={**rule.settings, **example.params})


def _mistake(rule: Rule, example: Example, verdict: str, notes: Iterable[Note]) -> Mistake:
    because = "; ".join(_reason(note) for note in notes)
    message = f"test {quote(example.name)} got {verdict}{f' ({because})' if because else ''}; expected {example.expect}"
    return Mistake(file=rule.file, line=example.line, column=example.column, message=message)


def _reason(note: Note) -> str:
    evidence = note.evidence
    observed = "unknown" if note.holds is None else show(evidence.observed)
    return f"{evidence.path} is {observed}, required: {evidence.required}"
