"""The index page of many nights: the trend and links to each night's reports, in the style of the HTML report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from scanner.model.report import Severity
from scanner.model.trend import PastRun, Trend
from scanner.render import PAGES
from scanner.render.html import nights, page, parts
from scanner.render.html.parts import STYLE


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportLink:
    """A link to one report of a night."""

    text: str
    href: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    run: PastRun
    links: tuple[ReportLink, ...]
    options: tuple[tuple[str, str], ...]

    @property
    def report(self) -> str | None:
        """The address of the night's report as people read it: the HTML page, else the first that there is."""
        pages = (link.href for link in self.links if link.text in PAGES)
        return next(pages, self.links[0].href if self.links else None)


def link(form: str, path: Iterable[str]) -> ReportLink:
    """A link to a file below the page, given by the parts of its path. Whatever they hold, it leads nowhere else."""
    return ReportLink(text=form, href="./" + "/".join(quote(part, safe="") for part in path))


def row(run: PastRun, links: Sequence[ReportLink]) -> Row:
    return Row(run=run, links=tuple(links), options=page.shown_options(run.options))


def style() -> str:
    """The text of the file `STYLE`, which the page loads."""
    return parts.file(STYLE)


def render(trend: Trend, rows: Sequence[Row]) -> str:
    """The page as HTML, last night first. It loads its style from a file beside it."""
    of_night = {night.run_id: (night.new, night.reopened, night.fixed) for night in trend.nights}
    template = page.environment().get_template("site.html.jinja")
    return template.render(
        title="Channel flow audits \N{EN DASH} chimeaudit",
        parts=parts.beside(scripts=False),
        past=nights.view(trend, {row.run.id: row.report for row in rows if row.report}),
        rows=tuple(reversed(rows)),
        changes=lambda run: of_night.get(run, (None, None, None)),
        severities=tuple(Severity),
    )
