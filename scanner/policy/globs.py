"""Patterns with wildcards, and what holds of all the texts that such a pattern matches.

A glob is a string whose wildcards are Unicode noncharacters, which no document may hold. So every plain text is a glob
that matches itself, and nothing needs escaping once a pattern was read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from msgspec import UNSET

from scanner.model.logic import Truth, agreed

MANY = "\ufdd0"  # any text
ONE = "\ufdd1"  # any character
FRESH = "\ufdd2"  # a character that no document holds: only a wildcard matches it
VALUES = "\ufdd3\ufdd4\ufdd5"  # each is the value of a policy variable

_MAX_STATES = 20_000  # enough for a function's policy of 20 KB that holds nothing but ARNs
_MAX_FOUND = 1000

_WILDCARDS = str.maketrans({"*": MANY, "?": ONE})


def iam_glob(pattern: str) -> str:
    """The glob of an IAM pattern, in which `*` is any text and `?` any character; IAM has no escapes.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    return pattern.translate(_WILDCARDS)


def matches(glob: str, text: str) -> bool:
    """Whether a glob matches a text, in at worst len(glob) * len(text) steps: it backtracks to the last MANY only."""
    start, *parts = glob.split(MANY)
    if ONE in glob:
        return text.startswith(start.partition(ONE)[0]) and _matches_by_character(glob, text)
    if not parts:
        return glob == text
    *parts, end = parts
    at, last = len(start), len(text) - len(end)
    if at > last or not (text.startswith(start) and text.endswith(end)):
        return False
    for part in parts:
        found = text.find(part, at, last)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _matches_by_character(glob: str, text: str) -> bool:
    at = here = mark = 0
    star = -1
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


def matches_all(glob: str, texts: str) -> Truth:
    """Whether a glob matches every text that another glob matches; UNSET where it matches only some of them."""
    if MANY not in texts and ONE not in texts:
        return matches(glob, texts)
    found = representatives(texts, [glob])
    return UNSET if found is None else agreed(matches(glob, text) for text in found)


def representatives(domain: str, globs: Iterable[str], *, without: str = "") -> tuple[str, ...] | None:
    """A shortest text in the domain for each combination of globs that can match a text; None: too many to work out.

    A question that depends only on which globs match can so be answered for the whole domain by trying these texts.
    `domain` is a glob; its wildcards do not match the characters in `without`. FRESH stands where any character that no
    glob names would do.
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
    """An automaton that matches a text with all globs at once; the first glob is the domain.

    A state is a set of positions as a bit mask: each glob has a position before each of its characters and one at its
    end.
    """

    def __init__(self, globs: Sequence[str], without: str) -> None:
        self._takes: dict[str, int] = {FRESH: 0}  # character -> positions before it
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

    def _read(self, char: str, bit: int) -> None:
        if char == MANY:
            self._many |= bit
        elif char == ONE:
            self._one |= bit
        else:
            self._takes[char] = self._takes.get(char, 0) | bit

    def ended(self, state: int) -> int:
        """Which globs match the text read so far, as a bit mask."""
        return state & self._ends

    def in_domain(self, state: int) -> bool:
        return self.ended(state) & self._domain != 0

    def steps(self, state: int) -> Iterator[tuple[str, int]]:
        """Each character that makes a difference, with the state that it leads to; none that leaves the domain."""
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
        """Add the positions behind each MANY that was reached: MANY may match an empty text."""
        while (more := state | (state & self._many) << 1) != state:
            state = more
        return state
