"""Questions through the Agent Client Protocol, to a fake agent in a process of its own."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import llm
import pytest

from consortium_mcp.adapters.acp.agents import Agent
from consortium_mcp.adapters.acp.asking import ask
from consortium_mcp.adapters.calls.model_caller import ModelCaller
from consortium_mcp.adapters.models.registry import Registry
from consortium_mcp.adapters.settings import Limits
from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.frontends.llm.plugin import register_models
from tests.adapters.agents.test_asking import gone
from tests.support import fake_acp_agent
from tests.support.fake_acp_agent import ANSWER
from tests.support.fake_models import plugin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.anyio


def agent_in(folder: Path) -> Agent:
    command = (sys.executable, str(fake_acp_agent.__file__), str(folder))
    return Agent("fake", command, ("FAKE_",), "sign in to fake")


def seen_in(folder: Path) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads((folder / "seen.json").read_text())
    return seen


async def test_an_agent_answers_and_is_offered_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_TOKEN", "made-up")
    monkeypatch.setenv("OPENAI_API_KEY", "made-up")
    answer = await ask(agent_in(tmp_path), "How many?", "Be brief.")
    assert (answer.text, answer.cost_usd) == (ANSWER, 0.02)
    assert (answer.input_tokens, answer.output_tokens) == (7, 3)
    seen = seen_in(tmp_path)
    assert seen["session/prompt"]["prompt"][0]["text"] == "Be brief.\n\nHow many?"
    assert seen["session/new"]["mcpServers"] == []
    offered = seen["initialize"].get("clientCapabilities") or {}
    assert not any((offered.get("fs") or {}).values())
    assert not offered.get("terminal")
    assert "session/close" in seen
    assert seen["files"] == []
    given = seen["environment"]
    assert [name for name, value in given.items() if value == "made-up"] == ["FAKE_TOKEN"]
    assert given["CONSORTIUM_DEPTH"] == "1"


async def test_a_permission_is_refused_and_the_answer_comes_after_it(tmp_path: Path) -> None:
    answer = await ask(agent_in(tmp_path), "case:permission")
    assert answer.text == ANSWER
    outcome = seen_in(tmp_path)["session/request_permission"]["result"]["outcome"]
    assert outcome == {"outcome": "selected", "optionId": "no"}


async def test_files_and_terminals_are_refused(tmp_path: Path) -> None:
    await ask(agent_in(tmp_path), "case:file")
    for method in ("fs/read_text_file", "fs/write_text_file", "terminal/create"):
        assert "error" in seen_in(tmp_path)[method]


@pytest.mark.parametrize(
    ("case", "kind", "permanent", "words"),
    [
        ("case:key", "key", True, r"fake: Authentication required \(sign in to fake\)"),
        ("case:limited", "rate_limit", True, "resets at 5 pm"),
        ("case:error-text", "key", True, "HTTP 401"),
        ("case:crash", "agent", False, "fake: out of memory"),
        ("case:refuse", "refused", True, "refused to answer"),
    ],
)
async def test_each_error_is_told_apart(
    tmp_path: Path,
    case: str,
    kind: str,
    permanent: bool,  # noqa: FBT001
    words: str,
) -> None:
    with pytest.raises(MemberError, match=words) as caught:
        await ask(agent_in(tmp_path), case)
    assert (caught.value.kind, caught.value.permanent) == (kind, permanent)


async def test_a_long_answer_that_was_cut_says_so(tmp_path: Path) -> None:
    answer = await ask(agent_in(tmp_path), "case:long")
    assert (len(answer.text), answer.is_cut) == (300_000, True)


async def test_tokens_are_read_as_gemini_cli_tells_them(tmp_path: Path) -> None:
    answer = await ask(agent_in(tmp_path), "case:gemini")
    assert (answer.input_tokens, answer.output_tokens) == (5, 2)


async def test_nothing_is_left_of_a_call_that_was_given_up(tmp_path: Path) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(ask, agent_in(tmp_path), "case:sleeps")
        with anyio.fail_after(60):
            while not (tmp_path / "seen.json").exists() or "child" not in seen_in(tmp_path):  # noqa: ASYNC110
                await anyio.sleep(0.02)
        group.cancel_scope.cancel()
    seen = seen_in(tmp_path)
    with anyio.fail_after(60):
        await gone([seen["child"], seen["pid"]])


async def test_an_agent_that_is_not_there_is_said() -> None:
    with pytest.raises(MemberError, match="no-such-program is not installed") as caught:
        await ask(Agent("x", ("no-such-program",)), "?")
    assert caught.value.permanent


@pytest.mark.skipif(sys.platform == "win32", reason="the command's quotes are the shell's of POSIX")
@pytest.mark.usefixtures("settings")
async def test_it_is_a_model_as_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = f"fake={sys.executable} {fake_acp_agent.__file__} {tmp_path}"
    monkeypatch.setenv("CONSORTIUM_ACP", command)
    with plugin("ours", register_all):
        registry = Registry()
        entry = (await registry.snapshot()).find("acp/fake")
        assert (entry.provider, entry.at_once, entry.missing) == ("acp/fake", 2, None)
        question = Question(
            role="member", label="A", model="acp/fake", prompt="?", iteration=1, timeout=60
        )
        reply = await ModelCaller(registry, Limits())(question)
        assert (reply.text, reply.cost_usd, reply.priced_calls) == (ANSWER, 0.02, 1)
        answer = await anyio.to_thread.run_sync(
            lambda: llm.get_model("acp/fake").prompt("?").text()
        )
    assert answer == ANSWER


def register_all(add: Callable[..., None]) -> None:
    register_models(register=add, model_aliases=[])
