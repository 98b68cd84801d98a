"""Serves a team until it is told to end; then what works may still end, and nothing begins."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import click
import uvicorn
from mcp.server.request_state import RequestStateSecurity
from starlette.routing import Route

from consortium_mcp.adapters.identity.identity import SCOPES
from consortium_mcp.adapters.identity.own_tokens import OwnTokens
from consortium_mcp.adapters.postgres.opening import team_database
from consortium_mcp.adapters.team.shared_state import SharedPlans, shared_secret
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.principal import ANYBODY, LOCAL
from consortium_mcp.frontends.mcp.http import listen
from consortium_mcp.frontends.mcp.server import make_server
from consortium_mcp.frontends.team.admin import admin_routes
from consortium_mcp.frontends.team.app import Surroundings, key_set, make_app, make_open_app
from consortium_mcp.frontends.team.entrance.login import identity_of
from consortium_mcp.frontends.team.health import Health
from consortium_mcp.frontends.team.metrics import Metrics
from consortium_mcp.frontends.team.news import News
from consortium_mcp.frontends.team.user_keys import key_routes
from consortium_mcp.services.runs.supervisor import unwrapped
from consortium_mcp.services.team.own_keys import user_keys_of
from consortium_mcp.services.workers.opening import open_team

if TYPE_CHECKING:
    import socket
    from collections.abc import Collection
    from types import FrameType

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from consortium_mcp.adapters.databases.database import Database
    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.adapters.team.user_keys import UserKeys
    from consortium_mcp.core.domain.principal import Principal
    from consortium_mcp.services.workers.opening import Team

logger = logging.getLogger(__name__)
DEFAULT_PORT = 8765
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
READY_SECONDS = 1.0
"""After readiness has failed, for balancers to look elsewhere, before anything else ends."""
GRACE_SECONDS = 1
"""For requests that are left once all runs have ended or were handed over."""


def serve(settings: Settings, host: str, port: int, *, works: bool = True) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        settings: paths, log level, the team's settings.
        host: the address to listen on.
        port: the TCP port; 0 for any free one.
        works: whether this process works on runs, too.

    Raises:
        ConfigError: it may not listen there, or cannot; or there is no database.
        StoreError: the database cannot be used.
    """
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    with listen(host, port) as listening:
        try:
            anyio.run(_serve, settings, listening, works)
        except KeyboardInterrupt:  # uvicorn shuts down, then raises the signal again
            sys.exit(128 + signal.SIGINT)


async def _serve(settings: Settings, listening: socket.socket, works: bool) -> None:  # noqa: FBT001 (anyio.run passes by position)
    has_login = await _has_login(settings)
    _check_reach(settings, listening.getsockname()[0], has_login=has_login)
    try:
        async with anyio.create_task_group() as group:
            metrics = Metrics()
            async with open_team(settings, group, work=works, meter=metrics) as team:
                metrics.database = team.database
                await _serve_team(settings, listening, team, metrics, has_login=has_login)
            group.cancel_scope.cancel()  # its runs have ended or are another server's by now
    except ExceptionGroup as errors:
        raise unwrapped(errors) from errors


async def _has_login(settings: Settings) -> bool:
    """Whether anybody can sign in. Once a token was made, all must."""
    database = team_database(settings)
    try:
        return settings.team.issuer is not None or await OwnTokens(database).any()
    finally:
        await database.close()


async def _serve_team(
    settings: Settings,
    listening: socket.socket,
    team: Team,
    metrics: Metrics,
    *,
    has_login: bool,
) -> None:
    database = team.database
    host, port = listening.getsockname()[:2]
    around = _surroundings(settings, host, port)
    around = replace(
        around,
        secrets=(await shared_secret(database, "front"),),
        routes=_routes_of_users(settings, team),
        open_routes=[Route("/metrics", metrics.answer)],
    )
    health = Health(lambda: database.read("SELECT 1 AS alive"))
    server = make_server(
        settings,
        lambda _: team.service,
        nobody=ANYBODY if has_login else LOCAL,
        request_state=RequestStateSecurity(keys=list(around.secrets)),
        shown_plans=SharedPlans(database),
    )
    server.middleware.append(health.refuse_new_runs)
    if has_login:
        app = make_app(server, database, settings.team, around, health)
    else:
        app = make_open_app(server, around, health)
    who = "with a login" if has_login else "for this machine only, without a login"
    pages = f"The history of runs: {around.url}/"
    click.echo(f"Listening on {around.url}/mcp, {who}. {pages}", err=True)
    news = News(database, team.service.store.owner, server.notifier)
    async with anyio.create_task_group() as group:
        group.start_soon(news.run)
        await _Server(app, health, team, settings.team.drain_seconds).serve([listening])
        group.cancel_scope.cancel()


def _routes_of_users(settings: Settings, team: Team) -> list[Route]:
    """What users see and give of their own, and what admins see."""
    keys = user_keys_of(settings, team.database)

    async def database() -> Database:
        return team.database

    async def ring() -> UserKeys | None:
        return keys

    def principal_of(request: Request) -> Principal | None:
        return identity_of(request).principal

    def scopes_of(request: Request) -> Collection[str]:
        return [scope for scope in SCOPES if identity_of(request).may(scope)]

    return [
        *admin_routes(database, principal_of, scopes_of, texts=settings.team.admins_read_texts),
        *key_routes(ring, database, principal_of, scopes_of),
    ]


def _check_reach(settings: Settings, host: str, *, has_login: bool) -> None:
    """Whether the server may listen there.

    Raises:
        ConfigError: others could reach it who have not signed in, or by any name.
    """
    if host in LOOPBACK:
        return
    if not has_login:
        raise ConfigError(
            f"Listening on {host} needs a login, as other machines reach it: set CONSORTIUM_ISSUER "
            "to your identity provider, or make a token with `consortium-mcp tokens add NAME`."
        )
    if not settings.team.named_hosts:
        raise ConfigError(
            f"Listening on {host} needs the names that clients use for this server: set "
            "CONSORTIUM_URL, such as https://consortium.example.com, or CONSORTIUM_HOSTS."
        )


def _surroundings(settings: Settings, host: str, port: int) -> Surroundings:
    hosts = list(settings.team.named_hosts)
    if host in LOOPBACK:
        hosts += [f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"]
    url = settings.team.url or f"http://{'127.0.0.1' if host in LOOPBACK else host}:{port}"
    return Surroundings(url=url, hosts=hosts, secrets=(), keys=key_set(settings.team))


class _Server(uvicorn.Server):
    """Ends in order: not ready any more, nothing begins, what works ends, clients are let go."""

    def __init__(self, app: ASGIApp, health: Health, team: Team, drain_seconds: float) -> None:
        super().__init__(
            uvicorn.Config(
                app, log_config=None, timeout_graceful_shutdown=GRACE_SECONDS, access_log=False
            )
        )
        self._health = health
        self._team = team
        self._drain_seconds = drain_seconds
        self._draining: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains, a second one ends at once."""
        loop = asyncio.get_running_loop()
        if self._health.draining or self._drain_seconds == 0:
            super().handle_exit(sig, frame)
            loop.call_soon_threadsafe(self._disconnect_all)
            return
        self._health.draining = True
        self._captured_signals.append(sig)  # raised again when the server has ended
        loop.call_soon_threadsafe(self._begin_drain)

    def _begin_drain(self) -> None:
        self._draining = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        await asyncio.sleep(min(READY_SECONDS, self._drain_seconds))
        await self._team.drain(self._drain_seconds)
        self._team.service.waits.let_go()  # who waits gets the report as it is
        self.should_exit = True

    def _disconnect_all(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.close()
