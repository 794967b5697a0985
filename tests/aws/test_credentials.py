"""scanner.aws.credentials, where it depends on the system."""

from __future__ import annotations

import io
import os
import sys

import pytest

from scanner.aws import credentials


class _Stdin(io.StringIO):
    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize("platform", ["darwin", "linux", "win32"])
def test_without_dev_tty_an_mfa_code_is_asked_for_if_standard_input_is_a_terminal(
    platform: str, is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_tty(path: str, _: int) -> int:
        assert (path, platform != "win32") == ("/dev/tty", True)
        raise OSError

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sys, "stdin", _Stdin(is_terminal=is_terminal))
    monkeypatch.setattr(os, "open", no_tty)
    monkeypatch.setattr(os, "O_NOCTTY", 0, raising=False)  # Windows has none

    assert credentials._has_terminal() is is_terminal
