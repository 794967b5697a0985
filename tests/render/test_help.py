"""Reports lead from a rule to the page that explains it, and nowhere else."""

from __future__ import annotations

import pytest
from msgspec import UNSET, UnsetType, structs

from scanner.model.report import Report
from scanner.render import Format, render, table
from tests.render import sample

PAGE = "https://docs.example.org:8443/rules/last-processor-fails-open.html?v=1#why"
TEXTS = [Format.SARIF, Format.OCSF, Format.JUNIT, Format.MARKDOWN]


def explained(address: str | UnsetType) -> Report:
    report = sample.rich()
    return structs.replace(report, rules=tuple(structs.replace(rule, help=address) for rule in report.rules))


@pytest.mark.parametrize("form", [*TEXTS, Format.HTML])
def test_a_rule_leads_to_its_page(form: Format) -> None:
    assert PAGE in "".join(render(explained(PAGE), form))
    assert "docs.example.org" not in "".join(render(explained(UNSET), form))


def test_the_terminal_names_whole_addresses_of_what_failed_if_it_is_asked_to() -> None:
    assert f"\n  {PAGE}\n" in table.summary(explained(PAGE), width=40, color=False, verbose=True)
    assert PAGE not in table.summary(explained(PAGE), width=200, color=False)


@pytest.mark.parametrize("form", TEXTS)
@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "http://evil.example.org/",
        "https://evil.example.org/>x",
        "https://a@evil.example.org/",
        "",
    ],
)
def test_what_is_no_plain_address_leads_nowhere(form: Format, address: str) -> None:
    assert "".join(render(explained(address), form)) == "".join(render(explained(UNSET), form))


def test_the_page_makes_no_link_of_what_is_no_plain_address() -> None:
    assert 'href="javascript' not in "".join(render(explained("javascript:alert(1)"), Format.HTML))
