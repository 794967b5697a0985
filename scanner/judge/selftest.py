"""Runs the tests inside rule files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec import UNSET

from scanner.errors import Mistake
from scanner.judge.evaluate import compiled
from scanner.judge.judgement import Note
from scanner.language.conditions import show
from scanner.language.examples import NOW, Example
from scanner.language.rule import Rule, configured
from scanner.model.phrases import quote


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """A test whose expected verdict differs from the rule's, with the rule's verdict and its reasons."""

    rule: Rule
    example: Example
    verdict: str
    reasons: tuple[str, ...]


def disagreements(rules: Iterable[Rule]) -> Iterator[Disagreement]:
    """Run all tests in the rules; yield those that fail."""
    for rule in rules:
        for example in rule.examples:
            verdict, notes = compiled(given(rule, example), NOW).verdict(example.given)
            if verdict != example.expect:
                reasons = tuple(map(_reason, notes))
                yield Disagreement(rule=rule, example=example, verdict=verdict, reasons=reasons)


def run(rules: Iterable[Rule]) -> list[Mistake]:
    """Run all tests in the rules; the failed ones as mistakes, at the tests' places in the rule files."""
    return [_mistake(disagreement) for disagreement in disagreements(rules)]


def difference(disagreement: Disagreement) -> str:
    """A failed test as lines: its place, the expected verdict, the rule's verdict, and the reasons."""
    rule, example = disagreement.rule, disagreement.example
    lines = [
        f"{rule.file}:{example.line}:{example.column}: {rule.info.id}: {example.name}",
        f"  - {example.expect}",
        f"  + {disagreement.verdict}",
        *(f"      {reason}" for reason in disagreement.reasons),
    ]
    return "".join(f"{line}\n" for line in lines)


def given(rule: Rule, example: Example) -> Rule:
    """The rule with the parameters that a test sets."""
    return configured(rule, settings=example.params)


def _mistake(found: Disagreement) -> Mistake:
    example, because = found.example, "; ".join(found.reasons)
    got = f"got {found.verdict}{f' ({because})' if because else ''}"
    message = f"test {quote(example.name)} {got}; expected {example.expect}"
    return Mistake(file=found.rule.file, line=example.line, column=example.column, message=message)


def _reason(note: Note) -> str:
    evidence = note.evidence
    observed = "unknown" if note.holds is UNSET else show(evidence.observed)
    return f"{evidence.path} is {observed}, required: {evidence.required}"
