"""scanner.collect.threads: as many threads as the system allows, and all tasks are done."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from scanner.aws.failure import StoppedError
from scanner.collect.threads import Crew, SingleFlight


def run_out(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Make starting a thread fail after so many more threads."""
    start, left = threading.Thread.start, iter(range(after))

    def start_some(thread: threading.Thread) -> None:
        if next(left, None) is None:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_all_tasks_are_done_by_as_many_threads_as_the_system_allows(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    run_out(monkeypatch, after=threads)
    by: set[str] = set()

    def work(number: int) -> int:
        by.add(threading.current_thread().name)
        return number

    with Crew(8, "works") as crew:
        assert [future.result() for future in [crew.submit(work, number) for number in range(50)]] == list(range(50))
    own = {threading.current_thread().name}
    assert by <= ({f"works-{number}" for number in range(threads)} or own)


def test_tasks_run_at_once_and_their_errors_are_raised() -> None:
    together = threading.Barrier(4)
    begun: list[str] = []

    def fail() -> None:
        raise ValueError("of its own")

    with Crew(4, "works", lambda: begun.append("")) as crew:
        for future in [crew.submit(together.wait, 20) for _ in range(4)]:
            future.result()
        with pytest.raises(ValueError, match="of its own"):
            crew.submit(fail).result()
    assert len(begun) == 4
    with pytest.raises(StoppedError):
        crew.submit(fail)


def test_a_widened_crew_does_waiting_tasks() -> None:
    together = threading.Barrier(3)
    with Crew(1, "works") as crew:
        futures = [crew.submit(together.wait, 20) for _ in range(3)]
        crew.widen(3)
        assert sorted(future.result() for future in futures) == [0, 1, 2]


def test_waiting_tasks_may_be_dropped() -> None:
    goes_on = threading.Event()
    crew = Crew(1, "works")
    running, waiting = crew.submit(goes_on.wait, 20), crew.submit(goes_on.wait, 20)
    while not running.running():
        goes_on.wait(0.01)

    crew.shutdown(wait=False, cancel_futures=True)
    goes_on.set()

    assert running.result()
    with pytest.raises(StoppedError):
        waiting.result()


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
