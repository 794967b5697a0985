"""Phrases that several formats share."""

from __future__ import annotations

import pytest

from scanner.render.wording import doubt


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Last processor fails open", "Could not tell whether last processor fails open"),
        ("A function is old", "Could not tell whether a function is old"),
        ("AWS may read it", "Could not tell whether AWS may read it"),
        ("Lambda retries", "Could not tell whether Lambda retries"),
        ("Lambdas retry", "Could not tell whether lambdas retry"),
        ("EventBridge has no rule", "Could not tell whether EventBridge has no rule"),
        ("S3 keeps them", "Could not tell whether S3 keeps them"),
        ("$LATEST is invoked", "Could not tell whether $LATEST is invoked"),
        ("Überall offen", "Could not tell whether überall offen"),
    ],
)
def test_a_title_becomes_a_question_that_is_open(title: str, said: str) -> None:
    assert doubt(title) == said
