from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from scanner.collect.single_flight import SingleFlight


def test_a_thread_that_asks_during_a_read_waits_for_its_result() -> None:
    flight: SingleFlight[str, str] = SingleFlight()
    reading, goes_on = threading.Event(), threading.Event()
    reads: list[int] = []

    def read() -> str:
        reads.append(1)
        reading.set()
        goes_on.wait(10)
        return "answer"

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(flight.get, "key", read)
        reading.wait(10)
        others = [pool.submit(flight.get, "key", read) for _ in range(3)]
        goes_on.set()

        assert {future.result(10) for future in (first, *others)} == {"answer"}
    assert len(reads) == 1


def test_each_key_is_read_by_itself() -> None:
    flight: SingleFlight[str, str] = SingleFlight()

    assert [flight.get(key, key.upper) for key in ("a", "b", "a")] == ["A", "B", "A"]


def test_all_waiting_threads_get_the_same_error() -> None:
    flight: SingleFlight[str, str] = SingleFlight()
    reads: list[int] = []

    def fail() -> str:
        reads.append(1)
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            flight.get("key", fail)
    assert len(reads) == 1
