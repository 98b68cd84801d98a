"""What the addresses of a team's server have in common: who asks, what they may, how errors look.

Login, hosts and origins are checked before a request comes here.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from consortium_mcp.core.domain.errors import ConfigError, ConsortiumError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from starlette.requests import Request
    from starlette.responses import Response

    from consortium_mcp.adapters.databases.database import Database
    from consortium_mcp.core.domain.principal import Principal

    PrincipalOf = Callable[[Request], Principal | None]
    """Who asks; `None` for somebody who is not signed in."""
    ScopesOf = Callable[[Request], Collection[str]]
    """What their sign-in allows: `consult`, `read`, `admin`."""
    GetDatabase = Callable[[], Awaitable[Database]]
    Handler = Callable[[Request, Principal], Awaitable[Any]]

_NEVER_KEPT = {"Cache-Control": "no-store"}


class Refusal(Exception):
    """A request that is not answered.

    Args:
        status: of HTTP.
        message: why, and what to do about it.
    """

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def answering(
    handler: Handler, principal_of: PrincipalOf, scopes_of: ScopesOf, scope: str | None = None
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that answers with what the handler returns, as JSON.

    Args:
        handler: gets the request and who asks.
        principal_of: says who asks.
        scopes_of: says what they may.
        scope: what they must be allowed; `None` for any sign-in.
    """

    async def endpoint(request: Request) -> Response:
        principal = principal_of(request)
        if principal is None:
            return _error(HTTPStatus.UNAUTHORIZED, "Sign in first.")
        if scope is not None and scope not in scopes_of(request):
            return _error(HTTPStatus.FORBIDDEN, f"This needs a sign-in with the scope {scope}.")
        try:
            return JSONResponse(await handler(request, principal), headers=_NEVER_KEPT)
        except Refusal as error:
            return _error(error.status, str(error))
        except ConfigError as error:
            return _error(HTTPStatus.BAD_REQUEST, str(error))
        except ConsortiumError as error:
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, str(error))

    return endpoint


def _error(status: HTTPStatus, message: str) -> Response:
    return JSONResponse({"error": message}, status, _NEVER_KEPT)
