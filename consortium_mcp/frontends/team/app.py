"""Puts the team's server together: what each address gives, and who may ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from mcp.server.auth.routes import build_resource_metadata_url, create_protected_resource_routes
from mcp.server.auth.settings import AuthSettings
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.routing import Route

from consortium_mcp.adapters.identity.identity import SCOPES
from consortium_mcp.adapters.identity.jwt_tokens import JwtTokens
from consortium_mcp.adapters.identity.key_set import KeySet
from consortium_mcp.adapters.identity.own_tokens import OwnTokens
from consortium_mcp.adapters.identity.verifier import Verifier
from consortium_mcp.adapters.team.audit_log import AuditLog
from consortium_mcp.frontends.browser.access import Access
from consortium_mcp.frontends.browser.app import make_app as make_pages
from consortium_mcp.frontends.team.entrance.hosts import KnownHosts
from consortium_mcp.frontends.team.entrance.login import Login
from consortium_mcp.frontends.team.entrance.refusals import Refusals
from consortium_mcp.frontends.team.entrance.scopes import MCP_PATH
from consortium_mcp.frontends.team.entrance.sessions import Sessions
from consortium_mcp.frontends.team.entrance.sign_in import SignIn, WebClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from starlette.applications import Starlette
    from starlette.types import ASGIApp

    from consortium_mcp.adapters.databases.database import Database
    from consortium_mcp.adapters.team_settings import TeamSettings
    from consortium_mcp.frontends.mcp.server import ConsortiumServer
    from consortium_mcp.frontends.team.health import Health


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Where the server is reached, and who signs in.

    Args:
        url: its address for the world, without a path.
        hosts: `HOST` or `HOST:PORT` as clients may name it.
        secrets: shared by all servers of the team.
        keys: the identity provider's; `None` where there is none.
        routes: more addresses, which only who has signed in reaches.
        open_routes: more addresses that need no login.
    """

    url: str
    hosts: Collection[str]
    secrets: Sequence[str]
    keys: KeySet | None = None
    routes: Sequence[Route] = ()
    open_routes: Sequence[Route] = ()


def key_set(settings: TeamSettings) -> KeySet | None:
    """The keys of the identity provider, if there is one."""
    if settings.issuer is None:
        return None
    return KeySet(settings.issuer, settings.jwks_url)


def make_app(
    server: ConsortiumServer,
    database: Database,
    settings: TeamSettings,
    around: Surroundings,
    health: Health,
) -> ASGIApp:
    """The whole server with its login.

    Args:
        server: what answers at `/mcp`.
        database: the team's.
        settings: who signs in and how.
        around: where it is.
        health: says whether it is ready.
    """
    audience = settings.audience or f"{around.url}{MCP_PATH}"
    verifier = _verifier(database, settings, around, audience)
    sessions = Sessions(around.secrets, secure=around.url.startswith("https://"))
    refusals = Refusals(AuditLog(database))
    sign_in = SignIn(sessions, verifier, _web_client(settings, around, audience), refusals)
    app = _addresses(
        server,
        around,
        health,
        [*sign_in.routes, *_metadata_routes(settings, around, audience), *around.routes],
    )
    metadata = _metadata_url(settings, around)
    read_only = _read_only_tools(server)
    login = Login(app, verifier, sessions, metadata, read_only, refusals=refusals)
    return KnownHosts(login, around.hosts)


def make_open_app(server: ConsortiumServer, around: Surroundings, health: Health) -> ASGIApp:
    """The server without a login, for this machine only."""
    return KnownHosts(_addresses(server, around, health, ()), around.hosts)


def _addresses(
    server: ConsortiumServer, around: Surroundings, health: Health, more: Sequence[Route]
) -> Starlette:
    """What each address gives; the pages get what is left."""
    app = _endpoint(server, around)
    app.router.routes += [
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        *around.open_routes,
        *more,
    ]
    app.mount("/", Access(make_pages(server.service), around.hosts, with_token=False))
    return app


def _endpoint(server: ConsortiumServer, around: Surroundings) -> Starlette:
    """MCP, each request by itself: the next one may reach another server."""
    origins = [f"{scheme}://{host}" for host in around.hosts for scheme in ("https", "http")]
    return server.streamable_http_app(
        streamable_http_path=MCP_PATH,
        stateless_http=True,
        transport_security=TransportSecuritySettings(
            allowed_hosts=list(around.hosts), allowed_origins=origins
        ),
    )


def _verifier(
    database: Database, settings: TeamSettings, around: Surroundings, audience: str
) -> Verifier:
    own = OwnTokens(database)
    if around.keys is None or settings.issuer is None:
        return Verifier(own)
    return Verifier(own, JwtTokens(around.keys, settings.issuer, audience))


def _web_client(settings: TeamSettings, around: Surroundings, audience: str) -> WebClient | None:
    """The pages as the identity provider knows them, if it does."""
    if around.keys is None or settings.web_client_id is None:
        return None
    return WebClient(
        around.keys, settings.web_client_id, settings.web_client_secret, around.url, audience
    )


def _read_only_tools(server: ConsortiumServer) -> Callable[[], Awaitable[Collection[str]]]:
    """Gives the names of the tools that only read."""
    names: set[str] = set()

    async def read_only() -> Collection[str]:
        if not names:  # they stay as they are, and listing them takes its time
            names.update(
                tool.name
                for tool in await server.list_tools()
                if tool.annotations is not None and tool.annotations.read_only_hint
            )
        return names

    return read_only


def _metadata_url(settings: TeamSettings, around: Surroundings) -> str | None:
    if settings.issuer is None:
        return None
    return str(build_resource_metadata_url(AnyHttpUrl(f"{around.url}{MCP_PATH}")))


def _metadata_routes(settings: TeamSettings, around: Surroundings, audience: str) -> list[Route]:
    """Where clients learn who signs people in (RFC 9728): beside the path, and at the root."""
    if settings.issuer is None:
        return []
    resource = audience if urlsplit(audience).scheme else f"{around.url}{MCP_PATH}"
    # This model keeps addresses as they are: clients compare them as texts.
    addresses = AuthSettings.model_validate(
        {
            "issuer_url": settings.issuer,
            "resource_server_url": resource,
            "validate_token_resource": False,
        }
    )
    [made] = create_protected_resource_routes(
        resource_url=cast("AnyHttpUrl", addresses.resource_server_url),
        authorization_servers=[addresses.issuer_url],
        scopes_supported=[each for each in SCOPES if each != "admin"],
        resource_name="consortium-mcp",
    )
    root = "/.well-known/oauth-protected-resource"
    return [Route(f"{root}{path}", made.endpoint) for path in (MCP_PATH, "")]
