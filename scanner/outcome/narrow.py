"""Narrows a report to one framework, for whoever is asked about that framework alone."""

from __future__ import annotations

from typing import TypeVar

from msgspec import UNSET, structs

from scanner.errors import UsageError
from scanner.model.phrases import nearest, one_of, quote
from scanner.model.report import Finding, Report, RuleInfo, Summary
from scanner.store.saved import counted

_OPTION = "framework"
"""The recorded option that names the framework to which a report was narrowed."""
_FILTER = "filter"
"""The recorded option that holds the search by which the HTML page exported a part of its findings."""
Described = TypeVar("Described", Finding, RuleInfo)


def to_framework(report: Report, name: str) -> Report:
    """The report with the rules, findings and controls of one framework; scope and coverage stay as they are.

    How much passed is not known for a report of schema 1.0, which has no counts by rule: it is left out then.

    Raises:
        UsageError: no rule of the report names the framework.
    """
    known = sorted({framework for rule in report.rules for framework in rule.frameworks})
    controls = () if report.controls is UNSET else report.controls
    known = sorted({*known, *(control.framework for control in controls)})
    if name not in known:
        there = f"There is {one_of(known)}{nearest(name, known)}" if known else "None of its rules names one."
        raise UsageError(f"--framework: the report says nothing of {quote(name)}", hint=there)
    rules = tuple(_only(rule, name) for rule in report.rules if name in rule.frameworks)
    findings = [_only(finding, name) for finding in report.findings if name in finding.frameworks]
    ids = {rule.id for rule in rules}
    others = {rule.id for rule in report.rules} - ids
    narrowed = structs.replace(
        report,
        run=structs.replace(report.run, options={**report.run.options, _OPTION: name}),
        summary=_of_rules(report.summary, ids),
        rules=rules,
        controls=report.controls and tuple(control for control in controls if control.framework == name),
        findings=[finding for finding in findings if finding.rule_id in ids],
        baseline=report.baseline and structs.replace(report.baseline, fixed=UNSET),
        carried_over=report.carried_over
        and tuple(
            structs.replace(each, finding=_only(each.finding, name))
            for each in report.carried_over
            if name in each.finding.frameworks and each.finding.rule_id not in others
        ),
        inventory=report.inventory and [item.narrowed(ids) for item in report.inventory],
    )
    return structs.replace(narrowed, summary=counted(narrowed))


def is_part(report: Report) -> bool:
    """Whether the report was narrowed, now or before it was saved, or is what the HTML page exported of one."""
    return not {_OPTION, _FILTER}.isdisjoint(report.run.options)


def is_exported(report: Report) -> bool:
    """Whether it is what the HTML page exported of a report, by a search."""
    return _FILTER in report.run.options


def _of_rules(summary: Summary, ids: set[str]) -> Summary:
    """What a summary says of some rules; `counted` adds what their findings say."""
    if summary.rules is UNSET:
        return structs.replace(summary, by_rule=dict.fromkeys(sorted(ids), 0), by_status={})
    rules = {id_: counts for id_, counts in summary.rules.items() if id_ in ids}
    totals = {
        "pass": sum(counts.passed for counts in rules.values()),
        "not_applicable": sum(counts.not_applicable for counts in rules.values()),
    }
    return structs.replace(summary, by_rule=dict.fromkeys(sorted(ids), 0), by_status=totals, rules=rules)


def _only(described: Described, name: str) -> Described:
    return structs.replace(described, frameworks={name: described.frameworks[name]})
