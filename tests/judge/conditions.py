"""Compiles and judges conditions as rules write them."""

from __future__ import annotations

import json
from typing import Any

from scanner.judge.compiler import compile_condition
from scanner.judge.judgement import Compiled, EvaluationContext, Judgement
from scanner.language.comparing import Context
from scanner.language.conditions import Settings, negate
from scanner.language.examples import NOW
from scanner.language.grammar import condition
from scanner.language.vocabulary import ROOTS
from scanner.model.facts import ChannelFlow, Processor
from scanner.model.yamltree import Mistakes, parse


def compiled(written: dict[str, Any], *, negated: bool = False) -> Compiled:
    mistakes = Mistakes("x.yaml")
    root = ROOTS["channel_flow"]
    table = parse(json.dumps(written).encode(), mistakes)
    assert table is not None
    tree = condition(Context(root=root, params={}, mistakes=mistakes), table, root.type)
    assert not mistakes.found
    assert tree is not None
    return compile_condition(negate(tree) if negated else tree, Settings(params={}, now=NOW))


def judge(written: dict[str, Any], resource: ChannelFlow) -> Judgement:
    return compiled(written).judge(EvaluationContext(root=resource, thing=resource))


def evidence(written: dict[str, Any], resource: ChannelFlow) -> list[tuple[str, object, str]]:
    found = [note.evidence for note in judge(written, resource).notes]
    return [(each.path, each.observed, each.required) for each in found]


def step(**facts: Any) -> Processor:
    return Processor(**{"name": "p", "is_first": True, "is_last": True, **facts})
