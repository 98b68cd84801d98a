"""Parallel calls through the real plugins of four providers, ours beside plain llm.

    python -m bench.plugins [calls]

Run it where the dependency group `providers` is installed. The APIs are those of the providers'
kit on loopback, in this process; each way runs in a fresh process of its own. CPU a call includes
the server's, which is the same for both. The stall is that of the loop that speaks MCP.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import anyio

from bench.at_once import at_once

CALLS = 50
PLUGINS = ("anthropic", "gemini", "mistral", "openai")


async def measure(name: str, calls: int, *, plain: bool) -> None:
    """Make the calls at once and print the figures."""
    import llm  # noqa: PLC0415 (after the environment is set)

    from consortium_mcp.core.domain.ask import Question  # noqa: PLC0415
    from tests.providers.plugins import caller_of, id_of  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        os.environ["LLM_USER_PATH"] = folder
        with caller_of(name, Path(folder)) as ours:
            model = llm.get_async_model(id_of(name))
            question = Question(
                role="member", label="A", model=id_of(name), prompt="x", iteration=1, timeout=120
            )

            async def one() -> None:
                text = await model.prompt("x").text() if plain else (await ours(question)).text
                assert text == "It is 42."

            await one()
            took = await at_once(one, calls)
    print(
        f"{name:10} {'plain' if plain else 'ours ':5}  "
        f"{1000 * took.cpu / calls:6.1f} ms CPU a call  {took.wall:5.2f} s wall  "
        f"{1000 * took.stall:5.0f} ms longest stall",
        flush=True,
    )


def main(calls: int) -> None:
    """One child for each plugin and way."""
    print(f"{platform.platform()}, Python {platform.python_version()}, {calls} calls at once")
    environment = os.environ | {"LLM_LOAD_PLUGINS": ""}
    for name in PLUGINS:
        for way in ("ours", "plain"):
            command = [sys.executable, "-W", "ignore", "-m", "bench.plugins", str(calls), name, way]
            subprocess.run(command, env=environment, check=True, timeout=300)  # noqa: S603


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    if len(sys.argv) > 3:
        anyio.run(lambda: measure(sys.argv[2], count, plain=sys.argv[3] == "plain"))
    else:
        main(count)
