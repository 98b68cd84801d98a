"""The real agent programs, each against a loopback fake of its API. Run by `.ci/programs`.

They run in a network namespace with nothing but loopback, in an environment made from nothing, with
made-up keys and a home of their own that is full of traps.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import pytest

from consortium_mcp.adapters.agents.asking import ask
from consortium_mcp.adapters.agents.claude import Claude
from consortium_mcp.adapters.agents.codex import Codex
from consortium_mcp.adapters.agents.gemini import Gemini
from consortium_mcp.core.domain.errors import MemberError
from tests.providers.kit import ANSWER, JUDGEMENT, Api, server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.agents.programs import Program

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif("CONSORTIUM_REAL_PROGRAMS" not in os.environ, reason="see .ci/programs"),
]
SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
TRAP = "TRAP-1f3a"
"""Stands in every instruction file; no request may have it."""
LEFT = {
    "claude": set(),
    "codex": {"view_image", "request_user_input", "apply_patch", "exec", "wait"},
    "gemini": set(),
}
"""Tools that a program cannot be made to drop; docs/operating.md names them."""
MODELS = {"claude": None, "codex": "gpt-5.5", "gemini": "gemini-2.5-flash"}
"""With a model of its own choice, Gemini CLI tries others for minutes."""


@pytest.fixture
def port() -> Iterator[int]:
    running = server()
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    Api.requests.clear()
    Api.hung_up.clear()
    yield running.server_port
    running.shutdown()
    running.server_close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> Path:
    """A home whose configurations start a trap server and hold trap instructions."""
    sprung = tmp_path / "sprung"
    server_of_ours = {"command": "/usr/bin/touch", "args": [str(sprung)]}
    hook = {"hooks": [{"type": "command", "command": f"touch {sprung}"}]}
    made = tmp_path / "home"
    for name in (".claude", ".codex", ".gemini"):
        (made / name).mkdir(parents=True)
    for name in ("CLAUDE.md", ".claude/CLAUDE.md", ".codex/AGENTS.md", ".gemini/GEMINI.md"):
        (made / name).write_text(TRAP)
    servers = {"mcpServers": {"trap": server_of_ours}}
    (made / ".claude.json").write_text(json.dumps(servers))
    hooks = {"hooks": {"UserPromptSubmit": [hook], "SessionStart": [hook]}}
    (made / ".claude" / "settings.json").write_text(json.dumps(hooks))
    signed_in = {"security": {"auth": {"selectedType": "gemini-api-key"}}}
    (made / ".gemini" / "settings.json").write_text(json.dumps(servers | signed_in))
    (made / ".codex" / "config.toml").write_text(
        f'[mcp_servers.trap]\ncommand = "/usr/bin/touch"\nargs = ["{sprung}"]\n'
    )
    address = f"http://127.0.0.1:{port}"
    for name, value in {
        "HOME": str(made), "ANTHROPIC_API_KEY": "made-up", "ANTHROPIC_BASE_URL": address,
        "CODEX_API_KEY": "made-up", "GEMINI_API_KEY": "made-up",
        "GOOGLE_GEMINI_BASE_URL": address,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture(params=["claude", "codex", "gemini"])
def program(request: pytest.FixtureRequest, home: Path, port: int) -> Program:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    assert home.is_dir()
    provider = (
        f'name="fake",base_url="http://127.0.0.1:{port}/v1",wire_api="responses",'
        'env_key="CODEX_API_KEY",supports_websockets=false,request_max_retries=0,'
        "stream_max_retries=0"
    )
    codex = Codex((f"model_providers.fake={{{provider}}}", 'model_provider="fake"'))
    found: dict[str, Program] = {"claude": Claude(), "codex": codex, "gemini": Gemini()}
    return found[request.param]


async def asked(program: Program, case: str, **more: Any) -> Any:  # noqa: ANN401
    return await ask(program, f"What is it? case:{case}", model=MODELS[program.name], **more)


def files_of(home: Path) -> set[str]:
    return {str(each.relative_to(home)) for each in home.rglob("*") if each.is_file()}


def processes() -> list[str]:
    """What runs of our calls, by the mark in its environment."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            if b"CONSORTIUM_DEPTH=1" in (each / "environ").read_bytes():
                found.append((each / "cmdline").read_text().replace("\0", " "))
    return found


async def test_a_member_answers_and_only_answers(program: Program, home: Path) -> None:
    before = files_of(home)
    answer = await asked(program, "ok", system="Be careful and brief.")
    assert answer.text == ANSWER
    assert (answer.input_tokens, answer.output_tokens) == (7, 3)
    assert (answer.cost_usd is not None) == (program.name == "claude")
    sent = [body for _, body in Api.requests if body]
    assert "Be careful and brief." in json.dumps(sent)
    assert TRAP not in json.dumps(sent)
    assert not (home.parent / "sprung").exists()
    assert tools_in(sent) <= LEFT[program.name]
    left = {name for name in files_of(home) - before if "session" in name or "history" in name}
    assert not left
    assert not processes()


def tools_in(bodies: list[dict[str, Any]]) -> set[str]:
    """The names of all tools that were offered, in the forms of the three APIs."""
    found: set[str] = set()
    for body in bodies:
        hidden = [each.get("tools") or [] for each in body.get("input") or [] if "tools" in each]
        for tool in [*(body.get("tools") or []), *(each for some in hidden for each in some)]:
            inner = tool.get("tools") or tool.get("functionDeclarations")
            found |= {each["name"] for each in ([tool] if inner is None else inner)}
    return found


async def test_an_arbiter_answers_by_its_schema(program: Program) -> None:
    answer = await asked(program, "judge", schema=SCHEMA)
    # Gemini CLI has no schemas: there a verdict comes in tags.
    assert answer.text == json.dumps(JUDGEMENT) or not program.knows_schemas


@pytest.mark.parametrize(
    ("case", "kinds", "permanent"),
    [
        ("key", {"key"}, True),
        ("credit", {"http"}, True),
        ("missing", {"unknown_model", "agent"}, None),
        ("limited", {"rate_limit"}, False),
        ("broken", {"agent"}, False),
    ],
)
async def test_each_error_is_told_apart(
    program: Program,
    case: str,
    kinds: set[str],
    permanent: bool | None,  # noqa: FBT001
) -> None:
    if program.name == "gemini" and case == "limited":
        pytest.skip("Gemini CLI tries a limited call again by itself, for minutes")
    with pytest.raises(MemberError) as caught:
        await asked(program, case)
    assert caught.value.kind in kinds, str(caught.value)
    assert permanent is None or caught.value.permanent is permanent
    assert str(caught.value).startswith(f"{program.name}: ")


async def test_a_call_that_is_given_up_leaves_no_process_and_no_connection(
    program: Program,
) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(asked, program, "hang")
        while not any("hang" in json.dumps(body) for _, body in Api.requests):  # noqa: ASYNC110
            await anyio.sleep(0.05)
        group.cancel_scope.cancel()
    assert await anyio.to_thread.run_sync(Api.hung_up.wait, 60)
    with anyio.fail_after(60):
        while processes():  # noqa: ASYNC110 (they are no children of ours)
            await anyio.sleep(0.05)


async def test_eight_at_once_leave_nothing(program: Program, home: Path) -> None:
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(asked, program, "ok")
    assert not processes()
    assert not (home.parent / "sprung").exists()
