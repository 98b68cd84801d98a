from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response

from consortium_mcp.adapters.identity.identity import Identity
from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.frontends.team.entrance.sessions import COOKIE, Sessions

pytestmark = pytest.mark.anyio
ALICE = Identity(
    principal=Principal(issuer="https://id.example.com", subject="alice"),
    name="alice",
    scopes=frozenset({"read"}),
)


class NoTokens:
    """A verifier that knows of no token."""

    async def identity(self, token: str) -> Identity | None:
        assert token.startswith("consortium_")
        return None


def request_with(cookie: str) -> Request:
    headers = [(b"cookie", f"{COOKIE}={cookie}".encode())]
    return Request({"type": "http", "headers": headers})


def begun(sessions: Sessions, token: str | None = None) -> tuple[str, str]:
    """The cookie's value, and the whole header."""
    response = Response()
    sessions.begin(response, ALICE, token)
    header = response.headers["set-cookie"]
    return header.partition("=")[2].partition(";")[0], header


async def test_a_session_is_known_to_every_server_with_the_secret() -> None:
    cookie, header = begun(Sessions(["shared by all"], secure=True))
    assert "HttpOnly" in header
    assert "Secure" in header
    assert "alice" not in cookie
    other = Sessions(["a newer one", "shared by all"], secure=True)
    found = await other.identity(request_with(cookie), NoTokens())  # type: ignore[arg-type]
    assert found == ALICE


@pytest.mark.parametrize("change", [lambda it: it[:-4] + "AAAA", lambda _: "", lambda _: "x.y.z"])
async def test_a_changed_cookie_is_nobodys(change: object) -> None:
    sessions = Sessions(["secret"], secure=False)
    cookie, _ = begun(sessions)
    assert callable(change)
    found = await sessions.identity(request_with(change(cookie)), NoTokens())  # type: ignore[arg-type]
    assert found is None
    stranger = Sessions(["another secret"], secure=False)
    assert await stranger.identity(request_with(cookie), NoTokens()) is None  # type: ignore[arg-type]


async def test_a_session_by_a_token_ends_with_the_token() -> None:
    sessions = Sessions(["secret"], secure=False)
    cookie, _ = begun(sessions, "consortium_revoked")
    assert await sessions.identity(request_with(cookie), NoTokens()) is None  # type: ignore[arg-type]
