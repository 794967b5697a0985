"""Patterns with wildcards, and what can be said of all the text that they stand for.

A glob is a string in which Unicode noncharacters, which no document may hold, are the wildcards. So any text is the
glob of itself, and what is a wildcard is settled once, where the pattern is read.
"""

from __future__ import annotations

from collections import deque

from msgspec import UNSET

from scanner.policy.verdict import Verdict

MANY = "\ufdd0"  # any text
ONE = "\ufdd1"  # any character
FRESH = "\ufdd2"  # a character that nobody wrote: only a wildcard matches it

_Place = tuple[int, int]  # how far two globs have been read

_WILDCARDS = str.maketrans({"*": MANY, "?": ONE})
_ANYTHING = str.maketrans({MANY: FRESH * 199, ONE: FRESH})


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


def anything(glob: str) -> str:
    """Text that stands for all that the glob does: what matches it names nothing that the glob leaves open."""
    return glob.translate(_ANYTHING)


def matches_all(glob: str, texts: str) -> Verdict:
    """Whether a glob matches every text of another glob; not known where it matches some."""
    if matches(glob, anything(texts)):
        return True
    return False if meet(glob, texts) is None else UNSET


def meet(first: str, second: str) -> str | None:
    """The shortest text that both globs stand for, FRESH where neither names a character; None if there is none."""
    queue: deque[tuple[_Place, _Place, str]] = deque([((0, 0), (0, 0), "")])
    came_from: dict[_Place, tuple[_Place, str]] = {}
    while queue:
        place, before, char = queue.popleft()
        if place in came_from:
            continue
        came_from[place] = (before, char)
        if place == (len(first), len(second)):
            return _text(came_from, place)
        for there, written in _steps(first, second, *place):
            # what writes nothing is no step further
            (queue.append if written else queue.appendleft)((there, place, written))
    return None


def _steps(first: str, second: str, here: int, there: int) -> list[tuple[_Place, str]]:
    one, other = first[here : here + 1], second[there : there + 1]
    steps = []
    if one == MANY:
        steps.append(((here + 1, there), ""))
    if other == MANY:
        steps.append(((here, there + 1), ""))
    if one and other and (char := _common(one, other)):
        steps.append(((here + (one != MANY), there + (other != MANY)), char))
    return steps


def _common(one: str, other: str) -> str:
    literals = {one, other} - {MANY, ONE}
    if not literals:
        return FRESH
    return literals.pop() if len(literals) == 1 else ""


def _text(came_from: dict[_Place, tuple[_Place, str]], place: _Place) -> str:
    text = []
    while place != (0, 0):
        place, char = came_from[place]
        text.append(char)
    return "".join(reversed(text))
