"""Refuses requests to a name that this server does not go by (DNS rebinding), and foreign pages."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

_PROBED = {"/healthz", "/readyz", "/metrics"}
"""What the machines around ask by address, and what tells nothing of anybody."""


class KnownHosts:
    """ASGI middleware.

    Args:
        app: what is behind it.
        hosts: `HOST` or `HOST:PORT` as clients may name the server.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] == "http" and scope["path"] not in _PROBED:
            headers = Request(scope).headers
            origin = headers.get("origin")
            if headers.get("host") not in self._hosts:
                why = "This server does not go by that name; CONSORTIUM_HOSTS lists its names.\n"
                answer = PlainTextResponse(why, HTTPStatus.MISDIRECTED_REQUEST)
                await answer(scope, receive, send)
                return
            if origin is not None and origin.partition("://")[2] not in self._hosts:
                why = "Pages of other sites may not ask this server.\n"
                await PlainTextResponse(why, HTTPStatus.FORBIDDEN)(scope, receive, send)
                return
        await self._app(scope, receive, send)
