"""tests/conftest.py: in continuous integration, a skipped test fails."""

from __future__ import annotations

import pytest

pytest_plugins = "pytester"

SKIPPING = {
    "test_function": "import pytest\n@pytest.mark.skipif(True, reason='not here')\ndef test_it(): ...",
    "test_fixture": "import pytest\n@pytest.fixture\ndef it(): pytest.skip('not here')\ndef test_it(it): ...",
    "test_module": "import pytest\npytest.importorskip('not_here')\ndef test_it(): ...",
    "test_known": "import pytest\n@pytest.mark.xfail(reason='known')\ndef test_it(): assert False",
}


@pytest.mark.parametrize(
    ("ci", "outcomes"), [(True, {"errors": 3, "xfailed": 1}), (False, {"skipped": 3, "xfailed": 1})]
)
def test_a_skip_is_a_failure_where_ci_is_set(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: bool, outcomes: dict[str, int]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    if ci:
        monkeypatch.setenv("CI", "true")
    pytester.makeconftest("from tests.conftest import pytest_make_collect_report, pytest_runtest_makereport")
    pytester.makepyfile(**SKIPPING)

    ended = pytester.runpytest("-p", "no:randomly", "-p", "no:xdist", "--continue-on-collection-errors")

    assert {name: count for name, count in ended.parseoutcomes().items() if name != "warnings"} == outcomes
