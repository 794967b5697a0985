"""The HTML page: one file that loads nothing, is correct without scripts, and lets no text from AWS act.

Every expression of the template passes through `shown`, which escapes markup and hidden characters. Attributes use the
filter ``plain`` instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from scanner.model.phrases import named_account
from scanner.model.report import Report, Scalar
from scanner.model.trend import Trend
from scanner.outcome.steps import introduction, pieces
from scanner.render import carried
from scanner.render.html import labels, nights, parts
from scanner.render.html.controls import by_framework
from scanner.render.html.coverage import coverage
from scanner.render.html.digest import digest
from scanner.render.html.findings import findings
from scanner.render.html.inventory import inventory
from scanner.render.html.island import island
from scanner.render.html.rules import rules_by_severity
from scanner.render.html.summary import summary
from scanner.render.html.values import value_text
from scanner.render.pipeline import bypass
from scanner.render.text import segments, visible
from scanner.render.verdict import verdict
from scanner.render.wording import account, doubt

SCOPE_ITEMS = 200
CARRIED = 200
BUFFERED = 200
"""How many pieces of the template are joined into one; Jinja yields very small ones."""
_INDENT = re.compile(r"^ +", re.MULTILINE)


def render(report: Report, trend: Trend | None = None, *, beside: bool = False) -> Iterator[str]:
    """The report as one self-contained HTML document, in pieces; with a trend it also shows earlier nights.

    `beside`: its style and its scripts are in files beside it.

    The same report gives the same text.
    """
    past = nights.view(trend)
    counted = digest(report)
    said = verdict(report, counted.tally)
    stream = (
        environment()
        .get_template("page.html.jinja")
        .stream(
            report=report,
            names=report.scope.names,
            title=f"{said.headline} \N{EN DASH} {report.tool.name}",
            parts=parts.beside() if beside else parts.within(trend=past is not None),
            options=options(report),
            accounts=labels.cut(report.scope.accounts, SCOPE_ITEMS),
            regions=labels.cut(report.scope.regions, SCOPE_ITEMS),
            coverage=coverage(report, counted),
            verdict=said,
            summary=summary(report, counted),
            past=past,
            carried=labels.cut(carried.shown(report), CARRIED),
            carried_explained=carried.EXPLAINED,
            findings=findings(report, counted),
            controls=by_framework(report, counted),
            inventory=inventory(report),
            rules=rules_by_severity(report),
            island=map(Markup, island(report)),
        )
    )
    stream.enable_buffering(BUFFERED)
    return stream


def shown(value: object) -> object:
    """Text as harmless markup: escaped, with hidden characters as highlighted escapes. Other values are unchanged."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return Markup("").join(
        Markup('<span class="esc">{}</span>').format(piece) if hidden else escape(piece)
        for piece, hidden in segments(value)
    )


def plain(value: str) -> Markup:
    """Text for an attribute or the title: escaped, with hidden characters as plain escapes."""
    return escape(visible(value))


def options(report: Report) -> tuple[tuple[str, str], ...]:
    """The options of the report's run as (name, value), sorted; options that were not given are left out."""
    return shown_options(report.run.options)


def shown_options(options: Mapping[str, Scalar | tuple[str, ...]]) -> tuple[tuple[str, str], ...]:
    """Recorded options as (name, value), sorted; options that were not given are left out."""
    given = ((name, value) for name, value in sorted(options.items()) if value not in (None, (), False))
    return tuple((name, value_text(value)) for name, value in given)


@cache
def environment() -> Environment:
    """The Jinja environment for the templates in reports/html."""
    environment = Environment(
        loader=FunctionLoader(lambda name: _INDENT.sub("", parts.asset(name))),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain": plain,
        "number": labels.number,
        "count": labels.count,
        "moment": labels.moment,
        "term": labels.term,
    }
    environment.globals |= {
        "account": account,
        "introduction": introduction,
        "pieces": pieces,
        "short": labels.short,
        "bypass": bypass,
        "arn_parts": labels.arn_parts,
        "doubt": doubt,
        "named_account": named_account,
        "duration": labels.duration,
        "resource_name": labels.resource_name,
        "app_instance_name": labels.app_instance_name,
        "resource_kind": labels.resource_kind,
    }
    return environment
