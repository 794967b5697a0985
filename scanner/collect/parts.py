"""Puts targets that were read elsewhere, in parts, together in the run directory, as the parts come."""

from __future__ import annotations

import io

from msgspec import Struct, field, structs

from scanner.collect.worker import Done
from scanner.model.facts import Gap
from scanner.store.journal import Journal, Target, TargetWriter


class _Open(Struct):
    """A target of which parts are still being read."""

    writer: TargetWriter
    running: int = 1
    complete: bool = True
    gaps: set[Gap] = field(default_factory=set)


class Parts:
    """The targets of a run that come in parts."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._open: dict[Target, _Open] = {}

    def take(self, done: Done) -> Done:
        """Write down a part. What comes back is complete once every part of its target is.

        Raises:
            OutputError: the journal cannot be written.
        """
        if done.part is None:
            return done
        target = done.target
        if target not in self._open:
            self._open[target] = _Open(TargetWriter(self._journal.target_path(target)))
        whole = self._open[target]
        closing = whole.writer.absorb(io.BytesIO(done.part))
        whole.running += len(done.more) - 1
        whole.complete = whole.complete and done.complete
        whole.gaps.update(closing.gaps if closing else ())
        if whole.running:
            return structs.replace(done, complete=False)
        if whole.complete:
            whole.writer.target(tuple(sorted(whole.gaps, key=str)))
        self._open.pop(target).writer.close()
        return structs.replace(done, complete=whole.complete)

    def is_open(self, target: Target) -> bool:
        """Whether parts of it are still being read."""
        return target in self._open

    def close(self) -> None:
        """Let go of what was left open."""
        for whole in self._open.values():
            whole.writer.close()
