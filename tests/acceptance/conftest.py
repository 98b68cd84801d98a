from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client, StdioServerParameters

from tests.conftest import ROOT
from tests.support.programs import program

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
        command, *arguments = program("tests.support.fake_server")
        server = StdioServerParameters(
            command=command,
            args=arguments,
            env=child_environment | environment,
            cwd=str(ROOT),
        )
        async with Client(server, mode=era, **options or {}) as client:
            yield client

    return connected
