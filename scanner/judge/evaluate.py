"""Judges resources by rules, and makes findings with reasons.

Each part of a resource is judged by itself. If one processor fails a rule and another cannot be judged, the first gives
a failed finding and the second an unknown one.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from scanner.judge.compiler import compile_condition
from scanner.judge.judgement import HOLDS, Certain, EvaluationContext, Judge, Judgement, Note, observed
from scanner.language import vocabulary
from scanner.language.conditions import Settings, negate
from scanner.language.examples import Verdict
from scanner.language.rule import Rule, reads_of_flows
from scanner.model.facts import ChannelFlow, Gap, Processor, Role
from scanner.model.metadata import nearest_path
from scanner.model.report import (
    UNKNOWN,
    Evidence,
    Finding,
    GapReference,
    Location,
    PipelineStep,
    Resource,
    Status,
    fingerprint,
)
from scanner.outcome.remediation import filled


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """A compiled rule. `passes` and `inapplicable` are fast, two-valued forms, as scanner.judge.compiler explains."""

    rule: Rule
    passes: Certain
    inapplicable: Certain
    when: Judge
    require: Judge

    def verdict(self, resource: vocabulary.Resource) -> tuple[Verdict, tuple[Note, ...]]:
        """The verdict on a resource by Kleene's logic, with the notes that explain a fail or an unknown."""
        context = EvaluationContext(root=resource, thing=resource)
        applies = self.when(context)
        if applies.holds is False:
            return "not_applicable", ()
        judgement = self.require(context)
        if judgement.holds is True:
            return "pass", ()
        if applies.holds is UNSET:
            return "unknown", tuple(note for note in applies.notes if note.holds is UNSET)
        return ("unknown" if judgement.holds is UNSET else "fail"), judgement.notes


def compiled(rule: Rule, now: datetime) -> Program:
    """Compile a rule. Ages are relative to `now`, when the run started."""
    if rule.off:
        return _off(rule)
    settings = Settings(params=rule.settings, now=now)
    require = compile_condition(rule.require, settings)
    if rule.when is None:
        return Program(
            rule=rule,
            passes=require.certain,
            inapplicable=lambda *_: False,
            when=lambda _: HOLDS,
            require=require.judge,
        )
    when = compile_condition(rule.when, settings)
    applies, holds = when.certain, require.certain
    return Program(
        rule=rule,
        passes=lambda root, thing: applies(root, thing) and holds(root, thing),
        inapplicable=compile_condition(negate(rule.when), settings).certain,
        when=when.judge,
        require=require.judge,
    )


def _off(rule: Rule) -> Program:
    return Program(
        rule=rule,
        passes=lambda *_: False,
        inapplicable=lambda *_: True,
        when=lambda _: Judgement(holds=False),
        require=lambda _: HOLDS,
    )


_Programs = Sequence[tuple[Certain, Program]]


class Judged(Struct, frozen=True, gc=False):
    """What the rules come to on one resource; those in none of these passed.

    `findings` are ordered by rule id and part; `not_applicable` has the ids of the rules that do not apply, `untold`
    those of rules that stay unknown because no file can tell a fact.
    """

    findings: list[Finding]
    not_applicable: list[str]
    untold: frozenset[str] = frozenset()


class Evaluation:
    """Judges one resource after another.

    Ages are relative to `now`, when the run started, so that judging again gives the same. `reads_of_flows`: the facts
    of all its channel flows with which an app instance must be judged; empty if no rule reads them.
    """

    def __init__(self, rules: Sequence[Rule], now: datetime) -> None:
        self.reads_of_flows = reads_of_flows(rules)
        ready = [compiled(rule, now) for rule in sorted(rules, key=lambda rule: rule.info.id)]
        self._programs: Mapping[type, _Programs] = {
            root.type: [(program.passes, program) for program in ready if program.rule.info.resource == resource]
            for resource, root in vocabulary.ROOTS.items()
        }

    def judge(self, resource: vocabulary.Resource, beyond: Container[str] = ()) -> Judged:
        """What every rule for this type of resource comes to on one of them.

        `beyond` are the rules that read what no file like the resource's can tell.
        """
        not_applicable: list[str] = []
        noted: list[tuple[Rule, Sequence[Note]]] = []
        for passes, program in self._programs[type(resource)]:
            try:
                if passes(resource, resource):
                    continue
            except (AttributeError, TypeError):
                pass  # a fact is unknown or absent
            verdict, notes = (
                ("not_applicable", ()) if _surely(program.inapplicable, resource) else program.verdict(resource)
            )
            if notes:
                noted.append((program.rule, notes))
            elif verdict == "not_applicable":
                not_applicable.append(program.rule.info.id)
        return _judged(resource, noted, not_applicable, beyond) if noted else Judged([], not_applicable)

    def failing(self, resource: vocabulary.Resource, reading: frozenset[vocabulary.Fact]) -> frozenset[tuple[str, str]]:
        """Which of the rules that read some facts fail on a resource: their ids, each with a part that fails."""
        found: set[tuple[str, str]] = set()
        for passes, program in self._programs[type(resource)]:
            if not reading.isdisjoint(program.rule.reads) and not _surely(passes, resource):
                notes = program.verdict(resource)[1]
                found.update((program.rule.info.id, note.context.part) for note in notes if note.holds is False)
        return frozenset(found)


