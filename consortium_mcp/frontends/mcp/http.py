"""Serve Streamable HTTP on this machine's loopback, from the same factory as stdio.

For clients on this machine that speak HTTP, and for the conformance suite. Everyone who can open a
connection may use it: the SDK refuses foreign hosts and origins, which keeps web pages out, and
there is no more than that. It is no server for a team.
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
from consortium_mcp.frontends.mcp.server import make_server

if TYPE_CHECKING:
    from types import FrameType

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.frontends.mcp.server import ConsortiumServer

HOST = "127.0.0.1"
DEFAULT_PORT = 8765
GRACE_SECONDS = 1
"""For what is still being answered when all clients have been hung up on."""


def serve(settings: Settings, port: int) -> None:
    """Serve until SIGINT or SIGTERM; runs that work then are marked as interrupted.

    Args:
        settings: where things are.
        port: 0 for any that is free.

    Raises:
        ConfigError: the port is taken.
    """
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    serve_app(make_server(settings), port)


def serve_app(server: ConsortiumServer, port: int) -> None:
    """Serve this server; see `serve`."""
    with _listening(port) as listening:
        app = server.streamable_http_app(host=HOST)  # with the checks of host and origin
        config = uvicorn.Config(
            app, log_config=None, timeout_graceful_shutdown=GRACE_SECONDS, access_log=False
        )
        address = f"http://{HOST}:{listening.getsockname()[1]}/mcp"
        click.echo(f"Listening on {address}, for this machine only, without a login.", err=True)
        try:
            anyio.run(_Server(config).serve, [listening])
        except KeyboardInterrupt:  # uvicorn ends well and then raises the signal that ended it
            sys.exit(128 + signal.SIGINT)


def _listening(port: int) -> socket.socket:
    """A socket on which clients may come from now on; they wait until they are served.

    Raises:
        ConfigError: the port is taken.
    """
    try:
        return socket.create_server((HOST, port))  # also just after another server has gone
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigError(
            f"Port {port} of {HOST} cannot be used: {reason}. Name another with --port."
        ) from error


class _Server(uvicorn.Server):
    """Hangs up at its end: event streams, and calls that wait for a run, would not end by then."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        asyncio.get_running_loop().call_soon_threadsafe(self._hang_up)

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.close()
