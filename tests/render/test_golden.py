"""Whole outputs that people read; tests/render/golden.py says how to accept a change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scanner.model.report import Report
from scanner.render import Format, render, table
from tests.render import golden, sample

SAMPLES = [sample.rich, sample.incomplete, sample.roles, sample.carrying, sample.named]


@pytest.mark.parametrize("build", SAMPLES)
@pytest.mark.parametrize(("form", "suffix"), [(Format.MARKDOWN, "md"), (Format.CSV, "csv"), (Format.JUNIT, "xml")])
def test_the_format_reads_as_it_did(form: Format, suffix: str, build: Callable[[], Report]) -> None:
    golden.check(f"{build.__name__}.{suffix}", "".join(render(build(), form)))


@pytest.mark.parametrize("build", SAMPLES)
def test_the_terminal_reads_as_it_did(build: Callable[[], Report]) -> None:
    report = build()

    text = "".join(table.findings(report, width=120, color=False)) + table.summary(report, width=120, color=False)

    golden.check(f"{build.__name__}.txt", text)
