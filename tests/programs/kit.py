"""The real agent programs, a home full of traps for them, and what each of them is asked with.

They speak to the fake API of `tests.providers.kit`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consortium_mcp.adapters.acp.agents import agents_of
from consortium_mcp.adapters.acp.asking import ask as ask_by_acp
from consortium_mcp.adapters.agents.asking import ask
from consortium_mcp.adapters.agents.claude import Claude
from consortium_mcp.adapters.agents.codex import Codex
from consortium_mcp.adapters.agents.gemini import Gemini
from tests.providers.kit import Api, server

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from consortium_mcp.adapters.agents.programs import Answer, Program

SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
TRAP = "TRAP-1f3a"
"""Stands in every instruction file; no request may have it."""
VERSIONS = {
    "claude": "2.1.197", "codex": "0.171.0", "gemini": "0.61.0", "opencode": "1.18.33",
    "copilot": "1.0.102",
}  # fmt: skip
"""As `.ci/programs` installs them."""


@dataclass(frozen=True)
class Subject:
    """One program, in one of the ways of asking it."""

    name: str
    """As its models' ids begin: `agent/claude`, `acp/opencode`."""
    ask: Callable[..., Coroutine[Any, Any, Answer]]
    knows_schemas: bool = False
    tools: frozenset[str] = field(default=frozenset())
    """Those that it cannot be made to drop; docs/operating.md names them."""

    @property
    def program(self) -> str:
        """Its command."""
        return self.name.partition("/")[2]

    @property
    def is_acp(self) -> bool:
        """Whether it is asked through the Agent Client Protocol."""
        return self.name.startswith("acp/")


def programs(port: int) -> tuple[Program, Program, Program]:
    """The three with a way of their own, for an API at this port."""
    provider = (
        f'name="fake",base_url="http://127.0.0.1:{port}/v1",wire_api="responses",'
        'env_key="CODEX_API_KEY",supports_websockets=false,request_max_retries=0,'
        "stream_max_retries=0"
    )
    codex = Codex((f"model_providers.fake={{{provider}}}", 'model_provider="fake"'))
    return Claude(), codex, Gemini()


def subjects(port: int) -> list[Subject]:
    """All of them, for an API at this port."""
    claude, codex, gemini = programs(port)
    left = frozenset({"view_image", "request_user_input", "apply_patch", "exec", "wait"})
    return [
        Subject("agent/claude", _asking(claude, None), knows_schemas=True),
        Subject("agent/codex", _asking(codex, "gpt-5.5"), knows_schemas=True, tools=left),
        # With a model of its own choice, Gemini CLI tries others for minutes.
        Subject("agent/gemini", _asking(gemini, "gemini-2.5-flash")),
        *map(_by_acp, ("opencode acp", "copilot --acp", "gemini --acp -m gemini-2.5-flash")),
    ]


def _asking(program: Any, model: str | None) -> Callable[..., Coroutine[Any, Any, Answer]]:  # noqa: ANN401
    def start(prompt: str, **more: Any) -> Coroutine[Any, Any, Answer]:  # noqa: ANN401
        return ask(program, prompt, model=model, **more)

    return start


def _by_acp(command: str) -> Subject:
    [agent] = agents_of([command])

    def start(
        prompt: str,
        system: str | None = None,
        schema: object = None,  # noqa: ARG001 (it has none)
    ) -> Coroutine[Any, Any, Answer]:
        return ask_by_acp(agent, prompt, system)

    return Subject(f"acp/{agent.name}", start)


def installed(subject: Subject) -> bool:
    """Whether its program is on the PATH."""
    return shutil.which(subject.program) is not None


@contextmanager
def api() -> Iterator[int]:
    """The fake API; its port."""
    running = server()
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    Api.requests.clear()
    Api.hung_up.clear()
    try:
        yield running.server_port
    finally:
        running.shutdown()
        running.server_close()


def trapped_home(folder: Path, port: int) -> dict[str, str]:
    """Make a home whose configurations start servers and hold instructions; its environment.

    One server is a trap, which makes the file `sprung` in the folder; the other is this project's,
    and adds a line to `starts` there.
    """
    sprung, made = folder / "sprung", folder / "home"
    ours = folder / "consortium-mcp"
    ours.write_text(
        f"#!/bin/sh\necho started >>{folder / 'starts'}\nexec {sys.executable} -m consortium_mcp\n"
    )
    ours.chmod(0o755)
    servers = {
        "trap": {"command": "/usr/bin/touch", "args": [str(sprung)]},
        "consortium": {"command": str(ours), "args": []},
    }
    hook = {"hooks": [{"type": "command", "command": f"touch {sprung}"}]}
    for name in (".claude", ".codex", ".gemini"):
        (made / name).mkdir(parents=True)
    for name in ("CLAUDE.md", ".claude/CLAUDE.md", ".codex/AGENTS.md", ".gemini/GEMINI.md"):
        (made / name).write_text(TRAP)
    (made / ".claude.json").write_text(json.dumps({"mcpServers": servers}))
    hooks = {"hooks": {"UserPromptSubmit": [hook], "SessionStart": [hook]}}
    (made / ".claude" / "settings.json").write_text(json.dumps(hooks))
    signed_in = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    (made / ".gemini" / "settings.json").write_text(json.dumps({"mcpServers": servers} | signed_in))
    tables = "\n".join(
        f"[mcp_servers.{name}]\ncommand = {json.dumps(each['command'])}\n"
        f"args = {json.dumps(each['args'])}\n"
        for name, each in servers.items()
    )
    (made / ".codex" / "config.toml").write_text(tables)
    address = f"http://127.0.0.1:{port}"
    return {
        "HOME": str(made), "ANTHROPIC_API_KEY": "made-up", "ANTHROPIC_BASE_URL": address,
        "CODEX_API_KEY": "made-up", "GEMINI_API_KEY": "made-up",
        "GOOGLE_GEMINI_BASE_URL": address, "OPENCODE_CONFIG_CONTENT": _opencode(address),
        "COPILOT_PROVIDER_BASE_URL": f"{address}/v1", "COPILOT_PROVIDER_TYPE": "openai",
        "COPILOT_MODEL": "m", "COPILOT_PROVIDER_API_KEY": "made-up", "COPILOT_OFFLINE": "true",
    }  # fmt: skip


def _opencode(address: str) -> str:
    options = {"baseURL": f"{address}/v1", "apiKey": "made-up"}
    fake = {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {"m": {"name": "m"}}}
    return json.dumps({"model": "fake/m", "provider": {"fake": fake}})


def processes() -> list[str]:
    """What runs of our calls, by the mark and the home in its environment."""
    found = []
    home = f"HOME={os.environ['HOME']}".encode()
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            given = (each / "environ").read_bytes().split(b"\0")
            if b"CONSORTIUM_DEPTH=1" in given and home in given:
                found.append((each / "cmdline").read_text().replace("\0", " "))
    return found


def tools_in(bodies: list[dict[str, Any]]) -> set[str]:
    """The names of all tools that were offered, in the forms of the APIs."""
    found: set[str] = set()
    for body in bodies:
        hidden = [each.get("tools") or [] for each in body.get("input") or [] if "tools" in each]
        for tool in [*(body.get("tools") or []), *(each for some in hidden for each in some)]:
            inner = tool.get("tools") or tool.get("functionDeclarations")
            for each in [tool] if inner is None else inner:
                found.add((each.get("function") or each)["name"])
    return found
