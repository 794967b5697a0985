"""tests/conftest.py: in continuous integration, a skipped test fails. tests/once.py: what is made, is made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import once

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


def test_a_folder_is_filled_once_and_anew_after_a_failure(tmp_path_factory: pytest.TempPathFactory) -> None:
    filled: list[str] = []

    def fill(folder: Path) -> None:
        filled.append(folder.name)
        (folder / "half").mkdir()
        if len(filled) == 1:
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        once.folder(tmp_path_factory, "filled-in-a-test", fill)
    first, second = (once.folder(tmp_path_factory, "filled-in-a-test", fill) for _ in range(2))

    assert first == second
    assert filled == ["filled-in-a-test"] * 2
