"""scanner.declared.patterns: which paths a pattern fits."""

from __future__ import annotations

import pytest

from scanner.declared.patterns import fits


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("vendor", "a/vendor/b.json", True),
        ("vendor", "vendors/b.json", False),
        ("vendor/", "vendor", False),
        ("vendor/", "a/vendor/b.json", True),
        ("*.json", "a/b/c.json", True),
        ("a/*.json", "a/b.json", True),
        ("a/*.json", "a/b/c.json", False),
        ("a/*.json", "b/a/c.json", False),
        ("/a", "a/b", True),
        ("/a", "c/a/b", False),
        ("./a", "a", True),
        ("a/**/b.json", "a/b.json", True),
        ("a/**/b.json", "a/c/d/b.json", True),
        ("**/t/*.yaml", "t/x.yaml", True),
        ("**/t/*.yaml", "q/r/t/x.yaml", True),
        ("a/**", "a/b", True),
        ("a/**", "ab", False),
        ("**", "x/y", True),
        ("?.json", "a.json", True),
        ("?.json", "ab.json", False),
        ("[x](y).json", "[x](y).json", True),
        ("a", "a\nb", False),
    ],
)
def test_a_pattern_fits_a_path_or_a_folder_in_it(pattern: str, path: str, expected: bool) -> None:
    assert fits(pattern, path) is expected
