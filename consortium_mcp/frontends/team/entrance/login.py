"""Lets through who has signed in, says who it is, and tells all others how to sign in.

As the specification of MCP asks: a token in the header, never in the address; 401 with where the
server describes itself (RFC 9728) and which scopes it wants; 403 where a token may not do this.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.transport_security import DEFAULT_MAX_REQUEST_BODY_SIZE
from starlette.authentication import AuthCredentials
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.frontends.team.entrance.scopes import MCP_PATH, scope_of_message, scope_of_page
from consortium_mcp.services.users.callers import called_by

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from consortium_mcp.adapters.identity.identity import Identity
    from consortium_mcp.adapters.identity.verifier import Verifier
    from consortium_mcp.frontends.team.entrance.refusals import Refusals
    from consortium_mcp.frontends.team.entrance.sessions import Sessions

OPEN_PATHS = ("/healthz", "/readyz", "/metrics", "/sign-in", "/.well-known/")
"""Where nobody need be signed in; addresses may go on after these."""
IDENTITY = "consortium.identity"
"""Where a request's scope has who it is of."""
RETRY_SECONDS = 5
"""After which a client that cannot be told from others may try again."""


class Login:
    """ASGI middleware.

    Args:
        app: what is behind it.
        verifier: says whose a token is.
        sessions: says who is signed in in a browser.
        metadata_url: where the server describes itself; `None` without an identity provider.
        read_only: gives the names of the tools that only read.
        refusals: notes who brings a token that is not good.
    """

    def __init__(
        self,
        app: ASGIApp,
        verifier: Verifier,
        sessions: Sessions,
        metadata_url: str | None,
        read_only: Callable[[], Awaitable[Collection[str]]],
        *,
        refusals: Refusals,
    ) -> None:
        self._app = app
        self._inside = AuthContextMiddleware(app)
        self._verifier = verifier
        self._sessions = sessions
        self._metadata_url = metadata_url
        self._read_only = read_only
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] != "http" or _is_open(scope["path"]) or scope["method"] == "OPTIONS":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        token = _bearer(request)
        is_mcp = scope["path"] == MCP_PATH
        try:
            if token is not None:
                identity = await self._verifier.identity(token)
            else:  # a page of another site can make a browser send its cookies, so not to MCP
                identity = (
                    None if is_mcp else await self._sessions.identity(request, self._verifier)
                )
        except ConsortiumError as error:
            await _later(str(error))(scope, receive, send)
            return
        if identity is None:
            if token is not None:
                await self._refusals.note()
            await self._not_signed_in(request, token)(scope, receive, send)
            return
        if is_mcp and scope["method"] == "POST":
            body, receive = await _whole(receive)
            needed = scope_of_message(body, await self._read_only())
        else:
            needed = scope_of_page(scope["method"], scope["path"])
        if not identity.may(needed):
            why = f"The token lacks the scope {needed}, which this needs."
            await self._challenge(HTTPStatus.FORBIDDEN, why, "insufficient_scope", needed)(
                scope, receive, send
            )
            return
        scope[IDENTITY] = identity
        scope["user"] = AuthenticatedUser(_access_token(identity, token or ""))
        scope["auth"] = AuthCredentials(sorted(identity.scopes))
        with called_by(identity.principal):
            await self._inside(scope, receive, send)

    def _not_signed_in(self, request: Request, token: str | None) -> Response:
        wants_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        if wants_page and request.url.path != MCP_PATH:
            return RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
        if token is None:
            return self._challenge(HTTPStatus.UNAUTHORIZED, "A token is needed.", None, "consult")
        why = "The token is not good: it has ended, was revoked, or was made for another server."
        return self._challenge(HTTPStatus.UNAUTHORIZED, why, "invalid_token", "consult")

    def _challenge(
        self, status: HTTPStatus, why: str, error: str | None, needed: str
    ) -> JSONResponse:
        parts = [] if error is None else [f'error="{error}"', f'error_description="{why}"']
        parts.append(f'scope="{needed}"')
        if self._metadata_url is not None:
            parts.append(f'resource_metadata="{self._metadata_url}"')
        content = {"error": error or "unauthorized", "error_description": why}
        return JSONResponse(content, status, {"WWW-Authenticate": f"Bearer {', '.join(parts)}"})


def identity_of(request: Request) -> Identity:
    """Who sent a request that the login has let through."""
    found: Identity = request.scope[IDENTITY]
    return found


def _is_open(path: str) -> bool:
    return any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in OPEN_PATHS)


def _bearer(request: Request) -> str | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if kind.lower() == "bearer" else None


def _access_token(identity: Identity, token: str) -> AccessToken:
    principal = identity.principal
    return AccessToken(
        token=token,
        client_id=identity.client,
        scopes=sorted(identity.scopes),
        expires_at=identity.expires_at,
        subject=principal.subject,
        claims={"iss": principal.issuer},
    )


def _later(why: str) -> Response:
    content = {"error": "temporarily_unavailable", "error_description": why}
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return JSONResponse(content, HTTPStatus.SERVICE_UNAVAILABLE, headers)


async def _whole(receive: Receive) -> tuple[bytes, Receive]:
    """A request's body, and what gives it once more to whoever answers the request.

    A body that is too long is given on as far as it was read: the SDK refuses it.
    """
    messages: list[Message] = []
    size, more = 0, True
    while more and size <= DEFAULT_MAX_REQUEST_BODY_SIZE:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
    body = b"".join(message.get("body", b"") for message in messages)
    left = iter(messages)

    async def again() -> Message:
        message = next(left, None)
        return await receive() if message is None else message

    return body, again
