"""``--demo``: the simulated organisation in place of AWS."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_NO_OTHER_AWS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


@contextmanager
def simulated_aws() -> Iterator[None]:
    """Let the environment lead to the simulation and nowhere else: no call may leave this machine then.

    Raises:
        UsageError: the extra chimeaudit[demo] is not installed.
    """
    before = dict(os.environ)
    kept = {name: value for name, value in before.items() if not name.startswith("AWS_")}
    _replace_environment({**kept, **_NO_OTHER_AWS})
    try:
        from scanner.simulator.server import start

        with start() as simulation:
            os.environ.update(simulation.environment)
            yield
    finally:
        _replace_environment(before)


def _replace_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)
