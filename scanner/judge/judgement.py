"""Kleene's logic with reasons: what a condition is about, whether it holds, and the notes that explain why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, structs

from scanner.language.conditions import show
from scanner.language.vocabulary import Resource
from scanner.model.logic import Truth, all_of, any_of
from scanner.model.report import Evidence, Scalar


class EvaluationContext(Struct, frozen=True, kw_only=True, gc=False):
    """What a condition is about: the resource itself (`root`), or an element of one of its lists (`thing`).

    `prefix` is the path from the resource to the element, `part` the element's id across runs.
    """

    root: Resource
    thing: Any
    prefix: str = ""
    part: str = ""


class Note(Struct, frozen=True, kw_only=True, gc=False):
    """Why a condition did not hold, or could not be decided: then `holds` is UNSET and `fact` the path of the unknown.

    `empty` is the path of the list if the reason is that it has no elements.
    """

    holds: Truth
    context: EvaluationContext
    evidence: Evidence
    fact: str = ""
    empty: str = ""


class Judgement(Struct, frozen=True, kw_only=True, gc=False):
    """Whether a condition holds: true, false, or UNSET for unknown, with notes that explain the last two."""

    holds: Truth
    notes: tuple[Note, ...] = ()


Certain = Callable[[Any, Any], bool]
"""The fast form of a condition; it takes the resource and the thing that the condition is about."""

Judge = Callable[[EvaluationContext], Judgement]
"""The full form of a condition, which gives reasons."""


class Compiled(Struct, frozen=True, kw_only=True):
    """Both forms of one condition."""

    certain: Certain
    judge: Judge


HOLDS = Judgement(holds=True)


def decided(holds: bool, context: EvaluationContext, path: str, found: object, required: str) -> Judgement:
    """The judgement of a known value; `path` leads to it from the resource."""
    if holds:
        return HOLDS
    evidence = Evidence(path=path, observed=observed(found), required=required)
    return Judgement(holds=False, notes=(Note(holds=False, context=context, evidence=evidence),))


def lacking(context: EvaluationContext, path: str, required: str, *, empty: bool) -> Judgement:
    """The judgement of a list that has none of the required elements, or none at all if it is `empty`."""
    evidence = Evidence(path=context.prefix + path, observed=(), required=f"at least one ({required})")
    return Judgement(
        holds=False, notes=(Note(holds=False, context=context, evidence=evidence, empty=path if empty else ""),)
    )


def undecided(context: EvaluationContext, fact: str, required: str) -> Judgement:
    """The judgement if a fact is unknown; `fact` is its path from the resource."""
    evidence = Evidence(path=fact, observed=None, required=required)
    return Judgement(holds=UNSET, notes=(Note(holds=UNSET, context=context, evidence=evidence, fact=fact),))


def conjunction(judgements: Sequence[Judgement]) -> Judgement:
    """The judgement that all hold, with all their notes."""
    holds = all_of(judgement.holds for judgement in judgements)
    return Judgement(holds=holds, notes=tuple(note for judgement in judgements for note in judgement.notes))


def disjunction(judgements: Sequence[Judgement], context: EvaluationContext) -> Judgement:
    """The judgement that at least one holds. They fail together, so all their notes belong to `context`."""
    holds = any_of(judgement.holds for judgement in judgements)
    if holds is True:
        return HOLDS
    deciding = [judgement for judgement in judgements if judgement.holds is holds]
    notes = [note for judgement in deciding for note in judgement.notes if note.holds is holds]
    return Judgement(holds=holds, notes=tuple(structs.replace(note, context=context) for note in notes))


def observed(found: object) -> Scalar | tuple[Scalar, ...]:
    """A value as evidence shows it."""
    if isinstance(found, tuple | dict):
        return tuple(item if isinstance(item, str | int) else None for item in found)
    if isinstance(found, Struct):
        return "present"
    if isinstance(found, datetime):
        return show(found)
    return found if isinstance(found, str | int) else None
