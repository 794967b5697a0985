"""Patterns with wildcards, and what can be said of all the text that they stand for.

A glob is a string in which Unicode noncharacters, which no document may hold, are the wildcards. So any text is the
glob of itself, and what is a wildcard is settled once, where the pattern is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from msgspec import UNSET

from scanner.model.logic import Verdict, agreed

MANY = "\ufdd0"  # any text
ONE = "\ufdd1"  # any character
FRESH = "\ufdd2"  # a character that nobody wrote: only a wildcard matches it

_MAX_STATES = 20_000  # what a function's policy of 20 KB needs that is nothing but ARNs
_MAX_FOUND = 1000

_WILDCARDS = str.maketrans({"*": MANY, "?": ONE})


def iam_glob(pattern: str) -> str:
    """In IAM `*` is any text and `?` any character, and nothing escapes them.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    return pattern.translate(_WILDCARDS)


def matches(glob: str, text: str) -> bool:
    """Whether the glob stands for this text. Goes back to the last MANY only, so time is at worst len * len."""
    at, here, star, mark = 0, 0, -1, 0
    while at < len(text):
        if here < len(glob) and glob[here] == MANY:
            star, mark, here = here, at, here + 1
        elif here < len(glob) and glob[here] in (text[at], ONE):
            here, at = here + 1, at + 1
        elif star >= 0:
            mark, here = mark + 1, star + 1
            at = mark
        else:
            return False
    return not glob[here:].strip(MANY)


def matches_all(glob: str, texts: str) -> Verdict:
    """Whether a glob matches every text of another glob; not known where it matches some."""
    if MANY not in texts and ONE not in texts:
        return matches(glob, texts)
    found = representatives(texts, [glob])
    return UNSET if found is None else agreed(matches(glob, text) for text in found)


def representatives(domain: str, globs: Iterable[str], *, without: str = "") -> tuple[str, ...] | None:
    """A shortest text of the domain for every way in which the globs can match one and others not match it.

    So whatever asks nothing of a text but which of the globs match it can be decided for the whole domain. The domain's
    wildcards do not stand for the characters of `without`. FRESH is written where no glob names a character. None: it
    would take too long to tell.
    """
    return _representatives((domain, *dict.fromkeys(globs)), without)


@lru_cache(maxsize=256)
def _representatives(globs: tuple[str, ...], without: str) -> tuple[str, ...] | None:
    machine = _Machine(globs, without)
    reached = {machine.start: ""}
    queue, found = deque([machine.start]), dict[int, str]()
    while queue:
        if len(reached) > _MAX_STATES or len(found) > _MAX_FOUND:
            return None
        state = queue.popleft()
        if machine.in_domain(state):
            found.setdefault(machine.ended(state), reached[state])
        for char, there in machine.steps(state):
            if there not in reached:
                reached[there] = reached[state] + char
                queue.append(there)
    return tuple(found.values())


class _Machine:
    """Reads a text by all globs at once, the first of which is the domain.

    A state is the set of places that were reached, one bit each: every glob has a place before each of its characters
    and one at its end.
    """

    def __init__(self, globs: Sequence[str], without: str) -> None:
        self._takes: dict[str, int] = {FRESH: 0}  # character -> places before it
        self._one = self._many = self._ends = 0
        self._domain = (1 << len(globs[0]) + 1) - 1
        self._without = without
        start = at = 0
        for glob in globs:
            start |= 1 << at
            for char in glob:
                self._read(char, 1 << at)
                at += 1
            self._ends |= 1 << at
            at += 1
        self.start = self._skip(start)

    def _read(self, char: str, place: int) -> None:
        if char == MANY:
            self._many |= place
        elif char == ONE:
            self._one |= place
        else:
            self._takes[char] = self._takes.get(char, 0) | place

    def ended(self, state: int) -> int:
        """Which of the globs match what was read."""
        return state & self._ends

    def in_domain(self, state: int) -> bool:
        return self.ended(state) & self._domain != 0

    def steps(self, state: int) -> Iterator[tuple[str, int]]:
        """Every character that makes a difference, and where it leads; nowhere outside the domain."""
        for char, takes in self._takes.items():
            if not (state & takes or char == FRESH):
                continue
            wild = self._many | self._one
            if char in self._without:
                wild &= ~self._domain
            here = state & (takes | wild)
            there = self._skip((here & ~self._many) << 1 | here & self._many)
            if there & self._domain:
                yield char, there

    def _skip(self, state: int) -> int:
        """MANY may stand for nothing, or for nothing more."""
        while (more := state | (state & self._many) << 1) != state:
            state = more
        return state
