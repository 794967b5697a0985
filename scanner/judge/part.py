"""Judges what was read of a target where it was read, which may be in another process or on another machine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from scanner.judge.evaluate import Evaluation
from scanner.judge.tally import Tally
from scanner.language.rule import Rule
from scanner.model.facts import Gap
from scanner.model.verdicts import Verdicts
from scanner.outcome.waivers import Waivers
from scanner.store.journal import TargetReader
from scanner.store.spool import Spool

_MOST_BYTES = 8 << 20
"""Of findings: they travel in one piece. The audit judges what is not judged for their sake."""


class PartJudge:
    """Judges journal files by rules and waivers; it can be pickled. Ages count from `started_at`."""

    def __init__(self, rules: Sequence[Rule], waivers: Waivers, started_at: datetime) -> None:
        self._rules = rules
        self._waivers = waivers
        self._started_at = started_at

    def __reduce__(self) -> tuple[Any, ...]:
        """What was compiled is compiled again where it arrives."""
        return PartJudge, (self._rules, self._waivers, self._started_at)

    def __call__(self, path: Path) -> Verdicts:
        """The verdicts on the app instances that a journal file holds; not on all where there is too much to say.

        Raises:
            OutputError: there is no room for the findings.
        """
        findings = Spool(path.parent)
        tally = Tally(self._evaluation.anew(), self._waivers, findings)
        gaps: set[Gap] = set()
        sizes: list[tuple[str, int]] = []
        reader = TargetReader(path)
        for read in reader.app_instances():
            start = findings.end
            gaps |= tally.read(reader, read)
            sizes.append((read.app_instance.arn, findings.end - start))
            if findings.end > _MOST_BYTES:
                break
        return Verdicts(
            counts=tally.counts,
            gaps=frozenset(gaps),
            sizes=tuple(sizes),
            number=len(findings),
            findings=findings.lines,
            waivers=self._waivers.used,
        )

    @cached_property
    def _evaluation(self) -> Evaluation:
        return Evaluation(self._rules, self._started_at)
