"""`/keys`: one's own keys of providers, over HTTP. A key goes in and never comes out."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from consortium_mcp.adapters.team.audit_log import AuditLog
from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.frontends.team.requests import Refusal, answering

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from consortium_mcp.adapters.team.user_keys import UserKeys
    from consortium_mcp.core.domain.principal import Principal
    from consortium_mcp.frontends.team.requests import GetDatabase, PrincipalOf, ScopesOf

    GetKeys = Callable[[], Awaitable[UserKeys | None]]
    """Gives the users' keys; `None` where the server uses its own for everybody."""

CONSULT = "consult"
_LARGEST = 16_384
"""Bytes of a request that gives a key."""


def key_routes(
    keys: GetKeys, database: GetDatabase, principal_of: PrincipalOf, scopes_of: ScopesOf
) -> list[Route]:
    """`GET /keys`, `PUT /keys/{name}` and `DELETE /keys/{name}`.

    Args:
        keys: gives the users' keys.
        database: gives the team's database, for the audit log.
        principal_of: says who asks.
        scopes_of: says what they may.
    """

    async def ring() -> UserKeys:
        found = await keys()
        if found is None:
            raise Refusal(
                HTTPStatus.NOT_FOUND,
                "This server asks with its own keys. Its admin can change that with "
                "CONSORTIUM_USER_KEYS.",
            )
        return found

    async def listed(_request: Request, principal: Principal) -> dict[str, Any]:
        found = await (await ring()).all(principal)
        dates = [{"name": key.name, "created_at": key.created_at.isoformat()} for key in found]
        return {"keys": dates}

    async def put(request: Request, principal: Principal) -> dict[str, Any]:
        name, here = request.path_params["name"], await ring()
        await here.set(principal, name, await _key_in(request))
        await AuditLog(await database()).note(principal, "key_set", name)
        return {"name": name}

    async def delete(request: Request, principal: Principal) -> dict[str, Any]:
        name, here = request.path_params["name"], await ring()
        if not await here.remove(principal, name):
            raise Refusal(HTTPStatus.NOT_FOUND, f"You have given no key {name!r}.")
        await AuditLog(await database()).note(principal, "key_removed", name)
        return {"name": name}

    def endpoint(handler: Any, scope: str | None, method: str, path: str) -> Route:  # noqa: ANN401
        return Route(path, answering(handler, principal_of, scopes_of, scope), methods=[method])

    return [
        endpoint(listed, None, "GET", "/keys"),
        endpoint(put, CONSULT, "PUT", "/keys/{name}"),
        endpoint(delete, CONSULT, "DELETE", "/keys/{name}"),
    ]


async def _key_in(request: Request) -> str:
    """The key in a request's body: as text, or as JSON.

    Raises:
        ConfigError: there is none.
        Refusal: the body is too long.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This is no key: it is too long.")
    remedy = 'Send the key as text, or as JSON: {"key": "…"}.'
    text: Any
    try:
        text = body.decode()
        if "json" in request.headers.get("content-type", ""):
            given = json.loads(text)
            text = given.get("key") if isinstance(given, dict) else None
    except ValueError:  # without its words, which may quote the body
        raise ConfigError(f"The body cannot be read. {remedy}") from None
    if not isinstance(text, str) or not text.strip():
        raise ConfigError(f"There is no key in the body. {remedy}")
    return text
