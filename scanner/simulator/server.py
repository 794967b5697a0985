"""Serves an organisation on loopback, to boto3, the AWS CLI or any other client."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Lock, Thread
from typing import Any

from msgspec import Struct

from scanner.errors import UsageError
from scanner.simulator import register
from scanner.simulator.organisation import Organisation, load

try:
    from moto.core.routing import get_service_router
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import BaseWSGIServer, make_server

    from scanner.simulator.enforcement import enforced
    from scanner.simulator.seeding import reset, seed
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in {"moto", "flask", "flask_cors"}:
        raise  # the package is not of the extra: the installation is broken
    raise UsageError(
        f"the simulated AWS needs a package that is not installed: {error.name}",
        hint="Install it: pip install 'chimeaudit[demo]'",
    ) from error

LOOPBACK = "127.0.0.1"
_BY_PATH = ("chime-sdk-identity", "chime-sdk-messaging", "lambda")
"""Services whose requests name the operation by path."""

_in_use = Lock()


class SimulatedAWS(Struct, frozen=True, kw_only=True):
    """A running simulation: its address, and the access key of a user in its management account."""

    url: str
    account_id: str
    access_key_id: str
    secret_access_key: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that make an AWS client use the simulation; it needs nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": "",  # a user's key has none, and one in the environment would not fit
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
        }


@contextmanager
def start(
    organisation: Organisation | None = None, *, port: int = 0, enforce_iam: bool = False
) -> Iterator[SimulatedAWS]:
    """Serve an organisation (by default the demo) until the block is left. Port 0 means any free port.

    With `enforce_iam`, callers may do only what the organisation's `audit_policy` allows. moto's state is global to the
    process, so whatever it simulated before is dropped.

    Raises:
        RuntimeError: a server is already running in this process.
        UsageError: the port is not available, or the organisation cannot be created.
    """
    if not _in_use.acquire(blocking=False):
        raise RuntimeError("A simulated AWS is running in this process already, and moto's state is global")
    try:
        register()
        reset()
        organisation = organisation or load()
        key = seed(organisation)
        with enforced() if enforce_iam else nullcontext(), _serve(port) as url:
            yield SimulatedAWS(
                url=url,
                account_id=organisation.management.id,
                access_key_id=key.access_key_id,
                secret_access_key=key.secret_access_key,
            )
    finally:
        _in_use.release()


class _QuietRequestHandler(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: a line for every request would bury what the client prints."""


@contextmanager
def _serve(port: int) -> Iterator[str]:
    server = _listen(port)
    _compile_routes()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="simulated-aws", daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_address[1]!s}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _compile_routes() -> None:
    """Compile routes before the first request: in Python 3.11 moto may fail to do so in two threads at once."""
    for service in _BY_PATH:
        get_service_router(service)._get_router("rest-json")


def _listen(port: int) -> BaseWSGIServer:
    # werkzeug ends the process if it cannot bind, so it gets a socket that is already bound.
    app: Any = DomainDispatcherApplication(create_backend_app)
    try:
        listener = socket.create_server((LOOPBACK, port))
    except OSError as error:
        raise UsageError(f"port {port}: {error.strerror}", hint="Choose another port, or 0 for any.") from error
    with listener:
        return make_server(
            LOOPBACK, port, app, threaded=True, request_handler=_QuietRequestHandler, fd=listener.fileno()
        )
