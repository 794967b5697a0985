"""The HTML page: one file that loads nothing, says the truth with scripts off, and lets no text from AWS act.

Every expression of the template passes through `shown`, which escapes markup and spells out hidden characters; what
stands in an attribute passes through the filter ``plain`` instead.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from scanner import resources
from scanner.finding import Report, RuleInfo, Severity
from scanner.render import html_words
from scanner.render.html_coverage import coverage
from scanner.render.html_findings import findings, value_text
from scanner.render.html_summary import summary
from scanner.render.text import segments, visible

SCOPE_ITEMS = 200


def render(report: Report) -> str:
    """The report as one self-contained HTML document. The same report gives the same text."""
    style, script = _asset("page.css"), _asset("page.js")
    overview = summary(report)
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            report=report,
            title=f"{overview.verdict.headline} \N{EN DASH} {report.tool.name}",
            policy=content_security_policy(style, script),
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            options=options(report),
            accounts=html_words.cut(report.scope.accounts, SCOPE_ITEMS),
            regions=html_words.cut(report.scope.regions, SCOPE_ITEMS),
            coverage=coverage(report),
            summary=overview,
            findings=findings(report),
            rules=rules_by_severity(report),
        )
    )


def content_security_policy(style: str, script: str) -> str:
    """Nothing may be loaded, sent or embedded; only these very blocks may style and run."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_digest(style)}'",
            f"script-src '{_digest(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def shown(value: object) -> object:
    """Text as markup that cannot act: escaped, with hidden characters as marked escapes. Other values pass."""
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
    """The options of the run as (name, value), by name; those that were not given are left out."""
    given = ((name, value) for name, value in sorted(report.run.options.items()) if value not in (None, (), False))
    return tuple((name, value_text(value)) for name, value in given)


def rules_by_severity(report: Report) -> tuple[tuple[RuleInfo, int], ...]:
    """The rules that ran, worst first, each with its number of failed findings."""
    order = list(Severity)
    rules = sorted(report.rules, key=lambda rule: (order.index(rule.severity), rule.id))
    return tuple((rule, report.summary.by_rule.get(rule.id, 0)) for rule in rules)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(resources.reports() / "html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain": plain,
        "number": html_words.number,
        "count": html_words.count,
        "moment": html_words.moment,
    }
    environment.globals |= {
        "duration": html_words.duration,
        "resource_name": html_words.resource_name,
        "app_instance_name": html_words.app_instance_name,
    }
    return environment


@cache
def _asset(name: str) -> str:
    return (resources.reports() / "html" / name).read_text(encoding="utf-8")


def _digest(block: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()}"
