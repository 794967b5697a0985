"""scanner.aws.waiting: waiting ends in time, and what was waited for is known."""

from __future__ import annotations

import threading
from time import monotonic

import pytest

from scanner.aws.failure import FailedCallError, MalformedAnswerError, calling
from scanner.aws.waiting import OutOfTimeError, awaited, in_time, waiting_for


def test_a_result_in_time_is_returned_and_an_error_raised() -> None:
    def fail() -> None:
        raise TimeoutError("of its own")

    assert in_time(lambda: 1, None) == 1
    assert in_time(lambda: 1, monotonic() + 60) == 1
    with pytest.raises(TimeoutError, match="of its own"):
        in_time(fail, monotonic() + 60)
    assert awaited() == ""


def test_a_late_result_is_abandoned_and_named() -> None:
    over = threading.Event()

    def hang() -> None:
        with calling("chime-sdk-messaging", "ListChannelFlows"):
            over.wait(60)

    with pytest.raises(OutOfTimeError):
        in_time(hang, monotonic(), "the scope")
    thread = next(each for each in threading.enumerate() if each.name == "bounded")
    assert awaited() in {"the scope", "chime:ListChannelFlows"}  # depends on how far the scan came

    over.set()
    thread.join()
    assert awaited() == ""


def test_the_innermost_is_named_and_the_most_frequent_first() -> None:
    inside = []

    def fail() -> None:
        with calling("sts", "AssumeRole"):
            inside.append(awaited())
            raise MalformedAnswerError

    with waiting_for("one"):
        with pytest.raises(FailedCallError):
            fail()
        assert awaited() == "one"
    assert inside == ["sts:AssumeRole"]
