"""scanner.model.cases: cases in words, as short as tells them from the others."""

from __future__ import annotations

import pytest

from scanner.model.branches import SET, Given, Limit
from scanner.model.cases import cases_in_words


def case(*others: str, **values: str) -> Given:
    """A case with these values; `others` are names with values that they do not have, as in `Env!prod,test`."""
    excluded = dict(each.split("!") for each in others)
    return {
        **{name: Limit(value=value) for name, value in values.items()},
        **{name: Limit(others=tuple(each.split(","))) for name, each in excluded.items()},
    }


DEV, TEST, PROD = (case(Env=each) for each in ("dev", "test", "prod"))
NEITHER = case("Env!dev,test")


@pytest.mark.parametrize(
    ("these", "others", "words"),
    [
        ([{}], [], ""),
        ([DEV, TEST, PROD], [], ""),
        ([DEV], [TEST, PROD], ", if Env is dev"),
        ([DEV, TEST], [PROD], ", if Env is dev or test"),
        ([NEITHER], [DEV, TEST], ", if Env is not dev or test"),
        ([NEITHER, DEV], [TEST], ", if Env is dev or is not dev or test"),
        ([case(Env="prod", Size="1"), case(Env="prod", Size="2")], [DEV], ", if Env is prod"),
        (
            [case(Env="prod", Size="1")],
            [case(Env="prod", Size="2"), case(Env="dev", Size="1")],
            ", if Env is prod and Size is 1",
        ),
        (
            [case(Env="prod", Size="1"), case(Env="dev", Size="2")],
            [case(Env="prod", Size="2"), case(Env="dev", Size="1")],
            ", if Env is prod and Size is 1 or if Env is dev and Size is 2",
        ),
        ([case(**{SET: "prod.json"})], [], ", with prod.json"),
        ([case(**{SET: "a.json"}), case(**{SET: "b.json"})], [case(**{SET: "c"})], ", with a.json or b.json"),
        ([case(**{SET: "a.json"}, Env="x")], [case(**{SET: "a.json"}, Env="y")], ", with a.json if Env is x"),
        ([case(A=str(each), B=str(each)) for each in range(5)], [case(A="0", B="1")], "in 2 more cases"),
        ([case(Env="a b")], [DEV], ', if Env is "a b"'),
        ([case(Env="")], [DEV], ', if Env is ""'),
        ([case(Env="\x1b[1m")], [DEV], ', if Env is "\\x1b[1m"'),
        ([case(**{"AWS::Region": "us-east-1"})], [case("AWS::Region!us-east-1")], ", if AWS::Region is us-east-1"),
    ],
)
def test_cases_are_told_from_the_others_in_few_words(these: list[Given], others: list[Given], words: str) -> None:
    assert cases_in_words(these, [*these, *others]).endswith(words)
    assert words or not cases_in_words(these, [*these, *others])
