"""Serve Streamable HTTP on the loopback interface, from the same factory as stdio.

For local clients that speak HTTP, and for the conformance suite. There is no login: anyone who can
open a connection can use it. The only check is the SDK's, which refuses foreign hosts and origins
and so keeps web pages out. A team's server is `frontends.team`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import anyio
import click
import uvicorn

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.frontends.browser.access import Access
from consortium_mcp.frontends.browser.app import make_app
from consortium_mcp.frontends.mcp.server import make_server

if TYPE_CHECKING:
    from types import FrameType

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.frontends.mcp.server import ConsortiumServer

HOST = "127.0.0.1"
DEFAULT_PORT = 8765
GRACE_SECONDS = 1
"""How long requests may still take once all clients have been disconnected."""


def serve(settings: Settings, port: int) -> None:
    """Serve until SIGINT or SIGTERM; runs still working are then marked as interrupted.

    Args:
        settings: paths, log level and defaults.
        port: the TCP port; 0 for any free one.

    Raises:
        ConfigError: the port cannot be used.
    """
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    serve_app(make_server(settings), port)


def serve_app(server: ConsortiumServer, port: int) -> None:
    """Serve this server; see `serve`."""
    with listen(HOST, port) as listening:
        app = server.streamable_http_app(host=HOST)  # checks host and origin
        port = listening.getsockname()[1]
        hosts = {f"{HOST}:{port}", f"localhost:{port}"}
        pages = Access(make_app(server.service), hosts, with_token=False)
        app.mount("/", pages)
        config = uvicorn.Config(
            app, log_config=None, timeout_graceful_shutdown=GRACE_SECONDS, access_log=False
        )
        click.echo(
            f"Listening on http://{HOST}:{port}/mcp, for this machine only, without a login. The "
            f"history of runs: http://{HOST}:{port}/",
            err=True,
        )
        try:
            anyio.run(_Server(config).serve, [listening])
        except KeyboardInterrupt:  # uvicorn shuts down, then raises the signal again
            sys.exit(128 + signal.SIGINT)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; clients that connect now wait until the server runs.

    Raises:
        ConfigError: the port cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # A restarted server can rebind at once.
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise ConfigError(
            f"Port {port} of {host} cannot be used: {reason}. Name another with --port."
        ) from error


class _Server(uvicorn.Server):
    """Disconnects clients on shutdown; event streams and waiting calls would not end in time."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        asyncio.get_running_loop().call_soon_threadsafe(self._disconnect_all)

    def _disconnect_all(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.close()
