"""Reads each thing once, however many threads ask for it at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class SingleFlight(Generic[Key, Value]):
    """A cache that reads each key once. Threads that ask meanwhile wait and get the same value or the same error."""

    def __init__(self) -> None:
        self._looking = threading.Lock()
        self._found: dict[Key, Future[Value]] = {}

    def get(self, key: Key, read: Callable[[], Value]) -> Value:
        with self._looking:
            first = key not in self._found
            future = self._found.setdefault(key, Future())
        if first:
            try:
                future.set_result(read())
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result()