def _surely(certain: Certain, resource: vocabulary.Resource) -> bool:
    try:
        return certain(resource, resource)
    except (AttributeError, TypeError):
        return False


def _judged(
    resource: vocabulary.Resource,
    noted: Sequence[tuple[Rule, Sequence[Note]]],
    not_applicable: list[str],
    beyond: Container[str],
) -> Judged:
    shown, findings, untold = described(resource), [], set()
    for rule, notes in noted:
        for part, own in _by_part(notes):
            if own[0].holds is UNSET and _is_untold(rule, resource, own, beyond):
                untold.add(rule.info.id)
            else:
                findings.append(_finding(rule, resource, shown, part, own))
    return Judged(findings, not_applicable, frozenset(untold))


def _by_part(notes: Sequence[Note]) -> Iterator[tuple[str, Sequence[Note]]]:
    """The notes on each part; of a part that fails, only those that say so."""
    parts: dict[str, list[Note]] = {}
    for note in notes:
        parts.setdefault(note.context.part, []).append(note)
    for part in sorted(parts):
        yield part, [note for note in parts[part] if note.holds is False] or parts[part]


def _is_untold(rule: Rule, resource: vocabulary.Resource, notes: Sequence[Note], beyond: Container[str]) -> bool:
    declared = resource.declared
    if isinstance(declared, UnsetType):
        return False
    if rule.info.id in beyond:
        return True
    evidence = (*(note.evidence for note in notes), *_shown_besides(rule, resource))
    return any(declared.is_untold(item.path) for item in evidence)


def _finding(rule: Rule, resource: vocabulary.Resource, shown: Resource, part: str, notes: Sequence[Note]) -> Finding:
    info = rule.info
    gaps = [_gap(resource, note.fact) for note in notes]
    failed = notes[0].holds is False
    evidence = (
        *(_evidence(note, gap) for note, gap in zip(notes, gaps, strict=True)),
        *_which_flows(resource, notes),
        *_shown_besides(rule, resource),
    )
    return Finding(
        rule_id=info.id,
        title=info.title,
        severity=info.severity,
        status=Status.FAIL if failed else Status.UNKNOWN,
        resource=shown,
        message=_message(rule, notes) if failed else _doubt(rule, resource, notes, gaps),
        evidence=evidence,
        remediation=filled(info.remediation, shown, evidence),
        references=info.references,
        frameworks=info.frameworks,
        fingerprint=fingerprint(info.id, vocabulary.key(resource), part),
        location=located(resource, notes[0].evidence.path),
    )


def _which_flows(resource: vocabulary.Resource, notes: Sequence[Note]) -> Iterator[Evidence]:
    """The names and ARNs of the flows of an app instance that the notes are about, of which paths only have numbers."""
    if not isinstance(resource, vocabulary.AppInstance):
        return
    told = {note.evidence.path for note in notes}
    holders = dict.fromkeys(path for note in notes if (path := vocabulary.held_by(resource, note.evidence.path)[1]))
    for holder in holders:
        flow = vocabulary.held_by(resource, holder)[0]
        for name in ("name", "arn"):
            value = getattr(flow, name)
            if value is not UNSET and f"{holder}{name}" not in told:
                yield _for_information(f"{holder}{name}", value)


def _shown_besides(rule: Rule, resource: vocabulary.Resource) -> Iterator[Evidence]:
    for path in rule.evidence:
        value = vocabulary.read(resource, vocabulary.attributes(path))
        if value is not UNSET:
            yield _for_information(path, value)


