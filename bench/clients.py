"""Three kinds of client, each from its question to its answer, through the SDK's own client.

    python -m bench.clients

One gives up on every call after 60 seconds, and its run takes 70. One shows neither resources nor
structured content to its model, which has the text alone. One is on the 2026 wire. The models are
the tests' fakes behind the real server, started as a child.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from mcp import Client, StdioServerParameters

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mcp_types import CallToolResult

PANEL = {"models": ["sure", "agrees"], "arbiter": "judge", "strategy": "synthesis"}


@asynccontextmanager
async def connected(environment: dict[str, str], mode: str) -> AsyncIterator[Client]:
    """A client of the real server with fake models."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "tests.support.fake_server"], env=environment
    )
    async with Client(server, mode=mode) as client:
        yield client


def _text(result: CallToolResult) -> str:
    return "".join(getattr(part, "text", "") for part in result.content)


async def impatient(environment: dict[str, str], slow_model: str, limit: float) -> tuple[str, int]:
    """It gives up on a call after `limit` seconds, and asks again as each report says.

    Returns:
        The answer, and how many calls it took.
    """
    async with connected(environment, "legacy") as client:
        asked = PANEL | {"prompt": "Six × 7?", "models": ["sure", slow_model]}
        result = await client.call_tool("consult_consortium", asked, read_timeout_seconds=limit)
        calls, report = 1, result.structured_content or {}
        while report["status"] == "working":
            again = {"run_id": report["run_id"], "wait_seconds": limit * 2 / 3}
            result = await client.call_tool("get_run", again, read_timeout_seconds=limit)
            calls, report = calls + 1, result.structured_content or {}
        return str(report["synthesis"]), calls


async def text_only(environment: dict[str, str]) -> str:
    """It sees texts and tools, no resources: what it needs next must stand in the text."""
    async with connected(environment, "legacy") as client:
        asked = PANEL | {"prompt": "Six × 7?", "models": ["sure", "late"], "wait_seconds": 0}
        text = _text(await client.call_tool("consult_consortium", asked))
        while step := re.search(r'Next: `get_run\(run_id="(\w+)", wait_seconds=(\d+)\)`', text):
            again = {"run_id": step[1], "wait_seconds": int(step[2])}
            text = _text(await client.call_tool("get_run", again))
        listed = _text(await client.call_tool("list_runs", {"query": "Six"}))
        found = re.search(r"`(\w{26})`", listed)
        past = {"run_id": found[1] if found else ""}
        return _text(await client.call_tool("get_run", past)).partition("\n")[0]


async def modern(environment: dict[str, str]) -> str:
    """The stateless wire, with progress and the report as data."""
    told: list[str | None] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        told.append(message)

    async with connected(environment, "auto") as client:
        assert client.protocol_version == "2026-07-28"
        asked: dict[str, Any] = PANEL | {"prompt": "Six × 7?"}
        result = await client.call_tool("consult_consortium", asked, progress_callback=on_progress)
        assert told
        return str((result.structured_content or {})["synthesis"])


async def main() -> None:
    """Run all three and print what each came to."""
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ) | {"LLM_USER_PATH": folder}
        for name, call in (
            ("60 seconds a call, a run of 70", impatient(environment, "70 seconds", 60)),
            ("texts and tools alone", text_only(environment)),
            ("2026-07-28", modern(environment)),
        ):
            began = time.perf_counter()
            answer = await call
            print(f"{name}: {answer} ({time.perf_counter() - began:.1f} s)")


if __name__ == "__main__":
    anyio.run(main)
