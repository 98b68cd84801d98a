from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mcp import Client, StdioServerParameters

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

ROOT = Path(__file__).parent.parent.parent
ERAS = ("legacy", "auto")


@pytest.fixture
def child_environment(tmp_path: Path) -> dict[str, str]:
    """A user's environment without keys or anything of ours, on directories of the test's own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("_KEY") and not name.startswith(("CONSORTIUM_", "LLM_"))
    }
    return kept | {"LLM_USER_PATH": str(tmp_path / "llm"), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def connect(
    child_environment: dict[str, str],
) -> Callable[..., AbstractAsyncContextManager[Client]]:
    """Start the real server as a child with fake models, and connect a client to it."""

    @asynccontextmanager
    async def connected(era: str = "auto", **environment: str) -> AsyncIterator[Client]:
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "tests.acceptance.fake_server"],
            env=child_environment | environment,
            cwd=str(ROOT),
        )
        async with Client(server, mode=era) as client:
            yield client

    return connected