def _for_information(path: str, value: object) -> Evidence:
    return Evidence(path=path, observed=observed(value), required="nothing: it is shown for information")


def located(resource: vocabulary.Resource, path: str) -> Location | None:
    """The place in a file of the value at a path, "" for the resource itself; None for a deployed resource."""
    declared = resource.declared
    if isinstance(declared, UnsetType):
        return None
    spot = declared.spot(path)
    return Location(file=declared.file, line=spot.line, column=spot.column)


def _message(rule: Rule, notes: Sequence[Note]) -> str:
    messages = (
        f"{rule.info.title}: there are no {note.empty}"
        if note.empty
        else rule.message.render(note.context.root, note.context.thing, note.context.prefix, rule.settings)
        for note in notes
    )
    return f"{'; '.join(dict.fromkeys(messages))}{_by_default(notes)}"


def _by_default(notes: Sequence[Note]) -> str:
    """A phrase that names the parameters on whose defaults a failure rests; empty if there are none."""
    declared = notes[0].context.root.declared
    if isinstance(declared, UnsetType):
        return ""
    names = dict.fromkeys(name for note in notes for name in declared.defaults(note.evidence.path))
    return f", by the default of {' and '.join(names)}" if names else ""


def _doubt(rule: Rule, resource: vocabulary.Resource, notes: Sequence[Note], gaps: Sequence[Gap | None]) -> str:
    reasons = (_unsettled(resource, note) if gap is None else gap.reason for note, gap in zip(notes, gaps, strict=True))
    return f'"{rule.info.title}" could not be judged: {"; ".join(dict.fromkeys(reasons))}'


def _unsettled(resource: vocabulary.Resource, note: Note) -> str:
    text = None if isinstance(resource.declared, UnsetType) else resource.declared.unsettled(note.fact)
    return f"{note.fact} is not known" if text is None else f"{note.fact} is only settled when it is deployed: {text}"


def _evidence(note: Note, gap: Gap | None) -> Evidence:
    return note.evidence if gap is None else msgspec.structs.replace(note.evidence, gap=GapReference.to(gap))


def _gap(resource: vocabulary.Resource, fact: str) -> Gap | None:
    """The gap that leaves a fact unknown: that of its path or of the nearest path above it."""
    gaps: Mapping[str, Gap] = getattr(resource, "gaps", {})
    within = nearest_path(fact, gaps)
    return gaps[within] if within else None


def described(resource: vocabulary.Resource) -> Resource:
    """The resource as findings show it."""
    if isinstance(resource, ChannelFlow):
        processors = () if isinstance(resource.processors, UnsetType) else resource.processors
        app_instance = resource.app_instance
        steps = tuple(_step(resource, processor, index) for index, processor in enumerate(processors))
        return _resource(resource, app_instance.arn, app_instance.name, steps)
    if isinstance(resource, Role):
        return _resource(resource, None, None, ())
    return _resource(resource, resource.arn, resource.name, ())


def _resource(
    resource: vocabulary.Resource,
    app_instance_arn: str | None,
    name: str | UnsetType | None,
    steps: tuple[PipelineStep, ...],
) -> Resource:
    return Resource(
        type=vocabulary.type_of(resource),
        arn=_known(resource.arn),
        name=_known(resource.name) or _own_name(resource),
        account_id=_known(resource.account_id) or UNKNOWN,
        region=_known(resource.region) or UNKNOWN,
        app_instance_arn=_known(app_instance_arn),
        app_instance_name=_known(name),
        processors=steps,
    )


def _own_name(resource: vocabulary.Resource) -> str | None:
    """The name of a resource in its file, for one whose name only the deployment settles."""
    declared = resource.declared
    return None if isinstance(declared, UnsetType) else declared.written.get("name") or declared.id or None


def _step(flow: ChannelFlow, processor: Processor, index: int) -> PipelineStep:
    arn = UNSET if isinstance(processor.lambda_, UnsetType) else processor.lambda_.arn
    return PipelineStep(
        name=_known(processor.name),
        execution_order=_known(processor.execution_order),
        fallback_action=_known(processor.fallback_action),
        lambda_arn=_known(arn) or vocabulary.written(flow, f"processors[{index}].lambda.arn"),
    )


def _known(fact: Any) -> Any:
    return None if fact is UNSET else fact
