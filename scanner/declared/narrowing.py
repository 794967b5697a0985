"""Narrows the files that paths lead to: to those that no pattern excludes, and to those that a branch changed.

What git ignores is only marked: it is passed over later, unless it turns out to declare something.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache

from msgspec import Struct, structs

from scanner.declared import branch
from scanner.declared.candidates import Candidate
from scanner.declared.patterns import fits
from scanner.errors import Mistake
from scanner.store import git


class Narrowing(Struct, frozen=True, kw_only=True):
    """What the user left out, and `settings`: the names of files that all templates hang on.

    - `exclude`: patterns (scanner.declared.patterns) of names in reports.
    - `reads_ignored`: what git ignores is read as any other file.
    - `changed_since`: a commit; only what changed since the branch left it is judged.
    """

    exclude: tuple[str, ...] = ()
    reads_ignored: bool = False
    changed_since: str | None = None
    settings: Collection[str] = ()

    def excludes(self, name: str) -> bool:
        return any(fits(pattern, name) for pattern in self.exclude)


class Narrowed(Struct, kw_only=True):
    """The files that are left, and how many were left out. `known` are those, too, that have not changed."""

    known: Sequence[Candidate]
    candidates: Sequence[Candidate]
    mistakes: list[Mistake] = []
    excluded: int = 0
    unchanged: int = 0

    def notes(self, narrowing: Narrowing) -> Iterator[str]:
        """Sentences on what was left out."""
        if self.excluded:
            yield f"Files that --exclude or exclude in the configuration leaves out: {self.excluded:,}."
        if self.unchanged:
            yield f"Files that have not changed since {narrowing.changed_since}: {self.unchanged:,}."


def narrowed(found: Sequence[Candidate], mistakes: Iterable[Mistake], narrowing: Narrowing) -> Narrowed:
    """The files that are to be read; standard input always is.

    Raises:
        UsageError: git cannot say what has changed.
    """
    kept = [each for each in found if each.is_stdin or not narrowing.excludes(each.name)]
    left = Narrowed(
        known=kept,
        candidates=kept,
        mistakes=[each for each in mistakes if not narrowing.excludes(each.file)],
        excluded=len(found) - len(kept),
    )
    if narrowing.changed_since is not None:
        left.candidates = branch.changed(kept, narrowing.changed_since, narrowing.settings)
        left.unchanged = len(kept) - len(left.candidates)
    if not narrowing.reads_ignored:
        left.candidates = _marked(left.candidates)
    return left


def _marked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The files, with those marked that git ignores and that the user did not name."""
    place_of, ignored_in = branch.places(), cache(git.ignored)

    def is_ignored(each: Candidate) -> bool:
        top, path = (None, "") if each.named or each.is_stdin else place_of(each)
        return top is not None and not ignored_in(top).isdisjoint(branch.above(path))

    return [structs.replace(each, ignored=True) if is_ignored(each) else each for each in candidates]
