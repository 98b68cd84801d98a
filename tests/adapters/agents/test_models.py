"""The programs as models: found, described, called; fakes in their place."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.adapters.agents.finding import find
from consortium_mcp.adapters.agents.models import agent_models
from consortium_mcp.adapters.agents.sign_in import forget
from consortium_mcp.adapters.calls.model_caller import ModelCaller
from consortium_mcp.adapters.models.discovery import take_snapshot
from consortium_mcp.adapters.models.registry import Registry
from consortium_mcp.adapters.settings import Limits
from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.domain.request import ConsortiumSettings
from consortium_mcp.services.assembly import open_service
from tests.support.fake_agent import ANSWER, installed, seen
from tests.support.fake_models import plugin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consortium_mcp.adapters.settings import Settings

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("settings"),
    pytest.mark.skipif(sys.platform == "win32", reason="the fake programs are scripts"),
]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bare PATH, as desktop clients give, and `claude` in one of the usual places."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / ".local" / "bin"
    installed(folder, "claude")
    forget()
    return folder


def register(add: Callable[..., None]) -> None:
    for model in agent_models():
        add(*model)


async def ask(caller: ModelCaller, model: str) -> str:
    question = Question(
        role="member", label="A", model=model, prompt="?", iteration=1, timeout=60
    )  # fmt: skip
    return (await caller(question)).text


@pytest.mark.usefixtures("programs")
def test_a_program_in_a_usual_place_is_offered_with_its_own_models() -> None:
    with plugin("ours", register):
        found = take_snapshot().entries
    assert {"agent/claude", "agent/claude/opus"} <= found.keys()
    assert "agent/codex" not in found
    assert found["agent/claude"].provider == "agent/claude"


def test_whether_it_can_be_called_is_asked_of_the_program(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with plugin("ours", register):
        missing = take_snapshot().entries["agent/claude"]
        assert missing.missing == "nobody is signed in: start `claude` once and sign in"
        (programs / "signed-in").touch()
        forget()
        ready = take_snapshot().entries["agent/claude"]
        assert ready.ready
        assert "answers by the subscription" in str(ready.note)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "made-up")
        assert "API key in ANTHROPIC_API_KEY" in str(take_snapshot().find("agent/claude").note)


async def test_two_of_a_program_run_at_once_and_no_more(programs: Path) -> None:
    with plugin("ours", register):
        caller = ModelCaller(Registry(), Limits())
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(ask, caller, "agent/claude/opus")
        entry = (await Registry().snapshot()).find("agent/claude/opus")
    assert entry.at_once == 2
    calls = seen(programs)
    assert len(calls) == 4
    assert all("opus" in str(call["arguments"]) for call in calls)


async def test_programs_that_are_signed_in_are_the_panel_where_there_are_no_keys(
    programs: Path, settings: Settings
) -> None:
    installed(programs, "codex")
    (programs / "signed-in").touch()
    with plugin("ours", register):
        async with open_service(settings) as service:
            found = await service.resolver.resolve(None, ConsortiumSettings())
    assert [member.model for member in found.config.members] == ["agent/claude", "agent/codex"]
    assert "these programs are signed in" in str(found.chosen_because)
    assert any("answers by the subscription" in note for note in found.notes)


@pytest.mark.usefixtures("programs")
def test_the_sync_model_answers_too() -> None:
    [(sync, _), *_] = agent_models()
    assert sync.prompt("How many?", model="haiku").text() == ANSWER


def test_the_newest_version_of_a_version_manager_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    for version in ("v9.0.1", "v20.1.0", "v18.20.4"):
        installed(tmp_path / ".nvm" / "versions" / "node" / version / "bin", "codex")
    assert "v20.1.0" in str(find("codex", tmp_path))
    assert find("no-such-program", tmp_path) is None
