from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from consortium_mcp.frontends.team.entrance.hosts import KnownHosts
from tests.support.asgi import ask

pytestmark = pytest.mark.anyio
APP = KnownHosts(PlainTextResponse("inside"), ["consortium.example.com"])


@pytest.mark.parametrize(
    ("path", "host", "origin", "status"),
    [
        ("/mcp", "consortium.example.com", None, 200),
        ("/mcp", "consortium.example.com", "https://consortium.example.com", 200),
        ("/mcp", "consortium.example.com", "https://evil.example.com", 403),
        ("/mcp", "consortium.example.com", "null", 403),
        ("/mcp", "evil.example.com", None, 421),
        ("/", "127.0.0.1", None, 421),
        ("/", None, None, 421),
        ("/healthz", "10.0.0.7:8765", None, 200),
        ("/readyz", "10.0.0.7:8765", None, 200),
        ("/healthz/../mcp", "10.0.0.7:8765", None, 421),
    ],
)
async def test_only_known_names_are_answered(
    path: str, host: str | None, origin: str | None, status: int
) -> None:
    given: dict[str, Any] = {} if origin is None else {"origin": origin}
    assert (await ask(APP, path, host=host, **given)).status == status
