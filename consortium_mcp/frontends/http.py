"""Serve Streamable HTTP on this machine's loopback, from the same factory as stdio.

For clients on this machine that speak HTTP, and for the conformance suite. Everyone who can open a
connection may use it: the SDK refuses foreign hosts and origins, which keeps web pages out, and
there is no more than that. It is no server for a team.
"""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

import anyio
import click
import uvicorn

from consortium_mcp.core.errors import ConfigError
from consortium_mcp.frontends.server import make_server

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.frontends.server import ConsortiumServer

HOST = "127.0.0.1"
DEFAULT_PORT = 8765
GRACE_SECONDS = 1
"""For open connections when the end has come: a client's event stream would never close itself."""


def serve(settings: Settings, port: int) -> None:
    """Serve until SIGINT or SIGTERM; runs that work then are marked as interrupted.

    Raises:
        ConfigError: the port is taken.
    """
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    serve_app(make_server(settings), port)


def serve_app(server: ConsortiumServer, port: int) -> None:
    """Serve this server; see `serve`."""
    with socket.socket() as listening:
        try:
            listening.bind((HOST, port))
            listening.listen()  # from now on clients may come; they wait until it serves
        except OSError as error:
            raise ConfigError(
                f"Port {port} of {HOST} cannot be used: {error.strerror}. Name another with --port."
            ) from error
        app = server.streamable_http_app(host=HOST)
        config = uvicorn.Config(
            app, log_config=None, timeout_graceful_shutdown=GRACE_SECONDS, access_log=False
        )
        address = f"http://{HOST}:{listening.getsockname()[1]}/mcp"
        click.echo(f"Listening on {address}, for this machine only, without a login.", err=True)
        anyio.run(uvicorn.Server(config).serve, [listening])
