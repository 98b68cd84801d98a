from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client, StdioServerParameters

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

ERAS = ("legacy", "auto")


@pytest.fixture
def connect(
    child_environment: dict[str, str],
) -> Callable[..., AbstractAsyncContextManager[Client]]:
    """Start the real server as a child with fake models, and connect a client to it."""

    @asynccontextmanager
    async def connected(
        era: str = "auto", options: dict[str, Any] | None = None, **environment: str
    ) -> AsyncIterator[Client]:
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "tests.support.fake_server"],
            env=child_environment | environment,
            cwd=str(ROOT),
        )
        async with Client(server, mode=era, **options or {}) as client:
            yield client

    return connected
