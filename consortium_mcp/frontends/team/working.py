"""A worker of a team's server that says how it is."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from consortium_mcp.frontends.mcp.http import listen
from consortium_mcp.frontends.team.health import Health
from consortium_mcp.frontends.team.metrics import Metrics
from consortium_mcp.services.workers.opening import run_worker

if TYPE_CHECKING:
    import socket
    from collections.abc import Generator

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.services.workers.opening import Team


def work(settings: Settings, host: str, port: int | None) -> None:
    """Work on runs until SIGTERM or SIGINT.

    Args:
        settings: where things are.
        host: where `/healthz`, `/readyz` and `/metrics` are answered.
        port: likewise; `None` to answer nothing.

    Raises:
        ConfigError: no team's database is named, or the port cannot be used.
        StoreError: the database cannot be used.
    """
    drain = settings.team.drain_seconds
    if port is None:
        anyio.run(run_worker, settings, drain)
        return
    metrics = Metrics()
    with listen(host, port) as listening:
        answer = partial(_answer, metrics, listening)
        anyio.run(partial(run_worker, settings, drain, meter=metrics, beside=answer))


async def _answer(metrics: Metrics, listening: socket.socket, team: Team) -> None:
    metrics.database = team.database
    health = Health(lambda: team.database.read("SELECT 1 AS alive"))
    app = Starlette(
        routes=[
            Route("/healthz", health.healthz),
            Route("/readyz", health.readyz),
            Route("/metrics", metrics.answer),
        ]
    )
    await _Server(uvicorn.Config(app, log_config=None, access_log=False)).serve([listening])


class _Server(uvicorn.Server):
    """Leaves the signals to the worker."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield
