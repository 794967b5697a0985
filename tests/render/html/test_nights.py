"""The trend over many nights on the page and on the index, in a browser, in both colour schemes and on a phone."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

from scanner.model.report import Severity
from scanner.model.trend import Night, OpenFinding, PastRun, TimeToFix, Trend
from scanner.render import site
from scanner.render.html import page
from tests.render import sample
from tests.render.conftest import Viewer
from tests.render.html.test_browser import open_everything


def night(number: int, failed: int) -> Night:
    return Night(
        run_id=f"night-{number}",
        started_at=f"2026-11-{number:02}T03:00:12Z",
        complete=number % 3 > 0,
        accounts=3,
        channel_flows=34,
        open={"critical": number % 2, "high": failed, "medium": 3, "low": 9, "info": 1},
        new=1,
        reopened=0,
        fixed=2,
        waived=0,
    )


def past_run(number: int, text: str) -> PastRun:
    return PastRun(
        id=text,
        started_at=f"2026-11-{number:02}T03:00:12Z",
        finished_at=f"2026-11-{number:02}T03:04:47Z",
        version="1.0.0",
        complete=False,
        accounts=3,
        accounts_in_scope=4,
        targets=9,
        targets_in_scope=12,
        app_instances=12,
        channel_flows=34,
        gaps=2,
        failed=dict.fromkeys(Severity, 1),
        unknown=5,
        waived=1,
        options={"role": text},
        reports={},
    )


def trend(nights: int, text: str = "moderation") -> Trend:
    oldest = OpenFinding(
        fingerprint="f",
        rule_id="last-processor-fails-open",
        severity=Severity.HIGH,
        account_id=sample.PROD,
        region="us-east-1",
        resource_arn=None,
        resource_name=text,
        app_instance_name=text,
        first_seen="2026-10-30T03:00:12Z",
        last_seen="2026-11-22T03:00:12Z",
        age_days=23,
    )
    return Trend(
        nights=tuple(night(number, number % 7) for number in range(1, nights + 1)),
        time_to_fix=(TimeToFix(severity=Severity.HIGH, fixed=4, median_days=2.0, longest_days=9.5),),
        oldest=(oldest,),
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_trend_is_accessible(viewer: Viewer, scheme: Literal["light", "dark"], width: int) -> None:
    text = "".join(page.render(sample.rich(), trend(22)))

    opened = viewer.open(sample.rich(), edit=lambda _: text, scheme=scheme, width=width)
    open_everything(opened.page)

    results = Axe().run(opened.page)
    assert results.violations_count == 0, results.generate_report()
    assert not opened.complaints
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.page.get_by_role("img", name="open findings after the last of 22 nights").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("text", ["20261122T030012Z-7c1f", sample.HOSTILE], ids=["plain", "hostile"])
def test_the_index_is_accessible(viewer: Viewer, scheme: Literal["light", "dark"], width: int, text: str) -> None:
    rows = [site.row(past_run(number, text), [site.link("html", ["a b", "javascript:x.html"])]) for number in (1, 2)]
    page = site.render(trend(2, text), rows)

    opened = viewer.open(sample.empty(), edit=lambda _: page, scheme=scheme, width=width)
    open_everything(opened.page)

    results = Axe().run(opened.page)
    assert results.violations_count == 0, results.generate_report()
    assert not opened.complaints
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.page.get_by_role("link", name="html of 2026-11-02").get_attribute("href") == (
        "./a%20b/javascript%3Ax.html"
    )


@pytest.mark.parametrize(
    ("nights", "span"),
    [
        (1, ("2026-11-01 03:00 UTC",)),
        (2, ("2026-11-01 03:00 UTC to 2026-11-02 03:00 UTC",)),
        (22, ("2026-11-01 03:00 UTC", "2026-11-22 03:00 UTC")),
    ],
)
def test_the_dates_stand_below_the_first_and_the_last_bar(nights: int, span: tuple[str, ...]) -> None:
    text = "".join(page.render(sample.rich(), trend(nights)))

    assert re.findall(r'<rect class="critical" x="(.*?)\.1"', text)[0] == "0"
    assert tuple(re.findall(r"<span>(2026-.*?)</span>", text)) == span


def test_a_history_without_a_night_draws_nothing() -> None:
    empty = Trend(nights=(), time_to_fix=(), oldest=())

    assert "".join(page.render(sample.rich(), empty)) == "".join(page.render(sample.rich()))
    assert "No run is recorded." in site.render(empty, [])
