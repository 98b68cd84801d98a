"""Who may read the pages: this machine's own browser, with the link that `open` has shown.

A page of another site must not reach them, whatever it makes the browser send. So the host must be
the one that was asked for, a foreign origin is refused, and what changes something needs a header
that only a page of ours can set. The token of the link is good for one browser: it is exchanged for
a cookie that no script reads and no other site's request carries.
"""

from __future__ import annotations

import hmac
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "consortium"
OWN_HEADER = "x-consortium"
"""Another site's page cannot set it without asking first, which is never answered."""
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Access:
    """ASGI middleware that lets the right browser through.

    Args:
        app: what is behind it.
        hosts: `HOST:PORT` as a browser may name this server.
        with_token: whether a browser needs the link; without it, whoever is on this machine may.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], *, with_token: bool) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self.token: str | None = secrets.token_urlsafe(32) if with_token else None
        """What the link carries; `None` where it is not needed, or used up."""
        self._session = secrets.token_urlsafe(32)
        self._needs_session = with_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        answer = self._refusal(request)
        if answer is None:
            await self._app(scope, receive, _with_headers(send))
        else:
            await answer(scope, receive, _with_headers(send))

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("host") not in self._hosts:
            return _refused("This server does not go by that name.", HTTPStatus.MISDIRECTED_REQUEST)
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] not in self._hosts:
            return _refused("Pages of other sites may not ask this server.", HTTPStatus.FORBIDDEN)
        if request.method not in {"GET", "HEAD"} and OWN_HEADER not in request.headers:
            return _refused(f"The header {OWN_HEADER} is missing.", HTTPStatus.FORBIDDEN)
        return self._sign_in(request) if self._needs_session else None

    def _sign_in(self, request: Request) -> Response | None:
        token = request.query_params.get("token", "")
        if self.token is not None and hmac.compare_digest(token.encode(), self.token.encode()):
            self.token = None
            answer = RedirectResponse(request.url.path, HTTPStatus.SEE_OTHER)
            answer.set_cookie(COOKIE, self._session, httponly=True, samesite="strict")
            return answer
        if hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), self._session.encode()):
            return None
        return _refused(
            "This link has been used already, or is incomplete. `consortium-mcp open` makes a new "
            "one.",
            HTTPStatus.UNAUTHORIZED,
        )


def _refused(why: str, status: HTTPStatus) -> Response:
    return PlainTextResponse(why, status)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(SECURITY_HEADERS)
        await send(message)

    return sending
