"""How fast our server starts and how large it is then, beside a bare `MCPServer` with one tool.

    python -m bench.startup             in this environment
    python -m bench.startup --plugins   in a fresh one with eight provider plugins of llm as well

Both servers are started in turn, as a client starts them: from the spawn to the answer to
`initialize` and to `tools/list`. The resident size is asked right after that, before anything that
is loaded afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

ROUNDS = 15
PLUGINS = (
    "llm-anthropic",
    "llm-gemini",
    "llm-openrouter",
    "llm-mistral",
    "llm-ollama",
    "llm-grok",
    "llm-deepseek",
    "llm-groq",
)
BARE = """
from mcp.server.mcpserver import MCPServer
server = MCPServer("bare")

@server.tool()
def echo(text: str) -> str:
    "Say it again."
    return text

server.run("stdio")
"""
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}


class Start(NamedTuple):
    """One start."""

    initialized: float
    """Milliseconds from the spawn."""
    listed: float
    """The same."""
    resident: float
    """Megabytes."""


def start(command: list[str]) -> Start:
    """Start a server, ask for its tools, look at its size, and end it."""
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 (the command is ours)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        stdin, stdout = cast("IO[str]", server.stdin), cast("IO[str]", server.stdout)
        _ask(stdin, stdout, 1, "initialize", INITIALIZE)
        initialized = time.perf_counter() - began
        print(json.dumps(_message("notifications/initialized", {})), file=stdin, flush=True)
        _ask(stdin, stdout, 2, "tools/list", {})
        listed = time.perf_counter() - began
        resident = _resident(server.pid)
        stdin.close()
        server.wait(10)
    return Start(initialized * 1000, listed * 1000, resident)


def _message(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def _ask(stdin: IO[str], stdout: IO[str], number: int, method: str, params: dict[str, Any]) -> None:
    print(json.dumps(_message(method, params) | {"id": number}), file=stdin, flush=True)
    while json.loads(stdout.readline()).get("id") != number:
        pass


def _resident(pid: int) -> float:
    """Megabytes of memory that the process has resident."""
    shown = subprocess.run(  # noqa: S603
        ["ps", "-o", "rss=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    return int(shown.stdout) / 1024


def compare(rounds: int = ROUNDS) -> tuple[Start, Start]:
    """Medians of the bare server and of ours, started in turn."""
    bare, ours = [], []
    start([sys.executable, "-c", BARE])  # both find the files of the other's first run in the cache
    start([sys.executable, "-m", "consortium_mcp"])
    for _ in range(rounds):
        bare.append(start([sys.executable, "-c", BARE]))
        ours.append(start([sys.executable, "-m", "consortium_mcp"]))
    return _median(bare), _median(ours)


def _median(starts: list[Start]) -> Start:
    return Start(*(statistics.median(column) for column in zip(*starts, strict=True)))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--plugins", action="store_true")
    if parser.parse_args().plugins:
        _with_plugins()
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LLM_USER_PATH"] = folder
        bare, ours = compare()
    for name, unit in (("initialized", "ms"), ("listed", "ms")):
        one, other = getattr(bare, name), getattr(ours, name)
        print(f"{name}: bare {one:.0f} {unit}, ours {other:.0f} {unit}, {other / one:.2f} times")
    more = ours.resident - bare.resident
    print(f"resident: bare {bare.resident:.1f} MB, ours {ours.resident:.1f} MB, {more:+.1f} MB")


def _with_plugins() -> None:
    """The same in a fresh environment that has the plugins too."""
    project = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["uv", "venv", "--quiet", folder, "--clear"], check=True)  # noqa: S603, S607
        python = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        install = ["uv", "pip", "install", "--quiet", "--python", str(python)]
        constraints = ["--constraint", str(project / "constraints.txt")]
        subprocess.run([*install, *constraints, str(project), *PLUGINS], check=True)  # noqa: S603
        subprocess.run([str(python), "-m", "bench.startup"], cwd=project, check=True)  # noqa: S603


if __name__ == "__main__":
    main()
