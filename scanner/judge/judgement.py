"""Kleene's logic with reasons: what a condition speaks of, its verdict, and the notes that explain the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct, structs

from scanner.language.conditions import show
from scanner.language.vocabulary import Resource
from scanner.model.report import Evidence, Scalar


class EvaluationContext(Struct, frozen=True, kw_only=True, gc=False):
    """What a condition speaks of: the resource itself, or an element of one of its lists."""

    root: Resource
    thing: Any
    prefix: str = ""
    part: str = ""


class Note(Struct, frozen=True, kw_only=True, gc=False):
    """Why a condition did not hold, or could not be decided (`holds` is None, `fact` the path of what is not known).

    `empty` is the path of a list that lacks elements, where that is the reason.
    """

    holds: bool | None
    context: EvaluationContext
    evidence: Evidence
    fact: str = ""
    empty: str = ""


class Judgement(Struct, frozen=True, kw_only=True, gc=False):
    """True, false, or None for unknown, with the notes that explain anything but true."""

    holds: bool | None
    notes: tuple[Note, ...] = ()


Certain = Callable[[Any, Any], bool]
"""The fast form of a condition, given the resource and the thing that the condition speaks of."""

Judge = Callable[[EvaluationContext], Judgement]
"""The full form of a condition."""


class Compiled(Struct, frozen=True, kw_only=True):
    """Both forms of one condition."""

    certain: Certain
    judge: Judge


HOLDS = Judgement(holds=True)


def decided(holds: bool, context: EvaluationContext, path: str, found: object, required: str) -> Judgement:
    """The verdict on a value that is known; `path` leads to it from what `context` speaks of."""
    if holds:
        return HOLDS
    evidence = Evidence(path=context.prefix + path, observed=_observed(found), required=required)
    return Judgement(holds=False, notes=(Note(holds=False, context=context, evidence=evidence),))


def lacking(context: EvaluationContext, path: str, required: str) -> Judgement:
    """The verdict on a list that has none of the elements that are asked for."""
    evidence = Evidence(path=context.prefix + path, observed=(), required=f"at least one ({required})")
    return Judgement(holds=False, notes=(Note(holds=False, context=context, evidence=evidence, empty=path),))


def undecided(context: EvaluationContext, fact: str, required: str) -> Judgement:
    """The verdict where `fact`, a path from the resource, is unknown."""
    evidence = Evidence(path=fact, observed=None, required=required)
    return Judgement(holds=None, notes=(Note(holds=None, context=context, evidence=evidence, fact=fact),))


def conjunction(judgements: Sequence[Judgement]) -> Judgement:
    """All of them."""
    verdicts = [judgement.holds for judgement in judgements]
    holds = False if False in verdicts else None if None in verdicts else True
    return Judgement(holds=holds, notes=tuple(note for judgement in judgements for note in judgement.notes))


def disjunction(judgements: Sequence[Judgement], context: EvaluationContext) -> Judgement:
    """One of them. They fail together, so what they have to say belongs to the one part that asked for them."""
    verdicts = [judgement.holds for judgement in judgements]
    if True in verdicts:
        return HOLDS
    holds = None if None in verdicts else False
    deciding = [judgement for judgement in judgements if judgement.holds is holds]
    notes = [note for judgement in deciding for note in judgement.notes if note.holds is holds]
    return Judgement(holds=holds, notes=tuple(structs.replace(note, context=context) for note in notes))


def _observed(found: object) -> Scalar | tuple[Scalar, ...]:
    if isinstance(found, tuple | dict):
        return tuple(item if isinstance(item, str | int) else None for item in found)
    if isinstance(found, Struct):
        return "present"
    if isinstance(found, datetime):
        return show(found)
    return found if isinstance(found, str | int) else None
