"""Merges the findings on a resource in all cases that can occur."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from scanner.model.branches import Given
from scanner.model.cases import cases_in_words
from scanner.model.report import Finding, Status

DECIDING = (Status.FAIL, Status.WAIVED, Status.UNKNOWN)
"""Which of several findings decides on a verdict: a failure is certain, whatever is unknown."""


def merged(cases: Sequence[tuple[Given, Sequence[Finding]]]) -> list[Finding]:
    """One finding for each fingerprint. Its message names the cases in which it is so, unless these are all."""
    found: dict[str, list[tuple[Given, Finding]]] = {}
    for given, findings in cases:
        for finding in findings:
            found.setdefault(finding.fingerprint, []).append((given, finding))
    every = [given for given, _ in cases]
    one_each = [_merged(alike, every) for alike in found.values()]
    return sorted(one_each, key=lambda finding: finding.rule_id)


def _merged(alike: Sequence[tuple[Given, Finding]], every: Sequence[Given]) -> Finding:
    status = min((finding.status for _, finding in alike), key=DECIDING.index)
    deciding = [(given, finding) for given, finding in alike if finding.status is status]
    messages: dict[str, list[Given]] = {}
    for given, finding in deciding:
        messages.setdefault(finding.message, []).append(given)
    evidence = dict.fromkeys(item for _, finding in deciding for item in finding.evidence)
    return structs.replace(
        deciding[0][1],
        message="; ".join(f"{message}{cases_in_words(given, every)}" for message, given in messages.items()),
        evidence=tuple(evidence),
    )
